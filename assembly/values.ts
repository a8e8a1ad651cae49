// Who owns which value of variable length, and the accounts of the arena in units (arena.ts).
//
//   live    the sessions of the table: at most 85 of 100 units, else the write is refused
//   kept    before-images of the journal, for the differences: at most the other 15, else the record overflows
//   staged  values of a batch that is not committed yet
//
// A field of a record is {handle, length}. A before-image that has the record's handle shares the value; when the record
// gives it up it is kept, and freed once the journal is taken. Per record there is a note: the entry of the journal while
// it is journaled, and while it has overflowed what the peer holds for it, in units.
import { arenaEmpty, equalsValue, freeValue, storeValue, unitsOf } from './arena'
import { bitNext } from './bitmap'
import { keyEquals } from './buckets'
import { peerBegins } from './fit'
import { indexesDiffering } from './indexes'
import { journalImage, journalTaken, overflow, release } from './journal'
import { LIVE_PERCENT, PAGE, SESSION_BYTES_MAX, UNIT } from './arena-sizes'
import {
  FLAGS, GENERATION, JOURNALED, KEY, OCCUPIED, SEGMENT_SHIFT, VOID,
  arenaPages, capacity, fixedOffset, indexedMask, notesAt, owedAt, recordAt, segments, valueField, valueOffset, variableMask,
} from './layout'
import { dropRecord, isOccupied, nextOccupied } from './records'
import { isAwaited, isAwaitedId, markTouched } from './segments'
import { unstage } from './stage'

/** A write is refused: the arena is full. */
// @ts-ignore: decorator
@inline export const ARENA_FULL: i32 = -3
/** A write is refused: the values of the session are too long together. */
// @ts-ignore: decorator
@inline export const TOO_LONG: i32 = -4
/** Handle in the staged image of an update: this field stays as it is. */
// @ts-ignore: decorator
@inline export const AS_IS: u32 = 0xffffffff

export let liveUnits: u32 = 0
export let keptUnits: u32 = 0
export let stagedUnits: u32 = 0

/** Fields that the write being admitted changes, and `liveUnits` after it. */
let changing: u64 = 0
let liveAfter: u32 = 0

// @ts-ignore: decorator
@inline export function totalUnits(): u32 {
  return arenaPages * (PAGE / UNIT)
}

/** Most units of live values. */
// @ts-ignore: decorator
@inline export function limitUnits(): u32 {
  return <u32>((<u64>totalUnits() * LIVE_PERCENT) / 100)
}

// @ts-ignore: decorator
@inline export function note(id: u32): u32 {
  return load<u32>(notesAt + (<usize>id << 2))
}

// @ts-ignore: decorator
@inline export function setNote(id: u32, value: u32): void {
  store<u32>(notesAt + (<usize>id << 2), value)
}

/** Units of all values of a record or image. */
export function recordUnits(record: usize): u32 {
  let units: u32 = 0
  for (let word = record + valueOffset; word < record + fixedOffset; word += 8) units += unitsOf(load<u32>(word, 4))
  return units
}

/** Forgets every value, and leaves the words of records as they are. */
export function valuesEmpty(): void {
  arenaEmpty()
  liveUnits = 0
  keptUnits = 0
  stagedUnits = 0
  peerBegins()
}

/**
 * Whether the values of a row fit a session, `record` being 0 for a new one; 0 or the number of the refusal. Fields
 * outside the mask are emptied if `replace`, else left. Must come before `changeValues` of the same write.
 */
export function admit(record: usize, row: usize, mask: u64, replace: bool): i32 {
  // A write ends what is staged: it could take the room that was promised to the rest.
  if (stagedUnits) unstage()
  changing = 0
  let bytes: u32 = 0
  liveAfter = liveUnits
  for (let rest = variableMask; rest; rest &= rest - 1) {
    const bit = rest & -rest
    const offset = valueField(<u32>ctz(rest)).offset
    const before = record ? load<u32>(record + offset, 4) : 0
    let now = before
    if (mask & bit) {
      now = load<u32>(row + offset, 4)
      const same = now == before && equalsValue(record ? load<u32>(record + offset) : 0, now, load<u32>(row + offset))
      if (!same) changing |= bit
    } else if (replace) {
      now = 0
      if (before) changing |= bit
    }
    bytes += now
    if (changing & bit) liveAfter += unitsOf(now) - unitsOf(before)
  }
  if (bytes > SESSION_BYTES_MAX) return TOO_LONG
  return liveAfter > limitUnits() && liveAfter > liveUnits ? ARENA_FULL : 0
}

/** Writes what was admitted into a record that the journal knows about. */
export function changeValues(id: u32, record: usize, row: usize, mask: u64): void {
  if (!changing) return
  prepare(id, record, changing)
  for (let rest = changing; rest; rest &= rest - 1) giveUp(id, record, record + valueField(<u32>ctz(rest)).offset)
  placeValues(record, row, mask)
}

/** The same for a new record. */
export function createValues(record: usize, row: usize, mask: u64): void {
  for (let word = record + valueOffset; word < record + fixedOffset; word += 8) store<u64>(word, 0)
  placeValues(record, row, mask)
}

function placeValues(record: usize, row: usize, mask: u64): void {
  for (let rest = changing & mask; rest; rest &= rest - 1) {
    const offset = valueField(<u32>ctz(rest)).offset
    const length = load<u32>(row + offset, 4)
    store<u32>(record + offset, storeValue(load<u32>(row + offset), length))
    store<u32>(record + offset, length, 4)
    liveUnits += unitsOf(length)
  }
}

