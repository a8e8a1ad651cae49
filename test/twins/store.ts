// The slow twin of the side of a table that a replica drives: src/core/store.ts over a Map. It keeps every
// before-image, so it never overflows.
import { type Refusal, SEGMENT_RECORDS, type SessionCopy, type Store } from '../../src/core/store.ts'
import type { SchemaInfo } from '../../src/wire/schema.ts'
import { type Arena, arenaOf } from './arena.ts'
import * as codec from './codec.ts'
import { type Delta, writeDeltas } from './deltas.ts'
import { isPast, lifeOf } from './lifetime.ts'
import { readList, writeList } from './lists.ts'
import { TwinPickup, type TwinPickupRule } from './pickup.ts'
import { type Row, type TwinSchema, TwinState } from './schema.ts'

export interface TwinStoreOptions {
  readonly name: string
  readonly capacity: number
  readonly schemaHash: string
  readonly schema: SchemaInfo
  readonly pickup?: TwinPickupRule | undefined
  /** Bytes; 0 without long columns. */
  readonly arena: number
}

export class TwinStore implements Store {
  readonly name: string
  readonly capacity: number
  readonly segments: number
  readonly schemaHash: string
  readonly schema: SchemaInfo
  readonly arenaBytes: number
  readonly batchBytesMax = 0
  readonly deltasMax = 2 ** 26
  readonly digestedBytes = 0
  onChange: (() => void) | undefined
  onDropped: ((session: SessionCopy) => void) | undefined

  readonly state: TwinState
  protected readonly accounts: Arena | undefined
  /** Table time, in ticks. */
  time = 1
  readonly pickup: TwinPickup | undefined
  readonly #before = new Map<number, Row | undefined>()
  readonly #awaited = new Set<number>()
  readonly #touched = new Set<number>()
  #brought: { readonly segment: number; readonly end: number } | undefined
  /** Records changed before and after the last checkpoint; records owed. */
  readonly #older = new Set<number>()
  readonly #recent = new Set<number>()
  readonly #owed = new Set<number>()
  #listing = false
  #stagedSegment: number | undefined
  #tracking: boolean | 'ids' = false
  #digestKey: Uint8Array = new Uint8Array(16)
  #staged: codec.Staged | undefined

  constructor(schema: TwinSchema, options: TwinStoreOptions) {
    this.name = options.name
    this.capacity = options.capacity
    this.segments = Math.ceil(options.capacity / SEGMENT_RECORDS)
    this.schemaHash = options.schemaHash
    this.schema = options.schema
    this.arenaBytes = options.arena
    this.accounts = arenaOf(options.arena)
    this.state = new TwinState(schema)
    this.pickup = options.pickup && new TwinPickup(options.pickup)
  }

