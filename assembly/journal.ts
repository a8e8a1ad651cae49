// What changed since the last encode. The first change of a record stores its before-image; later ones cost a flag
// test. When the journal is full the record's bit is set in the overflow bitmap instead and the record travels whole
// later. Memory is bounded whatever the application does.
import { bitAdd, bitEmpty, bitNext, bitRemove } from './bitmap'
import { noteChanged } from './changes'
import { journalRoom } from './common'
import {
  FLAGS, HELD, JOURNALED, LIFETIME_FLAGS, OVERFLOWED, RELEASED,
  journalIdsAt, journalImagesAt, overflowAt, recordAt, recordBytes, releasedAt, variableMask,
} from './layout'
import { copyLines } from './lines'
import { peerBegins } from './fit'
import { noteDiffering, noteOverflowed, snapping } from './snapshot'
import { freeKept, recordUnits, setNote } from './values'

// how much of a change is remembered
// @ts-ignore: decorator
@inline export const NOTHING: u32 = 0
/** Which record changed. */
// @ts-ignore: decorator
@inline export const IDS: u32 = 1
/** What it was before. */
// @ts-ignore: decorator
@inline export const IMAGES: u32 = 2

export let tracking: u32 = NOTHING
export let journalCount: u32 = 0
export let overflowCount: u32 = 0
/** Overflowed records that were deleted since: the key the peer holds there is not known any more. */
export let releasedCount: u32 = 0

/** Notes that record `id` is about to change, unless it is held back; `occupied` is OCCUPIED if it holds a session now, else 0. */
// @ts-ignore: decorator
@inline export function journalTouch(id: u32, record: usize, occupied: u32): void {
  if (!tracking) return
  if (load<u32>(record, FLAGS) & (JOURNALED | OVERFLOWED | HELD)) return
  remember(id, record, occupied)
}

function remember(id: u32, record: usize, occupied: u32): void {
  if (tracking == IDS) noteChanged(id)
  else if (journalCount < journalRoom) {
    const image = journalImage(journalCount)
    if (occupied) copyLines(image, record, recordBytes)
    store<u32>(image, occupied | (load<u32>(record, FLAGS) & LIFETIME_FLAGS), FLAGS)
    store<u32>(journalIdsAt + (<usize>journalCount << 2), id)
    store<u32>(record, load<u32>(record, FLAGS) | JOURNALED, FLAGS)
    if (variableMask) setNote(id, journalCount)
    journalCount++
  } else {
    overflow(id, record)
    if (variableMask) setNote(id, occupied ? recordUnits(record) : 0)
  }
}

/** The record will go whole, later. */
export function overflow(id: u32, record: usize): void {
  noteChanged(id)
  bitAdd(overflowAt, id)
  store<u32>(record, load<u32>(record, FLAGS) | OVERFLOWED, FLAGS)
  overflowCount++
}

/** Notes, after journalTouch, that the session of a record is being deleted. */
// @ts-ignore: decorator
@inline export function journalRelease(id: u32, record: usize): void {
  if ((load<u32>(record, FLAGS) & (OVERFLOWED | RELEASED)) == OVERFLOWED) release(id, record)
}

/** Puts an overflowed record into the released set. */
export function release(id: u32, record: usize): void {
  bitAdd(releasedAt, id)
  store<u32>(record, load<u32>(record, FLAGS) | RELEASED, FLAGS)
  releasedCount++
}

// @ts-ignore: decorator
@inline export function journalImage(entry: u32): usize {
  return journalImagesAt + <usize>entry * <usize>recordBytes
}

// @ts-ignore: decorator
@inline export function journalId(entry: u32): u32 {
  return load<u32>(journalIdsAt + (<usize>entry << 2))
}

/** One entry is encoded or given up. */
// @ts-ignore: decorator
@inline export function journalTaken(record: usize): void {
  store<u32>(record, load<u32>(record, FLAGS) & ~JOURNALED, FLAGS)
}

/** The journal is empty: every entry was taken. */
export function journalEmpty(): void {
  if (variableMask) {
    for (let entry: u32 = 0; entry < journalCount; entry++) freeKept(journalImage(entry), recordAt(journalId(entry)))
  }
  journalCount = 0
}

/** The peer knows that a released record's old session is gone. */
export function releaseTaken(id: u32, record: usize): void {
  bitRemove(releasedAt, id)
  store<u32>(record, load<u32>(record, FLAGS) & ~RELEASED, FLAGS)
  releasedCount--
}

/** One overflowed record is encoded. */
export function overflowTaken(id: u32, record: usize): void {
  if (snapping) noteDiffering(id)
  bitRemove(overflowAt, id)
  store<u32>(record, load<u32>(record, FLAGS) & ~OVERFLOWED, FLAGS)
  overflowCount--
}

/** Forgets what records were, though not that they changed, and remembers so much from here on. */
export function setTracking(much: u32): void {
  for (let entry: u32 = 0; entry < journalCount; entry++) {
    noteChanged(journalId(entry))
    journalTaken(recordAt(journalId(entry)))
  }
  journalEmpty()
  for (let id = bitNext(overflowAt, 0); id >= 0; id = bitNext(overflowAt, <u32>id + 1)) {
    store<u32>(recordAt(id), load<u32>(recordAt(id), FLAGS) & ~(OVERFLOWED | RELEASED), FLAGS)
  }
  if (snapping) noteOverflowed()
  bitEmpty(overflowAt)
  bitEmpty(releasedAt)
  overflowCount = 0
  releasedCount = 0
  tracking = much
  if (variableMask) peerBegins()
}
