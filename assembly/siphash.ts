// SipHash-2-4 (Aumasson and Bernstein, 2012): the segment digests of docs/PROTOCOL.md section 3.

// @ts-ignore: decorator
@lazy const keyPair: usize = memory.data(16, 16)

/** Address of the 16-byte key. */
export function sipKeyAt(): usize {
  return keyPair
}

export function siphash(at: usize, length: u32): u64 {
  const k0 = load<u64>(keyPair)
  const k1 = load<u64>(keyPair, 8)
  let v0 = k0 ^ 0x736f6d6570736575
  let v1 = k1 ^ 0x646f72616e646f6d
  let v2 = k0 ^ 0x6c7967656e657261
  let v3 = k1 ^ 0x7465646279746573
  const end = at + (length & ~7)
  let last = <u64>length << 56
  for (let i: u32 = 0; i < (length & 7); i++) last |= <u64>load<u8>(end + i) << (<u64>i << 3)
  for (let p = at; ; p += 8) {
    const m = p < end ? load<u64>(p) : last
    v3 ^= m
    for (let round = 0; round < 2; round++) {
      v0 += v1; v1 = rotl(v1, 13); v1 ^= v0; v0 = rotl(v0, 32)
      v2 += v3; v3 = rotl(v3, 16); v3 ^= v2
      v0 += v3; v3 = rotl(v3, 21); v3 ^= v0
      v2 += v1; v1 = rotl(v1, 17); v1 ^= v2; v2 = rotl(v2, 32)
    }
    v0 ^= m
    if (p >= end) break
  }
  v2 ^= 0xff
  for (let round = 0; round < 4; round++) {
    v0 += v1; v1 = rotl(v1, 13); v1 ^= v0; v0 = rotl(v0, 32)
    v2 += v3; v3 = rotl(v3, 16); v3 ^= v2
    v0 += v3; v3 = rotl(v3, 21); v3 ^= v0
    v2 += v1; v1 = rotl(v1, 17); v1 ^= v2; v2 = rotl(v2, 32)
  }
  return v0 ^ v1 ^ v2 ^ v3
}
