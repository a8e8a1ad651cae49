// Epochs that survive a restart. A node with a state file writes there, ahead of need, an epoch above all it has heard,
// granted or used; after a restart it begins above that. So no epoch is opened twice and a grant still binds, whatever
// the clock says, and no failover waits for a disk: only an epoch above the one on disk does. Sans-io.

/** So far above what was heard is written: about a minute of the clock that epochs start from, many changes of role. */
export const RESERVE_AHEAD = 65_536
const WITHOUT_FILE = Number.POSITIVE_INFINITY

export class Reservation {
  /** Epochs up to this one may be acted on. */
  private durable: number
  /** Of the last write that was asked for. */
  private asked: number

  /** `reserved`: what the state file says at the start; undefined without one. */
  constructor(reserved: number | undefined) {
    this.durable = reserved ?? WITHOUT_FILE
    this.asked = this.durable
  }

  /** Whether a restart would begin above this epoch: it may be opened, claimed or granted. */
  covers(epoch: number): boolean {
    return epoch <= this.durable
  }

  /** What is to be written now that `heard` is the highest epoch known; undefined if what is written is enough. */
  extend(heard: number): number | undefined {
    if (heard + RESERVE_AHEAD / 2 <= this.asked) return undefined
    this.asked = Math.min(heard + RESERVE_AHEAD, Number.MAX_SAFE_INTEGER)
    return this.asked
  }

  /** The file says so now. */
  handleReserved(epoch: number): void {
    if (epoch > this.durable) this.durable = epoch
  }
}
