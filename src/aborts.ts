// Promises given up when a signal aborts. A signal carries one listener however many promises wait on it: adding or
// removing the n-th costs the platform n steps, and a program passes one signal to thousands of calls.
import type { AbortSignalLike } from './options.ts'

type GiveUp = (reason: unknown) => void

interface Waiters {
  readonly all: Set<GiveUp>
  readonly abort: () => void
}

export class Aborts {
  private readonly bySignal = new WeakMap<AbortSignalLike, Waiters>()

  /**
   * What `ask` promises, given up with the signal's reason when it aborts. What is given up goes on without being waited
   * for; a signal that has aborted already asks nothing.
   */
  orAborted<Value>(signal: AbortSignalLike | undefined, ask: () => Promise<Value>): Promise<Value> {
    if (signal === undefined) return ask()
    if (signal.aborted) return Promise.reject(signal.reason)
    const promise = ask()
    return new Promise((resolve, reject) => {
      this.add(signal, reject)
      promise.then(
        (value) => {
          this.remove(signal, reject)
          resolve(value)
        },
        (error) => {
          this.remove(signal, reject)
          reject(error)
        },
      )
    })
  }

  private add(signal: AbortSignalLike, giveUp: GiveUp): void {
    let waiters = this.bySignal.get(signal)
    if (waiters === undefined) {
      const all = new Set<GiveUp>()
      const abort = () => {
        this.forget(signal)
        for (const one of all) one(signal.reason)
      }
      waiters = { all, abort }
      this.bySignal.set(signal, waiters)
      signal.addEventListener('abort', abort)
    }
    waiters.all.add(giveUp)
  }

  private remove(signal: AbortSignalLike, giveUp: GiveUp): void {
    const waiters = this.bySignal.get(signal)
    waiters?.all.delete(giveUp)
    if (waiters?.all.size === 0) this.forget(signal)
  }

  private forget(signal: AbortSignalLike): void {
    const waiters = this.bySignal.get(signal)
    if (waiters === undefined) return
    signal.removeEventListener('abort', waiters.abort)
    this.bySignal.delete(signal)
  }
}
