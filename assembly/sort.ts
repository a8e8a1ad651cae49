// The journal's ids in ascending order: least-significant-digit radix sort of (id, entry) pairs, one pass per eleven
// bits that the capacity needs. Sessions created one after the other are in order already and are not sorted.
import { journalCount, journalId } from './journal'
import { capacity, journalMax, sortAt } from './layout'

// @ts-ignore: decorator
@inline const DIGIT: u32 = 11
// @ts-ignore: decorator
@lazy const histogram: usize = memory.data(2048 * 4, 16)

let sorted: usize = 0

// @ts-ignore: decorator
@inline export function sortedId(i: u32): u32 {
  return load<u32>(sorted + (<usize>i << 3), 4)
}

// @ts-ignore: decorator
@inline export function sortedEntry(i: u32): u32 {
  return load<u32>(sorted + (<usize>i << 3))
}

export function sortJournal(): void {
  sorted = sortAt
  let ascending = true
  let last: u32 = 0
  for (let i: u32 = 0; i < journalCount; i++) {
    const id = journalId(i)
    if (id < last) ascending = false
    last = id
    store<u64>(sorted + (<usize>i << 3), (<u64>id << 32) | i)
  }
  if (ascending) return
  let other = sortAt + (<usize>journalMax << 3)
  for (let shift: u32 = 0; shift == 0 || (capacity - 1) >> shift; shift += DIGIT) {
    pass(sorted, other, 32 + shift)
    const swap = sorted
    sorted = other
    other = swap
  }
}

function pass(from: usize, to: usize, shift: u64): void {
  memory.fill(histogram, 0, 4 << DIGIT)
  const end = from + (<usize>journalCount << 3)
  for (let at = from; at < end; at += 8) {
    const slot = digit(load<u64>(at), shift)
    store<u32>(slot, load<u32>(slot) + 1)
  }
  let sum: u32 = 0
  for (let slot = histogram; slot < histogram + (4 << DIGIT); slot += 4) {
    const here = load<u32>(slot)
    store<u32>(slot, sum)
    sum += here
  }
  for (let at = from; at < end; at += 8) {
    const pair = load<u64>(at)
    const slot = digit(pair, shift)
    const place = load<u32>(slot)
    store<u32>(slot, place + 1)
    store<u64>(to + (<usize>place << 3), pair)
  }
}

// @ts-ignore: decorator
@inline function digit(pair: u64, shift: u64): usize {
  return histogram + ((<usize>(pair >> shift) & ((1 << DIGIT) - 1)) << 2)
}
