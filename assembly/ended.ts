// Sessions that the table ended itself: expired or evicted. Counted always; copied for the host only while it listens,
// so that it can tell the application what they held although their slots are used again.
import { FLAGS, endedAt, recordBytes } from './layout'
import { copyLines } from './lines'
import { ENDED_MAX } from './options'

/** Why, in the flags of a copy. */
// @ts-ignore: decorator
@inline export const EXPIRED: u32 = 1
// @ts-ignore: decorator
@inline export const EVICTED: u32 = 2

/** Most sessions that one write ends: its own and the holders of its index keys, and those that make room. */
// @ts-ignore: decorator
@inline export const ENDED_PER_WRITE: u32 = 64

/** The causes, as bits, that the host wants copies of. */
export let listening: u32 = 0
/** Copies not yet taken. */
export let endedCount: u32 = 0
export let expired: f64 = 0
export let evicted: f64 = 0
/** Sessions that found no room. */
export let refused: f64 = 0

export function listen(causes: u32): void {
  listening = causes
  endedCount = 0
}

/** The host has the copies. */
export function endedTaken(): void {
  endedCount = 0
}

/** Whether so many sessions may be ended before the host has taken the copies. */
// @ts-ignore: decorator
@inline export function hasEndedRoom(sessions: u32): bool {
  return endedCount + sessions <= ENDED_MAX
}

/** Notes that the session in `record` is being ended. */
export function noteEnded(record: usize, cause: u32): void {
  if (cause == EXPIRED) expired++
  else evicted++
  if (!(listening & cause) || !hasEndedRoom(1)) return
  const copy = endedAt + <usize>endedCount * <usize>recordBytes
  endedCount++
  copyLines(copy, record, recordBytes)
  store<u32>(copy, cause, FLAGS)
}

export function noteRefused(): void {
  refused++
}
