// Deltas and images out (docs/PROTOCOL.md sections 2 and 3), in ascending record id, into the outbox.
//
// The journal is always taken whole: its bound is chosen in layout.ts so that a full one fits the outbox with every
// delta at its longest. Overflowed records come on top, from a cursor that goes round, while there is room.
//
// A peer refuses a key that another of its ids holds, and likewise the key of a further index. What it holds is known
// for journaled records, but not for overflowed ones that were deleted or got another index key since (released). So a
// batch brings keys only if it tells of every released record too. While they do not fit, it takes sessions away,
// changes those that kept their keys, and puts off what is new: a session with a new index key leaves the peer until
// then, as one whose slot has another session does. No session is ever sent with fields it never had.
import { VARIABLE_BYTES } from './arena-sizes'
import { bitHas, bitNext } from './bitmap'
import { keyEquals } from './buckets'
import { deltasRoom, wireFields } from './common'
import { isOwed, listing, noteChanged, owe, owedCount, settle } from './changes'
import {
  BROUGHT, batchBytes, beginFit, endFit, fitJournal, fitsBytes, fitsPeer, toldJournaled, toldWhole, valueBytes,
} from './fit'
import {
  journalCount, journalEmpty, journalImage, journalTaken, overflow, overflowCount, overflowTaken, release,
  releaseTaken, releasedCount,
} from './journal'
import {
  FLAGS, GENERATION, JOURNALED, KEY, OCCUPIED, OVERFLOWED, RELEASED, SEGMENT_SHIFT, VOID,
  capacity, deltaBytesMax, indexedMask, outboxAt, overflowAt, owedAt, recordAt, releasedAt,
  valueField, variableMask,
} from './layout'
import { lifetimeDiffers, writeLifetimeChange } from './lifetime'
import { loadedAhead, sameBytes } from './lines'
import { lifetimes } from './options'
import { isShown, nextOccupied } from './records'
import { sortJournal, sortedEntry, sortedId } from './sort'
import { writeVarint } from './varint'
import { note, recordUnits, setNote } from './values'
import { equalFields, writeChange, writeRecord } from './write'

// @ts-ignore: decorator
@inline export const CREATE: u64 = 0
// @ts-ignore: decorator
@inline export const UPDATE: u64 = 1
// @ts-ignore: decorator
@inline export const DELETE: u64 = 2
// @ts-ignore: decorator
@inline export const WHOLE: u64 = 3

/** Room before the first delta for the count, which is known last; a shorter count is written right before them. */
// @ts-ignore: decorator
@inline const COUNT_ROOM: usize = 8
/** A `whole` without a record: head and present. */
// @ts-ignore: decorator
@inline const BLANK_MAX: u32 = 6
/** Records loaded ahead. */
// @ts-ignore: decorator
@inline const BLOCK: u32 = 32
/** Addresses of a block's records and images. */
// @ts-ignore: decorator
@lazy const aheadAt: usize = memory.data(256, 8)

/** Where the bytes of the last encode or image begin. */
export let encodedAt: usize = 0
let cursor: u32 = 0
let owedCursor: u32 = 0
let previous: i32 = -1
let count: u32 = 0
/** Of these deltas so many create, or bring a session whole, and so many delete; the others update. */
let creates: u32 = 0
let deletes: u32 = 0
/** Deltas in all batches so far, by what they do. */
export let sentCreates: f64 = 0
export let sentUpdates: f64 = 0
export let sentDeletes: f64 = 0
/** Whether this batch brings keys. */
let bringing: bool = true
/** Whether a delta makes its record owed: only as the batch is written for good. */
let owing: bool = false

function differences(before: usize, record: usize): u64 {
  let mask: u64 = 0
  for (let i: u32 = 0; i < wireFields; i++) {
    const field = valueField(i)
    const offset = field.offset
    if (!sameBytes(before + offset, record + offset, field.size)) mask |= (<u64>1) << i
  }
  if (mask & variableMask) mask &= ~equalFields(before, record, mask & variableMask)
  if (lifetimes && lifetimeDiffers(before, record)) mask |= (<u64>1) << wireFields
  return mask
}

