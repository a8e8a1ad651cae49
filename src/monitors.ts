// Health monitors: functions of the application that say whether this node is fit to be primary. Each is called at its
// interval, one call at a time; so many bad answers in a row make it fail, so many good ones make it healthy again. The
// sum of the weights of those that fail is what the two nodes compare.
import { clearTimeout, setTimeout } from 'node:timers'
import { ConfigError } from './errors.ts'
import type { MonitorEvent } from './events.ts'
import type { EffectSignal, MonitorCheck } from './options.ts'

/** Options of `node.monitor()`, checked and filled in. */
export interface MonitorSettings {
  /** From one call to the next, ms. */
  readonly intervalMs: number
  /** An answer that takes longer is a bad one, ms. */
  readonly timeoutMs: number
  /** What its failure counts. */
  readonly weight: number
  /** Good answers in a row that end a failure. */
  readonly rise: number
  /** Bad answers in a row that begin one. */
  readonly fall: number
}

/** A monitor of `node.monitor()`. */
export interface MonitorStatus {
  readonly healthy: boolean
  readonly weight: number
  /** Answers in a row that speak against `healthy`. */
  readonly against: number
  /** What the last bad answer said; '' before the first. */
  readonly lastError: string
  /** ms since 1970 of the last answer; null before the first. */
  readonly checkedAt: number | null
}

/** One byte of the status that travels. */
export const FAILED_MAX = 255

class Monitor {
  healthy = true
  against = 0
  lastError = ''
  checkedAt: number | null = null
  readonly settings: MonitorSettings
  private readonly check: MonitorCheck
  private readonly changed: () => void
  private next: NodeJS.Timeout | undefined
  private bound: NodeJS.Timeout | undefined
  private stopped = false

  constructor(check: MonitorCheck, settings: MonitorSettings, changed: () => void) {
    this.check = check
    this.settings = settings
    this.changed = changed
    this.begin()
  }

  private begin(): void {
    const began = performance.now()
    const controller = new AbortController()
    let isOver = false
    /** The first answer counts. The next call waits for the end of this one, however late it is. */
    const answer = (error: string | undefined) => {
      if (isOver || this.stopped) return
      isOver = true
      clearTimeout(this.bound)
      this.take(error)
    }
    const end = (error: string | undefined) => {
      answer(error)
      if (this.stopped) return
      const waitMs = Math.max(0, began + this.settings.intervalMs - performance.now())
      this.next = setTimeout(() => this.begin(), waitMs)
      this.next.unref()
    }
    const { timeoutMs } = this.settings
    this.bound = setTimeout(() => {
      const error = new Error(`no answer within ${timeoutMs} ms`)
      answer(error.message)
      controller.abort(error)
    }, timeoutMs)
    this.bound.unref()
    // A promise in any case: a check that throws at once is a bad answer like any other.
    new Promise((resolve) => resolve(this.check(controller.signal as EffectSignal))).then(
      (value) => end(value === false ? 'it answered false' : undefined),
      (error) => end(error instanceof Error ? error.message : String(error)),
    )
  }

  private take(error: string | undefined): void {
    const { rise, fall } = this.settings
    this.checkedAt = Date.now()
    if (error !== undefined) this.lastError = error
    this.against = (error === undefined) === this.healthy ? 0 : this.against + 1
    if (this.against < (this.healthy ? fall : rise)) return
    this.healthy = !this.healthy
    this.against = 0
    this.changed()
  }

  stop(): void {
    this.stopped = true
    clearTimeout(this.next)
    clearTimeout(this.bound)
  }
}

export class Monitors {
  private readonly byName = new Map<string, Monitor>()
  private readonly say: (failed: number) => void
  private readonly tell: (event: MonitorEvent) => void
  private said = 0

  /** `say` gets the weight of what fails whenever it changes, `tell` each change of a monitor, after that. */
  constructor(say: (failed: number) => void, tell: (event: MonitorEvent) => void) {
    this.say = say
    this.tell = tell
  }

  /** Begins at once. Gives the function that ends it. */
  add(name: string, check: MonitorCheck, settings: MonitorSettings): () => void {
    if (this.byName.has(name)) {
      throw new ConfigError(`monitor: name '${name}' given; allowed: a name that no running monitor has`)
    }
    const monitor = new Monitor(check, settings, () => {
      this.sayFailed()
      const { healthy, lastError } = monitor
      this.tell({ name, healthy, error: healthy ? '' : lastError, failed: this.failed })
    })
    this.byName.set(name, monitor)
    return () => {
      if (this.byName.get(name) !== monitor) return
      monitor.stop()
      this.byName.delete(name)
      this.sayFailed()
    }
  }

  get failed(): number {
    let sum = 0
    for (const { healthy, settings } of this.byName.values()) if (!healthy) sum += settings.weight
    return Math.min(FAILED_MAX, sum)
  }

  get status(): Record<string, MonitorStatus> {
    const entries = [...this.byName].map(([name, { healthy, against, lastError, checkedAt, settings }]) => {
      return [name, { healthy, weight: settings.weight, against, lastError, checkedAt }] as const
    })
    return Object.fromEntries(entries)
  }

  private sayFailed(): void {
    const { failed } = this
    if (failed === this.said) return
    this.said = failed
    this.say(failed)
  }

  stop(): void {
    for (const monitor of this.byName.values()) monitor.stop()
    this.byName.clear()
  }
}
