// Segment digests (docs/PROTOCOL.md section 3): SipHash of a segment's image, so both nodes compare what they would send.
// With variable-length fields an image may be longer than any buffer: it is hashed as it is written, a piece at a time.
import { CREATE, encodedAt, image, imageCount } from './encode'
import { SEGMENT_SHIFT, capacity, digestsAt, outboxAt, recordAt, segments, variableMask } from './layout'
import { isShown, nextOccupied } from './records'
import { sipBegin, sipEnd, siphash, sipPass } from './siphash'
import { writeVarint } from './varint'
import { writeRecord } from './write'

/** Bytes written before they are hashed: they are still in the cache. */
// @ts-ignore: decorator
@inline const PIECE: u32 = 32768

let passed: f64 = 0

/** Bytes that the last call went through; 0 without variable-length fields. */
export function digestedBytes(): f64 {
  return passed
}

/** Writes the digests of `count` segments from `first` to `digestsAt`, 8 bytes each; gives how many. */
export function digests(first: u32, count: u32): u32 {
  if (first >= segments) return 0
  const taken = min(count, segments - first)
  passed = 0
  for (let i: u32 = 0; i < taken; i++) store<u64>(digestsAt + (<usize>i << 3), digest(first + i))
  return taken
}

function digest(segment: u32): u64 {
  if (variableMask) {
    const first = segment << SEGMENT_SHIFT
    return digestOf(first, min(first + (1 << SEGMENT_SHIFT), capacity))
  }
  const length = image(segment)
  return imageCount() ? siphash(encodedAt, length) : 0
}

/** Digest of the image of record ids from `first` up to, not including, `end`. */
function digestOf(first: u32, end: u32): u64 {
  let count: u32 = 0
  for (let id = nextOccupied(first); id >= 0 && <u32>id < end; id = nextOccupied(<u32>id + 1)) {
    if (isShown(id, recordAt(id))) count++
  }
  if (!count) return 0
  sipBegin()
  let at = writeVarint(outboxAt, count)
  let total: u32 = 0
  let next = first
  for (let id = nextOccupied(first); id >= 0 && <u32>id < end; id = nextOccupied(<u32>id + 1)) {
    const record = recordAt(id)
    if (!isShown(id, record)) continue
    at = writeRecord(writeVarint(at, (<u64>(<u32>id - next) << 2) | CREATE), record)
    next = <u32>id + 1
    const length = <u32>(at - outboxAt)
    if (length < PIECE) continue
    const whole = length & ~7
    sipPass(outboxAt, whole)
    total += whole
    store<u64>(outboxAt, load<u64>(outboxAt + whole))
    at -= whole
  }
  passed += <f64>total + <f64>(at - outboxAt)
  return sipEnd(outboxAt, <u32>(at - outboxAt), total)
}
