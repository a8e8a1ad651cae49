// One byte of marks per segment: awaited (its content is not trusted yet) and touched (it lost a session since).
import { SEGMENT_SHIFT, marksAt, segments } from './layout'

// @ts-ignore: decorator
@inline const AWAITED: u8 = 1
// @ts-ignore: decorator
@inline const TOUCHED: u8 = 2

// Record ids of an awaited segment that parts of its image have brought already: trusted, though the segment is not.
let broughtFrom: u32 = 0
let broughtTo: u32 = 0

/** Number of awaited segments. */
export let awaited: u32 = 0

// @ts-ignore: decorator
@inline export function isAwaited(segment: u32): bool {
  return (load<u8>(marksAt + segment) & AWAITED) != 0
}

/** Whether the content of a record id is not trusted. */
// @ts-ignore: decorator
@inline export function isAwaitedId(id: u32): bool {
  return isAwaited(id >> SEGMENT_SHIFT) && (id < broughtFrom || id >= broughtTo)
}

/** A part of an image is in force: the ids of its segment up to `end` are trusted. */
export function markBrought(end: u32): void {
  broughtFrom = ((end - 1) >> SEGMENT_SHIFT) << SEGMENT_SHIFT
  broughtTo = end
}

// @ts-ignore: decorator
@inline export function isTouched(segment: u32): bool {
  return (load<u8>(marksAt + segment) & TOUCHED) != 0
}

/** Segments outside the table are not marked. */
export function setAwaited(first: u32, count: u32, on: bool): void {
  if (first >= segments) return
  const end = first + min(count, segments - first)
  const brought = broughtFrom >> SEGMENT_SHIFT
  if (brought >= first && brought < end) broughtTo = broughtFrom
  for (let segment = first; segment < end; segment++) {
    const was = isAwaited(segment)
    if (on && !was) awaited++
    if (!on && was) awaited--
    store<u8>(marksAt + segment, on ? AWAITED : load<u8>(marksAt + segment) & ~AWAITED)
  }
}

/** A session was dropped because its key moved to another id. */
export function markTouched(id: u32): void {
  const at = marksAt + (id >> SEGMENT_SHIFT)
  store<u8>(at, load<u8>(at) | TOUCHED)
}
