// The side of a table that the replica drives (src/core/store.ts): remembered changes out as deltas, deltas and images
// in, digests to compare. Numbers from the peer are bounded here or in the core before they are used.
import { InvariantError } from '../errors.ts'
import type { TableDefinition } from '../schema/index.ts'
import { createEngine, type Engine, type HashSeed } from './engine.ts'
import { TableMeter } from './meter.ts'
import { Pickup } from './pickup.ts'
import { REFUSALS, type RefusalName, SEGMENT_RECORDS } from './refusals.ts'
import { SnapshotSource } from './snapshot-source.ts'

/** What the values of `blob` and `text` fields take of a table's arena, in bytes. */
export interface ArenaUse {
  /** Taken by the values of the sessions, each rounded up to ceil(bytes / 60) x 64. */
  readonly usedBytes: number
  /** Most that may be taken: 85 % of the arena. */
  readonly limitBytes: number
  /** Reserved. */
  readonly bytes: number
}

const UNIT_BYTES = 64
/** Longest part of an image in bytes, but for one record that is longer: a live batch waits behind no more than that. */
const IMAGE_PART_BYTES = 262_144

/** No session has a deadline. */
const NOTHING_DUE = 0xffffffff

export class TableStore {
  /** What `defineTable` gave. */
  readonly definition: TableDefinition
  readonly name: string
  readonly capacity: number
  /** ceil(capacity / SEGMENT_RECORDS). @internal */
  readonly segments: number
  readonly schemaHash: string
  /** @internal */ readonly schema: TableDefinition['schema']
  /** Bytes of the arena; 0 if it has none. @internal */
  readonly arenaBytes: number
  /** Largest output of one `encode`, in bytes, with a record that is longer than `encodeBytesMax`. @internal */
  readonly batchBytesMax: number
  /** Deltas one batch of this table may hold; more is refused as `count`. @internal */
  readonly deltasMax: number
  /** Largest output of one `encode`, in bytes. @internal */
  readonly encodeBytesMax: number
  /** Sessions whose before-image is remembered between two encodes; more go whole, later. @internal */
  readonly journalMax: number
  /** Called at the first change after an `encode` that left nothing behind. @internal */
  onChange: (() => void) | undefined
  /** What snapshots are taken from. @internal */
  readonly snapshots: SnapshotSource
  /** What it sent and applied. @internal */
  readonly meter: TableMeter
  /** @internal */ protected readonly engine: Engine
  /** Undefined: every session is replicated at once. */
  readonly #pickup: Pickup | undefined
  readonly #partBytes: number
  /** Table time, in ticks. @internal */
  protected time = 1
  readonly #expires: boolean
  #tracking = false
  #changed = false
  /** Whether the next write is to be told. */
  #announcing = false

  /** @internal */ constructor(
    definition: TableDefinition,
    seed: HashSeed,
    encodeBytesMax: number,
    snapshots: boolean,
  ) {
    this.definition = definition
    this.name = definition.name
    this.capacity = definition.capacity
    this.segments = Math.ceil(definition.capacity / SEGMENT_RECORDS)
    this.schemaHash = definition.schemaHash
    this.schema = definition.schema
    this.arenaBytes = definition.arena
    this.engine = createEngine(definition, seed, encodeBytesMax, snapshots)
    this.snapshots = new SnapshotSource(this.engine)
    this.meter = new TableMeter(this.engine)
    this.batchBytesMax =
      definition.arena > 0 ? this.engine.core.inboxBytes() : this.engine.core.encodeBytesMax()
    this.#partBytes = Math.min(IMAGE_PART_BYTES, encodeBytesMax)
    this.deltasMax = this.engine.core.deltasMax()
    this.encodeBytesMax = this.engine.core.encodeBytesMax()
    this.journalMax = this.engine.core.journalMax()
    this.#expires = definition.lifetime !== undefined
    this.engine.core.setTime(this.time)
    this.onChange = undefined
    const { pickup, layout } = definition
    this.#pickup = pickup && new Pickup(this.engine, pickup, this.name, layout)
    this.#listen()
  }

  /** @internal */ setTime(ticks: number): void {
    this.time = ticks
    this.engine.core.setTime(ticks)
  }

  /** @internal */ get sweepDue(): number {
    return this.#expires ? this.engine.core.sweepDue() >>> 0 : NOTHING_DUE
  }

  /** @internal */ sweep(patient: boolean): boolean {
    const before = this.size
    const begun = performance.now()
    const isOver = this.engine.core.sweep(patient ? 1 : 0) === 0
    this.meter.swept(begun)
    if (this.size !== before) this.noteChange()
    return !isOver
  }

