// What changed since the last encode. The first change of a record stores its before-image; later ones cost a flag
// test. When the journal is full the record's bit is set in the overflow bitmap instead and the record travels whole
// later. Memory is bounded whatever the application does.
import { bitAdd, bitEmpty, bitNext } from './bitmap'
import {
  FLAGS, JOURNALED, OVERFLOWED,
  journalIdsAt, journalImagesAt, journalMax, overflowAt, recordAt, recordBytes,
} from './layout'
import { copyLines } from './lines'

export let tracking: bool = false
export let journalCount: u32 = 0
export let overflowCount: u32 = 0

/** Notes that record `id` is about to change; `occupied` is OCCUPIED if it holds a session now, else 0. */
// @ts-ignore: decorator
@inline export function journalTouch(id: u32, record: usize, occupied: u32): void {
  if (!tracking) return
  if (load<u32>(record, FLAGS) & (JOURNALED | OVERFLOWED)) return
  remember(id, record, occupied)
}

function remember(id: u32, record: usize, occupied: u32): void {
  if (journalCount < journalMax) {
    const image = journalImage(journalCount)
    if (occupied) copyLines(image, record, recordBytes)
    store<u32>(image, occupied, FLAGS)
    store<u32>(journalIdsAt + (<usize>journalCount << 2), id)
    store<u32>(record, load<u32>(record, FLAGS) | JOURNALED, FLAGS)
    journalCount++
  } else {
    bitAdd(overflowAt, id)
    store<u32>(record, load<u32>(record, FLAGS) | OVERFLOWED, FLAGS)
    overflowCount++
  }
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
  journalCount = 0
}

/** One overflowed record is encoded; the caller took its bit. */
export function overflowTaken(record: usize): void {
  store<u32>(record, load<u32>(record, FLAGS) & ~OVERFLOWED, FLAGS)
  overflowCount--
}

export function setTracking(on: bool): void {
  for (let entry: u32 = 0; entry < journalCount; entry++) journalTaken(recordAt(journalId(entry)))
  journalEmpty()
  for (let id = bitNext(overflowAt, 0); id >= 0; id = bitNext(overflowAt, <u32>id + 1)) overflowTaken(recordAt(id))
  bitEmpty(overflowAt)
  tracking = on
}
