// Records of all tables in lists of bounded length, one list at a time.
import type { RecordList } from '../wire/sequenced.ts'
import type { Store } from './store.ts'

/** Records in one list: a few bytes each, well under a millisecond to find. */
const RECORDS_MAX = 8_192

export class RecordLister {
  private readonly stores: readonly Store[]
  private readonly what: 'owed' | 'changed'
  private table = 0
  private from = 0

  constructor(stores: readonly Store[], what: 'owed' | 'changed') {
    this.stores = stores
    this.what = what
  }

  /** The next list, its bytes valid until the next call on a store; `last` with the last one, even if it is empty. */
  next(): RecordList {
    const { table } = this
    const { bytes, next } = this.stores[table]!.list(this.what, this.from, RECORDS_MAX)
    this.from = next ?? 0
    if (next === undefined) this.table++
    return { table, last: this.table >= this.stores.length, list: bytes }
  }
}
