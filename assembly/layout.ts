// Where everything lies in memory. `plan` computes the layout from a table's shape, `start` reserves it with a single
// memory.grow and never again: host views stay attached and there is no rehash. All other files read these numbers and
// write only their own parts.
//
//   statics | key | values | inbox | outbox | bitmaps: free, overflow, released, recent, older, differing, owed | segment marks
//           | earliest deadlines, last writes, ended sessions | digests | journal | sort scratch | staging | key scratch
//           | columns, masks, results and block of a batch | pickup nodes | buckets | index key, buckets of each index | records | notes, pages, arena
//
// A record, one or more 64-byte lines:
//
//   0        4            8       12         16              16 + keyBytes
//   +--------+------------+-------+----------+---------------+------------------+------
//   | hash   | generation | flags | deadline | key, 0-padded | value fields     | zeros
//   | u32    | u32        | u32   | u32      | to 8 bytes    |                  |
//   +--------+------------+-------+----------+---------------+------------------+------
//
// Variable-length fields come first among the value fields, eight bytes each: {handle u32, length u32} (arena.ts). What
// a table without such fields does not need, the last three parts and the larger inbox, it does not have.
import { JOURNAL_BYTES_MAX, PAGE, PAGE_NOTE, VARIABLE_BYTES } from './arena-sizes'
import { bitmapBytes } from './bitmap'
import { ENDED_MAX, LIFETIME_WIRE_MAX, evicts, lifetimes, snapshots } from './options'

// @ts-ignore: decorator
@inline export const LINE: usize = 64
// @ts-ignore: decorator
@inline export const SEGMENT_RECORDS: u32 = 1024
// @ts-ignore: decorator
@inline export const SEGMENT_SHIFT: u32 = 10
/** Entries of a full journal. */
// @ts-ignore: decorator
@inline export const JOURNAL_MAX: u32 = 16384
/** Longest batch or image of a table without variable-length fields; nothing longer is ever handed in. */
// @ts-ignore: decorator
@inline export const INBOX_BYTES: u32 = 1 << 20
/** Largest output of one encode, so that it fits a frame with room for the frame's own words. */
// @ts-ignore: decorator
@inline export const ENCODE_MAX: u32 = 983040
/** Mean sessions per bucket of a full table: 2.7 % of the buckets of 12 overflow. */
// @ts-ignore: decorator
@inline export const BUCKET_LOAD: u32 = 7
// @ts-ignore: decorator
@inline export const BUCKET_LANES: u32 = 12
/** Most rows of a batch call that cross at once; fewer where records are long. */
// @ts-ignore: decorator
@inline export const ROWS_MAX: u32 = 1024
/** Rows of a batch call whose cache misses overlap: more than a core has in flight, and few enough to stay in its cache. */
// @ts-ignore: decorator
@inline export const ROW_BLOCK: u32 = 64
/** Further unique keys of a table. */
// @ts-ignore: decorator
@inline export const INDEXES_MAX: u32 = 4
/** A mask is a varint below 2^53. */
// @ts-ignore: decorator
@inline export const VALUE_FIELDS_MAX: u32 = 53
// @ts-ignore: decorator
@inline export const KEY_FIELDS_MAX: u32 = 16
/** Longest record in wire form: 1024 of them, an image, fit a frame. */
// @ts-ignore: decorator
@inline export const RECORD_WIRE_MAX: u32 = 1000
/** gap << 2 | op, with ids below 2^26. */
// @ts-ignore: decorator
@inline export const DELTA_HEAD_MAX: u32 = 5

// offsets in a record
// @ts-ignore: decorator
@inline export const HASH: usize = 0
// @ts-ignore: decorator
@inline export const GENERATION: usize = 4
// @ts-ignore: decorator
@inline export const FLAGS: usize = 8
// @ts-ignore: decorator
@inline export const DEADLINE: usize = 12
// @ts-ignore: decorator
@inline export const KEY: usize = 16

