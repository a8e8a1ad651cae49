// Columns of a batch call, the form in which the host has many sessions: one typed array per field, the same place in
// each for one session. What lies in them was written by anybody, so it is checked before a row is made of it; rows are
// shaped like records (layout.ts), in blocks of ROW_BLOCK that stay in the cache.
//
//   field             u8 bool enum | u16 | u32 ipv4 i32 | u53   | f64 | ipv6 ip | bytes(n) | string(n)
//   bytes per session 1            | 2   | 4            | 8     | 8   | 16      | n        | 1 + n
//   as in a record    yes          | yes | yes          | no: a f64 that is an integer | yes | yes | yes | rest may be anything
import {
  BYTE, TEXT, U53,
  Field, columnOf, keyField, keyFields, recordAt, recordBytes, rowBlockAt, rowMasksAt, rowResultsAt, valueField,
} from './layout'
import { isUtf8 } from './utf8'

// @ts-ignore: decorator
@inline const U53_MAX: f64 = 9007199254740991

/** Row `i` of the block. */
// @ts-ignore: decorator
@inline export function blockRow(i: u32): usize {
  return rowBlockAt + <usize>i * <usize>recordBytes
}

/** Value fields that row `i` of the batch gives. */
// @ts-ignore: decorator
@inline export function rowMask(i: u32): u64 {
  return load<u64>(rowMasksAt + (<usize>i << 3))
}

// @ts-ignore: decorator
@inline export function rowResult(i: u32): i32 {
  return load<i32>(rowResultsAt + (<usize>i << 2))
}

// @ts-ignore: decorator
@inline export function setRowResult(i: u32, id: i32): void {
  store<i32>(rowResultsAt + (<usize>i << 2), id)
}

function fits(field: Field, at: usize): bool {
  switch (field.kind) {
    case BYTE: return <u32>load<u8>(at) < field.limit
    case U53: {
      const value = load<f64>(at)
      return value >= 0 && value <= U53_MAX && value == Math.trunc(value)
    }
    case TEXT: {
      const length = <u32>load<u8>(at)
      return length < field.size && isUtf8(at + 1, length)
    }
    default: return true
  }
}

// @ts-ignore: decorator
@inline function anythingFits(field: Field): bool {
  const kind = field.kind
  return kind != U53 && kind != TEXT && (kind != BYTE || field.limit == 256)
}

/** First of `count` rows whose value does not fit the field of column `i`; `count` if all do. A key is given always. */
function misfit(i: u32, count: u32, bit: u64): u32 {
  const field = keyField(i)
  if (anythingFits(field)) return count
  let at = columnOf(i)
  for (let row: u32 = 0; row < count; row++, at += field.size) {
    if (!fits(field, at) && (!bit || (rowMask(row) & bit))) return row
  }
  return count
}

/** Looks for a value that does not fit: row << 8 | number of its field, keys first; -1 if all fit. */
export function findMisfit(count: u32, given: u64): i32 {
  let least = count
  let which: u32 = 0
  for (let i: u32 = 0; i < keyFields; i++) {
    const row = misfit(i, least, 0)
    if (row < least) {
      least = row
      which = i
    }
  }
  for (let rest = given; rest; rest &= rest - 1) {
    const i = keyFields + <u32>ctz(rest)
    const row = misfit(i, least, rest & (0 - rest))
    if (row < least) {
      least = row
      which = i
    }
  }
  return least < count ? <i32>((least << 8) | which) : -1
}

/** Copies a text of a column: what lies after its length becomes zero, as in a record. */
function takeText(to: usize, from: usize, size: u32): void {
  const length = min(<u32>load<u8>(from), size - 1)
  store<u8>(to, <u8>length)
  memory.copy(to + 1, from + 1, length)
  memory.fill(to + 1 + length, 0, size - 1 - length)
}

/** Column `i` of `count` rows of the batch from row `first` into the rows of the block. */
function takeColumn(i: u32, first: u32, count: u32): void {
  const field = keyField(i)
  const size: usize = field.size
  const stride: usize = recordBytes
  let from = columnOf(i) + <usize>first * size
  let to = rowBlockAt + field.offset
  const end = from + <usize>count * size
  if (field.kind == U53) for (; from < end; from += size, to += stride) store<u64>(to, <u64>load<f64>(from))
  else if (field.kind == TEXT) for (; from < end; from += size, to += stride) takeText(to, from, field.size)
  else if (size == 1) for (; from < end; from += size, to += stride) store<u8>(to, load<u8>(from))
  else if (size == 2) for (; from < end; from += size, to += stride) store<u16>(to, load<u16>(from))
  else if (size == 4) for (; from < end; from += size, to += stride) store<u32>(to, load<u32>(from))
  else if (size == 8) for (; from < end; from += size, to += stride) store<u64>(to, load<u64>(from))
  else for (; from < end; from += size, to += stride) memory.copy(to, from, size)
}

/** The keys of `count` rows of the batch from row `first` into the block. */
export function takeKeys(first: u32, count: u32): void {
  for (let i: u32 = 0; i < keyFields; i++) takeColumn(i, first, count)
}

/** The given value fields of the same rows. */
export function takeValues(first: u32, count: u32, given: u64): void {
  for (; given; given &= given - 1) takeColumn(keyFields + <u32>ctz(given), first, count)
}

/** Value field `i` of the sessions that were found for `count` rows from `first` into its column; zero for the others. */
function giveColumn(i: u32, first: u32, count: u32): void {
  const field = valueField(i)
  const size: usize = field.size
  let to = columnOf(keyFields + i) + <usize>first * size
  for (let row = first; row < first + count; row++, to += size) {
    const id = rowResult(row)
    if (id < 0) {
      memory.fill(to, 0, size)
      continue
    }
    const from = recordAt(<u32>id) + field.offset
    if (field.kind == U53) store<f64>(to, <f64>load<u64>(from))
    else if (size == 1) store<u8>(to, load<u8>(from))
    else if (size == 2) store<u16>(to, load<u16>(from))
    else if (size == 4) store<u32>(to, load<u32>(from))
    else if (size == 8) store<u64>(to, load<u64>(from))
    else memory.copy(to, from, size)
  }
}

export function giveValues(first: u32, count: u32, given: u64): void {
  for (; given; given &= given - 1) giveColumn(<u32>ctz(given), first, count)
}
