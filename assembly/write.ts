// Fields and records in wire form (docs/PROTOCOL.md section 2), written at an address; each gives the address after it.
import { commonPrefix, commonSuffix, copyRun, copyValue, flatValue } from './arena'
import { VALUE_BYTES_MAX } from './arena-sizes'
import { wireFields } from './common'
import {
  BLOB, BYTE, I32, IP, IPV4, LONG_TEXT, TEXT, U16, U32, U53, Field,
  inboxAt, keyField, keyFields, valueField,
} from './layout'
import { writeLifetime } from './lifetime'
import { lifetimes } from './options'
import { writeVarint, zigzag } from './varint'

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

function writeValue(at: usize, word: usize): usize {
  const length = load<u32>(word, 4)
  return copyValue(writeVarint(at, length), load<u32>(word), length)
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
    case BLOB: case LONG_TEXT: return writeValue(at, from)
    default: return writeRaw(at, from, field.size)
  }
}

/** A field as an update holds it. */
export function writeChange(at: usize, field: Field, before: usize, record: usize): usize {
  const old = before + field.offset
  const now = record + field.offset
  switch (field.kind) {
    case U16: return writeVarint(at, zigzag(<i64>load<u16>(now) - <i64>load<u16>(old)))
    case U32: return writeVarint(at, zigzag(<i64>load<u32>(now) - <i64>load<u32>(old)))
    case I32: return writeVarint(at, zigzag(<i64>load<i32>(now) - <i64>load<i32>(old)))
    case U53: return writeVarint(at, zigzag(load<i64>(now) - load<i64>(old)))
    case BLOB: case LONG_TEXT: return writeMiddle(at, old, now)
    default: return writeField(at, field, record)
  }
}

/** Old and new value of a field in one piece each; the inbox is free while deltas are written. */
// @ts-ignore: decorator
@inline function flatOld(word: usize): usize {
  return flatValue(load<u32>(word), load<u32>(word, 4), inboxAt)
}

// @ts-ignore: decorator
@inline function flatNew(word: usize): usize {
  return flatValue(load<u32>(word), load<u32>(word, 4), inboxAt + VALUE_BYTES_MAX)
}

/** What lies between the beginning and the end that a new value shares with the old one. */
function writeMiddle(at: usize, old: usize, now: usize): usize {
  const before = flatOld(old)
  const after = flatNew(now)
  const length = load<u32>(now, 4)
  const shorter = min(load<u32>(old, 4), length)
  const prefix = commonPrefix(before, after, shorter)
  const suffix = commonSuffix(before + load<u32>(old, 4), after + length, shorter - prefix)
  const middle = length - prefix - suffix
  at = writeVarint(writeVarint(writeVarint(at, prefix), suffix), middle)
  copyRun(at, after + prefix, middle)
  return at + middle
}

/** Those of the variable-length fields of a mask that hold the same bytes, though at another place. */
export function equalFields(before: usize, record: usize, mask: u64): u64 {
  let equal: u64 = 0
  for (; mask; mask &= mask - 1) {
    const offset = valueField(<u32>ctz(mask)).offset
    const length = load<u32>(record + offset, 4)
    if (load<u32>(before + offset, 4) != length) continue
    if (commonPrefix(flatOld(before + offset), flatNew(record + offset), length) == length) equal |= mask & -mask
  }
  return equal
}

export function writeRecord(at: usize, record: usize): usize {
  for (let i: u32 = 0; i < keyFields; i++) at = writeField(at, keyField(i), record)
  for (let i: u32 = 0; i < wireFields; i++) at = writeField(at, valueField(i), record)
  return lifetimes ? writeLifetime(at, record) : at
}
