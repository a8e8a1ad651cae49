// The primary's half of replication, on the application thread: turns changes into batches, compares segments and
// sends images between them, and knows what the secondary holds. One sequence for all of it, so that an image or a
// digest always speaks of the state right after the batch before it. Sans-io.

import type { ByteWriter } from '../wire/bytes.ts'
import { FRAME_BYTES_MAX, FRAME_TYPE_OFFSET, FrameType } from '../wire/constants.ts'
import type { Ack } from '../wire/control.ts'
import type { Frame } from '../wire/frame.ts'
import { beginFrame, sealFrame } from '../wire/frame.ts'
import {
  beginBatch,
  readCompared,
  readToken,
  writeDigestRun,
  writeProofResult,
  writeResync,
  writeSection,
} from '../wire/sequenced.ts'
import type { Ground } from './base.ts'
import { BatchTables } from './batch-tables.ts'
import { Checkpoints } from './checkpoints.ts'
import { Comparison, type Say } from './comparison.ts'
import { digestCost, ImageSender } from './images.ts'
import { InFlight } from './in-flight.ts'
import type { ToSync } from './messages.ts'
import { Owing } from './owing.ts'
import type { ResyncProgress } from './resyncs.ts'
import type { Store } from './store.ts'
import type { TableTime } from './table-time.ts'
import type { Verifications } from './verifications.ts'

/** Memory of frames sent and not acknowledged above which nothing is flushed; changes gather in the journal meanwhile. */
export const FLUSH_ROOM_BYTES = 4_194_304
/**
 * Batches sent and not received above which nothing is flushed for its own sake: a slow secondary gets fewer and fuller
 * ones. Those of a backlog do not count.
 */
export const FLUSHES_AHEAD = 16
/** Without a flush for so long, ms, the stream stands still; shorter than that it may only be a long way. */
const STANDSTILL_MS = 1_000
/** Memory of frames above which no images and proofs are made: live batches never queue behind more than this. */
export const IMAGE_ROOM_BYTES = 524_288
/** Most bytes of overflowed records per table and batch. */
const OVERFLOW_BYTES = 131_072
/** Segments with sessions compared or proved per slice: well under a millisecond. */
const SLICE_SEGMENTS = 8
/** Time between two segments of the continuous proof, ms. */
const PROOF_INTERVAL_MS = 50

export class Feeder {
  private readonly stores: readonly Store[]
  private readonly post: (message: ToSync) => void
  private readonly time: TableTime
  epoch = 0
  /** Last sequence produced in this epoch. */
  sequence = 0
  /** Sequence of the RESYNC frame; 0 = nobody is fed. */
  attach = 0
  private follow = 0
  /** Until the secondary is synced every attachment compares everything: it was asked for. */
  isComparingAll = false
  ack: Ack | undefined
  private readonly inFlight = new InFlight()
  private readonly checkpoints: Checkpoints
  private readonly owing: Owing
  private readonly ground: Ground
  /** This node leads: what changes is noted even while nobody is fed. */
  private leads = false
  /** Of the last call. */
  private now = 0
  private readonly comparison: Comparison
  private readonly verifications: Verifications
  private readonly images: ImageSender
  private readonly batchTables: BatchTables
  private proofAt = 0
  private proofTable = 0
  private proofSegment = 0
  /** The last batch left overflowed records unsent. */
  private isPartial = false
  private lastFlushAt = Number.NEGATIVE_INFINITY

  constructor(
    stores: readonly Store[],
    post: (message: ToSync) => void,
    time: TableTime,
    ground: Ground,
    verifications: Verifications,
  ) {
    this.stores = stores
    this.post = post
    this.time = time
    this.ground = ground
    this.checkpoints = new Checkpoints(stores, ground)
    const say: Say = (type, write, bytes) => this.say(type, write, this.now, bytes)
    this.owing = new Owing(stores, ground, say)
    this.verifications = verifications
    this.batchTables = new BatchTables(stores)
    this.images = new ImageSender(stores, (...frame) => this.say(...frame))
    const hasRoom = () => this.inFlight.outstandingBytes < IMAGE_ROOM_BYTES
    this.comparison = new Comparison(stores, say, this.images, hasRoom)
  }

  /** A new reign: nobody is fed yet, positions count from nothing. */
  begin(epoch: number): void {
    this.leads = true
    this.detach()
    this.epoch = epoch
    this.sequence = 0
  }

  /** This node does not lead any more. */
  end(): void {
    this.leads = false
    this.detach()
  }

  /** Nobody is fed any more. */
  detach(): void {
    for (const store of this.stores) store.setTracking(this.leads ? 'ids' : false)
    this.attach = 0
    this.isComparingAll = false
    this.ack = undefined
    this.inFlight.reset()
    this.checkpoints.reset()
    this.owing.reset(false)
    this.isPartial = false
    this.comparison.reset()
    this.images.reset()
  }

