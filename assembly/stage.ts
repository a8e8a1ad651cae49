// First half of applying a batch or an image: every check of docs/PROTOCOL.md section 7, nothing changed. What the
// touched slots will hold is written into the staging area, as whole record images in ascending id. The keys of further
// indexes are checked in stage-indexes.ts.
import { bucketFind, bucketPeek, keyEquals } from './buckets'
import {
  ABSENT, COUNT, ID, KEY_HELD, KEY_TWICE, OCCUPIED_SLOT, OP, TRAILING, VALUE,
  bytesLeft, changedMask, openBytes, openValues, readByte, readRecord, readUpdate, readVarint, readingAt, refusal, refuse,
} from './decode'
import { isOwed, listing, owe } from './changes'
import { keepRest, wireFields } from './common'
import { CREATE, DELETE, UPDATE, WHOLE } from './encode'
import { hashKey } from './hash'
import { indexesDiffering } from './indexes'
import {
  HASH, KEY, SEGMENT_SHIFT,
  bucketsAt, capacity, deltasMax, inboxAt, inboxBytes, indexedMask, keyScratchAt, recordAt, recordBytes, stagedIdsAt,
  stagedImagesAt, stagedOpsAt, valueFields, valuesAt, variableMask,
} from './layout'
import { copyLines, loadedAhead, zeroLines } from './lines'
import { isOccupied, moves } from './records'
import { isAwaitedId } from './segments'
import { SKIM, skim } from './skim'
import { indexKeysFree } from './stage-indexes'
import { discardValues, leaveValues } from './values'

// what a staged slot will be
/** The session of the image. */
// @ts-ignore: decorator
@inline export const PUT: u32 = 0
/** The same session with the fields of the image. */
// @ts-ignore: decorator
@inline export const CHANGE: u32 = 1
// @ts-ignore: decorator
@inline export const DROP: u32 = 2
/** As CHANGE, with another key in a further index. */
// @ts-ignore: decorator
@inline export const MOVE: u32 = 3

export let stagedCount: u32 = 0
/** Record ids that the staged image, or part of one, replaces; none for a batch. */
export let stagedFrom: u32 = 0
export let stagedTo: u32 = 0
/** An image that is being read and has values in the arena; 0: none. */
let reading: usize = 0
/** Staged keys that another id holds, and `moves` when they were counted. */
let holders: u32 = 0
let holdersAt: u32 = 0
/** Staged sessions that may come with keys in indexes. */
let claimants: u32 = 0
let keysExpected: u32 = 0
/** Of the scratch table of keys; 0 until the first record of a batch. */
export let keyMask: u32 = 0

// @ts-ignore: decorator
@inline export function stagedId(i: u32): u32 {
  return load<u32>(stagedIdsAt + (<usize>i << 2))
}

// @ts-ignore: decorator
@inline export function stagedOp(i: u32): u32 {
  return load<u32>(stagedOpsAt + (<usize>i << 2))
}

// @ts-ignore: decorator
@inline export function stagedImage(i: u32): usize {
  return stagedImagesAt + <usize>i * <usize>recordBytes
}

/** No id holds a key that is staged for another: nobody has to be dropped for it. */
export function isFree(): bool {
  return holders == 0 && holdersAt == moves
}

/** Gives up what is staged. */
export function unstage(): void {
  if (variableMask) {
    if (reading) discardValues(reading)
    for (let i: u32 = 0; i < stagedCount; i++) if (stagedOp(i) != DROP) discardValues(stagedImage(i))
  }
  stagedOver()
}

/** Nothing is staged any more. */
export function stagedOver(): void {
  reading = 0
  stagedCount = 0
  claimants = 0
  stagedFrom = 0
  stagedTo = 0
}

function keep(id: u32, op: u32): void {
  store<u32>(stagedIdsAt + (<usize>stagedCount << 2), id)
  store<u32>(stagedOpsAt + (<usize>stagedCount << 2), op)
  stagedCount++
  if (op == PUT || op == MOVE) claimants++
  reading = 0
}

/** Stages `length` bytes of the inbox as a batch; 0 or the number of the refusal. */
export function stageBatch(length: u32): u32 {
  return stage(length, 0, 0)
}

/** Stages `length` bytes of the inbox as the content of a segment; 0 or the number of the refusal. */
export function stageImage(segment: u32, length: u32): u32 {
  return stageImagePart(segment, 0, 1 << SEGMENT_SHIFT, length)
}

/** The same of the record ids of a segment from `first` up to, not including, `last`. */
export function stageImagePart(segment: u32, first: u32, last: u32, length: u32): u32 {
  const start = segment << SEGMENT_SHIFT
  if (first >= last || last > 1 << SEGMENT_SHIFT || start + first >= capacity) return ID
  return stage(length, start + first, min(start + last, capacity))
}

function stage(length: u32, from: u32, to: u32): u32 {
  unstage()
  if (length > inboxBytes) return COUNT
  openBytes(inboxAt, length)
  stagedFrom = from
  stagedTo = to
  if (!readDeltas(from, to) || !keysFree() || (indexedMask && claimants && !indexKeysFree())) {
    unstage()
    return refusal
  }
  return 0
}

