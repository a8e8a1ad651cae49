// How long a starting node looks for its peer before it may act alone. While it stood still it did not look: it looks for
// so much longer, a bounded number of times.
import type { Reason } from '../wire/constants.ts'
import { NO_LINEAGE } from '../wire/status.ts'
import type { NodeState } from './state.ts'

/** Late wakes that lengthen the hold-down. */
const LATE_WAKES_MAX = 8

export class HoldDown {
  /** When it ends. */
  at: number
  private readonly lengthMs: number
  private readonly interval: number
  private lateWakes = 0

  constructor(startedAt: number, lengthMs: number, interval: number) {
    this.at = startedAt + lengthMs
    this.lengthMs = lengthMs
    this.interval = interval
  }

  /**
   * Whether a node that has just met its peer and holds nothing of it yet, when it hears no more of it, goes on looking.
   * One link may have come up and failed while the other is still being dialled.
   */
  covers(reason: Reason, { lineage }: NodeState, now: number): boolean {
    return reason === 'peer-silent' && lineage === NO_LINEAGE && now < this.at
  }

  /** The thread of a starting node was to wake at `planned` and woke at `now`. */
  handleWake(planned: number, now: number): void {
    const lateMs = now - planned
    if (lateMs <= this.interval / 2 || this.lateWakes >= LATE_WAKES_MAX) return
    this.lateWakes++
    this.at += Math.min(lateMs, this.lengthMs)
  }
}
