// Deadlines: what a write makes of them, when one has passed, and their wire form (docs/PROTOCOL.md section 2).
//
// A deadline is table time in ticks; 0 = never. It is rounded up to a grain, the power of two at or below a sixteenth of
// the timeout, so that most writes leave it as it is and a renewal travels as a small number of grains. A session's own
// timeout lies in the flags' upper 24 bits as a small float: 20 bits of mantissa, 4 of exponent.
import { RANGE, VALUE, readVarint, refusal, refuse } from './decode'
import { DEADLINE, FIXED, FLAGS, LIFETIME_FLAGS, SEGMENT_SHIFT, earliestAt, segments } from './layout'
import { fixedExpiry, lifetimes, tableTimeout } from './options'
import { keepTime, time } from './time'
import { writeVarint } from './varint'

/** No deadline. */
// @ts-ignore: decorator
@inline export const NEVER: u32 = 0xffffffff
/** Longest timeout: 2^29 ticks, 388 days. */
// @ts-ignore: decorator
@inline const TIMEOUT_MAX: u64 = 1 << 29
// @ts-ignore: decorator
@inline const OWN_SHIFT: u32 = 8
// @ts-ignore: decorator
@inline const MANTISSA_BITS: u32 = 20
// @ts-ignore: decorator
@inline const MANTISSA: u32 = (1 << MANTISSA_BITS) - 1

/** The deadline that a write gives now under the table's timeout. */
let renewed: u32 = 0
/** What `set` was told for the sessions it makes: flags, and for a FIXED one the deadline. */
let givenFlags: u32 = 0
let givenDeadline: u32 = 0
/** No record's deadline is before this. May be too early, never too late. */
export let nextDue: u32 = NEVER

// @ts-ignore: decorator
@inline function ticksOf(flags: u32): u32 {
  const own = flags >> OWN_SHIFT
  return own ? (own & MANTISSA) << (own >> MANTISSA_BITS) : tableTimeout
}

/** A sixteenth of a timeout as a shift, rounded down. */
// @ts-ignore: decorator
@inline function grainShift(ticks: u32): u32 {
  return ticks < 32 ? 0 : 27 - clz(ticks)
}

function deadlineAfter(ticks: u32): u32 {
  if (!ticks) return 0
  const shift = <u64>grainShift(ticks)
  const grain = (<u64>1) << shift
  const deadline = ((<u64>time + ticks + grain - 1) >> shift) << shift
  // After the end of table time: never.
  return deadline < <u64>NEVER ? <u32>deadline : 0
}

export function setTime(ticks: u32): void {
  keepTime(ticks)
  renewed = deadlineAfter(tableTimeout)
}

/** How long the sessions of the puts that follow live: 0, or their own timeout, or FIXED and a deadline. */
export function give(flags: u32, deadline: u32): void {
  givenFlags = flags & LIFETIME_FLAGS
  givenDeadline = deadline
}

// @ts-ignore: decorator
@inline export function isExpired(record: usize): bool {
  // One comparison: no deadline is 0, and 0 - 1 is later than any time.
  return load<u32>(record, DEADLINE) - 1 < time
}

/** Lowers the earliest deadline known of a record's segment. */
function note(id: u32, deadline: u32): void {
  if (!deadline) return
  const at = earliestAt + (<usize>(id >> SEGMENT_SHIFT) << 2)
  if (deadline < load<u32>(at)) store<u32>(at, deadline)
  if (deadline < nextDue) nextDue = deadline
}

/** A sweep saw every segment: what it found, or what was noted meanwhile. */
export function noteDue(deadline: u32): void {
  nextDue = min(nextDue, deadline)
}

export function forgetDue(): void {
  nextDue = NEVER
}

/** No record has a deadline. */
export function forgetDeadlines(): void {
  memory.fill(earliestAt, 0xff, <usize>segments << 2)
  nextDue = NEVER
}

/** The lifetime of a session that `set` makes or replaces. */
export function begin(id: u32, record: usize): void {
  let deadline = renewed
  if (givenFlags) deadline = givenFlags & FIXED ? givenDeadline : deadlineAfter(ticksOf(givenFlags))
  store<u32>(record, deadline, DEADLINE)
  store<u32>(record, (load<u32>(record, FLAGS) & ~LIFETIME_FLAGS) | givenFlags, FLAGS)
  note(id, deadline)
}

/** The deadline that a write of a session gives it. */
export function renewal(record: usize): u32 {
  const flags = load<u32>(record, FLAGS) & LIFETIME_FLAGS
  if (!flags && !fixedExpiry) return renewed
  if (fixedExpiry || flags & FIXED) return load<u32>(record, DEADLINE)
  return deadlineAfter(ticksOf(flags))
}

