// A set of record ids in three levels of 64-bit words: a bit of an upper level says that the word below it is not zero.
// The lowest member is three words away at any size up to 2^26, so a free id is never searched for.
//
//   level 0: a bit per id | level 1: a bit per word of level 0 | level 2: a bit per word of level 1
import { capacity } from './layout'

// @ts-ignore: decorator
@inline function words(bits: u32): u32 {
  return (bits + 63) >> 6
}

// @ts-ignore: decorator
@inline function level1(base: usize): usize {
  return base + (<usize>words(capacity) << 3)
}

// @ts-ignore: decorator
@inline function level2(base: usize): usize {
  const first = words(capacity)
  return base + (<usize>(first + words(first)) << 3)
}

/** Bytes of a bitmap of `bits` ids. */
export function bitmapBytes(bits: u32): u64 {
  const first = words(bits)
  const second = words(first)
  return <u64>(first + second + words(second)) << 3
}

// @ts-ignore: decorator
@inline function word(level: usize, bit: u32): usize {
  return level + (<usize>(bit >> 6) << 3)
}

// @ts-ignore: decorator
@inline export function bitHas(base: usize, id: u32): bool {
  return (load<u8>(base + (<usize>id >> 3)) & (1 << (id & 7))) != 0
}

export function bitAdd(base: usize, id: u32): void {
  const at = word(base, id)
  const was = load<u64>(at)
  store<u64>(at, was | ((<u64>1) << (id & 63)))
  if (was) return
  const at1 = word(level1(base), id >> 6)
  const was1 = load<u64>(at1)
  store<u64>(at1, was1 | ((<u64>1) << ((id >> 6) & 63)))
  if (was1) return
  const at2 = word(level2(base), id >> 12)
  store<u64>(at2, load<u64>(at2) | ((<u64>1) << ((id >> 12) & 63)))
}

export function bitRemove(base: usize, id: u32): void {
  const at = word(base, id)
  const now = load<u64>(at) & ~((<u64>1) << (id & 63))
  store<u64>(at, now)
  if (now) return
  const at1 = word(level1(base), id >> 6)
  const now1 = load<u64>(at1) & ~((<u64>1) << ((id >> 6) & 63))
  store<u64>(at1, now1)
  if (now1) return
  const at2 = word(level2(base), id >> 12)
  store<u64>(at2, load<u64>(at2) & ~((<u64>1) << ((id >> 12) & 63)))
}

/** First set bit at or after `from` among `count` bits of one level; -1 if none. */
function scan(level: usize, from: u32, count: u32): i32 {
  if (from >= count) return -1
  let at = from >> 6
  let bits = load<u64>(word(level, from)) & (<u64>-1 << (from & 63))
  const end = words(count)
  while (!bits) {
    if (++at >= end) return -1
    bits = load<u64>(level + (<usize>at << 3))
  }
  return <i32>((at << 6) + <u32>ctz(bits))
}

/** First set bit at or after `from` in the one word that holds it; -1 if that word has none. */
// @ts-ignore: decorator
@inline function within(level: usize, from: u32): i32 {
  const bits = load<u64>(word(level, from)) & (<u64>-1 << (from & 63))
  return bits ? <i32>((from & ~63) + <u32>ctz(bits)) : -1
}

/** The lowest member at or after `from`; -1 if there is none. */
export function bitNext(base: usize, from: u32): i32 {
  if (from >= capacity) return -1
  const found = within(base, from)
  if (found >= 0) return found
  const words0 = words(capacity)
  const next0 = (from >> 6) + 1
  if (next0 >= words0) return -1
  let at0 = within(level1(base), next0)
  if (at0 < 0) {
    const words1 = words(words0)
    const at1 = scan(level2(base), (next0 >> 6) + 1, words1)
    if (at1 < 0) return -1
    at0 = within(level1(base), <u32>at1 << 6)
  }
  return within(base, <u32>at0 << 6)
}

/** The lowest id at or after `from` that is not a member; -1 if there is none. */
export function bitNextAbsent(base: usize, from: u32): i32 {
  if (from >= capacity) return -1
  let at = from >> 6
  let bits = ~load<u64>(word(base, from)) & (<u64>-1 << (from & 63))
  const end = words(capacity)
  while (!bits) {
    if (++at >= end) return -1
    bits = ~load<u64>(base + (<usize>at << 3))
  }
  const id = (at << 6) + <u32>ctz(bits)
  return id < capacity ? <i32>id : -1
}

/** Makes every id a member. */
export function bitFill(base: usize): void {
  memory.fill(base, 0, <usize>bitmapBytes(capacity))
  fillLevel(base, capacity)
  fillLevel(level1(base), words(capacity))
  fillLevel(level2(base), words(words(capacity)))
}

function fillLevel(level: usize, count: u32): void {
  const whole = <usize>(count >> 6) << 3
  memory.fill(level, 0xff, whole)
  if (count & 63) store<u64>(level + whole, ((<u64>1) << (count & 63)) - 1)
}

/** Adds the members of another set to a set. */
export function bitUnite(to: usize, from: usize): void {
  const bytes = <usize>bitmapBytes(capacity)
  for (let at: usize = 0; at < bytes; at += 8) store<u64>(to + at, load<u64>(to + at) | load<u64>(from + at))
}

/** The same, and the other set is empty then. Costs what it holds: only words with members are touched. */
export function bitMove(to: usize, from: usize): void {
  const last = words(words(capacity))
  for (let at2: u32 = 0; at2 < words(last); at2++) {
    for (let bits2 = take(level2(to), level2(from), at2); bits2; bits2 &= bits2 - 1) {
      const at1 = (at2 << 6) + <u32>ctz(bits2)
      for (let bits1 = take(level1(to), level1(from), at1); bits1; bits1 &= bits1 - 1) {
        take(to, from, (at1 << 6) + <u32>ctz(bits1))
      }
    }
  }
}

/** Moves one word of a level, and gives it. */
// @ts-ignore: decorator
@inline function take(to: usize, from: usize, index: u32): u64 {
  const at = <usize>index << 3
  const bits = load<u64>(from + at)
  store<u64>(to + at, load<u64>(to + at) | bits)
  store<u64>(from + at, 0)
  return bits
}

/** Number of members. */
export function bitCount(base: usize): u32 {
  const end = base + (<usize>words(capacity) << 3)
  let count: u64 = 0
  for (let at = base; at < end; at += 8) count += popcnt(load<u64>(at))
  return <u32>count
}

/** Makes no id a member. */
export function bitEmpty(base: usize): void {
  memory.fill(base, 0, <usize>bitmapBytes(capacity))
}
