// Effects outside of the tables (a request sent, a row written elsewhere), run only while this node may act. A gate can
// only be asked before and after an effect; in between another node may have taken over. So each effect is handed the
// epoch, by which its receiver can refuse what comes from an earlier reign (docs/FENCING.md).
import { clearInterval, setInterval } from 'node:timers'
import { FencedError, NotPrimaryError } from './errors.ts'
import type { Effect, EffectSignal } from './options.ts'
import { isOpen, type WriteGate } from './table/gate.ts'

interface Running {
  /** Role word under which it began. */
  readonly word: number
  readonly lose: (cause?: unknown) => void
}

export class Gated {
  private readonly id: string
  private readonly gate: WriteGate
  private readonly epoch: () => number
  private readonly pulseMs: number
  private readonly running = new Set<Running>()
  /** The sync thread shuts the gate without a message, too; while effects run the word is looked at. */
  private pulse: NodeJS.Timeout | undefined

  /** `pulseMs`: how often the word is looked at while effects run. */
  constructor(id: string, gate: WriteGate, epoch: () => number, pulseMs: number) {
    this.id = id
    this.gate = gate
    this.epoch = epoch
    this.pulseMs = pulseMs
  }

  run<Value>(effect: Effect<Value>): Promise<Value> {
    if (!isOpen(this.gate)) {
      const what = `node '${this.id}' is not the acting primary; the effect was not run`
      return Promise.reject(new NotPrimaryError(what))
    }
    const word = this.gate.open
    const epoch = this.epoch()
    const controller = new AbortController()
    return new Promise<Value>((resolve, reject) => {
      const lose = (cause?: unknown) => {
        const error = fenced(this.id, epoch, cause)
        this.forget(one)
        reject(error)
        controller.abort(error)
      }
      const one: Running = { word, lose }
      /** Whether the effect ran under one permission from its beginning to here. */
      const isWhole = () => this.gate.open === word && isOpen(this.gate)
      const end = (settle: () => void, cause?: unknown) => {
        if (!isWhole()) lose(cause)
        else {
          this.forget(one)
          settle()
        }
      }
      this.remember(one)
      try {
        const outcome = effect(epoch, controller.signal as EffectSignal)
        if (isThenable(outcome)) {
          outcome.then(
            (value) => end(() => resolve(value)),
            (error) => end(() => reject(error), error),
          )
        } else end(() => resolve(outcome))
      } catch (error) {
        end(() => reject(error), error)
      }
    })
  }

  /** Ends the effects whose permission is over. */
  check(): void {
    for (const one of [...this.running]) {
      if (one.word !== this.gate.open || !isOpen(this.gate)) one.lose()
    }
  }

  private remember(one: Running): void {
    this.running.add(one)
    this.pulse ??= setInterval(() => this.check(), this.pulseMs).unref()
  }

  private forget(one: Running): void {
    this.running.delete(one)
    if (this.running.size > 0) return
    clearInterval(this.pulse)
    this.pulse = undefined
  }
}

function isThenable<Value>(value: Value | PromiseLike<Value>): value is PromiseLike<Value> {
  return (
    typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
  )
}

function fenced(id: string, epoch: number, cause: unknown): FencedError {
  const what = `node '${id}' ceased to act in epoch ${epoch} while an effect ran; whether it was done is known only to its receiver`
  return new FencedError(what, epoch, cause === undefined ? undefined : { cause })
}
