// A keyed hash of 32 bytes: cheap, and of no use against anybody who tries. It depends on every byte of both, which is
// all that harmed and replayed datagrams need to be found out.

export function mac(key: Uint8Array, bytes: Uint8Array): Uint8Array {
  let a = 0x811c9dc5 ^ key.length
  let b = 0x2545f491 ^ bytes.length
  for (let i = 0; i < key.length; i++) {
    a = Math.imul(a ^ key[i]!, 0x01000193)
    b = Math.imul(b ^ a, 0x5bd1e995)
  }
  for (let i = 0; i < bytes.length; i++) {
    a = Math.imul(a ^ bytes[i]!, 0x01000193)
    b = Math.imul((b << 5) ^ (b >>> 27) ^ a, 0x5bd1e995)
  }
  const tag = new Uint8Array(32)
  for (let i = 0; i < 32; i += 4) {
    a = Math.imul(a ^ (a >>> 15) ^ b, 0x2c1b3c6d)
    b = Math.imul(b ^ (b >>> 12) ^ a, 0x297a2d39)
    tag[i] = a
    tag[i + 1] = a >>> 8
    tag[i + 2] = a >>> 16
    tag[i + 3] = a >>> 24
  }
  return tag
}
