// The gate's deadline in the memory that both threads share. The threads' clocks run alike, but some runtimes let each
// thread's begin at its own zero. So the application thread shows its clock now and then, and this thread adds what the
// two differ in. A reading was made before it is seen: the difference comes out too small if anything, and the gate
// shuts too early by as much. The largest difference ever seen is the truest.
import { SharedMoment } from '../core/messages.ts'

export class SharedDeadline {
  private readonly moments: Float64Array
  /** Application thread's clock less this thread's, at least. */
  private differenceMs = Number.NEGATIVE_INFINITY
  /** On this thread's clock. */
  private at = Number.NEGATIVE_INFINITY

  constructor(words: SharedArrayBuffer | ArrayBuffer) {
    this.moments = new Float64Array(words)
  }

  /** Looks at the other clock; to be called often. */
  handleClock(now: number): void {
    const differenceMs = this.moments[SharedMoment.CLOCK]! - now
    if (differenceMs <= this.differenceMs) return
    this.differenceMs = differenceMs
    this.store(this.at)
  }

  /** `at`: on this thread's clock; -Infinity: shut. */
  store(at: number): void {
    this.at = at
    const shown = at + this.differenceMs
    this.moments[SharedMoment.DEADLINE] = Number.isNaN(shown) ? Number.NEGATIVE_INFINITY : shown
  }
}
