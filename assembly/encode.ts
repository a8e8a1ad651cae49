// Deltas and images out (docs/PROTOCOL.md sections 2 and 3), in ascending record id, into the outbox.
//
// encode always completes: the journal's bound is chosen in layout.ts so that a full one fits the outbox with every
// delta at its longest. Overflowed records come on top, from a cursor that goes round, while there is room.
import { bitNext, bitRemove } from './bitmap'
import { keyEquals } from './buckets'
import { journalCount, journalEmpty, journalImage, journalTaken, overflowCount, overflowTaken } from './journal'
import {
  BYTE, FLAGS, GENERATION, I32, IP, IPV4, KEY, OCCUPIED, SEGMENT_SHIFT, TEXT, U16, U32, U53,
  Field, capacity, deltaBytesMax, deltasMax, encodeBytesMax, keyField, keyFields, outboxAt, overflowAt, recordAt,
  valueField, valueFields,
} from './layout'
import { isOccupied, nextOccupied } from './records'
import { sortJournal, sortedEntry, sortedId } from './sort'
import { writeVarint, zigzag } from './varint'

// @ts-ignore: decorator
@inline export const CREATE: u64 = 0
// @ts-ignore: decorator
@inline export const UPDATE: u64 = 1
// @ts-ignore: decorator
@inline export const DELETE: u64 = 2
// @ts-ignore: decorator
@inline export const WHOLE: u64 = 3

/** Room before the first delta for the count, which is known last; a shorter count is written right before them. */
// @ts-ignore: decorator
@inline const COUNT_ROOM: usize = 8

/** Records loaded ahead. */
// @ts-ignore: decorator
@inline const BLOCK: u32 = 32
/** Keeps the compiler from dropping the loads of `warm`. */
export let warmed: u32 = 0

/** Where the bytes of the last encode or image begin. */
export let encodedAt: usize = 0
let cursor: u32 = 0
let previous: i32 = -1
let count: u32 = 0

function writeRaw(at: usize, from: usize, size: u32): usize {
  let i: u32 = 0
  for (; i + 8 <= size; i += 8) store<u64>(at + i, load<u64>(from + i))
  for (; i < size; i++) store<u8>(at + i, load<u8>(from + i))
  return at + size
}

function writeIp(at: usize, from: usize): usize {
  const mapped = load<u64>(from) == 0 && load<u32>(from, 8) == 0xffff0000
  store<u8>(at, mapped ? 4 : 6)
  return mapped ? writeRaw(at + 1, from + 12, 4) : writeRaw(at + 1, from, 16)
}

/** A field as a record holds it. */
function writeField(at: usize, field: Field, record: usize): usize {
  const from = record + field.offset
  switch (field.kind) {
    case BYTE: store<u8>(at, load<u8>(from)); return at + 1
    case U16: store<u16>(at, load<u16>(from)); return at + 2
    case U32: return writeVarint(at, load<u32>(from))
    case I32: return writeVarint(at, zigzag(load<i32>(from)))
    case U53: return writeVarint(at, load<u64>(from))
    case IPV4: store<u32>(at, bswap(load<u32>(from))); return at + 4
    case IP: return writeIp(at, from)
    case TEXT: return writeRaw(at, from, 1 + <u32>load<u8>(from))
    default: return writeRaw(at, from, field.size)
  }
}

/** A field as an update holds it. */
function writeChange(at: usize, field: Field, before: usize, record: usize): usize {
  const old = before + field.offset
  const now = record + field.offset
  switch (field.kind) {
    case U16: return writeVarint(at, zigzag(<i64>load<u16>(now) - <i64>load<u16>(old)))
    case U32: return writeVarint(at, zigzag(<i64>load<u32>(now) - <i64>load<u32>(old)))
    case I32: return writeVarint(at, zigzag(<i64>load<i32>(now) - <i64>load<i32>(old)))
    case U53: return writeVarint(at, zigzag(load<i64>(now) - load<i64>(old)))
    default: return writeField(at, field, record)
  }
}

function writeRecord(at: usize, record: usize): usize {
  for (let i: u32 = 0; i < keyFields; i++) at = writeField(at, keyField(i), record)
  for (let i: u32 = 0; i < valueFields; i++) at = writeField(at, valueField(i), record)
  return at
}

function same(a: usize, b: usize, size: u32): bool {
  switch (size) {
    case 1: return load<u8>(a) == load<u8>(b)
    case 2: return load<u16>(a) == load<u16>(b)
    case 4: return load<u32>(a) == load<u32>(b)
    case 8: return load<u64>(a) == load<u64>(b)
    default: {
      let i: u32 = 0
      for (; i + 8 <= size; i += 8) if (load<u64>(a + i) != load<u64>(b + i)) return false
      for (; i < size; i++) if (load<u8>(a + i) != load<u8>(b + i)) return false
      return true
    }
  }
}

