// One instance of the WASM core: its raw exports, typed, and views over its memory. The memory is grown once, before
// the views are made, so they are good for the life of the table.
import { instantiateSync } from '@assemblyscript/loader'
import { ConfigError, SchemaError } from '../errors.ts'
import type { TableDefinition } from '../schema/index.ts'
import { ENCODE_BYTES_MAX } from './refusals.ts'
import { wasmBase64 } from './wasm-bytes.ts'

/** Exports of assembly/index.ts. Addresses and unsigned numbers arrive signed: `>>> 0` where they may be large. */
export interface CoreExports {
  readonly memory: { readonly buffer: ArrayBuffer }
  configure(lifetimes: number, timeout: number, fixed: number, evicts: number, snapshots: number): void
  plan(
    sessions: number,
    keys: number,
    values: number,
    keyBytes: number,
    recordBytes: number,
    encodeMax: number,
    arenaBytes: number,
  ): number
  start(a: number, b: number, c: number, d: number): number
  planPickup(): void
  find(): number
  holds(id: number): number
  findBy(index: number): number
  put(low: number, high: number): number
  update(low: number, high: number): number
  updateId(id: number, low: number, high: number): number
  erase(): number
  eraseId(id: number): void
  takenByIndex(): number
  takenByRecord(): number
  eraseAll(): void
  touch(id: number): void
  setTime(ticks: number): void
  timeAt(): number
  renewKey(): number
  give(flags: number, deadline: number): void
  speak(fields: number, deltas: number): void
  snapshotBegin(): number
  snapshotStop(): void
  snapshotGather(): number
  snapshotBytes(): number
  snapshotSessions(from: number, most: number, bytesMax: number): number
  snapshotDiffering(from: number, most: number, bytesMax: number): number
  snapshotListed(from: number): number
  snapshotListAt(): number
  snapshotNext(): number
  sweepDue(): number
  sweep(patient: number): number
  listen(causes: number): void
  endedAt(): number
  endedCount(): number
  endedTaken(): void
  sentCreates(): number
  sentUpdates(): number
  sentDeletes(): number
  takenCreates(): number
  takenUpdates(): number
  takenDeletes(): number
  expired(): number
  evicted(): number
  refused(): number
  manyCheck(count: number, low: number, high: number): number
  manyFind(count: number): number
  manyRead(count: number, low: number, high: number): number
  manyPut(count: number, low: number, high: number): number
  manyUpdate(count: number, low: number, high: number): number
  manyErase(count: number): number
  manyWritten(): number
  manyStopped(): number
  next(from: number): number
  reset(): void
  sessions(): number
  track(much: number): void
  changedCount(): number
  checkpoint(): void
  confirm(): void
  forgetChanges(): void
  forgetOwed(): void
  list(owed: number, from: number, most: number): number
  listAt(): number
  listNext(): number
  owed(): number
  oweChanged(): void
  oweListed(length: number): number
  setListing(on: number): void
  overflowed(): number
  encode(bytesMax: number): number
  image(segment: number): number
  imagePart(segment: number, first: number, last: number, bytesMax: number): number
  imageEnd(): number
  digests(first: number, count: number): number
  digestedBytes(): number
  stageBatch(length: number): number
  stageImage(segment: number, length: number): number
  stageImagePart(segment: number, first: number, last: number, length: number): number
  brought(end: number): void
  commit(): void
  unstage(): void
  pickupDelay(ms: number): void
  pickupTurn(late: number, early: number, most: number): void
  pickupWait(now: number): number
  pickupNext(): number
  pickupTake(id: number, generation: number, stays: number): void
  pickupSlice(most: number): number
  pickupDemand(): void
  pickupDemanded(): number
  heldBack(): number
  dropHeld(most: number): number
  heldNext(): number
  awaitSegments(first: number, count: number, on: number): void
  awaitedSegments(): number
  segmentAwaited(segment: number): number
  segmentTouched(segment: number): number
  flat(handle: number, length: number): number
  liveUnits(): number
  limitUnits(): number
  descriptorsAt(): number
  indexMasksAt(): number
  keyAt(): number
  valuesAt(): number
  rowsMax(): number
  columnAt(field: number): number
  rowMasksAt(): number
  rowResultsAt(): number
  recordsAt(): number
  sipKey(): number
  arenaAt(): number
  inboxAt(): number
  inboxBytes(): number
  outputAt(): number
  digestsAt(): number
  journalMax(): number
  deltasMax(): number
  encodeBytesMax(): number
  benchFill(count: number, seed: number): number
  benchFind(steps: number, count: number, seed: number): number
  benchFindMany(steps: number, count: number, seed: number): number
  benchChase(steps: number): number
}

export interface Engine {
  readonly core: CoreExports
  readonly u8: Uint8Array
  readonly u16: Uint16Array
  readonly u32: Uint32Array
  readonly i32: Int32Array
  readonly f64: Float64Array
}

export { ENCODE_BYTES_MAX }

