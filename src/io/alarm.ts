// One timer for one deadline. A timer that stands for an earlier moment is left alone: firing early costs less than
// arming anew at every event, and whoever is woken asks for its deadline again.
import { clearImmediate, clearTimeout, setImmediate, setTimeout } from 'node:timers'
import type { Clock } from './clock.ts'

const DELAY_MAX_MS = 2 ** 31 - 1

export class Alarm {
  private readonly clock: Clock
  private readonly ring: () => void
  private timer: NodeJS.Timeout | undefined
  private immediate: NodeJS.Immediate | undefined
  private setFor = Number.POSITIVE_INFINITY

  constructor(clock: Clock, ring: () => void) {
    this.clock = clock
    this.ring = ring
  }

  /** Rings at the deadline, or shortly before it or after it; undefined and infinity: does not ring. */
  set(deadline: number | undefined): void {
    if (deadline === undefined || deadline === Number.POSITIVE_INFINITY) {
      this.clear()
      return
    }
    if (this.setFor <= deadline) return
    this.clear()
    this.setFor = deadline
    const delayMs = deadline - this.clock()
    if (delayMs <= 0) this.immediate = setImmediate(this.fire)
    else this.timer = setTimeout(this.fire, Math.min(Math.ceil(delayMs), DELAY_MAX_MS))
  }

  private readonly fire = (): void => {
    this.timer = undefined
    this.immediate = undefined
    this.setFor = Number.POSITIVE_INFINITY
    this.ring()
  }

  clear(): void {
    if (this.timer !== undefined) clearTimeout(this.timer)
    if (this.immediate !== undefined) clearImmediate(this.immediate)
    this.timer = undefined
    this.immediate = undefined
    this.setFor = Number.POSITIVE_INFINITY
  }
}
