// The primary's half of agreeing what two nodes differ in: a secondary offers its base, says which records it changed
// itself, and is told which are owed: the changes of both. Those go whole then, with the batches. Sans-io.
import { FrameType } from '../wire/constants.ts'
import { readOffer, readRecordList, writeRecordList } from '../wire/sequenced.ts'
import { type Ground, isCommon } from './base.ts'
import type { Say } from './comparison.ts'
import { RecordLister } from './record-lister.ts'
import type { ResyncProgress } from './resyncs.ts'
import type { Store } from './store.ts'

/**
 * Records that differ above this share of the sessions are not worth naming: an image is put in place in bulk, for about
 * half of what the same records cost one by one, and with random changes nearly every segment differs by then anyway.
 */
const SHARE_MAX = 1 / 3

export class Owing {
  private readonly stores: readonly Store[]
  private readonly ground: Ground
  private readonly say: Say
  private collecting = false
  private lister: RecordLister | undefined
  /** Only a comparison of everything will do. */
  private refusing = false
  /** The secondary comes up by difference. */
  isUnderWay = false
  /** Records owed when they were agreed on. */
  private agreed = 0

  constructor(stores: readonly Store[], ground: Ground, say: Say) {
    this.stores = stores
    this.ground = ground
    this.say = say
  }

  /** An attachment begins or ends. */
  reset(full: boolean): void {
    this.collecting = false
    this.lister = undefined
    this.refusing = full
    this.isUnderWay = false
    for (const store of this.stores) {
      store.setListing(false)
      store.forgetOwed()
    }
  }

  /** What is owed is being agreed on, or sent. */
  get isAgreeing(): boolean {
    return this.collecting || this.lister !== undefined
  }

  /** Lists are to be said. */
  get isListing(): boolean {
    return this.lister !== undefined
  }

  /** The secondary is synced. */
  handleSynced(): void {
    this.isUnderWay = false
  }

  /** Records still to be sent; while that is being agreed on, all that are known. */
  get progress(): ResyncProgress {
    const left = this.owed
    return { mode: 'difference', left, of: this.isAgreeing ? left : this.agreed }
  }

  private get owed(): number {
    return this.stores.reduce((sum, store) => sum + store.owed, 0)
  }

  /** The secondary offers its base. False: malformed. */
  handleOffer(payload: Uint8Array): boolean {
    const offer = readOffer(payload)
    if (offer === undefined || this.isAgreeing) return false
    let changed = offer.changed
    let sessions = 0
    for (const store of this.stores) {
      changed += store.changedCount
      sessions += store.size
    }
    const { base, lineage } = this.ground
    const isKnown = offer.lineage === lineage && isCommon(base, offer)
    this.collecting = !this.refusing && isKnown && changed <= sessions * SHARE_MAX
    this.isUnderWay = this.collecting
    this.say(FrameType.DIFFERENCE, (writer) => writer.u8(this.collecting ? 1 : 0))
    return true
  }

  /** Records the secondary changed itself. False: malformed. */
  handleChanged(payload: Uint8Array): boolean {
    const given = readRecordList(payload)
    const store = given === undefined ? undefined : this.stores[given.table]
    if (given === undefined || store === undefined || !this.collecting) return false
    if (store.oweListed(given.list) !== undefined) return false
    if (!given.last) return true
    this.collecting = false
    this.lister = new RecordLister(this.stores, 'owed')
    for (const one of this.stores) {
      one.oweChanged()
      one.setListing(true)
    }
    return true
  }

  /** Says one list. With the last one the agreement stands: owed records may go. */
  work(): void {
    const list = this.lister?.next()
    if (list === undefined) return
    this.say(FrameType.OWED, (writer) => writeRecordList(writer, list))
    if (!list.last) return
    this.lister = undefined
    this.agreed = this.owed
    for (const store of this.stores) store.setListing(false)
  }
}
