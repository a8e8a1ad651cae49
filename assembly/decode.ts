// Reads the inbox and trusts nothing: every length is checked against the end before it is used, every number against
// its field. The first fault is kept in `refusal`, numbered as REFUSALS in src/table/refusals.ts, and ends the reading.
import { copyRun, flatValue } from './arena'
import { SESSION_BYTES_MAX, VALUE_BYTES_MAX } from './arena-sizes'
import { wireFields } from './common'
import {
  BLOB, BYTE, I32, IP, IPV4, LONG_TEXT, TEXT, U16, U32, U53, Field,
  fixedOffset, keyField, keyFields, outboxAt, valueField, valueOffset, variableMask,
} from './layout'
import { readLifetime, readLifetimeChange } from './lifetime'
import { lifetimes } from './options'
import { isUtf8 } from './utf8'
import { stageValue } from './values'
import { unzigzag, varintBytes, varintValue } from './varint'

// @ts-ignore: decorator
@inline export const TRUNCATED: u32 = 1
// @ts-ignore: decorator
@inline export const TRAILING: u32 = 2
// @ts-ignore: decorator
@inline export const VARINT: u32 = 3
// @ts-ignore: decorator
@inline export const COUNT: u32 = 4
// @ts-ignore: decorator
@inline export const ID: u32 = 5
// @ts-ignore: decorator
@inline export const OP: u32 = 6
// @ts-ignore: decorator
@inline export const MASK: u32 = 7
// @ts-ignore: decorator
@inline export const RANGE: u32 = 8
// @ts-ignore: decorator
@inline export const VALUE: u32 = 9
// @ts-ignore: decorator
@inline export const OCCUPIED_SLOT: u32 = 10
// @ts-ignore: decorator
@inline export const ABSENT: u32 = 11
// @ts-ignore: decorator
@inline export const KEY_TWICE: u32 = 12
// @ts-ignore: decorator
@inline export const KEY_HELD: u32 = 13
// @ts-ignore: decorator
@inline export const INDEX_TWICE: u32 = 14
// @ts-ignore: decorator
@inline export const INDEX_HELD: u32 = 15
// @ts-ignore: decorator
@inline export const ARENA: u32 = 16

/** Why the bytes are refused; 0 while they are not. */
export let refusal: u32 = 0
/** Fields of the last update that was read. */
export let changedMask: u64 = 0
let at: usize = 0
let end: usize = 0

export function openBytes(from: usize, length: u32): void {
  at = from
  end = from + length
  refusal = 0
}

/** Where reading goes on. */
// @ts-ignore: decorator
@inline export function readingAt(): usize {
  return at
}

/** Keeps the first reason. */
export function refuse(reason: u32): bool {
  if (!refusal) refusal = reason
  return false
}

// @ts-ignore: decorator
@inline export function bytesLeft(): u32 {
  return <u32>(end - at)
}

/** Room for `size` more bytes, or a refusal. */
// @ts-ignore: decorator
@inline function need(size: u32): bool {
  return bytesLeft() >= size || refuse(TRUNCATED)
}

export function readByte(): u32 {
  if (!need(1)) return 0
  return load<u8>(at++)
}

/** A varint below 2^bits; 0 and a refusal if there is none. */
// @ts-ignore: decorator
@inline export function readVarint(bits: u64 = 53): u64 {
  const word = load<u64>(at)
  const bytes = varintBytes(word)
  if (!need(min(bytes, 8))) return 0
  const value = varintValue(word, min(bytes, 8))
  // Of nine bytes, in more than it takes, or too large.
  if (bytes > 8 || (bytes > 1 && !(value >> (7 * <u64>(bytes - 1)))) || value >> bits) {
    refuse(VARINT)
    return 0
  }
  at += bytes
  return value
}

function readRaw(to: usize, size: u32): bool {
  if (!need(size)) return false
  let i: u32 = 0
  for (; i + 8 <= size; i += 8) store<u64>(to + i, load<u64>(at + i))
  for (; i < size; i++) store<u8>(to + i, load<u8>(at + i))
  at += size
  return true
}

function readIp(to: usize): bool {
  const family = readByte()
  if (refusal) return false
  if (family == 4) {
    store<u64>(to, 0)
    store<u32>(to, 0xffff0000, 8)
    return readRaw(to + 12, 4)
  }
  if (family != 6) return refuse(VALUE)
  if (!readRaw(to, 16)) return false
  return !(load<u64>(to) == 0 && load<u32>(to, 8) == 0xffff0000) || refuse(VALUE)
}

function readText(to: usize, size: u32): bool {
  const length = readByte()
  if (refusal) return false
  if (length >= size) return refuse(VALUE)
  store<u8>(to, <u8>length)
  if (!readRaw(to + 1, length)) return false
  memory.fill(to + 1 + length, 0, size - 1 - length)
  return isUtf8(to + 1, length) || refuse(VALUE)
}