// flags
/** The journal holds this record's before-image. Outlives the session. */
// @ts-ignore: decorator
@inline export const JOURNALED: u32 = 1
/** The overflow bitmap holds this record. Outlives the session. */
// @ts-ignore: decorator
@inline export const OVERFLOWED: u32 = 2
/** In a before-image: the slot held a session. */
// @ts-ignore: decorator
@inline export const OCCUPIED: u32 = 4
/** Overflowed, and deleted since: the peer may still hold another session here. */
// @ts-ignore: decorator
@inline export const RELEASED: u32 = 8
/** Held back until the pickup delay is over. */
// @ts-ignore: decorator
@inline export const YOUNG: u32 = 32
/** Held back because the pickup filter refused it. */
// @ts-ignore: decorator
@inline export const LOCAL: u32 = 64
/** Not replicated: to the peer the slot is empty. */
// @ts-ignore: decorator
@inline export const HELD: u32 = YOUNG | LOCAL
/** In a before-image: given up, the record has overflowed. */
// @ts-ignore: decorator
@inline export const VOID: u32 = 128
/** The deadline was given as a point in time: writes do not move it. */
// @ts-ignore: decorator
@inline export const FIXED: u32 = 16
/** FIXED, and the session's own timeout in bits 8 to 31 (lifetime.ts); kept in a before-image, as the deadline is. */
// @ts-ignore: decorator
@inline export const LIFETIME_FLAGS: u32 = 0xffffff10

// kinds of fields: how a value is stored and written. The host maps schema types onto them.
/** u8, bool, enum: one byte below `limit`. */
// @ts-ignore: decorator
@inline export const BYTE: u32 = 1
// @ts-ignore: decorator
@inline export const U16: u32 = 2
// @ts-ignore: decorator
@inline export const U32: u32 = 3
// @ts-ignore: decorator
@inline export const I32: u32 = 4
// @ts-ignore: decorator
@inline export const U53: u32 = 5
/** f64, ipv6, bytes(n): as stored. */
// @ts-ignore: decorator
@inline export const RAW: u32 = 6
/** Stored as a number, written first octet first. */
// @ts-ignore: decorator
@inline export const IPV4: u32 = 7
// @ts-ignore: decorator
@inline export const IP: u32 = 8
/** Length byte, then `size - 1` bytes, zeros after the text. */
// @ts-ignore: decorator
@inline export const TEXT: u32 = 9
/** Bytes of any length, in the arena. */
// @ts-ignore: decorator
@inline export const BLOB: u32 = 10
/** UTF-8 of any length, in the arena. Kinds from BLOB on are variable. */
// @ts-ignore: decorator
@inline export const LONG_TEXT: u32 = 11

/** One field: key fields first, then value fields, in schema order. Written by the host before `plan`. */
@unmanaged
export class Field {
  kind: u32
  /** From the start of the record. */
  offset: u32
  /** Bytes stored. */
  size: u32
  /** A BYTE is below this. */
  limit: u32
}

// @ts-ignore: decorator
@lazy const descriptors: usize = memory.data((KEY_FIELDS_MAX + VALUE_FIELDS_MAX) * offsetof<Field>(), 16)
/** Where the column of a field begins, from `columnsAt`. */
// @ts-ignore: decorator
@lazy const columns: usize = memory.data((KEY_FIELDS_MAX + VALUE_FIELDS_MAX) * 4, 16)

/** A u64 per index: the mask of the value fields that are its key. Written by the host before `plan`. */
// @ts-ignore: decorator
@lazy const indexMasks: usize = memory.data(INDEXES_MAX * 8, 8)

export let capacity: u32 = 0
export let segments: u32 = 0
export let keyFields: u32 = 0
export let valueFields: u32 = 0
export let keyBytes: u32 = 0
export let recordBytes: u32 = 0
export let valueOffset: u32 = 0
export let journalMax: u32 = 0
export let deltasMax: u32 = 0
/** Longest delta of this table. */
export let deltaBytesMax: u32 = 0
/** Longest output of encode for this table. */
export let encodeBytesMax: u32 = 0
export let outboxBytes: u32 = 0
export let bucketCount: u32 = 0
/** Rows that fit the columns, a multiple of ROW_BLOCK. */
export let rowsMax: u32 = 0
export let indexCount: u32 = 0
/** Value fields that are in any index. */
export let indexedMask: u64 = 0
/** Whether created sessions are held back at first (assembly/pickup.ts). */
export let holding: bool = false
export let inboxBytes: u32 = 0
/** Value fields with their values in the arena, as a mask; 0: this table has none. */
export let variableMask: u64 = 0
/** Value fields from here on are of fixed length. */
export let fixedOffset: u32 = 0
/** What journaled changes add to a batch at most, in a table with variable-length fields. */
export let journalBytesMax: u32 = 0
export let arenaPages: u32 = 0

