// A snapshot in slices while the table changes: every session once, and which records differ from what was written of
// them. Those are written again until few are left, and the rest in one go, so that all of it together is one state.
//
// A record differs from the moment it is noted as changed (changes.ts) or a batch of the peer is applied. What the
// journal or the overflow bitmap still holds is noted only when it leaves them, so that is added before the last slice.
import { bitAdd, bitCount, bitEmpty, bitNext, bitRemove, bitUnite, bitmapBytes } from './bitmap'
import { speakFields, speakOwn } from './common'
import { finish, openCreates, writeCreate } from './encode'
import { valueBytes } from './fit'
import { journalCount, journalId, overflowCount } from './journal'
import { capacity, deltaBytesMax, deltasMax, olderAt, outboxAt, outboxBytes, overflowAt, recordAt, variableMask } from './layout'
import { snapshots } from './options'
import { isShown, nextOccupied } from './records'
import { stagedCount, stagedFrom, stagedId, stagedTo } from './stage'
import { writeVarint } from './varint'

/** Between `snapshotBegin` and `snapshotStop`. */
export let snapping: bool = false
/** Record id with which the next slice begins; -1: there is nothing more. */
let next: i32 = -1
/** Room before the first gap of a list for its count, and the longest gap. */
// @ts-ignore: decorator
@inline const COUNT_ROOM: usize = 8
// @ts-ignore: decorator
@inline const GAP_MAX: u32 = 4
let listedAt: usize = 0

/** Records that differ from what was written of them; beside the older changes, where the table has snapshots. */
// @ts-ignore: decorator
@inline function differingAt(): usize {
  return olderAt + <usize>bitmapBytes(capacity)
}

export function noteDiffering(id: u32): void {
  bitAdd(differingAt(), id)
}

/** What is staged comes into force. */
export function noteStaged(): void {
  for (let id = nextOccupied(stagedFrom); id >= 0 && <u32>id < stagedTo; id = nextOccupied(<u32>id + 1)) noteDiffering(id)
  for (let i: u32 = 0; i < stagedCount; i++) noteDiffering(stagedId(i))
}

/** The overflow bitmap is about to be emptied. */
export function noteOverflowed(): void {
  bitUnite(differingAt(), overflowAt)
}

/** False in a table that was not planned for it. */
export function snapshotBegin(): bool {
  if (!snapshots) return false
  bitEmpty(differingAt())
  snapping = true
  return true
}

export function snapshotStop(): void {
  snapping = false
}

/** Adds what changed and is not noted yet; gives how many records differ. */
export function snapshotGather(): u32 {
  for (let entry: u32 = 0; entry < journalCount; entry++) noteDiffering(journalId(entry))
  if (overflowCount) noteOverflowed()
  return bitCount(differingAt())
}

/** Bytes of variable-length values in the records that differ. */
export function snapshotBytes(): f64 {
  let bytes: f64 = 0
  if (!variableMask) return bytes
  for (let id = bitNext(differingAt(), 0); id >= 0; id = bitNext(differingAt(), <u32>id + 1)) {
    if (isShown(id, recordAt(id))) bytes += <f64>valueBytes(recordAt(id))
  }
  return bytes
}

/** Whether one more record may be written after `count` others that end at `at`. */
// @ts-ignore: decorator
@inline function fits(at: usize, record: usize, count: u32, bytesMax: u32): bool {
  if (!variableMask || !count) return true
  return <u32>(at - outboxAt) + deltaBytesMax + valueBytes(record) <= bytesMax
}

/** Writes up to `most` sessions from a record id on as creates, at `encodedAt`; gives the length. */
export function snapshotSessions(from: u32, most: u32, bytesMax: u32): u32 {
  const room = min(most, deltasMax)
  const spoken = speakOwn()
  let at = openCreates()
  let count: u32 = 0
  next = nextOccupied(from)
  for (; next >= 0 && count < room; next = nextOccupied(<u32>next + 1)) {
    const record = recordAt(next)
    if (!isShown(next, record)) continue
    if (!fits(at, record, count, bytesMax)) break
    at = writeCreate(at, next, record)
    count++
  }
  speakFields(spoken)
  return finish(at)
}

/** The same of records that differ; they do until `snapshotListed` has told which these were. */
export function snapshotDiffering(from: u32, most: u32, bytesMax: u32): u32 {
  const room = min(min(most, deltasMax), (outboxBytes - <u32>COUNT_ROOM) / GAP_MAX)
  const spoken = speakOwn()
  let at = openCreates()
  let count: u32 = 0
  let taken: u32 = 0
  next = bitNext(differingAt(), from)
  for (; next >= 0 && taken < room; next = bitNext(differingAt(), <u32>next + 1)) {
    const record = recordAt(next)
    if (isShown(next, record)) {
      if (!fits(at, record, count, bytesMax)) break
      at = writeCreate(at, next, record)
      count++
    }
    taken++
  }
  speakFields(spoken)
  return finish(at)
}

/** Lists, at `snapshotListAt`, the records that the last slice from `from` told of, with or without a session. */
export function snapshotListed(from: u32): u32 {
  const end = next < 0 ? capacity : <u32>next
  let at = outboxAt + COUNT_ROOM
  let previous: i32 = -1
  let count: u32 = 0
  for (let id = bitNext(differingAt(), from); id >= 0 && <u32>id < end; id = bitNext(differingAt(), <u32>id + 1)) {
    at = writeVarint(at, <u64>(id - previous - 1))
    previous = id
    count++
    bitRemove(differingAt(), id)
  }
  let digits: usize = 1
  for (let rest = count; rest > 127; rest >>= 7) digits++
  listedAt = outboxAt + COUNT_ROOM - digits
  writeVarint(listedAt, count)
  return <u32>(at - listedAt)
}

export function snapshotListAt(): usize { return listedAt }
export function snapshotNext(): i32 { return next }