  /** Sessions the table ended itself, and those it had no room for, since it was made. */
  get counts(): { expired: number; evicted: number; refused: number } {
    const { core } = this.engine
    return { expired: core.expired(), evicted: core.evicted(), refused: core.refused() }
  }

  get size(): number {
    return this.engine.core.sessions()
  }

  /** What is taken of the arena; zeros in a table without `blob` and `text` fields. */
  get arena(): ArenaUse {
    const { core } = this.engine
    return {
      usedBytes: (core.liveUnits() >>> 0) * UNIT_BYTES,
      limitBytes: (core.limitUnits() >>> 0) * UNIT_BYTES,
      bytes: this.arenaBytes,
    }
  }

  /** @internal */ speak(fields: number, deltas: number): void {
    this.engine.core.speak(fields, deltas)
  }

  /** @internal */ setTracking(on: boolean | 'ids'): void {
    this.#tracking = on === true
    this.#changed = false
    this.engine.core.track(on === true ? 2 : on === 'ids' ? 1 : 0)
    this.#listen()
  }

  #listen(): void {
    this.#announcing = (this.#tracking && !this.#changed) || this.#pickup !== undefined
  }

  /** Called after every write of the application. One test when nothing is to be told. @internal */
  protected noteChange(): void {
    if (!this.#announcing) return
    this.#announcing = false
    if (this.#tracking) this.#changed = true
    this.onChange?.()
  }

  /** @internal */ get changed(): boolean {
    return this.#changed
  }

  /** @internal */ get overflowed(): boolean {
    return this.engine.core.overflowed() !== 0
  }

  /**
   * Takes what changed as deltas, empty if nothing differs. All of the journal is always taken; `bytesMax` bounds what
   * overflowed records add to it. While `overflowed`, the peer may still hold keys that have moved: images and digests
   * are only good when nothing was left behind. The view is valid until the next call.
   * @internal */
  encode(bytesMax: number): Uint8Array {
    const { core } = this.engine
    const begun = performance.now()
    const length = core.encode(Math.max(0, Math.min(bytesMax, 2 ** 31 - 1)))
    this.meter.encoded(length, begun)
    this.#changed = core.overflowed() !== 0
    this.#listen()
    return this.#output(length)
  }

  #output(length: number): Uint8Array {
    const at = this.engine.core.outputAt() >>> 0
    return this.engine.u8.subarray(at, at + length)
  }

  /** @internal */ setDigestKey(key: Uint8Array): void {
    if (key.length !== 16) throw new InvariantError(`digest key of ${key.length} bytes given; allowed: 16`)
    this.engine.u8.set(key, this.engine.core.sipKey())
  }

  /** @internal */ digests(first: number, count: number): Uint8Array {
    const { core, u8 } = this.engine
    const taken = core.digests(first, count)
    const at = core.digestsAt() >>> 0
    return u8.subarray(at, at + taken * 8)
  }

  /** @internal */ get digestedBytes(): number {
    return this.engine.core.digestedBytes()
  }

  /** @internal */ image(segment: number): Uint8Array {
    if (!this.#isSegment(segment)) {
      throw new InvariantError(`segment ${segment} given; allowed: 0 to ${this.segments - 1}`)
    }
    const bytes = this.#output(this.engine.core.image(segment))
    const end = Math.min((segment + 1) * SEGMENT_RECORDS, this.capacity)
    if (this.engine.core.imageEnd() !== end) {
      throw new InvariantError(`segment ${segment} is too long for one image; take it in parts`)
    }
    return bytes
  }

  /** @internal */ imagePart(segment: number, first: number): { deltas: Uint8Array; end: number } {
    if (!this.#isSegment(segment)) {
      throw new InvariantError(`segment ${segment} given; allowed: 0 to ${this.segments - 1}`)
    }
    const { core } = this.engine
    const length = core.imagePart(segment, first, SEGMENT_RECORDS, this.#partBytes)
    const end = core.imageEnd() - segment * SEGMENT_RECORDS
    const isLast = end === Math.min(SEGMENT_RECORDS, this.capacity - segment * SEGMENT_RECORDS)
    return { deltas: this.#output(length), end: isLast ? SEGMENT_RECORDS : end }
  }

  #isSegment(segment: number): boolean {
    return Number.isInteger(segment) && segment >= 0 && segment < this.segments
  }

  /** @internal */ setAwaited(first: number, count: number, awaited: boolean): void {
    this.engine.core.awaitSegments(first, count, awaited ? 1 : 0)
  }

  /** @internal */ isAwaited(segment: number): boolean {
    return this.engine.core.segmentAwaited(segment) !== 0
  }

  /** @internal */ get awaited(): number {
    return this.engine.core.awaitedSegments() + (this.#tracking ? 0 : this.owed)
  }

  /** @internal */ isTouched(segment: number): boolean {
    return this.engine.core.segmentTouched(segment) !== 0
  }

  /** @internal */ stage(deltas: Uint8Array): RefusalName | undefined {
    const begun = performance.now()
    const refusal = this.#take(deltas) ?? this.#refusal(this.engine.core.stageBatch(deltas.length))
    this.meter.staged(begun)
    return refusal
  }

  /** @internal */ stageImage(segment: number, deltas: Uint8Array): RefusalName | undefined {
    if (!this.#isSegment(segment)) return 'id'
    return this.#take(deltas) ?? this.#refusal(this.engine.core.stageImage(segment, deltas.length))
  }

  /** @internal */ stageImagePart(
    segment: number,
    first: number,
    end: number,
    deltas: Uint8Array,
  ): RefusalName | undefined {
    if (!this.#isSegment(segment) || !(first >= 0 && first < end && end <= SEGMENT_RECORDS)) return 'id'
    const number = () => this.engine.core.stageImagePart(segment, first, end, deltas.length)
    return this.#take(deltas) ?? this.#refusal(number())
  }

  /** @internal */ setBrought(segment: number, end: number): void {
    this.engine.core.brought(Math.min(segment * SEGMENT_RECORDS + end, this.capacity))
  }

  #take(deltas: Uint8Array): RefusalName | undefined {
    const { core, u8 } = this.engine
    if (deltas.length > core.inboxBytes()) {
      core.unstage()
      return 'count'
    }
    u8.set(deltas, core.inboxAt() >>> 0)
    return undefined
  }

  #refusal(number: number): RefusalName | undefined {
    return number === 0 ? undefined : REFUSALS[number - 1]
  }

  /** @internal */ commit(): void {
    const begun = performance.now()
    this.engine.core.commit()
    this.meter.committed(begun)
  }

  /** @internal */ reset(): void {
    this.#changed = false
    this.engine.core.reset()
    this.#listen()
  }

  /** @internal */ get changedCount(): number {
    return this.engine.core.changedCount()
  }

  /** @internal */ checkpoint(): void {
    this.engine.core.checkpoint()
  }

  /** @internal */ confirm(): void {
    this.engine.core.confirm()
  }

  /** @internal */ forgetChanges(): void {
    this.engine.core.forgetChanges()
  }

  /** @internal */ get owed(): number {
    return this.engine.core.owed()
  }

  /** @internal */ forgetOwed(): void {
    this.engine.core.forgetOwed()
  }

  /** @internal */ oweChanged(): void {
    this.engine.core.oweChanged()
  }

  /** @internal */ oweListed(list: Uint8Array): RefusalName | undefined {
    return this.#take(list) ?? this.#refusal(this.engine.core.oweListed(list.length))
  }

  /** @internal */ setListing(on: boolean): void {
    this.engine.core.setListing(on ? 1 : 0)
    if (this.#tracking && this.overflowed) this.#changed = true
    this.#listen()
  }

  /** @internal */ list(
    what: 'owed' | 'changed',
    from: number,
    most: number,
  ): { bytes: Uint8Array; next: number | undefined } {
    const { core, u8 } = this.engine
    const length = core.list(what === 'owed' ? 1 : 0, from, most)
    const at = core.listAt() >>> 0
    const next = core.listNext()
    return { bytes: u8.subarray(at, at + length), next: next < 0 ? undefined : next }
  }

  /** @internal */ get held(): number {
    return this.#pickup?.held ?? 0
  }

  /** Sessions that were dropped at a demotion because no other node ever held them. @internal */
  get unreplicatedDropped(): number {
    return this.#pickup?.dropped ?? 0
  }

  /** @internal */ pickupDeadline(now: number): number | undefined {
    return this.#pickup?.deadline(now)
  }

  /** @internal */ pickUp(now: number): void {
    if (this.#pickup === undefined) return
    if (this.#pickup.turn(now) && this.#tracking) this.#changed = true
    this.#listen()
  }

  /** @internal */ demandPickup(): void {
    this.#pickup?.demand()
  }

  /** @internal */ get pickupDemanded(): boolean {
    return this.#pickup?.isDemanded ?? false
  }

  /** @internal */ dropHeld(): boolean {
    return this.#pickup?.drop() ?? true
  }

  /** Called with each session that `dropHeld` is about to drop. @internal */
  set onDropped(listener: ((session: Readonly<Record<string, unknown>>) => void) | undefined) {
    if (this.#pickup !== undefined) this.#pickup.onDropped = listener
  }

  /** Called with what a pickup filter throws. @internal */
  set onPickupError(listener: ((error: unknown) => void) | undefined) {
    if (this.#pickup !== undefined) this.#pickup.onError = listener
  }
}