function differences(before: usize, record: usize): u64 {
  let mask: u64 = 0
  for (let i: u32 = 0; i < valueFields; i++) {
    const field = valueField(i)
    const offset = field.offset
    if (!same(before + offset, record + offset, field.size)) mask |= (<u64>1) << i
  }
  return mask
}

function writeHead(at: usize, id: u32, op: u64): usize {
  const gap = <u64>(<i64>id - previous - 1)
  previous = <i32>id
  count++
  return writeVarint(at, (gap << 2) | op)
}

/** What became of one journaled record. */
function writeJournaled(at: usize, id: u32, before: usize): usize {
  const record = recordAt(id)
  journalTaken(record)
  const was = load<u32>(before, FLAGS) & OCCUPIED
  if (!isOccupied(id)) return was ? writeHead(at, id, DELETE) : at
  if (!was) return writeRecord(writeHead(at, id, CREATE), record)
  if (load<u32>(before, GENERATION) != load<u32>(record, GENERATION) && !keyEquals(before + KEY, record + KEY)) {
    at = writeHead(at, id, WHOLE)
    store<u8>(at, 1)
    return writeRecord(at + 1, record)
  }
  let mask = differences(before, record)
  if (!mask) return at
  at = writeVarint(writeHead(at, id, UPDATE), mask)
  for (; mask; mask &= mask - 1) at = writeChange(at, valueField(<u32>ctz(mask)), before, record)
  return at
}

function writeWhole(at: usize, id: u32): usize {
  at = writeHead(at, id, WHOLE)
  const present = isOccupied(id)
  store<u8>(at, present)
  return present ? writeRecord(at + 1, recordAt(id)) : at + 1
}

/**
 * Loads a block of records and images before they are compared: loads that do not depend on each other miss the cache
 * together, those between branches one by one.
 */
function warm(from: u32): void {
  const end = min(from + BLOCK, journalCount)
  let sum: u32 = 0
  for (let i = from; i < end; i++) {
    sum += load<u32>(recordAt(sortedId(i)), FLAGS) + load<u32>(journalImage(sortedEntry(i)), FLAGS)
  }
  warmed = sum
}

/** The sorted journal and up to `wholes` overflowed records from `from` on; gives the address after the last delta. */
function writeMerged(from: u32, wholes: u32): usize {
  let at = outboxAt + COUNT_ROOM
  previous = -1
  count = 0
  let whole = wholes ? bitNext(overflowAt, from) : -1
  for (let i: u32 = 0; i < journalCount; i++) {
    if (!(i & (BLOCK - 1))) warm(i)
    const id = sortedId(i)
    for (; whole >= 0 && <u32>whole < id; whole = --wholes ? bitNext(overflowAt, <u32>whole + 1) : -1) {
      at = writeWhole(at, whole)
    }
    at = writeJournaled(at, id, journalImage(sortedEntry(i)))
  }
  for (; whole >= 0; whole = --wholes ? bitNext(overflowAt, <u32>whole + 1) : -1) at = writeWhole(at, whole)
  return at
}

/** Puts the count before the deltas; gives the whole length. */
function finish(end: usize): u32 {
  let digits: usize = 1
  for (let rest = count; rest > 127; rest >>= 7) digits++
  encodedAt = outboxAt + COUNT_ROOM - digits
  writeVarint(encodedAt, count)
  return <u32>(end - encodedAt)
}

/** Takes what changed as deltas at `encodedAt`; gives their length, 0 if nothing differs. */
export function encode(bytesMax: u32): u32 {
  sortJournal()
  let end = writeMerged(0, 0)
  if (overflowCount) {
    const used = <u32>(end - outboxAt)
    const limit = min(bytesMax, encodeBytesMax)
    const wholes = limit > used ? min((limit - used) / deltaBytesMax, deltasMax - count) : 0
    if (wholes) {
      if (bitNext(overflowAt, cursor) < 0) cursor = 0
      end = writeMerged(cursor, wholes)
      takeOverflowed(wholes)
    }
  }
  journalEmpty()
  return count ? finish(end) : 0
}

function takeOverflowed(wholes: u32): void {
  for (; wholes; wholes--) {
    const id = bitNext(overflowAt, cursor)
    if (id < 0) break
    bitRemove(overflowAt, id)
    overflowTaken(recordAt(id))
    cursor = <u32>id + 1
  }
}

/** Writes one segment as deltas that are all create, at `encodedAt`; gives their length. */
export function image(segment: u32): u32 {
  const first = segment << SEGMENT_SHIFT
  const end = min(first + (1 << SEGMENT_SHIFT), capacity)
  let at = outboxAt + COUNT_ROOM
  previous = <i32>first - 1
  count = 0
  for (let id = nextOccupied(first); id >= 0 && <u32>id < end; id = nextOccupied(<u32>id + 1)) {
    at = writeRecord(writeHead(at, id, CREATE), recordAt(id))
  }
  return finish(at)
}

/** Sessions in the last image. */
export function imageCount(): u32 {
  return count
}
