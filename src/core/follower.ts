// The secondary's half of replication, on the application thread: applies the primary's frames in order, knows which
// segments it awaits, and says digests of them. A batch is applied whole, over all tables, or not at all. Sans-io.

import type { ByteWriter } from '../wire/bytes.ts'
import { FrameType } from '../wire/constants.ts'
import type { Frame } from '../wire/frame.ts'
import { beginFrame, sealFrame } from '../wire/frame.ts'
import type { Run } from '../wire/sequenced.ts'
import {
  DIGEST_BYTES,
  readBatch,
  readImage,
  readImagePart,
  readProof,
  readResync,
  readRun,
  readToken,
  writeDigestRun,
} from '../wire/sequenced.ts'
import type { Ground } from './base.ts'
import { digestCost, ImageTaker } from './images.ts'
import type { ToSync } from './messages.ts'
import { Offering } from './offering.ts'
import type { ResyncProgress } from './resyncs.ts'
import type { Store } from './store.ts'
import type { TableTime } from './table-time.ts'

/** Digests said per slice, by segments with sessions and by segments looked at. */
const SLICE_SEGMENTS = 8
const SLICE_LOOKS = 512

/** Wait before asking again after a second refusal in a row, ms; doubles. */
const REQUEST_WAIT_MS = { first: 100, longest: 30_000 } as const

export type FollowerEvent =
  | { type: 'unsynced'; reason: string; table: string | undefined; segment: number | undefined }
  | { type: 'poison'; reason: string; table: string | undefined; sequence: number }

export class Follower {
  private readonly stores: readonly Store[]
  private readonly post: (message: ToSync) => void
  private readonly time: TableTime
  private readonly ground: Ground
  private readonly offering: Offering
  private readonly emit: (event: FollowerEvent) => void
  private epoch = 0
  attach = 0
  /** Last sequence applied. */
  applied = 0
  /** When the last frame was applied. */
  appliedAt = 0
  /** Sequence of this side's last frame in the attachment. */
  private said = 0
  /** Runs of segments whose digests are still to be said. */
  private toSay: { table: number; first: number; end: number }[] = []
  /** After a refusal: everything is ignored until the next RESYNC. */
  private deaf = false
  /** Asked for here: no base is offered at the next RESYNC, whatever is known until then. */
  private full: 'no' | 'asked' | 'begun' = 'no'
  /** The last batch was PARTIAL. */
  private isPartial = false
  private refusedInARow = 0
  private wasSynced = false
  /** After a refusal: when to ask for a comparison. At once the first time, later and later while it is of no use. */
  private requestAt: number | undefined
  private readonly images: ImageTaker
  private compared = new Map<number, { compared: number; different: number }>()
  private reported = { applied: -1, awaited: -1 }

  constructor(
    stores: readonly Store[],
    post: (message: ToSync) => void,
    time: TableTime,
    ground: Ground,
    emit: (event: FollowerEvent) => void,
  ) {
    this.stores = stores
    this.post = post
    this.time = time
    this.ground = ground
    this.offering = new Offering(stores, ground, (type, write) => this.say(type, write))
    this.emit = emit
    this.images = new ImageTaker(stores)
  }

  /** No primary is followed (yet, or any more). The tables stay as they are. */
  detach(): void {
    this.attach = 0
    this.toSay = []
    this.requestAt = undefined
    this.isPartial = false
    this.wasSynced = false
    this.full = 'no'
    this.offering.reset()
    this.compared.clear()
  }

  /** Segments awaited over all tables, and one more while the primary has older changes unsent. */
  get awaited(): number {
    let sum = this.isPartial ? 1 : 0
    for (const store of this.stores) sum += store.awaited
    return sum
  }

  get isSynced(): boolean {
    return this.attach !== 0 && this.awaited === 0
  }

  /** What is still awaited; undefined when nothing is, or nobody is followed. */
  get progress(): ResyncProgress | undefined {
    if (this.attach === 0 || this.isSynced) return undefined
    if (this.offering.isUnderWay) return this.offering.progress
    const of = this.stores.reduce((sum, store) => sum + store.segments, 0)
    return { mode: 'full', left: Math.min(of, this.awaited), of }
  }

  /** Asks for a comparison of everything. */
  askResync(now: number): void {
    this.full = 'asked'
    this.requestAt = now
  }

  /** A comparison of everything that this node asked for is not over. */
  get isComparingAll(): boolean {
    return this.full !== 'no'
  }

  /** A frame of the primary's sequence, in order. */
  handleFrame(frame: Frame, now: number): void {
    if (frame.type === FrameType.RESYNC) this.handleResync(frame, now)
    else if (frame.attach !== this.attach || this.deaf) return
    else {
      const refusal = this.apply(frame, now)
      if (refusal !== undefined) this.refuse(refusal.reason, refusal.table, frame.sequence, now)
      else if (this.refusedInARow > 0 && this.awaited === 0) this.refusedInARow = 0
    }
    this.epoch = frame.epoch
    this.applied = frame.sequence
    this.appliedAt = now
    this.keepBase()
  }