function writeHead(at: usize, id: u32, op: u64): usize {
  const gap = <u64>(<i64>id - previous - 1)
  previous = <i32>id
  count++
  if (owing) owe(id)
  return writeVarint(at, (gap << 2) | op)
}

/** What became of one journaled record. */
function writeJournaled(at: usize, id: u32, before: usize): usize {
  const flags = load<u32>(before, FLAGS)
  if (flags & VOID) return at
  const record = recordAt(id)
  journalTaken(record)
  noteChanged(id)
  // The peer does not know what was there before: it goes whole, now or when new keys may go again.
  const was = flags & OCCUPIED
  if (!listing && isOwed(id)) return writeOwed(at, id, before, was)
  if (!isShown(id, record)) {
    if (variableMask) toldJournaled(before, was, record, false)
    return was ? writeDelete(at, id) : at
  }
  if (was) {
    const stayed = load<u32>(before, GENERATION) == load<u32>(record, GENERATION)
    if (stayed || keyEquals(before + KEY, record + KEY)) {
      const mask = differences(before, record)
      if (bringing || !(mask & indexedMask)) {
        if (variableMask) toldJournaled(before, was, record, true)
        return writeUpdate(at, id, mask, before, record)
      }
    }
  }
  if (variableMask) toldJournaled(before, was, record, bringing)
  if (!bringing) {
    overflow(id, record)
    if (variableMask) setNote(id, 0)
    return was ? writeDelete(at, id) : at
  }
  if (was) return writePresent(at, id, true)
  creates++
  return writeRecord(writeHead(at, id, CREATE), record)
}

function writeDelete(at: usize, id: u32): usize {
  deletes++
  return writeHead(at, id, DELETE)
}

/** A journaled record that is owed. What the peer holds of it makes room for anything, so it is counted as it is here. */
function writeOwed(at: usize, id: u32, before: usize, was: u32): usize {
  const record = recordAt(id)
  const present = isShown(id, record)
  if (variableMask) toldJournaled(before, was, record, present)
  return bringing ? writePresent(at, id, present) : at
}

function writeUpdate(at: usize, id: u32, mask: u64, before: usize, record: usize): usize {
  if (!mask) return at
  at = writeVarint(writeHead(at, id, UPDATE), mask)
  const renewed = mask & ((<u64>lifetimes) << wireFields)
  for (mask ^= renewed; mask; mask &= mask - 1) at = writeChange(at, valueField(<u32>ctz(mask)), before, record)
  return renewed ? writeLifetimeChange(at, before, record) : at
}

/** What became of one released record. */
function writeWhole(at: usize, id: u32): usize {
  const record = recordAt(id)
  let present = bringing && isShown(id, record)
  if (variableMask) {
    present = present && fitsBytes(record) && fitsPeer(id, record)
    toldWhole(id, record, present)
  }
  return writePresent(at, id, present)
}

function writePresent(at: usize, id: u32, present: bool): usize {
  if (present) creates++
  else deletes++
  at = writeHead(at, id, WHOLE)
  store<u8>(at, present)
  return present ? writeRecord(at + 1, recordAt(id)) : at + 1
}

/**
 * Loads a block of records and images before they are compared: loads that do not depend on each other miss the cache
 * together, those between branches one by one.
 */
function warm(from: u32): void {
  const count = min(BLOCK, journalCount - from)
  for (let i: u32 = 0; i < count; i++) {
    store<u32>(aheadAt + (<usize>i << 3), <u32>recordAt(sortedId(from + i)))
    store<u32>(aheadAt + (<usize>i << 3), <u32>journalImage(sortedEntry(from + i)), 4)
  }
  let sum: u32 = 0
  for (let at = aheadAt; at < aheadAt + (<usize>count << 3); at += 4) sum += load<u32>(load<u32>(at))
  loadedAhead(sum)
}

