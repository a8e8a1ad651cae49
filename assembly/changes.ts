// Which records differ, so that a resync may cost what differs and no more. Two sets remember what changed here since a
// checkpoint that the peer has confirmed: `recent` since the last checkpoint, `older` before it, until that one is
// confirmed too. A third holds the records that one node owes the other: the primary sends them whole, the secondary
// trusts them only then. A list of records is, on the wire, count:varint gap:varint*count (docs/PROTOCOL.md section 3).
import { bitAdd, bitCount, bitEmpty, bitHas, bitMove, bitNext, bitRemove, bitUnite } from './bitmap'
import { COUNT, ID, TRAILING, bytesLeft, openBytes, readVarint, refusal, refuse } from './decode'
import { INBOX_BYTES, capacity, inboxAt, olderAt, outboxAt, outboxBytes, owedAt, recentAt } from './layout'
import { noteDiffering, snapping } from './snapshot'
import { writeVarint } from './varint'

/** Room before the first gap for the count. */
// @ts-ignore: decorator
@inline const COUNT_ROOM: usize = 8
// @ts-ignore: decorator
@inline const GAP_MAX: u32 = 4

export let owedCount: u32 = 0
/** While what is owed is being agreed on, every delta makes its record owed and none is trusted. */
export let listing: bool = false
/** Where the bytes of the last list begin, and the record the next one begins with; -1: there is none. */
export let listedAt: usize = 0
export let listedNext: i32 = -1

/** A record differs from what it was at the last checkpoint. */
// @ts-ignore: decorator
@inline export function noteChanged(id: u32): void {
  bitAdd(recentAt, id)
  if (snapping) noteDiffering(id)
}

/** Everything that changed so far is in what has been sent. */
export function checkpoint(): void {
  bitMove(olderAt, recentAt)
}

/** The peer holds all that was sent before the last checkpoint. */
export function confirm(): void {
  bitEmpty(olderAt)
}

export function forgetChanges(): void {
  bitEmpty(olderAt)
  bitEmpty(recentAt)
}

/** Records changed; one that changed before and after the last checkpoint may count twice. */
export function changedCount(): u32 {
  return bitCount(olderAt) + bitCount(recentAt)
}

/** Owes everything that changed here. */
export function oweChanged(): void {
  bitUnite(owedAt, olderAt)
  bitUnite(owedAt, recentAt)
  owedCount = bitCount(owedAt)
}

// @ts-ignore: decorator
@inline export function isOwed(id: u32): bool {
  return owedCount != 0 && bitHas(owedAt, id)
}

export function owe(id: u32): void {
  if (bitHas(owedAt, id)) return
  bitAdd(owedAt, id)
  owedCount++
}

export function settle(id: u32): void {
  bitRemove(owedAt, id)
  owedCount--
}

export function forgetOwed(): void {
  bitEmpty(owedAt)
  owedCount = 0
}

export function setListing(on: bool): void {
  listing = on
}

// @ts-ignore: decorator
@inline function lower(a: i32, b: i32): i32 {
  return a < 0 || (b >= 0 && b < a) ? b : a
}

function nextOf(owed: bool, from: u32): i32 {
  return owed ? bitNext(owedAt, from) : lower(bitNext(olderAt, from), bitNext(recentAt, from))
}

/** Writes up to `most` records, owed or changed, from record `from` to `listedAt`; gives the length. */
export function list(owed: bool, from: u32, most: u32): u32 {
  const room = min(most, (outboxBytes - <u32>COUNT_ROOM) / GAP_MAX)
  let at = outboxAt + COUNT_ROOM
  let previous: i32 = -1
  let count: u32 = 0
  listedNext = nextOf(owed, from)
  while (listedNext >= 0 && count < room) {
    at = writeVarint(at, <u64>(listedNext - previous - 1))
    previous = listedNext
    count++
    listedNext = nextOf(owed, <u32>previous + 1)
  }
  let digits: usize = 1
  for (let rest = count; rest > 127; rest >>= 7) digits++
  listedAt = outboxAt + COUNT_ROOM - digits
  writeVarint(listedAt, count)
  return <u32>(at - listedAt)
}

/** Owes the records listed in `length` bytes of the inbox; 0 or the number of the refusal. */
export function oweListed(length: u32): u32 {
  if (length > INBOX_BYTES) return COUNT
  openBytes(inboxAt, length)
  const count = readVarint()
  if (refusal) return refusal
  if (count > <u64>bytesLeft()) return COUNT
  let previous: i64 = -1
  for (let i: u64 = 0; i < count; i++) {
    const gap = readVarint()
    if (refusal) return refusal
    previous += 1 + <i64>gap
    if (previous >= <i64>capacity) return ID
    owe(<u32>previous)
  }
  if (bytesLeft() != 0) refuse(TRAILING)
  return refusal
}