  /** A secondary wants to be fed: from here on changes are remembered and sent. */
  attachTo(follow: number, digestKey: Uint8Array, now: number, full: boolean = this.isComparingAll): void {
    this.detach()
    this.isComparingAll = full
    this.owing.reset(full)
    this.follow = follow
    for (const store of this.stores) {
      store.setDigestKey(digestKey)
      store.setTracking(true)
    }
    this.comparison.begin()
    this.attach = this.sequence + 1
    const capacities = this.stores.map((store) => store.capacity)
    const { lineage } = this.ground
    const resync = { follow, digestKey, time: this.time.read(now), lineage, capacities }
    this.say(FrameType.RESYNC, (writer) => writeResync(writer, resync), now)
    this.proofAt = now + PROOF_INTERVAL_MS
  }

  /** The secondary, if there is one, gets everything compared. */
  compareAll(digestKey: Uint8Array, now: number): void {
    if (this.attach !== 0) this.attachTo(this.follow, digestKey, now, true)
  }

  /** `bytes`: about how long the payload gets. */
  private say(type: number, write: (writer: ByteWriter) => void, now: number, bytes = 0): void {
    this.sequence++
    const writer = beginFrame(type, this.epoch, this.sequence, this.attach, 128 + bytes)
    write(writer)
    this.push(sealFrame(writer), now, false)
  }

  private push(sealed: Uint8Array, now: number, isLive: boolean): void {
    // It may have to wait for long, so it keeps no buffer that is mostly empty.
    const frame = sealed.length * 2 < sealed.buffer.byteLength ? sealed.slice() : sealed
    this.inFlight.push(this.sequence, frame.buffer.byteLength, now, isLive, this.isPartial)
    this.post({ type: 'frame', sequence: this.sequence, attach: this.attach, frame })
  }

  // ---- Flush

  get isDirty(): boolean {
    return this.attach !== 0 && this.stores.some((store) => store.changed)
  }

  /** Everything written so far is in frames. */
  get isClean(): boolean {
    return this.stores.every((store) => !store.changed)
  }

  /** What is flushed can be sent. */
  private get hasRoom(): boolean {
    const { outstandingBytes, outstandingBatches } = this.inFlight
    return outstandingBytes < FLUSH_ROOM_BYTES && outstandingBatches < FLUSHES_AHEAD
  }

  /** What the journal cannot take may wait for a flush, which comes soon. */
  canWait(now: number): boolean {
    return this.hasRoom || now < this.lastFlushAt + STANDSTILL_MS
  }

  /**
   * When the next flush may be made; undefined when there is nothing to flush or no room. The rest of a backlog does not
   * wait for the interval: until it has gone out the secondary holds a mix, and a journal that overflows at each flush
   * would keep it so for good.
   */
  flushDeadline(flushInterval: number): number | undefined {
    if (!this.isDirty || !this.hasRoom) return undefined
    return this.isPartial ? this.lastFlushAt : this.lastFlushAt + flushInterval
  }

  /**
   * Sends what has changed in all tables as one batch, if there is room. While overflowed records remain unsent the
   * batch is PARTIAL; the batch that sends the last of them is sent even if nothing is left to say.
   */
  flush(now: number): void {
    if (this.isDirty && this.hasRoom) this.sendBatch(now)
  }

  private sendBatch(now: number): void {
    this.lastFlushAt = now
    const writer = beginFrame(FrameType.BATCH, this.epoch, this.sequence + 1, this.attach, 4_096)
    beginBatch(writer, this.time.read(now))
    const empty = writer.length
    const chosen = this.batchTables.choose(FRAME_BYTES_MAX - empty)
    for (const [table, store] of this.stores.entries()) {
      if (!chosen.has(table)) continue
      const deltas = store.encode(OVERFLOW_BYTES)
      if (deltas.length > 0) writeSection(writer, table, deltas)
    }
    const wasPartial = this.isPartial
    this.isPartial = !this.isClean
    if (this.isPartial) writer.bytes[FRAME_TYPE_OFFSET] = FrameType.PARTIAL
    if (writer.length === empty && this.isPartial === wasPartial) return
    this.sequence++
    this.push(sealFrame(writer), now, !this.isPartial)
    this.considerCheckpoint(now)
  }

  // ---- Compare, images, proofs

  /** When work between batches is due; undefined when there is none or no room. */
  workDeadline(now: number): number | undefined {
    if (this.attach === 0 || this.inFlight.outstandingBytes >= IMAGE_ROOM_BYTES) return undefined
    // While overflowed records are unsent the secondary may still hold keys that have moved: an image could bring one
    // of them twice, and a digest would speak of what was never sent. The backlog goes first.
    if (this.owing.isListing) return now
    if (this.isOverflowed) return undefined
    if (this.images.isGoing || this.comparison.isPending || this.verifications.isPending) return now
    return this.isSynced ? this.proofAt : undefined
  }

  private get isOverflowed(): boolean {
    return this.stores.some((store) => store.overflowed)
  }

  /**
   * One slice of comparing, right after a flush of the same turn. That flush has room wherever the slice has, however
   * many batches are on their way: under steady writes over a long way there are always as many as may be.
   */
  work(now: number): void {
    if (this.workDeadline(now) === undefined) return
    this.now = now
    if (this.owing.isListing) {
      this.owing.work()
      return
    }
    if (this.isDirty) this.sendBatch(now)
    if (this.isOverflowed || !this.isClean) return
    if (this.images.isGoing) {
      this.images.continue(now)
      return
    }
    const budget = this.comparison.work(SLICE_SEGMENTS, now)
    if (this.verifications.isPending) this.prove(budget, now)
    else if (this.isSynced && now >= this.proofAt) this.proveNext(now)
  }