/** A field as a record holds it. */
function readField(field: Field, record: usize): bool {
  const to = record + field.offset
  switch (field.kind) {
    case BYTE: {
      const byte = readByte()
      store<u8>(to, <u8>byte)
      return !refusal && (byte < field.limit || refuse(VALUE))
    }
    case U16: {
      if (!need(2)) return false
      store<u16>(to, load<u16>(at))
      at += 2
      return true
    }
    case U32: {
      const value = readVarint()
      store<u32>(to, <u32>value)
      return !refusal && (value <= 0xffffffff || refuse(RANGE))
    }
    case I32: {
      const value = unzigzag(readVarint(54))
      store<i32>(to, <i32>value)
      return !refusal && ((value >= i32.MIN_VALUE && value <= i32.MAX_VALUE) || refuse(RANGE))
    }
    case U53: {
      store<u64>(to, readVarint())
      return !refusal
    }
    case IPV4: {
      if (!need(4)) return false
      store<u32>(to, bswap(load<u32>(at)))
      at += 4
      return true
    }
    case IP: return readIp(to)
    case TEXT: return readText(to, field.size)
    case BLOB: case LONG_TEXT: return readValue(to, field.kind == LONG_TEXT)
    default: return readRaw(to, field.size)
  }
}

/** Whether values of variable length are put into the arena, and the record that an update changes. */
let storing: bool = false
let oldRecord: usize = 0

/** What is read next is to be kept, or only checked; `old` is the record that is to be updated. */
export function openValues(old: usize, keep: bool): void {
  oldRecord = old
  storing = keep
}

function readLength(): u32 {
  const length = readVarint()
  if (refusal) return 0
  if (length > VALUE_BYTES_MAX) refuse(VALUE)
  return <u32>length
}

function readValue(word: usize, isText: bool): bool {
  const length = readLength()
  if (refusal || !need(length)) return false
  if (isText && !isUtf8(at, length)) return refuse(VALUE)
  const from = at
  at += length
  if (storing) return stageValue(word, from, length) || refuse(ARENA)
  // Only to be counted.
  store<u32>(word, length, 4)
  return true
}

/** A new value out of both ends of the old one and what is sent. */
function readMiddle(field: Field, record: usize): bool {
  const word = record + field.offset
  const old = oldRecord + field.offset
  const isText = field.kind == LONG_TEXT
  const prefix = readLength()
  if (refusal) return false
  const suffix = readLength()
  if (refusal) return false
  const middle = readLength()
  if (refusal || !need(middle)) return false
  const length = prefix + suffix + middle
  if (length > VALUE_BYTES_MAX) return refuse(VALUE)
  const from = at
  at += middle
  if (!storing) return true
  const before = load<u32>(old, 4)
  if (prefix + suffix > before) return refuse(RANGE)
  const source = flatValue(load<u32>(old), before, outboxAt + VALUE_BYTES_MAX)
  copyRun(outboxAt, source, prefix)
  copyRun(outboxAt + prefix, from, middle)
  copyRun(outboxAt + prefix + middle, source + before - suffix, suffix)
  if (isText && !isUtf8(outboxAt, length)) return refuse(VALUE)
  return stageValue(word, outboxAt, length) || refuse(ARENA)
}

/** Whether the values of a session are not too long together. */
function isBounded(record: usize): bool {
  let bytes: u32 = 0
  for (let word = record + valueOffset; word < record + fixedOffset; word += 8) bytes += load<u32>(word, 4)
  return bytes <= SESSION_BYTES_MAX || refuse(VALUE)
}

/** Key and value fields into an image that is zero so far. */
export function readRecord(record: usize): bool {
  for (let i: u32 = 0; i < keyFields; i++) if (!readField(keyField(i), record)) return false
  for (let i: u32 = 0; i < wireFields; i++) if (!readField(valueField(i), record)) return false
  if (variableMask && !isBounded(record)) return false
  return !lifetimes || readLifetime(record)
}

/** One change of an update on top of the old value in `record`; the range counts only where that value is trusted. */
function readChange(field: Field, record: usize, trusted: bool): bool {
  const kind = field.kind
  if (kind < U16 || kind > U53) return kind >= BLOB ? readMiddle(field, record) : readField(field, record)
  const difference = unzigzag(readVarint(54))
  if (refusal) return false
  const to = record + field.offset
  let least: i64 = 0
  let most: i64 = 0xffff
  let before: i64 = 0
  switch (kind) {
    case U16: before = load<u16>(to); break
    case U32: before = load<u32>(to); most = 0xffffffff; break
    case I32: before = load<i32>(to); least = i32.MIN_VALUE; most = i32.MAX_VALUE; break
    default: before = load<i64>(to); most = 0x1fffffffffffff
  }
  const now = before + difference
  if (now < least || now > most) return !trusted || refuse(RANGE)
  switch (kind) {
    case U16: store<u16>(to, <u16>now); break
    case U53: store<i64>(to, now); break
    default: store<u32>(to, <u32>now)
  }
  return true
}

/** Mask and changes of an update into a copy of the record. */
export function readUpdate(record: usize, trusted: bool): bool {
  let mask = readVarint()
  if (refusal) return false
  if (!mask || mask >> (wireFields + <u32>lifetimes)) return refuse(MASK)
  const renewed = mask & ((<u64>lifetimes) << wireFields)
  mask ^= renewed
  changedMask = mask
  for (; mask; mask &= mask - 1) if (!readChange(valueField(<u32>ctz(mask)), record, trusted)) return false
  if (variableMask && trusted && !isBounded(record)) return false
  return !renewed || readLifetimeChange(record, trusted)
}
