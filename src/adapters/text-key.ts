// Keys of any length for a table whose key has a fixed room: one that fits is its own name, a longer one is named by its
// SHA-256 and lies beside its value.
import { createHash } from 'node:crypto'
import { ValueError } from '../index.ts'

/** No key of an application begins so and is short; one that does is named by its hash as well. */
const HASHED = '\u0000'
/** '\0' and 43 characters of base64url. */
export const NAME_BYTES_MIN = 44

/** Half of a pair: UTF-8 has nothing for it. */
export const LONE: RegExp = /\p{Surrogate}/u
const encoder = new TextEncoder()

export interface Name {
  /** What the table finds it by. */
  readonly id: string
  /** The key, where the name does not say it; '' where it does. */
  readonly key: string
}

/** @throws ValueError for what is no string of whole characters */
export function nameOf(adapter: string, key: string, keyBytes: number): Name {
  if (typeof key !== 'string' || LONE.test(key)) {
    throw new ValueError(
      `${adapter}: key ${JSON.stringify(key)} given; allowed: a string without lone surrogates`,
    )
  }
  if (!key.startsWith(HASHED) && fits(key, keyBytes)) return { id: key, key: '' }
  return { id: HASHED + createHash('sha256').update(key).digest('base64url'), key }
}

/** At most three bytes a unit, so most keys need no counting. */
function fits(key: string, bytes: number): boolean {
  if (key.length * 3 <= bytes) return true
  return key.length <= bytes && encoder.encode(key).length <= bytes
}