  /** The continuous proof: one segment after another, for ever. */
  private proveNext(now: number): void {
    this.proofAt = now + PROOF_INTERVAL_MS
    if (this.stores.length === 0) return
    if (this.proofTable >= this.stores.length) this.proofTable = 0
    const store = this.stores[this.proofTable]!
    if (this.proofSegment >= store.segments) {
      this.proofSegment = 0
      this.proofTable = (this.proofTable + 1) % this.stores.length
      return
    }
    this.sayProof(0, this.proofTable, this.proofSegment++, 1, now)
    this.proofAt = now + PROOF_INTERVAL_MS * digestCost(store)
  }

  private prove(budget: number, now: number): void {
    let rest = budget
    while (rest > 0 && this.inFlight.outstandingBytes < IMAGE_ROOM_BYTES) {
      // How long a segment with values of variable length takes is known only afterwards.
      const most = this.stores.some((store) => store.arenaBytes > 0) ? 1 : rest
      const step = this.verifications.takeStep(this.stores, most)
      if (step === undefined) return
      if (step.type === 'end') {
        this.say(FrameType.PROOF_END, (writer) => writer.u32(step.token), now)
        this.verifications.handleEnd(step.token, this.epoch, this.sequence)
        return
      }
      this.sayProof(step.token, step.table, step.first, step.count, now)
      rest -= Math.max(step.count, digestCost(this.stores[step.table]!))
    }
  }

  private sayProof(token: number, table: number, first: number, count: number, now: number): void {
    const digests = this.stores[table]!.digests(first, count)
    this.say(
      FrameType.PROOF,
      (writer) => writeDigestRun(writer.u32(token), { table, first, count, digests }),
      now,
    )
  }

  // ---- What the secondary says

  /** A frame of the secondary's sequence. False: it does not parse. */
  handleFrame(frame: Frame, digestKey: () => Uint8Array, now: number): boolean {
    if (frame.attach !== this.attach) return true
    this.now = now
    switch (frame.type) {
      case FrameType.BASE:
        return this.owing.handleOffer(frame.payload)
      case FrameType.CHANGED:
        return this.owing.handleChanged(frame.payload)
      case FrameType.DIGESTS:
        return this.comparison.handleDigests(frame.payload)
      case FrameType.COMPARED: {
        const compared = readCompared(frame.payload)
        if (compared === undefined) return false
        const result = this.verifications.handleCompared(
          compared.token,
          compared.compared,
          compared.different,
        )
        if (result !== undefined) {
          this.say(FrameType.PROOF_RESULT, (writer) => writeProofResult(writer, result), now)
        }
        return true
      }
      case FrameType.VERIFY: {
        const token = readToken(frame.payload)
        if (token === undefined) return false
        this.verifications.beginForPeer(token)
        return true
      }
      case FrameType.RESYNC_REQUEST:
        this.attachTo(this.follow, digestKey(), now)
        return true
      default:
        return false
    }
  }

  handleAck(attach: number, ack: Ack, now: number): void {
    if (attach !== this.attach) return
    this.ack = ack
    this.inFlight.handleAck(ack)
    if (ack.awaited === 0) {
      this.isComparingAll = false
      this.owing.handleSynced()
      this.checkpoints.handleApplied(this.epoch, ack.applied)
    }
    this.considerCheckpoint(now)
  }

  private considerCheckpoint(now: number): void {
    if (this.isSynced && this.isClean && !this.isPartial) {
      this.checkpoints.consider(this.epoch, this.sequence, now)
    }
  }

  /** The secondary awaits nothing. */
  get isSynced(): boolean {
    return this.attach !== 0 && this.ack?.awaited === 0
  }

  /**
   * The secondary awaits nothing but the rest of a backlog, which comes without anybody's doing: it says one more then
   * than the segments and records it awaits.
   */
  get isAbreast(): boolean {
    if (this.attach === 0 || this.ack === undefined) return false
    return this.ack.awaited === (this.inFlight.lacksBacklog ? 1 : 0)
  }

  /** The secondary holds everything but the batches in flight. */
  get isProtecting(): boolean {
    return this.isSynced && !this.isOverflowed && !this.inFlight.bringsBacklog
  }

  /** Frames the secondary has not applied, and the age of the oldest, ms. */
  lag(now: number): { batches: number; ms: number } {
    return this.inFlight.lag(now)
  }

  /** What an unsynced secondary still lacks; undefined while it is synced, or there is none. */
  get progress(): ResyncProgress | undefined {
    if (this.attach === 0 || this.isSynced) return undefined
    if (this.owing.isUnderWay) return this.owing.progress
    const of = this.stores.reduce((sum, store) => sum + store.segments, 0)
    return { mode: 'full', left: Math.min(of, this.ack?.awaited ?? of), of }
  }
}
