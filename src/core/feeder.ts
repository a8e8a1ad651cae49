// The primary's half of replication, on the application thread: turns changes into batches, compares segments and
// sends images between them, and knows what the secondary holds. One sequence for all of it, so that an image or a
// digest always speaks of the state right after the batch before it. Sans-io.

import type { ByteWriter } from '../wire/bytes.ts'
import { FRAME_BYTES_MAX, FRAME_TYPE_OFFSET, FrameType } from '../wire/constants.ts'
import type { Frame } from '../wire/frame.ts'
import { beginFrame, sealFrame } from '../wire/frame.ts'
import {
  beginBatch,
  DIGEST_BYTES,
  readCompared,
  readDigestRun,
  readToken,
  writeDigestRun,
  writeProofResult,
  writeResync,
  writeRun,
  writeSection,
} from '../wire/sequenced.ts'
import { BatchTables } from './batch-tables.ts'
import { digestCost, ImageSender, isEmptyImage } from './images.ts'
import type { ToSync } from './messages.ts'
import type { Store } from './store.ts'
import type { TableTime } from './table-time.ts'
import type { Verifications } from './verifications.ts'

/** Bytes sent and not acknowledged above which nothing is flushed; changes gather in the journal meanwhile. */
export const FLUSH_ROOM_BYTES = 4_194_304
/** The same for images and proofs: live batches never queue behind more than this. */
export const IMAGE_ROOM_BYTES = 524_288
/** Most bytes of overflowed records per table and batch. */
const OVERFLOW_BYTES = 131_072
/** Segments with sessions compared per slice, and segments looked at: each well under a millisecond. */
const SLICE_SEGMENTS = 8
const SLICE_LOOKS = 256
/** Time between two segments of the continuous proof, ms. */
const PROOF_INTERVAL_MS = 50

