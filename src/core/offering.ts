// The secondary's half of agreeing what two nodes differ in: it offers its base, says which records it changed itself,
// and hears which are owed. Until then it trusts nothing; from then on everything but those records. Sans-io.
import type { ByteWriter } from '../wire/bytes.ts'
import { FrameType } from '../wire/constants.ts'
import { readRecordList, writeOffer, writeRecordList } from '../wire/sequenced.ts'
import type { Ground } from './base.ts'
import { RecordLister } from './record-lister.ts'
import type { ResyncProgress } from './resyncs.ts'
import type { Store } from './store.ts'

type Phase = 'none' | 'offering' | 'waiting' | 'listing' | 'hearing'

export class Offering {
  private readonly stores: readonly Store[]
  private readonly ground: Ground
  private readonly say: (type: number, write: (writer: ByteWriter) => void) => void
  private phase: Phase = 'none'
  private lister: RecordLister | undefined
  /** The primary accepted the offer, and not all of what it owes has come. */
  isUnderWay = false
  /** Records owed when they were agreed on. */
  private agreed = 0

  constructor(
    stores: readonly Store[],
    ground: Ground,
    say: (type: number, write: (writer: ByteWriter) => void) => void,
  ) {
    this.stores = stores
    this.ground = ground
    this.say = say
  }

  /** An attachment to a primary of that lineage begins. Whether there is a base to offer; if not, it is forgotten. */
  begin(lineage: string, isAlike: boolean): boolean {
    this.reset()
    this.isUnderWay = false
    this.ground.lineage = lineage
    for (const store of this.stores) store.forgetOwed()
    if (!isAlike || this.ground.base?.lineage !== lineage) {
      this.forget()
      return false
    }
    this.phase = 'offering'
    for (const store of this.stores) store.setListing(true)
    return true
  }

  /** The attachment is over, or what it said is void. */
  reset(): void {
    this.phase = 'none'
    this.lister = undefined
    for (const store of this.stores) store.setListing(false)
  }

  /** Nothing is known of the tables any more. */
  forget(): void {
    this.isUnderWay = false
    this.ground.base = undefined
    for (const store of this.stores) store.forgetChanges()
  }

  /** Nothing is awaited. */
  handleSynced(): void {
    this.isUnderWay = false
  }

  /** Records still to come; while that is being agreed on, all that are known. */
  get progress(): ResyncProgress {
    const left = this.owed
    return { mode: 'difference', left, of: this.phase === 'none' ? this.agreed : left }
  }

  private get owed(): number {
    return this.stores.reduce((sum, store) => sum + store.owed, 0)
  }

  get isDue(): boolean {
    return this.phase === 'offering' || this.phase === 'listing'
  }

  /** The primary's answer: 'full' if everything is to be compared; 'malformed'. */
  handleDifference(payload: Uint8Array): 'full' | 'malformed' | undefined {
    if (this.phase !== 'waiting' || payload.length !== 1 || payload[0]! > 1) return 'malformed'
    if (payload[0] === 0) {
      this.reset()
      for (const store of this.stores) store.forgetOwed()
      this.forget()
      return 'full'
    }
    this.phase = 'listing'
    this.isUnderWay = true
    this.lister = new RecordLister(this.stores, 'changed')
    for (const store of this.stores) store.oweChanged()
    return undefined
  }

  /** Records the primary owes. Gives the reason of a refusal. */
  handleOwed(payload: Uint8Array): string | undefined {
    const given = readRecordList(payload)
    const store = given === undefined ? undefined : this.stores[given.table]
    if (given === undefined || store === undefined || this.phase !== 'hearing') return 'malformed'
    const refusal = store.oweListed(given.list)
    if (refusal !== undefined || !given.last) return refusal
    this.reset()
    this.agreed = this.owed
    for (const one of this.stores) one.setAwaited(0, one.segments, false)
    return undefined
  }

  /** Says the offer, or one list. */
  work(): void {
    if (this.phase === 'offering') {
      this.phase = 'waiting'
      const changed = this.stores.reduce((sum, store) => sum + store.changedCount, 0)
      const offer = { ...this.ground.base!, changed }
      this.say(FrameType.BASE, (writer) => writeOffer(writer, offer))
    } else if (this.lister !== undefined) {
      const list = this.lister.next()
      this.say(FrameType.CHANGED, (writer) => writeRecordList(writer, list))
      if (!list.last) return
      this.phase = 'hearing'
      this.lister = undefined
    }
  }
}
