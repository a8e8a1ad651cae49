// When a primary's held-back sessions are picked up, over all tables: those whose delay is over, all young ones when
// everything is to be sent; and that a node which ceased to be primary drops what it alone had. One slice per table
// and turn. Sans-io.
import type { Store } from './store.ts'

export class Pickups {
  private readonly stores: readonly Store[]
  /** This node is not primary any more and still holds sessions that no other node ever held. */
  private dropping = false

  constructor(stores: readonly Store[]) {
    this.stores = stores
  }

  /** When `work` is due; undefined when nothing waits. */
  deadline(now: number): number | undefined {
    let earliest: number | undefined
    for (const store of this.stores) {
      const at = store.pickupDeadline(now)
      if (at !== undefined && (earliest === undefined || at < earliest)) earliest = at
    }
    return earliest
  }

  /** Picks up one slice per table. Right before a flush, so that what is picked up leaves with it. */
  work(now: number): void {
    for (const store of this.stores) {
      const at = store.pickupDeadline(now)
      if (at !== undefined && at <= now) store.pickUp(now)
    }
  }

  /** Every session written so far is to be sent, unless a filter refuses it. */
  demand(): void {
    for (const store of this.stores) store.demandPickup()
  }

  /** Something demanded is not picked up yet. */
  get isDemanded(): boolean {
    return this.stores.some((store) => store.pickupDemanded)
  }

  /** This node follows from now on: a comparison covers every slot, so what is held back must go before. */
  beginDropping(): void {
    this.dropping = this.stores.some((store) => store.held > 0)
  }

  get isDropping(): boolean {
    return this.dropping
  }

  drop(): void {
    if (this.dropping) this.dropping = !this.stores.every((store) => store.dropHeld())
  }

  /** All at once: this node leads again before the slices were done. */
  dropRest(): void {
    while (this.dropping) this.drop()
  }
}