export let keyAt: usize = 0
export let valuesAt: usize = 0
export let inboxAt: usize = 0
export let outboxAt: usize = 0
export let freeAt: usize = 0
export let overflowAt: usize = 0
export let releasedAt: usize = 0
export let recentAt: usize = 0
export let olderAt: usize = 0
export let owedAt: usize = 0
export let marksAt: usize = 0
export let earliestAt: usize = 0
export let usedAt: usize = 0
export let endedAt: usize = 0
export let digestsAt: usize = 0
export let journalIdsAt: usize = 0
export let journalImagesAt: usize = 0
export let sortAt: usize = 0
export let stagedIdsAt: usize = 0
export let stagedOpsAt: usize = 0
export let stagedImagesAt: usize = 0
export let keyScratchAt: usize = 0
export let columnsAt: usize = 0
export let rowMasksAt: usize = 0
export let rowResultsAt: usize = 0
export let rowBlockAt: usize = 0
export let pickupAt: usize = 0
export let bucketsAt: usize = 0
export let indexKeyAt: usize = 0
export let indexBucketsAt: usize = 0
export let recordsAt: usize = 0
/** A u32 per record of a table with variable-length fields: values.ts. */
export let notesAt: usize = 0
export let pagesAt: usize = 0
export let arenaAt: usize = 0

let total: u64 = 0

// @ts-ignore: decorator
@inline export function descriptorsAt(): usize {
  return descriptors
}

// @ts-ignore: decorator
@inline export function indexMasksAt(): usize {
  return indexMasks
}

// @ts-ignore: decorator
@inline export function indexMask(index: u32): u64 {
  return load<u64>(indexMasks + (<usize>index << 3))
}

/** Its buckets are as many as those of the key. */
// @ts-ignore: decorator
@inline export function indexBuckets(index: u32): usize {
  return indexBucketsAt + <usize>index * (<usize>bucketCount << 6)
}

// @ts-ignore: decorator
@inline export function keyField(i: u32): Field {
  return changetype<Field>(descriptors + <usize>i * offsetof<Field>())
}

// @ts-ignore: decorator
@inline export function valueField(i: u32): Field {
  return changetype<Field>(descriptors + <usize>(keyFields + i) * offsetof<Field>())
}

// @ts-ignore: decorator
@inline export function recordAt(id: u32): usize {
  return recordsAt + <usize>id * <usize>recordBytes
}

/** Column of a field of a batch: key fields first, then value fields. */
// @ts-ignore: decorator
@inline export function columnOf(i: u32): usize {
  return columnsAt + <usize>load<u32>(columns + (<usize>i << 2))
}

/** Longest wire form of a field, in a record or in an update. */
function wireMax(field: Field): u32 {
  switch (field.kind) {
    case BYTE: return 1
    case U16: return 3
    case U32: return 5
    case I32: return 5
    case U53: return 8
    case IPV4: return 4
    case IP: return 17
    // Three varints of an update; the bytes themselves are counted where they are known.
    case BLOB: case LONG_TEXT: return 9
    default: return field.size
  }
}

/** Reserves `bytes` at the next cache line and gives their address. */
function reserve(bytes: u64): usize {
  const at = total
  total = (total + bytes + LINE - 1) & ~<u64>(LINE - 1)
  return <usize>at
}

/** Room for the rows of a batch call: a column for each field, each at a multiple of eight. */
function reserveRows(): void {
  rowsMax = min(ROWS_MAX, max((ROWS_MAX << 7) / recordBytes, ROW_BLOCK) & ~(ROW_BLOCK - 1))
  let bytes: u32 = 0
  for (let i: u32 = 0; i < keyFields + valueFields; i++) {
    store<u32>(columns + (<usize>i << 2), bytes)
    bytes += (rowsMax * keyField(i).size + 7) & ~7
  }
  columnsAt = reserve(bytes)
  rowMasksAt = reserve(<u64>rowsMax * 8)
  rowResultsAt = reserve(<u64>rowsMax * 4)
  rowBlockAt = reserve(<u64>ROW_BLOCK * recordBytes)
}

/** Before `plan`: created sessions are held back at first. */
export function planPickup(): void {
  holding = true
}

