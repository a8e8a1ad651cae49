// Which tables go into a batch. Nearly always all that have changes; but a batch of a table with values of variable
// length may take more than a quarter of a frame, so of many such tables some may have to wait. The batch is PARTIAL then.
import type { Store } from './store.ts'

/** Table and length before a table's deltas in a batch. */
const SECTION_HEAD_BYTES = 9

export class BatchTables {
  private readonly stores: readonly Store[]
  /** The table that had to wait comes first the next time. */
  private first = 0

  constructor(stores: readonly Store[]) {
    this.stores = stores
  }

  /** Numbers of tables with changes whose batches together take at most so many bytes, however long they turn out. */
  choose(bytesMax: number): Set<number> {
    const chosen = new Set<number>()
    const { first } = this
    let bytes = 0
    for (let i = 0; i < this.stores.length; i++) {
      const table = (first + i) % this.stores.length
      const store = this.stores[table]!
      if (!store.changed) continue
      bytes += store.batchBytesMax + SECTION_HEAD_BYTES
      if (bytes > bytesMax) {
        this.first = table
        break
      }
      chosen.add(table)
    }
    return chosen
  }
}
