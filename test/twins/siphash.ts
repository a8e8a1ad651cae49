// SipHash-2-4 as its paper writes it (Aumasson and Bernstein, 2012), one BigInt per word: slow and obvious.

const MASK = (1n << 64n) - 1n

const rotate = (word: bigint, bits: bigint): bigint => ((word << bits) | (word >> (64n - bits))) & MASK

function readWord(bytes: Uint8Array, at: number): bigint {
  let word = 0n
  for (let i = 7; i >= 0; i--) word = (word << 8n) | BigInt(bytes[at + i] ?? 0)
  return word
}

/** The 64-bit SipHash-2-4 of `message` under the 16-byte `key`. */
export function sipHash24(key: Uint8Array, message: Uint8Array): bigint {
  const k0 = readWord(key, 0)
  const k1 = readWord(key, 8)
  let v0 = k0 ^ 0x736f6d6570736575n
  let v1 = k1 ^ 0x646f72616e646f6dn
  let v2 = k0 ^ 0x6c7967656e657261n
  let v3 = k1 ^ 0x7465646279746573n

  const round = (): void => {
    v0 = (v0 + v1) & MASK
    v1 = rotate(v1, 13n) ^ v0
    v0 = rotate(v0, 32n)
    v2 = (v2 + v3) & MASK
    v3 = rotate(v3, 16n) ^ v2
    v0 = (v0 + v3) & MASK
    v3 = rotate(v3, 21n) ^ v0
    v2 = (v2 + v1) & MASK
    v1 = rotate(v1, 17n) ^ v2
    v2 = rotate(v2, 32n)
  }
  const absorb = (word: bigint): void => {
    v3 ^= word
    round()
    round()
    v0 ^= word
  }

  const whole = message.length - (message.length % 8)
  for (let at = 0; at < whole; at += 8) absorb(readWord(message, at))
  absorb(readWord(message.subarray(whole), 0) | (BigInt(message.length & 255) << 56n))
  v2 ^= 0xffn
  for (let i = 0; i < 4; i++) round()
  return v0 ^ v1 ^ v2 ^ v3
}
