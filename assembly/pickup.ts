// Sessions that are held back: young ones until the delay is over, local ones because the filter refused them. To the
// peer their slots are empty: no batch, image or digest shows them, and writes to them are not remembered. A session
// that is picked up becomes an ordinary change whose before-image is an empty slot.
//
// Two lists share one array of nodes, one node per slot, so nothing ever overflows and a deletion leaves no trace:
//
//   0          4      8          12
//   +----------+------+----------+
//   | previous | next | due (ms) |    young, in the order they were created; local, in no order (due unused)
//   +----------+------+----------+
//
// The core has no clock. A session gets its due time at the first turn after its creation (`pickupTurn`), so it is held
// back for the delay and as long as that turn took to come. Times are ms, modulo 2^32.
import { journalTouch } from './journal'
import { FLAGS, GENERATION, HELD, LOCAL, YOUNG, capacity, pickupAt, recordAt } from './layout'
import { dropRecord } from './records'

// @ts-ignore: decorator
@inline const NONE: u32 = 0xffffffff
// @ts-ignore: decorator
@inline const NEXT: usize = 4
// @ts-ignore: decorator
@inline const DUE: usize = 8

let delayMs: u32 = 0
let nowMs: u32 = 0
let youngFirst: u32 = NONE
let youngLast: u32 = NONE
/** The first young session without a due time; all after it have none either. */
let unstamped: u32 = NONE
/** Young sessions up to this one are picked up whatever their age. */
let demandedLast: u32 = NONE
let localFirst: u32 = NONE
export let heldCount: u32 = 0

// @ts-ignore: decorator
@inline function node(id: u32): usize {
  return pickupAt + <usize>id * 12
}

export function pickupDelay(ms: u32): void {
  delayMs = ms
}

function mark(record: usize, add: u32): void {
  store<u32>(record, (load<u32>(record, FLAGS) & ~HELD) | add, FLAGS)
}

/** A session was created: it is young. */
export function holdBack(id: u32, record: usize): void {
  const at = node(id)
  store<u32>(at, youngLast)
  store<u32>(at, NONE, NEXT)
  if (youngLast == NONE) youngFirst = id
  else store<u32>(node(youngLast), id, NEXT)
  youngLast = id
  if (unstamped == NONE) unstamped = id
  mark(record, YOUNG)
  heldCount++
}

/** A local session was replaced: it is to be asked about again, at once. It goes before all others. */
export function holdAgain(id: u32, record: usize): void {
  unlink(id, record)
  const at = node(id)
  store<u32>(at, NONE)
  store<u32>(at, youngFirst, NEXT)
  if (youngFirst == NONE) youngLast = id
  else store<u32>(node(youngFirst), id)
  youngFirst = id
  if (demandedLast == NONE) demandedLast = id
  mark(record, YOUNG)
  heldCount++
}

function unlink(id: u32, record: usize): void {
  const at = node(id)
  const previous = load<u32>(at)
  const next = load<u32>(at, NEXT)
  if (next != NONE) store<u32>(node(next), previous)
  if (previous != NONE) store<u32>(node(previous), next, NEXT)
  if (load<u32>(record, FLAGS) & LOCAL) {
    if (previous == NONE) localFirst = next
  } else {
    if (previous == NONE) youngFirst = next
    if (next == NONE) youngLast = previous
    if (unstamped == id) unstamped = next
    if (demandedLast == id) demandedLast = previous
  }
  heldCount--
}

/** A session that is held back ends, or is held back no more. */
export function letGo(id: u32, record: usize): void {
  unlink(id, record)
  mark(record, 0)
}

/**
 * A turn: up to `most` sessions without a due time get one, the delay after `late`; what was due at `early` is due.
 * These are the time, rounded up and down, so that nobody is picked up before its delay is over.
 */
export function pickupTurn(late: u32, early: u32, most: u32): void {
  nowMs = early
  for (; unstamped != NONE && most; most--) {
    const at = node(unstamped)
    store<u32>(at, late + delayMs, DUE)
    unstamped = load<u32>(at, NEXT)
  }
}

/** Everything young now is picked up at the next turns. */
export function pickupDemand(): void {
  demandedLast = youngLast
}

export function pickupDemanded(): bool {
  return demandedLast != NONE
}

/** The next young session that is to be picked up; -1: none is, as of the last turn. */
export function pickupNext(): i32 {
  if (youngFirst == NONE) return -1
  if (demandedLast != NONE) return <i32>youngFirst
  if (youngFirst == unstamped) return -1
  return <i32>(load<u32>(node(youngFirst), DUE) - nowMs) <= 0 ? <i32>youngFirst : -1
}

/** ms until there is something to do, 0 for at once; -1: nothing. */
export function pickupWait(now: u32): i32 {
  if (unstamped != NONE || demandedLast != NONE) return 0
  if (youngFirst == NONE) return -1
  return max(<i32>(load<u32>(node(youngFirst), DUE) - now), 0)
}

/** Ends the wait of a young session of that generation: it is a change from now on, or local. */
export function pickupTake(id: u32, generation: u32, stays: bool): void {
  if (id >= capacity) return
  const record = recordAt(id)
  if (load<u32>(record, GENERATION) != generation || !(load<u32>(record, FLAGS) & YOUNG)) return
  letGo(id, record)
  if (!stays) {
    journalTouch(id, record, 0)
    return
  }
  const at = node(id)
  store<u32>(at, NONE)
  store<u32>(at, localFirst, NEXT)
  if (localFirst != NONE) store<u32>(node(localFirst), id)
  localFirst = id
  mark(record, LOCAL)
  heldCount++
}

/** Picks up to `most` sessions that are due, unasked; gives how many. */
export function pickupSlice(most: u32): u32 {
  let taken: u32 = 0
  for (let id = pickupNext(); id >= 0 && taken < most; id = pickupNext()) {
    const record = recordAt(id)
    letGo(id, record)
    journalTouch(id, record, 0)
    taken++
  }
  return taken
}

/** The session that is dropped next, of those that are held back; -1: there is none. */
export function heldNext(): i32 {
  return <i32>(youngFirst != NONE ? youngFirst : localFirst)
}

/** Drops up to `most` sessions that are held back, nothing remembered; gives how many are left. */
export function dropHeld(most: u32): u32 {
  for (; heldCount && most; most--) {
    const id = youngFirst != NONE ? youngFirst : localFirst
    dropRecord(id, recordAt(id))
  }
  return heldCount
}
