// Which session of a full table was idle longest, approximately: Redis' sampled LRU with a pool (antirez, "Random notes on
// improving the Redis LRU algorithm", 2016). Each time some slots are looked at, and the longest idle of those seen
// lately is taken. Idle means not written: the tick of each session's last write lies in an array of its own, where a
// cache line has sixteen. What is looked at per session taken decides how old it is: with 128, most are among the oldest
// hundredth.
import { capacity, usedAt } from './layout'
import { evicts } from './options'
import { time } from './time'

// @ts-ignore: decorator
@inline const LINES: u32 = 8
// @ts-ignore: decorator
@inline const LINE_SLOTS: u32 = 16
// @ts-ignore: decorator
@inline const POOL: u32 = 32

// Slot and tick of each candidate, longest idle first.
// @ts-ignore: decorator
@lazy const pool: usize = memory.data(256, 8)
let pooled: u32 = 0
// xorshift64*, Vigna 2014; which sessions are looked at is no secret.
let state: u64 = 0x9e3779b97f4a7c15

function random(below: u32): u32 {
  state ^= state >> 12
  state ^= state << 25
  state ^= state >> 27
  return <u32>((((state * 0x2545f4914f6cdd1d) >> 32) * <u64>below) >> 32)
}

// @ts-ignore: decorator
@inline function usedOf(id: u32): u32 {
  return load<u32>(usedAt + (<usize>id << 2))
}

/** A session is written. */
// @ts-ignore: decorator
@inline export function noteUsed(id: u32): void {
  if (evicts) store<u32>(usedAt + (<usize>id << 2), time)
}

function offer(id: u32): void {
  const used = usedOf(id)
  if (pooled == POOL && used >= load<u32>(pool + ((POOL - 1) << 3), 4)) return
  let at = pooled < POOL ? pooled : POOL - 1
  for (let i: u32 = 0; i < pooled; i++) if (load<u32>(pool + (<usize>i << 3)) == id) return
  for (; at > 0 && load<u32>(pool + (<usize>(at - 1) << 3), 4) > used; at--) {
    store<u64>(pool + (<usize>at << 3), load<u64>(pool + (<usize>(at - 1) << 3)))
  }
  store<u32>(pool + (<usize>at << 3), id)
  store<u32>(pool + (<usize>at << 3), used, 4)
  if (pooled < POOL) pooled++
}

function forget(at: u32): void {
  pooled--
  for (let i = at; i < pooled; i++) store<u64>(pool + (<usize>i << 3), load<u64>(pool + (<usize>(i + 1) << 3)))
}

/** The slot to free in a full table. */
export function chooseIdle(): u32 {
  // What was written since it was seen is no candidate any more.
  for (let i: u32 = 0; i < pooled;) {
    const id = load<u32>(pool + (<usize>i << 3))
    if (usedOf(id) != load<u32>(pool + (<usize>i << 3), 4)) forget(i)
    else i++
  }
  const lines = (capacity + LINE_SLOTS - 1) / LINE_SLOTS
  for (let i: u32 = 0; i < LINES; i++) {
    const first = random(lines) * LINE_SLOTS
    const end = min(first + LINE_SLOTS, capacity)
    for (let id = first; id < end; id++) offer(id)
  }
  const id = load<u32>(pool)
  forget(0)
  return id
}
