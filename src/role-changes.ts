// Changes of role as the application sees them: remembered, then told one after the other, each after its hook. Two hooks
// never run at once, so what one has begun is over, or was given up in time, before the next begins: an address is never
// given up by the word about an earlier role after it was taken for a later one.
import { AsyncLocalStorage } from 'node:async_hooks'
import { clearTimeout, setTimeout } from 'node:timers'
import type { RoleReplicaEvent } from './core/replica-event.ts'
import { HookError } from './errors.ts'
import type { RoleEvent } from './events.ts'
import { Spread } from './histogram.ts'
import type { EffectSignal, RoleHook } from './options.ts'
import { reasonSentence } from './reasons.ts'
import type { Settings } from './settings.ts'
import type { RoleChange, RoleCounts } from './status.ts'
import { REASONS, type Reason, type Role } from './wire/constants.ts'

const HISTORY_MAX = 64
const BOUNDS_MS = [5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000]

/** Every reason from the start: who watches a counter sees no first time where it begins with one. */
function noneYet(): Record<Reason, number> {
  return Object.fromEntries(REASONS.map((reason) => [reason, 0])) as Record<Reason, number>
}

export class RoleChanges {
  /** Oldest first. */
  readonly history: RoleChange[] = []
  /** Settles when everything that has happened so far was told. */
  told: Promise<void> = Promise.resolve()
  /** Of the hook whose calls these are, however deep; what a hook leaves behind outlives its running. */
  private readonly within = new AsyncLocalStorage<{ running: boolean }>()
  /** Of the hook that runs. */
  private running: AbortController | undefined
  /** Changes so far: a hook whose change is not the last one speaks of a role that is over. */
  private changes = 0
  /** Remembered and not yet told, oldest first. */
  private readonly untold: { event: RoleEvent; number: number; wasPrimary: boolean }[] = []
  private readonly promotions = noneYet()
  private readonly demotions = noneYet()
  private readonly promotionMs = new Spread(BOUNDS_MS)
  private readonly settings: Settings
  private readonly tell: (event: RoleEvent) => void
  private readonly report: (error: Error) => void

  constructor(settings: Settings, tell: (event: RoleEvent) => void, report: (error: Error) => void) {
    this.settings = settings
    this.tell = tell
    this.report = report
  }

  /** Whether the caller is a hook that has not finished: whoever it waits for must not wait for `told`. */
  get isWithinHook(): boolean {
    return this.within.getStore()?.running === true
  }

  /** Of all changes, also those that the history has forgotten. */
  get counts(): RoleCounts {
    const { promotions, demotions } = this
    return {
      promotions: { ...promotions },
      demotions: { ...demotions },
      promotionMs: this.promotionMs.read(),
    }
  }

  private count(role: Role, wasPrimary: boolean, reason: Reason, durationMs: number): void {
    const counts = role === 'primary' ? this.promotions : wasPrimary ? this.demotions : undefined
    if (counts !== undefined) counts[reason]++
    if (role === 'primary') this.promotionMs.add(durationMs)
  }

  /** Of the role the node has. */
  get reason(): Reason {
    return this.history.at(-1)?.reason ?? 'none'
  }

  /** Remembers a change from when the node has its new role, so that whoever looks finds both. */
  note(change: RoleReplicaEvent): void {
    const { settings, history } = this
    const { role, epoch, reason, by = null, durationMs, report } = change
    const wasPrimary = history.at(-1)?.role === 'primary'
    this.count(role, wasPrimary, reason, durationMs)
    const maintenance = role === 'primary' && change.maintenance === true
    const message = reasonSentence({ reason, by, maintenance }, settings.peer)
    const { position, sessions } = report
    const what = { role, epoch, reason, by, message, durationMs }
    history.push({ at: Date.now(), ...what, position, sessions, maintenance })
    if (history.length > HISTORY_MAX) history.shift()
    const event: RoleEvent = { ...what, report }
    settings.logger.info({ ...event }, `${role} in epoch ${epoch}: ${message}`)
    this.untold.push({ event, number: ++this.changes, wasPrimary })
    this.running?.abort(new HookError(`the role for which this hook ran is over: ${role} in epoch ${epoch}`))
  }

  /** Tells the next of those that were noted, when its turn comes among the events. */
  tellNext(): void {
    const { event, number, wasPrimary } = this.untold.shift()!
    const { settings } = this
    this.told = this.told.then(async () => {
      // What is taken for a role that is over would have to be given up at once. Giving up again does no harm.
      const isOver = number !== this.changes
      if (event.role === 'primary' && !isOver) await this.run('onPromote', settings.onPromote, event)
      else if (event.role !== 'primary' && wasPrimary) await this.run('onDemote', settings.onDemote, event)
      this.tell(event)
    })
  }

  /** A hook that throws, or takes too long, is reported and not waited for. */
  private async run(name: string, hook: RoleHook | undefined, event: RoleEvent): Promise<void> {
    if (hook === undefined) return
    const { hookTimeoutMs } = this.settings
    const controller = new AbortController()
    this.running = controller
    let late: NodeJS.Timeout | undefined
    let isLate = false
    const bound = new Promise<never>((_, reject) => {
      late = setTimeout(() => {
        const error = new HookError(
          `${name} did not finish within hookTimeout, ${hookTimeoutMs} ms; the node goes on without it, and what it had begun may be half done`,
        )
        isLate = true
        reject(error)
        controller.abort(error)
      }, hookTimeoutMs)
    })
    const call = { running: true }
    const signal = controller.signal as EffectSignal
    try {
      await Promise.race([this.within.run(call, () => hook(event, signal)), bound])
    } catch (error) {
      // One that ended because its role was over has not failed.
      const wasEnded =
        controller.signal.aborted && !isLate && (error === controller.signal.reason || isAbort(error))
      if (!wasEnded) this.report(error instanceof Error ? error : new Error(String(error)))
    } finally {
      clearTimeout(late)
      this.running = undefined
      call.running = false
      // Tracking calls slows every promise of the process on older runtimes.
      this.within.disable()
    }
  }
}

const isAbort = (error: unknown): boolean => error instanceof Error && error.name === 'AbortError'
