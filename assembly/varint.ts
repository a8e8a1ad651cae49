// Unsigned LEB128 and zigzag (docs/PROTOCOL.md section 1). How long a number gets is anybody's guess, and so would every
// branch on its bytes be: eight bytes are read at once, and seven bits of each gathered. Writing byte by byte is faster.

/** The top bits of eight bytes. */
// @ts-ignore: decorator
@inline const TOPS: u64 = 0x8080808080808080

/** Bytes that a number of these eight bytes takes: up to the first with a clear top bit; 9 if there is none. */
// @ts-ignore: decorator
@inline export function varintBytes(word: u64): u32 {
  return <u32>((ctz(~word & TOPS) >> 3) + 1)
}

/** The number in the first `bytes`, 1 to 8, of these eight. */
// @ts-ignore: decorator
@inline export function varintValue(word: u64, bytes: u32): u64 {
  const bits = word & (<u64>-1 >> (<u64>(8 - bytes) << 3))
  const pairs = (bits & 0x007f007f007f007f) | ((bits & 0x7f007f007f007f00) >> 1)
  const fours = (pairs & 0x00003fff00003fff) | ((pairs & 0x3fff00003fff0000) >> 2)
  return (fours & 0x0fffffff) | ((fours & 0x0fffffff00000000) >> 4)
}

/** Writes `value` and gives the address after it. */
// @ts-ignore: decorator
@inline export function writeVarint(at: usize, value: u64): usize {
  while (value > 127) {
    store<u8>(at++, <u8>value | 0x80)
    value >>= 7
  }
  store<u8>(at++, <u8>value)
  return at
}

// @ts-ignore: decorator
@inline export function zigzag(value: i64): u64 {
  return <u64>((value << 1) ^ (value >> 63))
}

// @ts-ignore: decorator
@inline export function unzigzag(value: u64): i64 {
  return <i64>(value >> 1) ^ -<i64>(value & 1)
}
