// What a batch of a table with variable-length fields may carry, and what the secondary holds in its arena.
//
// The secondary takes a batch's new values while it still holds the old ones. As long as nothing has overflowed that
// always fits: what it holds is live and kept here, 85 and 15 of 100 units at most. A backlog of overflowed records is
// sent in any order, so there the sum is counted: what would not fit goes as nothing first, which frees the old value,
// and whole in a later batch. Its arena is at least as large as this one (hello), so no batch is ever refused for room.
import { unitsOf } from './arena'
import { JOURNAL_BYTES_MAX, SESSION_BYTES_MAX, VARIABLE_BYTES } from './arena-sizes'
import { keyEquals } from './buckets'
import { isOwed } from './changes'
import { journalCount, journalId, journalImage } from './journal'
import {
  FLAGS, GENERATION, KEY, OCCUPIED, VOID,
  deltaBytesMax, encodeBytesMax, fixedOffset, holding, journalBytesMax, recordAt, valueOffset, variableMask,
} from './layout'
import { isShown, nextOccupied } from './records'
import { limitUnits, liveUnits, note, recordUnits, setNote, totalUnits, voidEntry } from './values'

/** Note of an overflowed record that the batch being written brings. */
// @ts-ignore: decorator
@inline export const BROUGHT: u32 = 0xffffffff

/** Units the secondary holds after the last batch, trusted or to be replaced. */
let peerUnits: u32 = 0
/** The same after the batch being written, and while it is staged. */
let afterUnits: u32 = 0
let stagingUnits: u32 = 0
let journalUnits: u32 = 0
/** Bytes left for records sent whole. */
let bytesLeft: u32 = 0
let isFirst: bool = true

/** A secondary is to hold what this table shows. */
export function peerBegins(): void {
  peerUnits = liveUnits
  if (!holding) return
  for (let id = nextOccupied(0); id >= 0; id = nextOccupied(<u32>id + 1)) {
    if (!isShown(id, recordAt(id))) peerUnits -= recordUnits(recordAt(id))
  }
}

/**
 * Up to here a batch takes records whole. With variable-length fields the journal alone may take what else a batch may;
 * beside it there is room for the longest session, and for as much more as in other tables.
 */
// @ts-ignore: decorator
@inline export function batchBytes(): u32 {
  return variableMask && journalBytesMax == JOURNAL_BYTES_MAX ? VARIABLE_BYTES - SESSION_BYTES_MAX - 8192 : encodeBytesMax
}

/** Bytes of the variable-length values of a record. */
export function valueBytes(record: usize): u32 {
  let bytes: u32 = 0
  for (let word = record + valueOffset; word < record + fixedOffset; word += 8) bytes += load<u32>(word, 4)
  return bytes
}

/** Before a batch: entries of the journal that fit neither its bytes nor the secondary's arena overflow. */
export function fitJournal(): void {
  let bytes: u32 = 0
  let units = peerUnits
  for (let entry: u32 = 0; entry < journalCount; entry++) {
    const image = journalImage(entry)
    const id = journalId(entry)
    const record = recordAt(id)
    const flags = load<u32>(image, FLAGS)
    if (flags & VOID || !isShown(id, record)) continue
    const stayed =
      (flags & OCCUPIED) != 0 &&
      !isOwed(id) &&
      (load<u32>(image, GENERATION) == load<u32>(record, GENERATION) || keyEquals(image + KEY, record + KEY))
    let moreBytes = deltaBytesMax
    let moreUnits: u32 = 0
    for (let offset = valueOffset; offset < fixedOffset; offset += 8) {
      if (stayed && load<u64>(image + offset) == load<u64>(record + offset)) continue
      moreBytes += load<u32>(record + offset, 4)
      moreUnits += unitsOf(load<u32>(record + offset, 4))
    }
    if (bytes + moreBytes > journalBytesMax || units + moreUnits > totalUnits()) {
      voidEntry(id, record)
      continue
    }
    bytes += moreBytes
    units += moreUnits
  }
  journalUnits = units
}

/** The deltas of a batch are about to be written, with this much room for records sent whole. */
export function beginFit(room: u32): void {
  afterUnits = peerUnits
  stagingUnits = journalUnits
  bytesLeft = room
  isFirst = true
}

/** A journaled record is told of: the secondary gives up the image's values for the record's. */
export function toldJournaled(before: usize, was: u32, record: usize, brought: bool): void {
  if (was) afterUnits -= recordUnits(before)
  if (brought) afterUnits += recordUnits(record)
}

/** Whether an overflowed record fits the batch in bytes; it is taken up then. */
export function fitsBytes(record: usize): bool {
  const bytes = deltaBytesMax + valueBytes(record)
  if (!isFirst && bytes > bytesLeft) return false
  isFirst = false
  bytesLeft -= min(bytes, bytesLeft)
  return true
}

/** Whether the secondary can hold an overflowed record that fits in bytes, beside what it holds now. */
export function fitsPeer(id: u32, record: usize): bool {
  const units = recordUnits(record)
  if (stagingUnits + units > totalUnits()) return false
  return afterUnits - note(id) + units <= max(limitUnits(), liveUnits)
}

/** An overflowed record is told of, with its content or as nothing. */
export function toldWhole(id: u32, record: usize, brought: bool): void {
  afterUnits -= note(id)
  setNote(id, brought ? BROUGHT : 0)
  if (!brought) return
  const units = recordUnits(record)
  afterUnits += units
  stagingUnits += units
}

/** The batch is written. */
export function endFit(): void {
  peerUnits = afterUnits
}
