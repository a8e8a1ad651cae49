// Runs ahead of the decoder over the next deltas, checks nothing, and loads the records they name. An update needs the
// record's old values, and misses that are asked for one by one each cost the whole way to memory; together they overlap.
// Reads stay within the inbox and what follows it; a wrong guess on malformed bytes costs time, never an answer.
import { wireFields } from './common'
import {
  BLOB, BYTE, IP, IPV4, TEXT, U16, U53,
  Field, capacity, keyField, keyFields, recordAt, valueField,
} from './layout'
import { loadedAhead } from './lines'
import { lifetimes } from './options'
import { varintBytes, varintValue } from './varint'

/** Deltas looked at in one go. */
// @ts-ignore: decorator
@inline export const SKIM: u32 = 32

let at: usize = 0
let end: usize = 0
/** Addresses of the records that the deltas name. */
// @ts-ignore: decorator
@lazy const named: usize = memory.data(256, 8)

function varint(): u64 {
  const word = load<u64>(at)
  const bytes = min(varintBytes(word), 8)
  at += bytes
  return varintValue(word, bytes)
}

// @ts-ignore: decorator
@inline function passVarint(): void {
  at += varintBytes(load<u64>(at))
}

/** Passes a field; `change`: as an update holds it. */
function pass(field: Field, change: bool): void {
  const kind = field.kind
  if (kind > U16 && kind <= U53) passVarint()
  else if (kind == U16) {
    if (change) passVarint()
    else at += 2
  } else if (kind == BYTE) at += 1
  else if (kind == IPV4) at += 4
  else if (kind == IP) at += load<u8>(at) == 4 ? 5 : 17
  else if (kind == TEXT) at += 1 + <usize>load<u8>(at)
  else if (kind >= BLOB) {
    if (change) {
      passVarint()
      passVarint()
    }
    const length = varint()
    at += <usize>min(length, at < end ? <u64>(end - at) : 0)
  }
  else at += field.size
}

function passRecord(): void {
  for (let i: u32 = 0; i < keyFields; i++) pass(keyField(i), false)
  for (let i: u32 = 0; i < wireFields; i++) pass(valueField(i), false)
  if (lifetimes) passLifetime()
}

function passLifetime(): void {
  if (varint() & 1) passVarint()
}

/** Loads the records of the next `count` deltas of a batch that goes on at `from` after record id `previous`. */
export function skim(from: usize, to: usize, previous: i64, count: u32): void {
  at = from
  end = to
  let id = previous
  let found: u32 = 0
  while (found < count && at < end) {
    const head = varint()
    id += 1 + <i64>(head >> 2)
    if (id >= <i64>capacity) break
    store<u32>(named + (<usize>found << 2), <u32>recordAt(<u32>id))
    found++
    const op = head & 3
    if (op == 0) passRecord()
    else if (op == 1) {
      const given = varint()
      let mask = given & (((<u64>1) << wireFields) - 1)
      for (; mask && at < end; mask &= mask - 1) pass(valueField(<u32>ctz(mask)), true)
      if (lifetimes && given >> wireFields && !varint()) passLifetime()
    } else if (op == 3) {
      if (load<u8>(at++)) passRecord()
    }
  }
  // In a loop of their own, so that as many as possible are under way at once.
  let sum: u32 = 0
  for (let i: u32 = 0; i < found; i++) sum += load<u32>(load<u32>(named + (<usize>i << 2)))
  loadedAhead(sum)
}
