// Notices that the machine was suspended: the monotonic clock of Linux does not count that time, the date does
// (clock_gettime(2): CLOCK_MONOTONIC). A date that is set forward looks the same, and is treated so.
import type { Clock } from './clock.ts'

/** Of the lease: what its own margin covers. */
const MARGIN_SHARE = 1 / 100
/** Longest time between the readings of two clocks that are compared, ms. */
const READING_MS = 1

export class ClockGap {
  private readonly marginMs: number
  private dateMs: number | undefined
  private clockMs = 0

  constructor(leaseMs: number) {
    this.marginMs = Math.max(5, leaseMs * MARGIN_SHARE)
  }

  /** Whether since the last call more time passed than the monotonic clock says. */
  isGap(clock: Clock, date: () => number): boolean {
    const clockMs = clock()
    const dateMs = date()
    // This thread was set aside between the two readings: they say nothing about each other.
    if (clock() - clockMs > READING_MS) return false
    const isFirst = this.dateMs === undefined
    const gapMs = isFirst ? 0 : dateMs - this.dateMs! - (clockMs - this.clockMs)
    this.dateMs = dateMs
    this.clockMs = clockMs
    return gapMs > this.marginMs
  }
}