/** Computes the layout from the descriptors; gives the bytes of the whole memory, as f64 since it may exceed 4 GiB. */
export function plan(
  sessions: u32,
  keys: u32,
  values: u32,
  keySize: u32,
  recordSize: u32,
  encodeMax: u32,
  arenaBytes: f64,
): f64 {
  capacity = sessions
  segments = (sessions + SEGMENT_RECORDS - 1) >> SEGMENT_SHIFT
  keyFields = keys
  valueFields = values
  keyBytes = keySize
  recordBytes = recordSize
  valueOffset = <u32>KEY + keySize

  indexCount = 0
  indexedMask = 0
  while (indexCount < INDEXES_MAX && indexMask(indexCount)) indexedMask |= indexMask(indexCount++)
  variableMask = 0
  for (let i: u32 = 0; i < values; i++) if (valueField(i).kind >= BLOB) variableMask |= (<u64>1) << i
  fixedOffset = valueOffset + 8 * <u32>popcnt(variableMask)
  arenaPages = variableMask ? <u32>(arenaBytes / <f64>PAGE) : 0
  inboxBytes = variableMask ? VARIABLE_BYTES : INBOX_BYTES
  journalBytesMax = encodeMax < ENCODE_MAX ? (encodeMax / 5) * 4 : JOURNAL_BYTES_MAX

  let record: u32 = 0
  for (let i: u32 = 0; i < keys + values; i++) record += wireMax(keyField(i))
  if (lifetimes) record += LIFETIME_WIRE_MAX
  const maskBits = values + <u32>lifetimes
  deltaBytesMax = DELTA_HEAD_MAX + record + (maskBits > 0 ? (maskBits + 6) / 7 : 1)
  // A fifth of the output is kept for overflowed records, so that they leave even while the journal fills each time.
  const journalFull = min(JOURNAL_MAX, (ENCODE_MAX / 5) * 4 / deltaBytesMax)
  deltasMax = min(max(journalFull + journalFull / 4, SEGMENT_RECORDS), sessions)
  encodeBytesMax = min(min(max(encodeMax, deltaBytesMax * 2), ENCODE_MAX), 8 + deltasMax * deltaBytesMax)
  journalMax = max(min(min(journalFull, (encodeBytesMax / 5) * 4 / deltaBytesMax), sessions), 1)
  outboxBytes = max(encodeBytesMax, 8 + min(sessions, SEGMENT_RECORDS) * (record + DELTA_HEAD_MAX))
  if (variableMask) outboxBytes = VARIABLE_BYTES
  bucketCount = sessions / BUCKET_LOAD + 1
  let slots: u32 = 16
  while (slots < deltasMax * 2 + 1) slots <<= 1

  total = (<u64>__heap_base + LINE - 1) & ~<u64>(LINE - 1)
  keyAt = reserve(recordSize)
  valuesAt = reserve(recordSize)
  inboxAt = reserve(inboxBytes + 8) // varints are read as eight bytes
  outboxAt = reserve(outboxBytes)
  freeAt = reserve(bitmapBytes(sessions))
  overflowAt = reserve(bitmapBytes(sessions))
  releasedAt = reserve(bitmapBytes(sessions))
  recentAt = reserve(bitmapBytes(sessions))
  olderAt = reserve(bitmapBytes(sessions) * (snapshots ? 2 : 1)) // the second: snapshot.ts
  owedAt = reserve(bitmapBytes(sessions))
  marksAt = reserve(segments)
  earliestAt = reserve(lifetimes ? <u64>segments * 4 : 0)
  usedAt = reserve(evicts ? <u64>sessions * 4 : 0)
  endedAt = reserve(lifetimes || evicts ? <u64>ENDED_MAX * recordSize : 0)
  digestsAt = reserve(<u64>segments * 8)
  journalIdsAt = reserve(<u64>journalMax * 4)
  journalImagesAt = reserve(<u64>journalMax * recordSize)
  sortAt = reserve(<u64>journalMax * 16)
  stagedIdsAt = reserve(<u64>deltasMax * 4)
  stagedOpsAt = reserve(<u64>deltasMax * 4)
  stagedImagesAt = reserve(<u64>deltasMax * recordSize)
  keyScratchAt = reserve(<u64>slots * 4)
  reserveRows()
  pickupAt = reserve(holding ? <u64>sessions * 12 : 0)
  bucketsAt = reserve(<u64>bucketCount * LINE)
  if (indexCount) {
    indexKeyAt = reserve(recordSize)
    indexBucketsAt = reserve(<u64>indexCount * bucketCount * LINE)
  }
  recordsAt = reserve(<u64>sessions * recordSize)
  notesAt = reserve(variableMask ? <u64>sessions * 4 : 0)
  pagesAt = reserve(<u64>arenaPages * PAGE_NOTE)
  arenaAt = reserve(<u64>arenaPages * PAGE)
  return <f64>total
}

/** Grows memory to the planned size. False if it cannot. */
export function grow(): bool {
  const pages = (total + 0xffff) >> 16
  if (pages > 65535) return false
  const have = <u64>memory.size()
  return pages <= have || memory.grow(<i32>(pages - have)) >= 0
}
