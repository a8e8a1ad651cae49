// Positions of a reign which the secondary has confirmed: what changed before them need not be remembered. Two sets of
// records per table: changed since the last checkpoint, and before it until it is confirmed. Sans-io.
import type { Ground } from './base.ts'
import type { Store } from './store.ts'

/** Time between two checkpoints, ms: what changed in about two of them is sent once too often after a cut. */
const INTERVAL_MS = 100

export class Checkpoints {
  private readonly stores: readonly Store[]
  private readonly ground: Ground
  /** Position of the checkpoint that is not confirmed. */
  private pending: number | undefined
  private madeAt = Number.NEGATIVE_INFINITY

  constructor(stores: readonly Store[], ground: Ground) {
    this.stores = stores
    this.ground = ground
  }

  /** Nobody confirms any more; what was remembered stays so. */
  reset(): void {
    this.pending = undefined
  }

  /** Everything that changed is in frames up to `sequence`, and the secondary is synced. */
  consider(epoch: number, sequence: number, now: number): void {
    if (this.pending !== undefined) return
    const { base } = this.ground
    // Until there is a base in this reign the secondary's cannot be matched.
    const isFirst = base?.epoch !== epoch || !base.reigned
    if (!isFirst && (now < this.madeAt + INTERVAL_MS || sequence === base.sequence)) return
    for (const store of this.stores) store.checkpoint()
    this.pending = sequence
    this.madeAt = now
  }

  /**
   * The secondary has applied so much of the reign and awaits nothing. Were it confirmed before that, bases would
   * not meet after a cut with frames on their way (isCommon in src/core/base.ts), so that everything had to be compared;
   * and a primary that gives way would not tell of what it forgot too early.
   */
  handleApplied(epoch: number, applied: number): void {
    if (this.pending === undefined || applied < this.pending) return
    for (const store of this.stores) store.confirm()
    this.ground.base = { lineage: this.ground.lineage, epoch, sequence: this.pending, reigned: true }
    this.pending = undefined
  }
}
