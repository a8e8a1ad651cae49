// Loops for the figure table.find.misses and for profiling, inside WASM so that no crossing is measured. On a table of
// its own: benchFill(n, seed) once, then, alternating and timed by the host, benchFind(steps, n, seed) and
// benchChase(steps); the figure is the ratio of their times. benchFindMany(steps, n, seed) is for table.findMany.misses.
// A table used for this is not to be replicated.
import { DEADLINE, KEY, capacity, columnOf, keyAt, keyBytes, keyField, keyFields, recordAt } from './layout'
import { manyFind } from './many'
import { find, put } from './records'

// @ts-ignore: decorator
@inline const BATCH: u32 = 256
let state: u64 = 0

function random(below: u32): u32 {
  state = state * 6364136223846793005 + 1442695040888963407
  return <u32>(((state >> 32) * <u64>below) >> 32)
}

/** Bits of the last word of a key that fields fill. */
let lastWord: u64 = -1

function measureKey(): void {
  let end: u32 = 0
  for (let i: u32 = 0; i < keyFields; i++) end = max(end, keyField(i).offset + keyField(i).size - <u32>KEY)
  const padding = keyBytes - end
  lastWord = <u64>-1 >> (<u64>padding << 3)
}

/** The key of session `i`: its number, spread over the key's words. */
// @ts-ignore: decorator
@inline function benchKey(i: u32): void {
  for (let at: u32 = 0; at < keyBytes; at += 8) {
    store<u64>(keyAt + at, (<u64>i + 1 + at) * 0x9e3779b97f4a7c15)
  }
  const last = keyAt + keyBytes - 8
  store<u64>(last, load<u64>(last) & lastWord)
}

/** Puts the key of the key buffer into row `row` of the columns. */
function benchRow(row: u32): void {
  for (let i: u32 = 0; i < keyFields; i++) {
    const field = keyField(i)
    const from = keyAt - KEY + field.offset
    const to = columnOf(i) + row * field.size
    switch (field.size) {
      case 1: store<u8>(to, load<u8>(from)); break
      case 2: store<u16>(to, load<u16>(from)); break
      case 4: store<u32>(to, load<u32>(from)); break
      default: memory.copy(to, from, field.size)
    }
  }
}

/** Inserts sessions 0 ... count - 1 and links all slots into one random cycle for benchChase; gives the size. */
export function benchFill(count: u32, seed: u32): u32 {
  let filled: u32 = 0
  measureKey()
  for (let i: u32 = 0; i < count; i++) {
    benchKey(i)
    if (put(0, 0) >= 0) filled++
  }
  state = seed
  for (let i: u32 = 0; i < capacity; i++) store<u32>(recordAt(i), i, DEADLINE)
  // Sattolo's shuffle: one cycle through all
  for (let i = capacity - 1; i > 0; i--) {
    const j = random(i)
    const swap = load<u32>(recordAt(i), DEADLINE)
    store<u32>(recordAt(i), load<u32>(recordAt(j), DEADLINE), DEADLINE)
    store<u32>(recordAt(j), swap, DEADLINE)
  }
  return filled
}

/** Finds `steps` random sessions of the `count` that benchFill inserted; gives how many were found. */
export function benchFind(steps: u32, count: u32, seed: u32): u32 {
  state = seed
  let found: u32 = 0
  // The next key depends on a word of the record found, so that no miss of one find overlaps with the next find.
  let last: u32 = 0
  for (let i: u32 = 0; i < steps; i++) {
    benchKey((random(count) + (last & 1)) % count)
    const id = find()
    if (id < 0) continue
    found++
    last = load<u32>(recordAt(id), DEADLINE)
  }
  return found
}

/** Finds as many sessions, BATCH in one call; writing their keys is measured too. */
export function benchFindMany(steps: u32, count: u32, seed: u32): u32 {
  state = seed
  let found: u32 = 0
  for (let done: u32 = 0; done < steps; done += BATCH) {
    for (let row: u32 = 0; row < BATCH; row++) {
      benchKey(random(count))
      benchRow(row)
    }
    found += manyFind(BATCH)
  }
  return found
}

/** Follows the cycle of benchFill for `steps` records, one dependent miss each; gives the last id. */
export function benchChase(steps: u32): u32 {
  let id: u32 = 0
  for (let i: u32 = 0; i < steps; i++) id = load<u32>(recordAt(id), DEADLINE)
  return id
}