export type HashSeed = readonly [number, number, number, number]

/** All of WebAssembly that is used here; TypeScript declares it with the browser's types only. */
declare const WebAssembly: { readonly Module: new (bytes: Uint8Array) => object }

const PAGE_BYTES = 65_536
const PAGES_MAX = 65_535

function wasmBytes(): Uint8Array<ArrayBuffer> {
  const text = atob(wasmBase64)
  const bytes = new Uint8Array(text.length)
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i)
  return bytes
}

/** Compiled once and never changed; every table has its own instance. */
let compiled: object | undefined

function instantiate(): CoreExports {
  compiled ??= new WebAssembly.Module(wasmBytes())
  return instantiateSync(compiled, {}).exports as unknown as CoreExports
}

/** Writes the descriptors (`Field` in assembly/layout.ts) and the masks of the indexes, and plans the memory; gives its bytes. */
function plan(
  core: CoreExports,
  definition: TableDefinition,
  encodeBytesMax: number,
  snapshots: boolean,
): number {
  const { keys, values, indexes, keyBytes, recordBytes } = definition.layout
  const { lifetime, onFull } = definition
  core.configure(
    lifetime === undefined ? 0 : 1,
    lifetime?.timeoutTicks ?? 0,
    lifetime?.fixed ? 1 : 0,
    onFull === 'evict' ? 1 : 0,
    snapshots ? 1 : 0,
  )
  const descriptors = new Uint32Array(core.memory.buffer, core.descriptorsAt())
  for (const [i, field] of [...keys, ...values].entries()) {
    descriptors.set([field.coreKind, field.offset, field.size, field.limit], i * 4)
  }
  const masks = new Uint32Array(core.memory.buffer, core.indexMasksAt())
  for (const [i, { fields }] of indexes.entries()) {
    for (const { index } of fields) masks[2 * i + (index >>> 5)]! |= 1 << (index & 31)
  }
  if (definition.pickup !== undefined) core.planPickup()
  const { capacity, arena } = definition
  return core.plan(capacity, keys.length, values.length, keyBytes, recordBytes, encodeBytesMax, arena)
}

/** Options of `bytesFor`. */
export interface BytesForOptions {
  /** The node has the option `snapshot`: an eighth of a byte more a session. Default false. */
  readonly snapshot?: boolean
}

/**
 * Bytes of memory that a node reserves for a table, all in: index, records, journal, buffers, arena. The same on primary
 * and secondary, and from start to end: a table never grows. Reserves nothing itself. More than 4 GiB (4,294,901,760) is what
 * `createNode` will refuse.
 *
 * ```ts
 * const bytes = bytesFor(connections)
 * console.log(`${(bytes / connections.capacity).toFixed(1)} bytes a session`)
 * ```
 *
 * @throws ConfigError for anything but what `defineTable` gave, and for a wrong or unknown option
 */
export function bytesFor(definition: TableDefinition, options: BytesForOptions = {}): number {
  if (definition?.layout?.recordBytes === undefined) {
    throw new ConfigError('bytesFor: something else given; allowed: a definition made by defineTable')
  }
  const { snapshot = false, ...others } = options
  for (const name of Object.keys(others)) {
    throw new ConfigError(`bytesFor: option '${name}' given; allowed: snapshot`)
  }
  if (typeof snapshot !== 'boolean') {
    throw new ConfigError(`bytesFor: snapshot ${String(snapshot)} given; allowed: true or false`)
  }
  const core = instantiate()
  const pages = Math.ceil(plan(core, definition, ENCODE_BYTES_MAX, snapshot) / PAGE_BYTES)
  return Math.max(pages * PAGE_BYTES, core.memory.buffer.byteLength)
}

function sizes({ capacity, arena }: TableDefinition): string {
  return arena === 0 ? `capacity ${capacity}` : `capacity ${capacity} with an arena of ${arena} bytes`
}

export function createEngine(
  definition: TableDefinition,
  seed: HashSeed,
  encodeBytesMax: number,
  snapshots = false,
): Engine {
  const core = instantiate()
  const bytes = plan(core, definition, encodeBytesMax, snapshots)
  if (bytes > PAGES_MAX * PAGE_BYTES) {
    throw new SchemaError(
      `table ${definition.name}: ${sizes(definition)} needs ${bytes} bytes; allowed: 4 GiB a table, so split the sessions over several tables or nodes`,
    )
  }
  if (!core.start(...seed)) {
    throw new SchemaError(
      `table ${definition.name}: ${sizes(definition)} needs ${bytes} bytes, which this process cannot reserve`,
    )
  }
  if (definition.pickup !== undefined) core.pickupDelay(definition.pickup.delayMs)
  const { buffer } = core.memory
  return {
    core,
    u8: new Uint8Array(buffer),
    u16: new Uint16Array(buffer),
    u32: new Uint32Array(buffer),
    i32: new Int32Array(buffer),
    f64: new Float64Array(buffer),
  }
}