  /** What the peer is to see of a slot. */
  #shown(id: number): Row | undefined {
    return this.pickup?.has(id) ? undefined : this.state.rows.get(id)
  }

  /** Everything the peer is to see. */
  shown(): TwinState {
    if (this.held === 0) return this.state
    const shown = this.state.copy()
    for (const id of this.pickup!.ids) shown.drop(id)
    return shown
  }

  get held(): number {
    return this.pickup?.ids.length ?? 0
  }

  pickupDeadline(now: number): number | undefined {
    return this.pickup?.deadline(now)
  }

  pickUp(now: number): void {
    this.pickup?.turn(
      now,
      (id) => this.values(this.state.rows.get(id)!),
      (id) => this.remember(id),
    )
  }

  /** A row as a pickup filter sees it. */
  values(_row: Row): Record<string, unknown> {
    return {}
  }

  demandPickup(): void {
    this.pickup?.demand()
  }

  get pickupDemanded(): boolean {
    return this.pickup?.isDemanded ?? false
  }

  dropHeld(): boolean {
    for (const id of this.pickup?.ids ?? []) {
      this.onDropped?.(this.values(this.state.rows.get(id)!))
      this.#end(id)
    }
    return true
  }

  sessionAt(id: number): SessionCopy | undefined {
    const row = this.state.rows.get(id)
    return row === undefined || this.isExpired(row) ? undefined : this.values(row)
  }

  sessionLike(_session: SessionCopy): SessionCopy | undefined {
    return undefined
  }

  /** The session in a slot ends without being remembered. */
  #end(id: number): void {
    this.pickup?.ended(id)
    this.state.drop(id)
  }

  get #lifeAt(): number {
    const { columns } = this.state.schema
    return columns.at(-1)?.kind === 'lifetime' ? columns.length - 1 : -1
  }

  /** Whether a session's time is over. */
  protected isExpired(row: Row): boolean {
    return this.#lifeAt >= 0 && isPast(row[this.#lifeAt]!, this.time)
  }

  get sweepDue(): number {
    if (this.#lifeAt < 0) return 2 ** 32 - 1
    const deadlines = [...this.state.rows.values()].map((row) => lifeOf(row[this.#lifeAt]!).deadline)
    return Math.min(...deadlines.filter((deadline) => deadline !== 0), 2 ** 32 - 1)
  }

  /** All at once. */
  sweep(_patient: boolean): boolean {
    for (const [id, row] of [...this.state.rows]) if (this.isExpired(row)) this.drop(id)
    return false
  }

  /** A session ends. */
  protected drop(id: number): void {
    this.remember(id)
    this.#end(id)
  }

  setTime(ticks: number): void {
    this.time = ticks
  }

  get size(): number {
    return this.state.rows.size
  }

  get changed(): boolean {
    return this.#before.size > 0 || this.overflowed
  }

  get overflowed(): boolean {
    return this.#tracking === true && !this.#listing && this.#owed.size > 0
  }

  get awaited(): number {
    return this.#awaited.size + (this.#tracking === true ? 0 : this.#owed.size)
  }

  /** The twin is one build and talks to itself: narrower tables are twins of their own (test/table/common.test.ts). */
  speak(fields: number): void {
    if (fields !== this.schema.fields.length)
      throw new Error(`a twin speaks all of its fields, not ${fields}`)
  }

  setTracking(on: boolean | 'ids'): void {
    this.#tracking = on
    for (const id of this.#before.keys()) this.#recent.add(id)
    this.#before.clear()
  }

  /** To be called before the row of a record is changed by the application. */
  protected remember(id: number): void {
    const first = this.#tracking === true && !this.changed
    if (this.#tracking === 'ids' && !this.pickup?.has(id)) this.#recent.add(id)
    if (this.#tracking === true && !this.#before.has(id)) this.#before.set(id, this.#shown(id))
    if (first || this.pickup !== undefined) this.onChange?.()
  }

  encode(_bytesMax: number): Uint8Array {
    const before = new TwinState(this.state.schema)
    const after = new TwinState(this.state.schema)
    for (const [id, row] of this.#before) {
      if (row !== undefined) before.put(id, row)
      const now = this.#shown(id)
      if (now !== undefined) after.put(id, now)
    }
    for (const id of this.#before.keys()) this.#recent.add(id)
    this.#before.clear()
    const deltas = codec.deltasBetween(before, after)
    if (this.#listing) for (const { id } of deltas) this.#owed.add(id)
    const owed = this.#listing ? new Set<number>() : new Set(this.#owed)
    if (!this.#listing) this.#owed.clear()
    // Of several lists of what the secondary changed only the first may have come: until the last it trusts nothing.
    for (const id of owed) this.#recent.add(id)
    const wholes = [...owed].map((id): Delta => ({ id, op: 'whole', row: this.#shown(id) }))
    const all = [...deltas.filter(({ id }) => !owed.has(id)), ...wholes].sort((a, b) => a.id - b.id)
    return all.length === 0 ? new Uint8Array() : writeDeltas(this.state.schema, all)
  }

  get changedCount(): number {
    return this.#older.size + this.#recent.size
  }

  checkpoint(): void {
    for (const id of this.#recent) this.#older.add(id)
    this.#recent.clear()
  }

  confirm(): void {
    this.#older.clear()
  }

  forgetChanges(): void {
    this.#older.clear()
    this.#recent.clear()
  }

  get owed(): number {
    return this.#owed.size
  }

  forgetOwed(): void {
    this.#owed.clear()
  }

  oweChanged(): void {
    for (const id of [...this.#older, ...this.#recent]) this.#owed.add(id)
  }

  oweListed(list: Uint8Array): Refusal {
    const ids = readList(list, this.capacity)
    if (typeof ids === 'string') return ids
    for (const id of ids) this.#owed.add(id)
    return undefined
  }

  setListing(on: boolean): void {
    this.#listing = on
  }

  list(
    what: 'owed' | 'changed',
    from: number,
    most: number,
  ): { bytes: Uint8Array; next: number | undefined } {
    const set = what === 'owed' ? this.#owed : new Set([...this.#older, ...this.#recent])
    const ids = [...set].filter((id) => id >= from).sort((a, b) => a - b)
    return { bytes: writeList(ids.slice(0, most)), next: ids[most] }
  }

  setDigestKey(key: Uint8Array): void {
    this.#digestKey = key.slice()
  }

  digests(first: number, count: number): Uint8Array {
    const digests = new Uint8Array(8 * count)
    for (let i = 0; i < count; i++) digests.set(codec.digest(this.shown(), first + i, this.#digestKey), 8 * i)
    return digests
  }

  image(segment: number): Uint8Array {
    return codec.encodeImage(this.shown(), segment)
  }

  imagePart(segment: number, first: number): { deltas: Uint8Array; end: number } {
    return { deltas: codec.encodeImage(this.shown(), segment, first), end: SEGMENT_RECORDS }
  }

  setAwaited(first: number, count: number, awaited: boolean): void {
    if (this.#brought && this.#brought.segment >= first && this.#brought.segment < first + count)
      this.#brought = undefined
    for (let segment = first; segment < first + count; segment++) {
      if (awaited) this.#awaited.add(segment)
      else this.#awaited.delete(segment)
      this.#touched.delete(segment)
    }
  }

  isAwaited(segment: number): boolean {
    return this.#awaited.has(segment)
  }

  isTouched(segment: number): boolean {
    return this.#touched.has(segment)
  }

  stage(deltas: Uint8Array): Refusal {
    this.#stagedSegment = undefined
    return this.#stage(codec.decode(this.state, deltas, this.#receiver()))
  }

  stageImage(segment: number, deltas: Uint8Array): Refusal {
    this.#stagedSegment = segment
    return this.#stage(codec.decodeImage(this.state, segment, deltas, this.#receiver()))
  }

  stageImagePart(segment: number, first: number, end: number, deltas: Uint8Array): Refusal {
    this.#stagedSegment = undefined
    return this.#stage(codec.decodeImage(this.state, segment, deltas, this.#receiver(), [first, end]))
  }

  setBrought(segment: number, end: number): void {
    this.#brought = { segment, end }
  }

  commit(): void {
    if (this.#staged === undefined) return
    for (const id of this.#owed) {
      if (this.#staged.slots.has(id) || codec.segmentOf(id) === this.#stagedSegment) this.#owed.delete(id)
    }
    for (const id of [...this.#staged.slots.keys(), ...this.#staged.lost]) this.pickup?.ended(id)
    codec.apply(this.state, this.#staged)
    for (const id of this.#staged.lost) this.#touched.add(codec.segmentOf(id))
    this.#staged = undefined
  }

  reset(): void {
    for (const id of this.pickup?.ids ?? []) this.pickup!.ended(id)
    this.state.clear()
    this.#before.clear()
    this.forgetChanges()
    this.forgetOwed()
    this.#listing = false
    this.#staged = undefined
  }

  #receiver(): codec.Receiver {
    const awaited = (segment: number) => this.#awaited.has(segment)
    const seen = this.#listing ? { seen: (id: number) => this.#owed.add(id) } : {}
    return {
      ...{ capacity: this.capacity, awaited, owed: (id: number) => this.#owed.has(id) },
      ...seen,
      ...(this.accounts === undefined ? {} : { arena: this.accounts }),
      ...(this.#brought === undefined ? {} : { brought: this.#brought }),
    }
  }

  #stage(verdict: codec.Staged | codec.Refused): Refusal {
    this.#staged = 'reasons' in verdict ? undefined : verdict
    return 'reasons' in verdict ? [...verdict.reasons][0] : undefined
  }
}