/** A session is written: an idle one lives on. The journal knows of it. */
// @ts-ignore: decorator
@inline export function renew(id: u32, record: usize): void {
  if (lifetimes) setDeadline(id, record, renewal(record))
}

function setDeadline(id: u32, record: usize, deadline: u32): void {
  const before = load<u32>(record, DEADLINE)
  if (deadline == before) return
  store<u32>(record, deadline, DEADLINE)
  // A later one leaves what is known of the segment good, if too early.
  if (deadline - 1 < before - 1) note(id, deadline)
}

/** Takes the lifetime of an image that the peer sent. */
export function takeLifetime(id: u32, record: usize, image: usize): void {
  const deadline = load<u32>(image, DEADLINE)
  store<u32>(record, deadline, DEADLINE)
  const flags = (load<u32>(record, FLAGS) & ~LIFETIME_FLAGS) | (load<u32>(image, FLAGS) & LIFETIME_FLAGS)
  store<u32>(record, flags, FLAGS)
  note(id, deadline)
}

// ---- Wire

/** Whether a session's lifetime differs from its before-image's. */
// @ts-ignore: decorator
@inline export function lifetimeDiffers(before: usize, record: usize): bool {
  return load<u32>(before, DEADLINE) != load<u32>(record, DEADLINE)
    || ((load<u32>(before, FLAGS) ^ load<u32>(record, FLAGS)) & LIFETIME_FLAGS) != 0
}

export function writeLifetime(at: usize, record: usize): usize {
  const flags = load<u32>(record, FLAGS) & LIFETIME_FLAGS
  const deadline = <u64>load<u32>(record, DEADLINE)
  if (!flags) return writeVarint(at, deadline >> grainShift(tableTimeout) << 1)
  const own = (flags >> OWN_SHIFT << 1) | <u32>((flags & FIXED) != 0)
  return writeVarint(writeVarint(at, deadline << 1 | 1), own)
}

/** A renewal as its grains; anything else as 0 and the whole. */
export function writeLifetimeChange(at: usize, before: usize, record: usize): usize {
  const flags = load<u32>(record, FLAGS) & LIFETIME_FLAGS
  const old = load<u32>(before, DEADLINE)
  const now = load<u32>(record, DEADLINE)
  const isSame = flags == (load<u32>(before, FLAGS) & LIFETIME_FLAGS) && !(flags & FIXED)
  if (isSame && old && now > old) {
    const shift = grainShift(ticksOf(flags))
    return writeVarint(at, (now - old) >> shift)
  }
  store<u8>(at, 0)
  return writeLifetime(at + 1, record)
}

function isOwn(own: u32): bool {
  const code = own >> 1
  if (own & 1) return code == 0
  return (code & MANTISSA) != 0 && (<u64>(code & MANTISSA)) << (code >> MANTISSA_BITS) <= TIMEOUT_MAX
}

export function readLifetime(record: usize): bool {
  const head = readVarint()
  if (refusal) return false
  let deadline = head >> 1
  let flags: u32 = 0
  if (head & 1) {
    const own = readVarint()
    if (refusal) return false
    if (own >> 25 || !isOwn(<u32>own)) return refuse(VALUE)
    flags = <u32>(own >> 1) << OWN_SHIFT | (own & 1 ? FIXED : 0)
  } else {
    if (deadline && !tableTimeout) return refuse(VALUE)
    if (deadline > 0xffffffff) return refuse(RANGE)
    deadline <<= grainShift(tableTimeout)
  }
  if (deadline > 0xffffffff) return refuse(RANGE)
  store<u32>(record, <u32>deadline, DEADLINE)
  store<u32>(record, (load<u32>(record, FLAGS) & ~LIFETIME_FLAGS) | flags, FLAGS)
  return true
}

/** On top of the lifetime in `record`, which counts only where it is trusted. */
export function readLifetimeChange(record: usize, trusted: bool): bool {
  const grains = readVarint()
  if (refusal) return false
  if (!grains) return readLifetime(record)
  const flags = load<u32>(record, FLAGS)
  const old = <u64>load<u32>(record, DEADLINE)
  const shift = grainShift(ticksOf(flags))
  const deadline = old + (grains << shift)
  const fits = old && !(flags & FIXED) && grains <= 0xffffffff && deadline <= 0xffffffff
  if (!fits) return !trusted || refuse(RANGE)
  store<u32>(record, <u32>deadline, DEADLINE)
  return true
}