interface Ack {
  received: number
  applied: number
  awaited: number
}

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
  ack: Ack | undefined
  /** Frames not yet acknowledged as applied, oldest first. */
  private inFlight: { sequence: number; bytes: number; at: number }[] = []
  /** Bytes of frames not yet acknowledged as received. */
  private outstandingBytes = 0
  private receivedCount = 0
  /** Per table: the secondary's digests still to be judged. */
  private wanted: { flags: Uint8Array; digests: Uint8Array; cursor: number; left: number }[] = []
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
    verifications: Verifications,
  ) {
    this.stores = stores
    this.post = post
    this.time = time
    this.verifications = verifications
    this.batchTables = new BatchTables(stores)
    this.images = new ImageSender(stores, (...frame) => this.say(...frame))
  }

  /** A new reign: nobody is fed yet, positions count from nothing. */
  begin(epoch: number): void {
    this.detach()
    this.epoch = epoch
    this.sequence = 0
  }

  /** Nobody is fed any more: changes need not be remembered. */
  detach(): void {
    for (const store of this.stores) store.setTracking(false)
    this.attach = 0
    this.ack = undefined
    this.inFlight = []
    this.outstandingBytes = 0
    this.receivedCount = 0
    this.isPartial = false
    this.wanted = []
    this.images.reset()
  }

  /** A secondary wants everything compared: from here on changes are remembered and sent. */
  attachTo(follow: number, digestKey: Uint8Array, now: number): void {
    this.detach()
    this.follow = follow
    for (const store of this.stores) {
      store.setDigestKey(digestKey)
      store.setTracking(true)
    }
    this.wanted = this.stores.map((store) => ({
      flags: new Uint8Array(store.segments),
      digests: new Uint8Array(store.segments * DIGEST_BYTES),
      cursor: 0,
      left: 0,
    }))
    this.attach = this.sequence + 1
    const capacities = this.stores.map((store) => store.capacity)
    const resync = { follow, digestKey, time: this.time.read(now), capacities }
    this.say(FrameType.RESYNC, (writer) => writeResync(writer, resync), now)
    this.proofAt = now + PROOF_INTERVAL_MS
  }

  /** `bytes`: about how long the payload gets. */
  private say(type: number, write: (writer: ByteWriter) => void, now: number, bytes = 0): void {
    this.sequence++
    const writer = beginFrame(type, this.epoch, this.sequence, this.attach, 128 + bytes)
    write(writer)
    this.push(sealFrame(writer), now)
  }

  private push(frame: Uint8Array, now: number): void {
    this.inFlight.push({ sequence: this.sequence, bytes: frame.length, at: now })
    this.outstandingBytes += frame.length
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
  get hasRoom(): boolean {
    return this.outstandingBytes < FLUSH_ROOM_BYTES
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
    if (!this.isDirty || !this.hasRoom) return
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
    this.push(sealFrame(writer), now)
  }

  // ---- Compare, images, proofs

  /** When work between batches is due; undefined when there is none or no room. */
  workDeadline(now: number): number | undefined {
    if (this.attach === 0 || this.outstandingBytes >= IMAGE_ROOM_BYTES || !this.hasRoom) return undefined
    // While overflowed records are unsent the secondary may still hold keys that have moved: an image could bring one
    // of them twice, and a digest would speak of what was never sent. The backlog goes first.
    if (this.isOverflowed) return undefined
    if (this.images.isGoing || this.verifications.isPending) return now
    if (this.wanted.some((table) => table.left > 0)) return now
    return this.isSynced ? this.proofAt : undefined
  }

  private get isOverflowed(): boolean {
    return this.stores.some((store) => store.overflowed)
  }

  /** One slice of comparing, right after a flush of the same turn. */
  work(now: number): void {
    if (this.workDeadline(now) === undefined) return
    this.flush(now)
    if (this.isOverflowed || !this.isClean) return
    if (this.images.isGoing) {
      this.images.continue(now)
      return
    }
    let budget = SLICE_SEGMENTS
    for (const [table, wanted] of this.wanted.entries()) {
      if (wanted.left > 0 && budget > 0) budget = this.compare(table, budget, now)
    }
    if (this.verifications.isPending) this.prove(budget, now)
    else if (this.isSynced && now >= this.proofAt) this.proveNext(now)
  }

  /** Judges segments whose digests the secondary sent: same, or here is the image. */
  private compare(table: number, budget: number, now: number): number {
    const store = this.stores[table]!
    const wanted = this.wanted[table]!
    let sameFirst = -1
    let sameCount = 0
    const saySame = () => {
      if (sameCount > 0) {
        const run = { table, first: sameFirst, count: sameCount }
        this.say(FrameType.SAME, (writer) => writeRun(writer, run), now)
      }
      sameCount = 0
    }
    for (let looks = 0; looks < SLICE_LOOKS && wanted.left > 0 && budget > 0; looks++) {
      const segment = wanted.cursor
      wanted.cursor = (segment + 1) % store.segments
      if (wanted.flags[segment] === 0) continue
      wanted.flags[segment] = 0
      wanted.left--
      const theirs = wanted.digests.subarray(segment * DIGEST_BYTES, (segment + 1) * DIGEST_BYTES)
      // Where the secondary has nothing there is nothing to compare: the image comes at once.
      const theyHoldNone = isZero(theirs)
      const part = theyHoldNone ? store.imagePart(segment, 0) : undefined
      const mine = part === undefined ? store.digests(segment, 1) : part.deltas
      const isEmpty = part === undefined ? isZero(mine) : isEmptyImage(part)
      if (!isEmpty) budget -= part === undefined ? digestCost(store) : 1
      if (part === undefined ? sameBytes(mine, theirs) : isEmpty) {
        if (sameCount === 0) sameFirst = segment
        if (segment === sameFirst + sameCount) {
          sameCount++
          continue
        }
        saySame()
        sameFirst = segment
        sameCount = 1
        continue
      }
      saySame()
      this.images.begin(table, segment, part ?? store.imagePart(segment, 0), now)
      if (this.images.isGoing || this.outstandingBytes >= IMAGE_ROOM_BYTES) budget = 0
    }
    saySame()
    return budget
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
    while (rest > 0 && this.outstandingBytes < IMAGE_ROOM_BYTES) {
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
    switch (frame.type) {
      case FrameType.DIGESTS:
        return this.handleDigests(frame)
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

  private handleDigests(frame: Frame): boolean {
    const run = readDigestRun(frame.payload)
    const wanted = run === undefined ? undefined : this.wanted[run.table]
    if (run === undefined || wanted === undefined) return false
    if (run.first + run.count > wanted.flags.length) return false
    wanted.digests.set(run.digests, run.first * DIGEST_BYTES)
    for (let segment = run.first; segment < run.first + run.count; segment++) {
      if (wanted.flags[segment] === 0) wanted.left++
      wanted.flags[segment] = 1
    }
    return true
  }

  handleAck(attach: number, ack: Ack): void {
    if (attach !== this.attach) return
    this.ack = ack
    while (this.receivedCount < this.inFlight.length) {
      const frame = this.inFlight[this.receivedCount]!
      if (frame.sequence > ack.received) break
      this.outstandingBytes -= frame.bytes
      this.receivedCount++
    }
    let applied = 0
    while (applied < this.receivedCount && this.inFlight[applied]!.sequence <= ack.applied) applied++
    this.inFlight.splice(0, applied)
    this.receivedCount -= applied
  }

  /** The secondary awaits nothing. */
  get isSynced(): boolean {
    return this.attach !== 0 && this.ack?.awaited === 0
  }

  /** The secondary holds everything but the batches in flight. */
  get isProtecting(): boolean {
    return this.isSynced && !this.isOverflowed
  }

  /** Frames the secondary has not applied, and the age of the oldest, ms. */
  lag(now: number): { batches: number; ms: number } {
    const oldest = this.inFlight[0]
    return { batches: this.inFlight.length, ms: oldest === undefined ? 0 : Math.max(0, now - oldest.at) }
  }
}

function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0)
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return a.length === b.length
}