/** Reads a batch, or with `to` the image of the record ids between. */
function readDeltas(from: u32, to: u32): bool {
  const count = readVarint()
  if (refusal) return false
  if (count > <u64>bytesLeft() || count > <u64>deltasMax) return refuse(COUNT)
  keysExpected = <u32>count
  keyMask = 0
  const end = <i64>(to ? to : capacity)
  let previous = <i64>from - 1
  for (let i: u64 = 0; i < count; i++) {
    if (!to && !(<u32>i & (SKIM - 1))) skim(readingAt(), readingAt() + bytesLeft(), previous, SKIM)
    const head = readVarint()
    if (refusal) return false
    const op = head & 3
    if (to && op != CREATE) return refuse(OP)
    const id = previous + 1 + <i64>(head >> 2)
    if (id >= end) return refuse(ID)
    previous = id
    if (!readDelta(<u32>id, op, to != 0)) return false
  }
  return bytesLeft() == 0 || refuse(TRAILING)
}

function readDelta(id: u32, op: u64, inImage: bool): bool {
  if (listing && !inImage) owe(id)
  const trusted = inImage || (!isAwaitedId(id) && (op == WHOLE || !isOwed(id)))
  const to = trusted ? stagedImage(stagedCount) : valuesAt
  if (op == UPDATE) {
    if (trusted && !isOccupied(id)) return refuse(ABSENT)
    copyLines(to, recordAt(id), recordBytes)
    if (variableMask) {
      leaveValues(to)
      openValues(recordAt(id), trusted)
      if (trusted) reading = to
    }
    if (!readUpdate(to, trusted)) return false
    if (trusted) keep(id, changedMask & indexedMask && indexesDiffering(recordAt(id), to) ? MOVE : CHANGE)
    return true
  }
  if (op == DELETE) {
    if (!trusted) return true
    if (!isOccupied(id)) return refuse(ABSENT)
    keep(id, DROP)
    return true
  }
  if (op == CREATE) {
    if (trusted && !inImage && isOccupied(id)) return refuse(OCCUPIED_SLOT)
  } else {
    const present = readByte()
    if (refusal) return false
    if (present > 1) return refuse(VALUE)
    if (!present) {
      if (trusted) keep(id, DROP)
      return true
    }
  }
  zeroLines(to, recordBytes)
  if (variableMask) {
    openValues(0, trusted)
    if (trusted) reading = to
  }
  if (!readRecord(to)) return false
  if (!trusted) return true
  store<u32>(to, hashKey(to + KEY), HASH)
  if (wireFields < valueFields) keepRest(to)
  if (!keyNew(to)) return refuse(KEY_TWICE)
  keep(id, PUT)
  return true
}

/** Makes the scratch table empty, at most half full with every delta of this batch a record. */
export function emptyKeys(): void {
  keyMask = 15
  while (keyMask < keysExpected * 2) keyMask = (keyMask << 1) | 1
  memory.fill(keyScratchAt, 0, (<usize>keyMask + 1) << 2)
}

/** Remembers the key of the image about to be staged; false if another staged record has it. */
function keyNew(image: usize): bool {
  if (!keyMask) emptyKeys()
  const hash = load<u32>(image, HASH)
  let slot = (hash ^ (hash >> 15)) & keyMask
  while (true) {
    const at = keyScratchAt + (<usize>slot << 2)
    const other = load<u32>(at)
    if (!other) {
      store<u32>(at, stagedCount + 1)
      return true
    }
    const record = stagedImage(other - 1)
    if (load<u32>(record, HASH) == hash && keyEquals(record + KEY, image + KEY)) return false
    slot = (slot + 1) & keyMask
  }
  return false
}

/** Loads the buckets that the next records belong to, all at once. */
function peekBuckets(from: u32): void {
  const end = min(from + SKIM, stagedCount)
  let sum: u32 = 0
  for (let i = from; i < end; i++) if (stagedOp(i) == PUT) sum += bucketPeek(bucketsAt, load<u32>(stagedImage(i), HASH))
  loadedAhead(sum)
}

/** Whether no staged record's key is held by an id that keeps it. */
function keysFree(): bool {
  holders = 0
  holdersAt = moves
  for (let i: u32 = 0; i < stagedCount; i++) {
    if (!(i & (SKIM - 1))) peekBuckets(i)
    if (stagedOp(i) != PUT) continue
    const to = stagedImage(i)
    const holder = bucketFind(load<u32>(to, HASH), to + KEY)
    if (holder < 0 || <u32>holder == stagedId(i)) continue
    holders++
    if (!yields(holder) && !releases(holder)) return refuse(KEY_HELD)
  }
  return true
}

/** Whether what a slot holds may be dropped for a session that comes: it is awaited, or replaced by this very image. */
export function yields(id: u32): bool {
  return (id >= stagedFrom && id < stagedTo) || isAwaitedId(id) || isOwed(id)
}

/** Whether the batch deletes a session or puts another into its slot; an update keeps the key. */
function releases(id: u32): bool {
  const staged = stagedOf(id)
  return staged >= 0 && stagedOp(staged) != CHANGE && stagedOp(staged) != MOVE
}

/** Where a slot is staged; -1 if it is not. */
export function stagedOf(id: u32): i32 {
  let low: u32 = 0
  let high = stagedCount
  while (low < high) {
    const middle = (low + high) >> 1
    if (stagedId(middle) < id) low = middle + 1
    else high = middle
  }
  return low < stagedCount && stagedId(low) == id ? <i32>low : -1
}
