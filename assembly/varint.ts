// Unsigned LEB128 and zigzag (docs/PROTOCOL.md section 1).

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
