// Segment digests (docs/PROTOCOL.md section 3): SipHash of a segment's image, so both nodes compare what they would send.
import { encodedAt, image, imageCount } from './encode'
import { digestsAt, segments } from './layout'
import { siphash } from './siphash'

/** Writes the digests of `count` segments from `first` to `digestsAt`, 8 bytes each; gives how many. */
export function digests(first: u32, count: u32): u32 {
  if (first >= segments) return 0
  const taken = min(count, segments - first)
  for (let i: u32 = 0; i < taken; i++) {
    const length = image(first + i)
    store<u64>(digestsAt + (<usize>i << 3), imageCount() ? siphash(encodedAt, length) : 0)
  }
  return taken
}