/** A record is about to lose all its values; to be called between journalTouch and journalRelease. */
export function prepareDrop(id: u32, record: usize): void {
  liveAfter = liveUnits - recordUnits(record)
  prepare(id, record, variableMask)
}

/** Gives up the before-image of a record if there is no room to keep the values of `mask`, which it shares. */
function prepare(id: u32, record: usize, mask: u64): void {
  if (!(load<u32>(record, FLAGS) & JOURNALED)) return
  const image = journalImage(note(id))
  if (!(load<u32>(image, FLAGS) & OCCUPIED)) return
  let units = keptUnits
  for (let rest = mask; rest; rest &= rest - 1) {
    const offset = valueField(<u32>ctz(rest)).offset
    if (load<u32>(image + offset) == load<u32>(record + offset)) units += unitsOf(load<u32>(record + offset, 4))
  }
  if (units == keptUnits) return
  if (units > totalUnits() - limitUnits() || units + liveAfter > totalUnits()) voidEntry(id, record)
}

/** A record gives up the value of the field at `word`. */
function giveUp(id: u32, record: usize, word: usize): void {
  const handle = load<u32>(word)
  if (!handle) return
  const units = unitsOf(load<u32>(word, 4))
  store<u64>(word, 0)
  liveUnits -= units
  if (load<u32>(record, FLAGS) & JOURNALED) {
    const image = journalImage(note(id))
    if (load<u32>(image, FLAGS) & OCCUPIED && load<u32>(image + (word - record)) == handle) {
      keptUnits += units
      return
    }
  }
  freeValue(handle)
}

/** A session ends: its record gives up all values. */
export function dropValues(id: u32, record: usize): void {
  for (let word = record + valueOffset; word < record + fixedOffset; word += 8) giveUp(id, record, word)
}

/** Frees what a before-image keeps. */
export function freeKept(image: usize, record: usize): void {
  if ((load<u32>(image, FLAGS) & (OCCUPIED | VOID)) != OCCUPIED) return
  for (let offset = valueOffset; offset < fixedOffset; offset += 8) {
    const handle = load<u32>(image + offset)
    if (!handle || handle == load<u32>(record + offset)) continue
    keptUnits -= unitsOf(load<u32>(image + offset, 4))
    freeValue(handle)
  }
}

/** Gives up a before-image: the record goes whole, later, and what was kept for it is freed. */
export function voidEntry(id: u32, record: usize): void {
  const image = journalImage(note(id))
  const was = load<u32>(image, FLAGS) & OCCUPIED
  freeKept(image, record)
  store<u32>(image, load<u32>(image, FLAGS) | VOID, FLAGS)
  journalTaken(record)
  overflow(id, record)
  setNote(id, was ? recordUnits(image) : 0)
  if (!was) return
  const stayed = isOccupied(id) && load<u32>(image, GENERATION) == load<u32>(record, GENERATION)
  if (!stayed && !(isOccupied(id) && keyEquals(image + KEY, record + KEY))) release(id, record)
  else if (indexedMask && indexesDiffering(image, record)) release(id, record)
}

// ---- Staging

/** Puts a value of a batch into the arena and its words into the image; false if it does not fit. */
export function stageValue(word: usize, from: usize, length: u32): bool {
  const units = unitsOf(length)
  if (!roomFor(units)) return false
  stagedUnits += units
  store<u32>(word, storeValue(from, length))
  store<u32>(word, length, 4)
  return true
}

/**
 * What awaited segments and owed records hold makes room for what is sent: it may be of another state, and no sum has
 * counted it.
 */
function roomFor(units: u32): bool {
  for (let segment: u32 = 0; segment < segments; segment++) {
    if (liveUnits + keptUnits + stagedUnits + units <= totalUnits()) return true
    if (!isAwaited(segment)) continue
    const end = min((segment + 1) << SEGMENT_SHIFT, capacity)
    const first = nextOccupied(segment << SEGMENT_SHIFT)
    for (let id = first; id >= 0 && <u32>id < end; id = nextOccupied(<u32>id + 1)) {
      if (!isAwaitedId(id)) continue
      dropRecord(id, recordAt(id))
      markTouched(id)
    }
  }
  for (let id = bitNext(owedAt, 0); id >= 0; id = bitNext(owedAt, <u32>id + 1)) {
    if (liveUnits + keptUnits + stagedUnits + units <= totalUnits()) return true
    if (isOccupied(id)) dropRecord(id, recordAt(id))
  }
  return liveUnits + keptUnits + stagedUnits + units <= totalUnits()
}

/** Marks the values of an image made from a record as not its own. */
export function leaveValues(image: usize): void {
  for (let word = image + valueOffset; word < image + fixedOffset; word += 8) store<u32>(word, AS_IS)
}

/** Frees the values of a staged image. */
export function discardValues(image: usize): void {
  for (let word = image + valueOffset; word < image + fixedOffset; word += 8) {
    const handle = load<u32>(word)
    if (!handle || handle == AS_IS) continue
    stagedUnits -= unitsOf(load<u32>(word, 4))
    freeValue(handle)
    store<u64>(word, 0)
  }
}

/** A staged image has become a record. */
export function adoptValues(record: usize): void {
  const units = recordUnits(record)
  stagedUnits -= units
  liveUnits += units
}

/** A record takes the new values of a staged update. */
export function commitValues(id: u32, record: usize, image: usize): void {
  for (let offset = valueOffset; offset < fixedOffset; offset += 8) {
    const handle = load<u32>(image + offset)
    if (handle == AS_IS) continue
    giveUp(id, record, record + offset)
    const units = unitsOf(load<u32>(image + offset, 4))
    store<u64>(record + offset, load<u64>(image + offset))
    stagedUnits -= units
    liveUnits += units
  }
}