/** The sorted journal and the first `wholes` released records; gives the address after the last delta. */
function writeMerged(wholes: u32): usize {
  let at = outboxAt + COUNT_ROOM
  previous = -1
  count = creates = deletes = 0
  let whole = nextReleased(0, wholes)
  for (let i: u32 = 0; i < journalCount; i++) {
    if (!(i & (BLOCK - 1))) warm(i)
    const id = sortedId(i)
    for (; whole >= 0 && <u32>whole < id; whole = nextReleased(<u32>whole + 1, --wholes)) at = writeWhole(at, whole)
    at = writeJournaled(at, id, journalImage(sortedEntry(i)))
  }
  for (; whole >= 0; whole = nextReleased(<u32>whole + 1, --wholes)) at = writeWhole(at, whole)
  return at
}

// @ts-ignore: decorator
@inline function nextReleased(from: u32, wholes: u32): i32 {
  return wholes ? bitNext(releasedAt, from) : -1
}

/** Puts the count before the deltas; gives the whole length. */
export function finish(end: usize): u32 {
  let digits: usize = 1
  for (let rest = count; rest > 127; rest >>= 7) digits++
  encodedAt = outboxAt + COUNT_ROOM - digits
  writeVarint(encodedAt, count)
  return <u32>(end - encodedAt)
}

/**
 * Takes what changed as deltas at `encodedAt`; gives their length, 0 if nothing differs. `bytesMax` bounds what
 * overflowed records add to the journal's deltas, so that a journal that is full each time does not starve them; all of
 * it together stays below `encodeBytesMax`.
 */
export function encode(bytesMax: u32): u32 {
  if (variableMask) {
    fitJournal()
    beginFit(0)
  }
  sortJournal()
  const owes = owedCount != 0 && !listing
  if (owes) chooseOwed(bytesMax)
  bringing = true
  owing = listing && !overflowCount
  let end = writeMerged(0)
  if (overflowCount) end = addOverflowed(end, bytesMax)
  owing = false
  if (owes && bringing) settleJournaled()
  journalEmpty()
  if (variableMask) endFit()
  sentCreates += creates
  sentDeletes += deletes
  sentUpdates += count - creates - deletes
  return count ? finish(end) : 0
}

/** Writes the batch again, with overflowed records between the journaled ones. */
function addOverflowed(end: usize, bytesMax: u32): usize {
  const used = <u32>(end - outboxAt)
  const most = batchBytes()
  const room = min(bytesMax, used < most ? most - used : 0)
  let wholes = min(room / deltaBytesMax, deltasRoom - count)
  if (variableMask) wholes = max(wholes, 1)
  bringing = releasedCount <= wholes
  if (variableMask) {
    const more = bringing ? countFitting(room, wholes - releasedCount) : 0
    beginFit(room)
    if (bringing) choose(more)
  } else if (bringing) choose(wholes - releasedCount)
  if (bringing) wholes = releasedCount
  else wholes = min(releasedCount, min(room / BLANK_MAX, deltasRoom - count))
  if (!wholes && bringing && !listing) return end
  owing = listing
  const at = writeMerged(wholes)
  for (; wholes; wholes--) {
    const id = <u32>bitNext(releasedAt, 0)
    const record = recordAt(id)
    releaseTaken(id, record)
    const brought = variableMask ? note(id) == BROUGHT : bringing
    if (brought || !isShown(id, record)) overflowTaken(id, record)
  }
  return at
}

/** Overflowed and owed records go from the first one on again. */
export function forgetTurns(): void {
  cursor = 0
  owedCursor = 0
}

