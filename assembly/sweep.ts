// Removes expired sessions in slices, segment by segment. A segment whose earliest known deadline has not come is passed
// with one look at a word; the others are looked through, and their word is made exact. A slice does a bounded amount of
// work, and stops before the journal or the host's copies overflow.
import { EXPIRED, hasEndedRoom } from './ended'
import { NEVER, forgetDue, isExpired, nextDue, noteDue } from './lifetime'
import { DEADLINE, SEGMENT_SHIFT, capacity, earliestAt, journalMax, recordAt, segments } from './layout'
import { journalCount, tracking } from './journal'
import { endId, nextOccupied } from './records'
import { time } from './time'

/** Sessions removed in one slice. */
// @ts-ignore: decorator
@inline const REMOVALS: u32 = 1024
/** Segments looked through, and words looked at. */
// @ts-ignore: decorator
@inline const SEGMENTS: u32 = 16
// @ts-ignore: decorator
@inline const WORDS: u32 = 16384
/** Segments looked through, and sessions removed, to make room in a full table. */
// @ts-ignore: decorator
@inline const ROOM_SEGMENTS: u32 = 16
// @ts-ignore: decorator
@inline const ROOM: u32 = 32

/** The segment where the next slice goes on; 0: a new round. */
let cursor: u32 = 0
let low: u32 = NEVER
let room: u32 = 0

// @ts-ignore: decorator
@inline function wordOf(segment: u32): usize {
  return earliestAt + (<usize>segment << 2)
}

/** Half of the journal is left to the application. */
// @ts-ignore: decorator
@inline function mayRemove(patient: bool): bool {
  return room != 0 && hasEndedRoom(1) && !(patient && tracking && journalCount > journalMax >> 1)
}

/** Looks through a segment; false if it had to stop before the end. */
function sweepSegment(segment: u32, patient: bool): bool {
  const end = min((segment + 1) << SEGMENT_SHIFT, capacity)
  let earliest = NEVER
  let isDone = true
  for (let id = nextOccupied(segment << SEGMENT_SHIFT); id >= 0 && <u32>id < end; id = nextOccupied(<u32>id + 1)) {
    const record = recordAt(id)
    const deadline = load<u32>(record, DEADLINE)
    if (!deadline) continue
    if (isExpired(record)) {
      if (mayRemove(patient)) {
        room--
        endId(id, EXPIRED)
        continue
      }
      isDone = false
    }
    earliest = min(earliest, deadline)
    if (!isDone) break
  }
  // Not looked at to the end: what was known of the rest is no later than now.
  store<u32>(wordOf(segment), isDone ? earliest : min(earliest, time))
  return isDone
}

/** The tick at which there is something to do; 0 while a round is under way, NEVER if there is nothing. */
export function sweepDue(): u32 {
  return cursor ? 0 : nextDue
}

/** Does one slice; false when the round is over. `patient`: what does not fit the journal can wait for a flush. */
export function sweep(patient: bool): bool {
  if (!cursor) {
    low = NEVER
    forgetDue()
  }
  room = REMOVALS
  let looks = SEGMENTS
  for (let words = WORDS; cursor < segments; cursor++) {
    if (!words--) return true
    if (load<u32>(wordOf(cursor)) <= time) {
      if (!looks--) return true
      if (!sweepSegment(cursor, patient)) {
        if (!cursor) noteDue(time)
        return true
      }
    }
    low = min(low, load<u32>(wordOf(cursor)))
  }
  cursor = 0
  noteDue(low)
  return false
}

/** Removes a few expired sessions of a full table, if there are any near at hand. */
export function sweepRoom(): void {
  // Known to hold no expired session; a round under way has still to find out.
  if (!cursor && nextDue > time) return
  room = ROOM
  let looks = ROOM_SEGMENTS
  let earliest = NEVER
  for (let segment: u32 = 0; segment < segments; segment++) {
    if (load<u32>(wordOf(segment)) <= time) {
      if (!looks--) return
      sweepSegment(segment, false)
      if (room != ROOM) return
    }
    earliest = min(earliest, load<u32>(wordOf(segment)))
  }
  // All words were seen, so the next who asks, and there may be a million a second, need not look at them.
  if (cursor) return
  forgetDue()
  noteDue(earliest)
}

/** The table is emptied: a round under way has nothing left to do. */
export function endRound(): void {
  cursor = 0
}