  /** While nothing is awaited the tables are the primary's state at each position. */
  private keepBase(): void {
    const isSynced = this.isSynced
    if (isSynced) {
      if (!this.wasSynced) for (const store of this.stores) store.forgetChanges()
      const { lineage } = this.ground
      this.ground.base = { lineage, epoch: this.epoch, sequence: this.applied, reigned: false }
      this.offering.handleSynced()
      if (this.full === 'begun') this.full = 'no'
    }
    this.wasSynced = isSynced
  }

  private handleResync(frame: Frame, now: number): void {
    const resync = readResync(frame.payload)
    if (resync === undefined || resync.capacities.length !== this.stores.length) {
      throw new Error('a RESYNC frame that the sync thread accepted does not fit the tables')
    }
    this.time.adopt(resync.time, now)
    this.epoch = frame.epoch
    this.attach = frame.sequence
    this.said = 0
    this.toSay = []
    this.deaf = false
    this.requestAt = undefined
    this.isPartial = false
    this.reported = { applied: -1, awaited: -1 }
    this.compared.clear()
    this.images.reset()
    this.wasSynced = false
    // What an arena holds beside awaited records is not counted on the primary: such tables are compared.
    const isAlike = this.stores.every(
      (store, table) => store.capacity === resync.capacities[table] && store.arenaBytes === 0,
    )
    const offers = this.offering.begin(resync.lineage, isAlike && this.full === 'no')
    if (this.full === 'asked') this.full = 'begun'
    for (const [table, store] of this.stores.entries()) {
      store.setDigestKey(resync.digestKey)
      const theirs = Math.ceil(resync.capacities[table]! / 1024)
      store.setAwaited(0, store.segments, true)
      for (let segment = theirs; segment < store.segments; segment++) {
        store.stageImage(segment, EMPTY_IMAGE)
        store.commit()
        store.setAwaited(segment, 1, false)
      }
      if (!offers) this.toSay.push({ table, first: 0, end: Math.min(theirs, store.segments) })
    }
  }

  private apply(frame: Frame, now: number): { reason: string; table: number | undefined } | undefined {
    switch (frame.type) {
      case FrameType.BATCH:
      case FrameType.PARTIAL:
        return this.applyBatch(frame, now)
      case FrameType.SAME: {
        const run = readRun(frame.payload)
        if (run === undefined || !this.fits(run)) return { reason: 'malformed', table: run?.table }
        this.applySame(run)
        return undefined
      }
      case FrameType.IMAGE: {
        const image = readImage(frame.payload)
        if (image === undefined || !this.fits({ table: image.table, first: image.segment, count: 1 })) {
          return { reason: 'malformed', table: image?.table }
        }
        const store = this.stores[image.table]!
        const reason = store.stageImage(image.segment, image.deltas)
        if (reason !== undefined) return { reason, table: image.table }
        store.commit()
        store.setAwaited(image.segment, 1, false)
        return undefined
      }
      case FrameType.IMAGE_PART: {
        const part = readImagePart(frame.payload)
        if (part === undefined || !this.fits({ table: part.table, first: part.segment, count: 1 })) {
          return { reason: 'malformed', table: part?.table }
        }
        const reason = this.images.take(part)
        return reason === undefined ? undefined : { reason, table: part.table }
      }
      case FrameType.DIFFERENCE: {
        const answer = this.offering.handleDifference(frame.payload)
        if (answer === 'malformed') return { reason: answer, table: undefined }
        if (answer === 'full') this.sayAll()
        return undefined
      }
      case FrameType.OWED: {
        const reason = this.offering.handleOwed(frame.payload)
        return reason === undefined ? undefined : { reason, table: undefined }
      }
      case FrameType.PROOF:
        return this.applyProof(frame)
      case FrameType.PROOF_END: {
        const token = readToken(frame.payload)
        if (token === undefined) return { reason: 'malformed', table: undefined }
        const count = this.compared.get(token) ?? { compared: 0, different: 0 }
        this.compared.delete(token)
        this.say(FrameType.COMPARED, (writer) => writer.u32(token).u32(count.compared).u32(count.different))
        return undefined
      }
      case FrameType.PROOF_RESULT:
        return undefined // read by the replica
      default:
        return { reason: 'type', table: undefined }
    }
  }

  /** Every digest is to be said; the capacities are the primary's. */
  private sayAll(): void {
    this.toSay = this.stores.map((store, table) => ({ table, first: 0, end: store.segments }))
  }

  private fits(run: Run): boolean {
    const store = this.stores[run.table]
    return store !== undefined && run.count > 0 && run.first + run.count <= store.segments
  }

  private applyBatch(frame: Frame, now: number): { reason: string; table: number | undefined } | undefined {
    const batch = readBatch(frame.payload)
    if (batch === undefined) return { reason: 'malformed', table: undefined }
    const { sections } = batch
    for (const { table, deltas } of sections) {
      const reason = this.stores[table] === undefined ? 'table' : this.stores[table].stage(deltas)
      if (reason !== undefined) return { reason, table }
    }
    for (const { table } of sections) this.stores[table]!.commit()
    this.time.hear(batch.time, now)
    this.isPartial = frame.type === FrameType.PARTIAL
    return undefined
  }