/** How many overflowed records from the cursor fit the batch in bytes, beside the released ones, which all must. */
function countFitting(room: u32, most: u32): u32 {
  beginFit(room)
  for (let id = bitNext(releasedAt, 0); id >= 0; id = bitNext(releasedAt, <u32>id + 1)) fitsBytes(recordAt(id))
  if (bitNext(overflowAt, cursor) < 0) cursor = 0
  let fitting: u32 = 0
  for (let from = cursor; fitting < most; fitting++) {
    const id = bitNext(overflowAt, from)
    if (id < 0) break
    const record = recordAt(id)
    if (isShown(id, record) && !bitHas(releasedAt, id) && !fitsBytes(record)) break
    from = <u32>id + 1
  }
  return fitting
}

/** Owed records join the overflowed ones, as many as go into this batch. Those in the journal go whole with it. */
function chooseOwed(bytesMax: u32): void {
  const room = min(bytesMax, batchBytes() / 5)
  let most = min(room / deltaBytesMax, deltasRoom - min(journalCount, deltasRoom))
  if (overflowCount >= most) return
  if (bitNext(owedAt, owedCursor) < 0) owedCursor = 0
  if (variableMask) beginFit(room)
  for (most -= overflowCount; most; most--) {
    const id = bitNext(owedAt, owedCursor)
    if (id < 0) return
    const record = recordAt(id)
    const flags = load<u32>(record, FLAGS)
    const isLater = (flags & JOURNALED) != 0
    if (variableMask && !isLater && isShown(id, record) && !fitsBytes(record)) return
    owedCursor = <u32>id + 1
    if (isLater) continue
    settle(id)
    if (variableMask && !(flags & OVERFLOWED)) setNote(id, isShown(id, record) ? recordUnits(record) : 0)
    if (!(flags & OVERFLOWED)) overflow(id, record)
    if (!(flags & RELEASED)) release(id, record)
  }
}

function settleJournaled(): void {
  for (let i: u32 = 0; i < journalCount; i++) if (isOwed(sortedId(i))) settle(sortedId(i))
}

/** Adds up to `most` overflowed records to the released ones, which all go into this batch. */
function choose(most: u32): void {
  if (bitNext(overflowAt, cursor) < 0) cursor = 0
  while (most) {
    const id = bitNext(overflowAt, cursor)
    if (id < 0) return
    cursor = <u32>id + 1
    if (bitHas(releasedAt, id)) continue
    release(id, recordAt(id))
    most--
  }
}

/** Writes one segment as deltas that are all create, at `encodedAt`; gives their length. */
export function image(segment: u32): u32 {
  return imagePart(segment, 0, capacity, VARIABLE_BYTES - (VARIABLE_BYTES >> 4))
}

/** Where the last image stopped: a record id of its segment, or the segment's end. */
export let imageEnd: u32 = 0

/**
 * The same of the record ids from `first` on within a segment, at most up to `last`. With variable-length fields it stops
 * before a record that would take it beyond `bytesMax`, though not before the first.
 */
export function imagePart(segment: u32, first: u32, last: u32, bytesMax: u32): u32 {
  const start = segment << SEGMENT_SHIFT
  const end = min(start + min(last, 1 << SEGMENT_SHIFT), capacity)
  let at = outboxAt + COUNT_ROOM
  previous = <i32>(start + first) - 1
  count = 0
  imageEnd = end
  const bounded = variableMask != 0
  for (let id = nextOccupied(start + first); id >= 0 && <u32>id < end; id = nextOccupied(<u32>id + 1)) {
    const record = recordAt(id)
    if (!isShown(id, record)) continue
    if (bounded && count && <u32>(at - outboxAt) + deltaBytesMax + valueBytes(record) > bytesMax) {
      imageEnd = id
      break
    }
    at = writeRecord(writeHead(at, id, CREATE), record)
  }
  return finish(at)
}

/** Begins deltas that are all creates and no batch's; `finish` ends them. */
export function openCreates(): usize {
  previous = -1
  count = 0
  return outboxAt + COUNT_ROOM
}

export function writeCreate(at: usize, id: u32, record: usize): usize {
  return writeRecord(writeHead(at, id, CREATE), record)
}

/** Sessions in the last image. */
export function imageCount(): u32 {
  return count
}
