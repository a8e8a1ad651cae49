// The witness on the sync thread: loads the module, makes the core's calls under a time-out, passes on what it watches.
// A witness that throws, hangs or answers nonsense is one that cannot be reached, no more.
import { clearTimeout, setTimeout } from 'node:timers'
import { setTimeout as pause } from 'node:timers/promises'
import type { WitnessAnswer, WitnessCall, WitnessState } from '../core/witness.ts'
import type { OpenWitness, Witness, WitnessContext } from '../witness/witness.ts'
import type { WitnessData } from './thread-messages.ts'

export interface WitnessEvents {
  answer(answer: WitnessAnswer): void
  news(state: WitnessState): void
}

const OPEN_TIMEOUT_MS = 10_000
/** How long the end of the thread waits for a lease to be given back. */
const CLOSE_TIMEOUT_MS = 1_000
/** Of the lease: time until a watch that ended is begun again. */
const WATCH_PAUSE_SHARE = 1 / 6

export class WitnessPort {
  private readonly data: WitnessData
  private readonly context: WitnessContext
  private readonly events: WitnessEvents
  private readonly closing = new AbortController()
  private readonly releases = new Set<Promise<void>>()
  private witness: Witness | undefined
  /** The module is a witness's. */
  isLoaded = false

  constructor(data: WitnessData, context: WitnessContext, events: WitnessEvents) {
    this.data = data
    this.context = context
    this.events = events
  }

  /** Loads and opens the witness; throws what that throws. */
  async open(): Promise<void> {
    const { module, options } = this.data
    const loaded = (await import(module)) as { openWitness?: OpenWitness }
    const { openWitness } = loaded
    if (typeof openWitness !== 'function') throw new Error(`${module} exports no function openWitness`)
    this.isLoaded = true
    const opened = Promise.resolve(openWitness(options as never, this.context))
    this.witness = await within(opened, OPEN_TIMEOUT_MS, 'openWitness')
    void this.watch(this.witness)
  }

  call(call: WitnessCall, timeoutMs: number): void {
    const done = this.make(call, timeoutMs)
    if (call.type !== 'release') return
    this.releases.add(done)
    void done.finally(() => this.releases.delete(done))
  }

  private async make(call: WitnessCall, timeoutMs: number): Promise<void> {
    const abort = new AbortController()
    try {
      const answer = await within(this.ask(call, abort.signal), timeoutMs, call.type)
      this.events.answer({
        call: call.call,
        type: 'state',
        state: stateOf(answer),
        done: answer.done === true,
      })
    } catch (error) {
      this.events.answer({ call: call.call, type: 'failed', reason: messageOf(error) })
    } finally {
      abort.abort()
    }
  }

  private async ask(call: WitnessCall, signal: AbortSignal): Promise<WitnessState & { done?: boolean }> {
    const witness = this.witness!
    switch (call.type) {
      case 'read':
        return witness.read(signal)
      case 'acquire':
        return witness.acquire(call.after, signal)
      case 'renew':
        return witness.renew(call.revision, signal)
      case 'release':
        return witness.release(call.revision, signal)
    }
  }

  private async watch(witness: Witness): Promise<void> {
    const { signal } = this.closing
    while (witness.watch !== undefined && !signal.aborted) {
      try {
        await witness.watch((state) => {
          if (!signal.aborted) this.events.news(stateOf(state))
        }, signal)
      } catch {
        // Whether the witness can be reached is told by the calls.
      }
      await pause(this.context.leaseMs * WATCH_PAUSE_SHARE, undefined, { signal }).catch(() => undefined)
    }
  }

  /** Ends what is under way; a lease that is being given back has a moment for it. */
  async close(): Promise<void> {
    this.closing.abort()
    await within(Promise.all(this.releases), CLOSE_TIMEOUT_MS, 'release').catch(() => undefined)
    await within(Promise.resolve(this.witness?.close?.()), CLOSE_TIMEOUT_MS, 'close').catch(() => undefined)
  }
}

function stateOf(given: WitnessState): WitnessState {
  const { holder, revision } = given
  if (typeof holder !== 'string' || !Number.isSafeInteger(revision) || revision < 0) {
    throw new Error(`the witness answered with holder ${String(holder)} and revision ${String(revision)}`)
  }
  return { holder, revision }
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const cause = error.cause instanceof Error ? `: ${error.cause.message}` : ''
  return `${error.message}${cause}`
}

async function within<Value>(promise: Promise<Value>, timeoutMs: number, what: string): Promise<Value> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`${what} was not answered within ${Math.round(timeoutMs)} ms`)),
      timeoutMs,
    )
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
