// The index: key -> record id. Further indexes (indexes.ts) have buckets of their own. A bucket is one cache line:
//
//   0                    12             16                             64
//   +--------------------+--------------+------------------------------+
//   | fingerprint u8 x12 | passed u32   | record id u32 x12            |
//   +--------------------+--------------+------------------------------+
//
// A session lies in its home bucket or, if that is full, in the next with room. `passed` counts the sessions that went
// past this bucket; a search ends where nobody passed. Removal counts down again, so there are no tombstones and a
// table that was full once is as quick as a new one. There are more lanes than sessions: room is always found.
import { BUCKET_LANES, KEY, bucketCount, bucketsAt, keyBytes, recordAt } from './layout'

// @ts-ignore: decorator
@inline export const PASSED: usize = 12
// @ts-ignore: decorator
@inline export const IDS: usize = 16
// @ts-ignore: decorator
@inline const LANES: i32 = (1 << BUCKET_LANES) - 1

// @ts-ignore: decorator
@inline export function home(hash: u32): u32 {
  return <u32>((<u64>hash * <u64>bucketCount) >> 32)
}

// @ts-ignore: decorator
@inline export function bucketAt(base: usize, bucket: u32): usize {
  return base + (<usize>bucket << 6)
}

// @ts-ignore: decorator
@inline export function following(bucket: u32): u32 {
  return bucket + 1 == bucketCount ? 0 : bucket + 1
}

/** Zero marks an empty lane, so a fingerprint is 1 to 255. Low bits: the home bucket uses the high ones. */
// @ts-ignore: decorator
@inline export function fingerprint(hash: u32): u8 {
  const low = <u8>hash
  return low ? low : 1
}

// @ts-ignore: decorator
@inline export function lanesWith(at: usize, value: u8): i32 {
  return i8x16.bitmask(i8x16.eq(v128.load(at), i8x16.splat(<i8>value))) & LANES
}

/** Key bytes are padded to eight with zeros on both sides. */
// @ts-ignore: decorator
@inline export function keyEquals(a: usize, b: usize): bool {
  if (load<u64>(a) != load<u64>(b)) return false
  for (let i: u32 = 8; i < keyBytes; i += 8) if (load<u64>(a + i) != load<u64>(b + i)) return false
  return true
}

/** Loads the home bucket of a hash, for a search that follows. */
// @ts-ignore: decorator
@inline export function bucketPeek(base: usize, hash: u32): u32 {
  return load<u32>(bucketAt(base, home(hash)))
}

/** The record that a search for this hash will most likely read, for a search that follows; record 0 if there is none. */
// @ts-ignore: decorator
@inline export function bucketGuess(hash: u32): u32 {
  const at = bucketAt(bucketsAt, home(hash))
  const lanes = lanesWith(at, fingerprint(hash))
  return lanes ? load<u32>(at + (<usize>ctz(lanes) << 2), IDS) : 0
}

/** Record id of a key; -1 if there is no such session. */
export function bucketFind(hash: u32, key: usize): i32 {
  const wanted = fingerprint(hash)
  let bucket = home(hash)
  for (let steps: u32 = 0; steps < bucketCount; steps++) {
    const at = bucketAt(bucketsAt, bucket)
    let lanes = lanesWith(at, wanted)
    while (lanes) {
      const id = load<u32>(at + (<usize>ctz(lanes) << 2), IDS)
      if (keyEquals(recordAt(id) + KEY, key)) return <i32>id
      lanes &= lanes - 1
    }
    if (!load<u32>(at, PASSED)) return -1
    bucket = following(bucket)
  }
  return -1
}

/** Puts a record into the buckets at `base`. */
export function bucketInsert(base: usize, hash: u32, id: u32): void {
  let bucket = home(hash)
  for (let steps: u32 = 0; steps < bucketCount; steps++) {
    const at = bucketAt(base, bucket)
    const empty = lanesWith(at, 0)
    if (empty) {
      const lane = <usize>ctz(empty)
      store<u8>(at + lane, fingerprint(hash))
      store<u32>(at + (lane << 2), id, IDS)
      return
    }
    store<u32>(at, load<u32>(at, PASSED) + 1, PASSED)
    bucket = following(bucket)
  }
}

/** Removes a record that is there by its hash and its id; no record line is touched. */
export function bucketRemove(base: usize, hash: u32, id: u32): void {
  const wanted = fingerprint(hash)
  let bucket = home(hash)
  for (let steps: u32 = 0; steps < bucketCount; steps++) {
    const at = bucketAt(base, bucket)
    let lanes = lanesWith(at, wanted)
    while (lanes) {
      const lane = <usize>ctz(lanes)
      if (load<u32>(at + (lane << 2), IDS) == id) {
        store<u8>(at + lane, 0)
        return
      }
      lanes &= lanes - 1
    }
    store<u32>(at, load<u32>(at, PASSED) - 1, PASSED)
    bucket = following(bucket)
  }
}

/** Forgets every session in the buckets at `base`. */
export function bucketsEmpty(base: usize): void {
  memory.fill(base, 0, <usize>bucketCount << 6)
}
