// Bytes changed as an enemy would change them: every place overwritten by the lengths that arithmetic trips over, and
// random flips, cuts, splices and insertions. And what it is for a reading to hang.
import type { Random } from './seed.ts'

/** What a length field is set to. */
export const EDGES = (cap: number): readonly number[] => [
  0,
  1,
  cap,
  cap + 1,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32 - 1,
]

/** The bytes with a u32 written over them at a place, cut where they end. */
export function withU32(bytes: Uint8Array, at: number, value: number): Uint8Array {
  const changed = bytes.slice()
  for (let i = 0; i < 4 && at + i < changed.length; i++) changed[at + i] = Math.floor(value / 256 ** i) & 255
  return changed
}

/** The bytes with a varint in the place of one byte. */
export function withVarint(bytes: Uint8Array, at: number, value: number): Uint8Array {
  const varint: number[] = []
  let rest = value
  for (; rest >= 128; rest = Math.floor(rest / 128)) varint.push((rest % 128) | 128)
  varint.push(rest)
  return Uint8Array.from([...bytes.subarray(0, at), ...varint, ...bytes.subarray(at + 1)])
}

/** Whether something that took long takes long every time: a busy machine excuses once, not five times. */
export function hangs(again: () => unknown, msMax: number): boolean {
  for (let tries = 0; tries < 5; tries++) {
    const began = performance.now()
    again()
    if (performance.now() - began <= msMax) return false
  }
  return true
}

/** One random change. `other`: bytes to splice from. */
export function harmed(random: Random, bytes: Uint8Array, other: Uint8Array, cap: number): Uint8Array {
  const at = random.below(bytes.length + 1)
  switch (random.below(8)) {
    case 0:
      return bytes.slice(0, at)
    case 1:
      return flipped(random, bytes)
    case 2:
      return flipped(random, flipped(random, bytes))
    case 3:
      return withU32(bytes, at, random.pick(EDGES(cap)))
    case 4:
      return withVarint(bytes, Math.min(at, bytes.length - 1), random.pick([...EDGES(cap), 2 ** 53 - 1]))
    case 5:
      return Uint8Array.from([
        ...bytes.subarray(0, at),
        ...random.bytes(1 + random.below(9)),
        ...bytes.subarray(at),
      ])
    case 6:
      return Uint8Array.from([...bytes.subarray(0, at), ...other.subarray(random.below(other.length + 1))])
    default:
      return Uint8Array.from([...bytes.subarray(0, at), ...bytes.subarray(at + 1 + random.below(8))])
  }
}

function flipped(random: Random, bytes: Uint8Array): Uint8Array {
  const changed = bytes.slice()
  if (changed.length > 0) changed[random.below(changed.length)]! ^= 1 << random.below(8)
  return changed
}