  private applySame(run: Run): void {
    const store = this.stores[run.table]!
    for (let segment = run.first; segment < run.first + run.count; segment++) {
      if (!store.isAwaited(segment)) continue
      if (store.isTouched(segment)) this.await(run.table, segment)
      else store.setAwaited(segment, 1, false)
    }
  }

  /** A segment is not trusted (any more): its digest goes to the primary, which answers. */
  private await(table: number, segment: number): void {
    this.ground.base = undefined
    this.stores[table]!.setAwaited(segment, 1, true)
    this.toSay.push({ table, first: segment, end: segment + 1 })
  }

  private applyProof(frame: Frame): { reason: string; table: number | undefined } | undefined {
    const proof = readProof(frame.payload)
    if (proof === undefined || !this.fits(proof)) return { reason: 'malformed', table: proof?.table }
    const store = this.stores[proof.table]!
    let different = 0
    for (let i = 0; i < proof.count; i++) {
      const segment = proof.first + i
      if (store.isAwaited(segment)) {
        if (proof.token !== 0) different++
        continue
      }
      const theirs = proof.digests.subarray(i * DIGEST_BYTES, (i + 1) * DIGEST_BYTES)
      const mine = store.digests(segment, 1)
      if (mine.every((byte, at) => byte === theirs[at])) continue
      different++
      this.await(proof.table, segment)
      this.emit({ type: 'unsynced', reason: 'proof', table: store.name, segment })
    }
    if (proof.token !== 0) {
      const count = this.compared.get(proof.token) ?? { compared: 0, different: 0 }
      count.compared += proof.count
      count.different += different
      this.compared.set(proof.token, count)
    }
    return undefined
  }

  /** A frame was refused, so nothing after it can be trusted: ask for a comparison of everything. */
  private refuse(reason: string, table: number | undefined, sequence: number, now: number): void {
    this.deaf = true
    this.toSay = []
    this.offering.reset()
    this.offering.forget()
    this.refusedInARow++
    const waits = this.refusedInARow - 1
    const waitMs =
      waits === 0 ? 0 : Math.min(REQUEST_WAIT_MS.first * 2 ** (waits - 1), REQUEST_WAIT_MS.longest)
    this.requestAt = now + waitMs
    for (const store of this.stores) {
      store.forgetOwed()
      store.setAwaited(0, store.segments, true)
    }
    const name = table === undefined ? undefined : this.stores[table]?.name
    this.emit({ type: 'unsynced', reason, table: name, segment: undefined })
    if (this.refusedInARow === 2) this.emit({ type: 'poison', reason, table: name, sequence })
  }

  private say(type: number, write: (writer: ByteWriter) => void): void {
    this.said++
    const writer = beginFrame(type, this.epoch, this.said, this.attach)
    write(writer)
    this.post({ type: 'frame', sequence: this.said, attach: this.attach, frame: sealFrame(writer) })
  }

  /** Asks the primary to prove everything. */
  askVerify(token: number): void {
    this.say(FrameType.VERIFY, (writer) => writer.u32(token))
  }

  /** When there is something to say; undefined when there is not. */
  workDeadline(now: number): number | undefined {
    return this.toSay.length > 0 || this.offering.isDue ? now : this.requestAt
  }

  /** Asks for a comparison when it is time to, or says one slice of digests. */
  work(now: number): void {
    if (this.requestAt !== undefined && now >= this.requestAt) {
      this.requestAt = undefined
      this.say(FrameType.RESYNC_REQUEST, (writer) => writer.u8(0))
    }
    if (this.offering.isDue) {
      this.offering.work()
      return
    }
    let budget = SLICE_SEGMENTS
    let looks = SLICE_LOOKS
    while (budget > 0 && looks > 0) {
      const run = this.toSay[0]
      if (run === undefined) return
      const store = this.stores[run.table]!
      const first = run.first
      const digests = new Uint8Array(DIGEST_BYTES * Math.min(looks, run.end - first))
      let count = 0
      while (run.first < run.end && budget > 0 && looks > 0) {
        const digest = store.digests(run.first, 1)
        digests.set(digest, count * DIGEST_BYTES)
        if (digest.some((byte) => byte !== 0)) budget -= digestCost(store)
        looks--
        count++
        run.first++
      }
      if (run.first >= run.end) this.toSay.shift()
      if (count === 0) continue
      const said = { table: run.table, first, count, digests: digests.subarray(0, count * DIGEST_BYTES) }
      this.say(FrameType.DIGESTS, (writer) => writeDigestRun(writer, said))
    }
  }

  /** Tells the sync thread how far the tables are, if that changed. */
  reportApplied(): void {
    if (this.attach === 0) return
    const awaited = this.awaited
    if (this.reported.applied === this.applied && this.reported.awaited === awaited) return
    this.reported = { applied: this.applied, awaited }
    this.post({ type: 'applied', epoch: this.epoch, attach: this.attach, applied: this.applied, awaited })
  }
}

/** Zero deltas. */
const EMPTY_IMAGE = Uint8Array.of(0)
