// Further unique keys over value fields: index key -> record id, each index in buckets of its own, laid out as those of
// the key. A session whose fields of an index are all zero is not in that index (as NULL in SQL): sessions without a
// translated address do not all hold 0.0.0.0:0.
//
// Nothing about an index is kept in a record: the key is packed from its fields whenever it is needed, so who changes
// fields unlinks before and links after. Bytes that spoilt in memory may leave a link that no record leads to any more;
// so a link counts only if its record holds a session with the wanted key, and removal takes only what it finds.
import { bitHas } from './bitmap'
import {
  IDS, PASSED, bucketAt, bucketInsert, bucketPeek, bucketRemove, bucketsEmpty, fingerprint, following, home, lanesWith,
} from './buckets'
import { hashIndexKey } from './hash'
import { bucketCount, freeAt, indexBuckets, indexCount, indexKeyAt, indexMask, recordAt, valueField } from './layout'
import { copyBytes, sameBytes } from './lines'

/** All fields; a set of indexes that means every one. */
// @ts-ignore: decorator
@inline export const ALL: u64 = 0xffffffffffffffff
// @ts-ignore: decorator
@inline export const EVERY: u32 = 0xffffffff

/** The index and the record that stood in the way of the last write that was refused. */
export let takenIndex: u32 = 0
export let takenId: u32 = 0

/** Hash of the packed key. */
let packedHash: u32 = 0

/**
 * Packs the key a session has in an index: its fields of `mask` from `row`, the others from `rest`, or zero if that is
 * 0. Both are shaped like a record. False if all of it is zero.
 */
export function pack(index: u32, row: usize, mask: u64, rest: usize): bool {
  let at = indexKeyAt
  for (let fields = indexMask(index); fields; fields &= fields - 1) {
    const number = ctz(fields)
    const field = valueField(<u32>number)
    const size = field.size
    const from = (mask >> number) & 1 ? row : rest
    if (from) copyBytes(at, from + field.offset, size)
    else memory.fill(at, 0, size)
    at += size
  }
  store<u64>(at, 0)
  const bytes = (<u32>(at - indexKeyAt) + 7) & ~7
  let some: u64 = 0
  for (let i: u32 = 0; i < bytes; i += 8) some |= load<u64>(indexKeyAt + i)
  packedHash = hashIndexKey(index, indexKeyAt, bytes)
  return some != 0
}

/** Whether a record has the packed key. */
export function hasPacked(index: u32, record: usize): bool {
  let at = indexKeyAt
  for (let fields = indexMask(index); fields; fields &= fields - 1) {
    const field = valueField(<u32>ctz(fields))
    if (!sameBytes(record + field.offset, at, field.size)) return false
    at += field.size
  }
  return true
}

/** Hash of the packed key, for tables beside the index. */
// @ts-ignore: decorator
@inline export function hashPacked(): u32 {
  return packedHash
}

/** Loads the home bucket of the packed key, for a search that follows. */
// @ts-ignore: decorator
@inline export function peekPacked(index: u32): u32 {
  return bucketPeek(indexBuckets(index), packedHash)
}

/** Record id of the packed key; -1 if no session has it. */
export function findPacked(index: u32): i32 {
  const base = indexBuckets(index)
  const wanted = fingerprint(packedHash)
  let bucket = home(packedHash)
  for (let steps: u32 = 0; steps < bucketCount; steps++) {
    const at = bucketAt(base, bucket)
    let lanes = lanesWith(at, wanted)
    while (lanes) {
      const id = load<u32>(at + (<usize>ctz(lanes) << 2), IDS)
      if (hasPacked(index, recordAt(id)) && !bitHas(freeAt, id)) return <i32>id
      lanes &= lanes - 1
    }
    if (!load<u32>(at, PASSED)) return -1
    bucket = following(bucket)
  }
  return -1
}

/** Whether a record is linked under the packed key. */
function isLinked(base: usize, id: u32): bool {
  const wanted = fingerprint(packedHash)
  let bucket = home(packedHash)
  for (let steps: u32 = 0; steps < bucketCount; steps++) {
    const at = bucketAt(base, bucket)
    for (let lanes = lanesWith(at, wanted); lanes; lanes &= lanes - 1) {
      if (load<u32>(at + (<usize>ctz(lanes) << 2), IDS) == id) return true
    }
    if (!load<u32>(at, PASSED)) return false
    bucket = following(bucket)
  }
  return false
}

// @ts-ignore: decorator
@inline export function inSet(set: u32, index: u32): bool {
  return ((set >> index) & 1) != 0
}

/**
 * The indexes in which a write gives a session another key, as a set; -1 if one of these keys is another session's, and
 * then `takenIndex` and `takenId` say whose. `record` is the session as it is, 0 if it is new; the rest as for `pack`.
 */
export function indexesClaimed(record: usize, row: usize, mask: u64, rest: usize): i32 {
  let claimed: i32 = 0
  for (let index: u32 = 0; index < indexCount; index++) {
    if (record && rest == record && !(mask & indexMask(index))) continue
    const some = pack(index, row, mask, rest)
    if (record && hasPacked(index, record)) continue
    claimed |= 1 << index
    if (!some) continue
    const holder = findPacked(index)
    if (holder < 0) continue
    takenIndex = index
    takenId = <u32>holder
    return -1
  }
  return claimed
}

/** The indexes in which two records have different keys, as a set. */
export function indexesDiffering(a: usize, b: usize): u32 {
  let differing: u32 = 0
  for (let index: u32 = 0; index < indexCount; index++) {
    for (let fields = indexMask(index); fields; fields &= fields - 1) {
      const field = valueField(<u32>ctz(fields))
      if (sameBytes(a + field.offset, b + field.offset, field.size)) continue
      differing |= 1 << index
      break
    }
  }
  return differing
}

/** Enters a session into the indexes of a set. */
export function indexesLink(id: u32, record: usize, set: u32): void {
  for (let index: u32 = 0; index < indexCount; index++) {
    if (inSet(set, index) && pack(index, record, ALL, 0)) bucketInsert(indexBuckets(index), packedHash, id)
  }
}

/** Takes a session, its fields still as when it was linked, from the indexes of a set. */
export function indexesUnlink(id: u32, record: usize, set: u32): void {
  for (let index: u32 = 0; index < indexCount; index++) {
    if (!inSet(set, index) || !pack(index, record, ALL, 0)) continue
    const base = indexBuckets(index)
    if (isLinked(base, id)) bucketRemove(base, packedHash, id)
  }
}

/** Forgets every session. */
export function indexesEmpty(): void {
  for (let index: u32 = 0; index < indexCount; index++) bucketsEmpty(indexBuckets(index))
}

/** Record id of the session with the index key that lies in a row shaped like a record; -1 if there is none. */
export function findRow(index: u32, row: usize): i32 {
  return pack(index, row, ALL, 0) ? findPacked(index) : -1
}
