// Keyed hash of a key: NH (Black et al., UMAC, 1999) over the key's 32-bit words, folded by one keyed multiplication.
// For any two keys chosen without knowing the seed, NH collides with probability 2^-32, so nobody outside can aim
// sessions at one bucket. The seed is random per table and process and never on the wire.
import { INDEXES_MAX, keyBytes } from './layout'

/** Longest key in bytes: 16 fields of up to 256, as the wire limit allows about a thousand. */
// @ts-ignore: decorator
@inline export const KEY_BYTES_MAX: u32 = 1088

// @ts-ignore: decorator
@lazy const words: usize = memory.data(1088, 16)
let factor: u64 = 0
/** Each further index has words and a factor of its own. */
// @ts-ignore: decorator
@lazy const indexWords: usize = memory.data(4352, 16)
// @ts-ignore: decorator
@lazy const indexFactors: usize = memory.data(32, 8)

// splitmix64, Steele et al. 2014
let seedState: u64 = 0
function next(): u64 {
  let z = (seedState += 0x9e3779b97f4a7c15)
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb
  return z ^ (z >> 31)
}

export function seedHash(a: u32, b: u32, c: u32, d: u32): void {
  seedState = (<u64>a << 32) | b
  const other = (<u64>c << 32) | d
  for (let i: u32 = 0; i < KEY_BYTES_MAX; i += 8) store<u64>(words + i, next() ^ other)
  factor = (next() ^ (other << 1)) | 1
  for (let i: u32 = 0; i < INDEXES_MAX * KEY_BYTES_MAX; i += 8) store<u64>(indexWords + i, next() ^ other)
  for (let i: u32 = 0; i < INDEXES_MAX * 8; i += 8) store<u64>(indexFactors + i, (next() ^ (other << 1)) | 1)
}

// @ts-ignore: decorator
@inline function pair(seeds: usize, key: usize, i: u32): u64 {
  const k = load<u64>(key + i)
  const s = load<u64>(seeds + i)
  return <u64>(<u32>k + <u32>s) * <u64>(<u32>(k >> 32) + <u32>(s >> 32))
}

export function hashKey(key: usize): u32 {
  let sum = pair(words, key, 0)
  for (let i: u32 = 8; i < keyBytes; i += 8) sum += pair(words, key, i)
  sum = (sum ^ (sum >> 32)) * factor
  return <u32>(sum >> 32)
}

/** The same for the key of a further index, `bytes` long, a multiple of 8. */
export function hashIndexKey(index: u32, key: usize, bytes: u32): u32 {
  const seeds = indexWords + <usize>(index * KEY_BYTES_MAX)
  let sum = pair(seeds, key, 0)
  for (let i: u32 = 8; i < bytes; i += 8) sum += pair(seeds, key, i)
  sum = (sum ^ (sum >> 32)) * load<u64>(indexFactors + (<usize>index << 3))
  return <u32>(sum >> 32)
}
