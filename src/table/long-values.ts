// Values of `blob` and `text` fields between JavaScript and the arena. On the way in their bytes stand in the core's
// inbox, which is free between calls, and a row names them by address and length; the core copies them to their place.
import { ValueError } from '../errors.ts'
import type { FieldLayout } from '../schema/index.ts'
import { FIELD, SESSION_BYTES_MAX, VALUE_BYTES_MAX } from '../schema/layout.ts'
import type { Engine } from './engine.ts'

const SURROGATE = /\p{Surrogate}/u
/** Up to this many characters a loop of our own is faster than the encoder. */
const SHORT = 48
const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/** Bytes of a unit, of a value in it, and of a value in a page (assembly/arena.ts). */
const UNIT = 64
const UNIT_ROOM = 60
const PAGE_ROOM = 1020

export class LongValues {
  readonly #table: string
  readonly #engine: Engine
  readonly #inboxAt: number
  readonly #arenaAt: number
  #used = 0

  constructor(table: string, engine: Engine) {
    this.#table = table
    this.#engine = engine
    this.#inboxAt = engine.core.inboxAt() >>> 0
    this.#arenaAt = engine.core.arenaAt() >>> 0
  }

  /** The next values are those of another call. */
  begin(): void {
    this.#used = 0
  }

  /** Puts a value into the inbox and its address and length into the row at `at`; false if it is none of the field. */
  write(field: FieldLayout, at: number, value: unknown): boolean {
    const length = field.type === FIELD.blob ? this.#takeBytes(field, value) : this.#takeText(field, value)
    if (length < 0) return false
    const { u32 } = this.#engine
    u32[at >>> 2] = this.#inboxAt + this.#used
    u32[(at >>> 2) + 1] = length
    this.#used += length
    return true
  }

  /** Throws if the values of this call are too long together. */
  #admit(field: FieldLayout, length: number): void {
    if (this.#used + length <= SESSION_BYTES_MAX) return
    throw new ValueError(
      `table ${this.#table}: field ${field.name}: ${length} bytes given after ${this.#used} in other fields; allowed: ${SESSION_BYTES_MAX} bytes of blob and text in one session`,
    )
  }

  #takeBytes(field: FieldLayout, value: unknown): number {
    if (!(value instanceof Uint8Array) || value.length > VALUE_BYTES_MAX) return -1
    this.#admit(field, value.length)
    this.#engine.u8.set(value, this.#inboxAt + this.#used)
    return value.length
  }

  #takeText(field: FieldLayout, value: unknown): number {
    if (typeof value !== 'string' || value.length > VALUE_BYTES_MAX) return -1
    this.#admit(field, value.length)
    const { u8 } = this.#engine
    const at = this.#inboxAt + this.#used
    let length = 0
    if (value.length <= SHORT) {
      for (; length < value.length; length++) {
        const code = value.charCodeAt(length)
        if (code > 127) break
        u8[at + length] = code
      }
      if (length === value.length) return length
    }
    const { read, written } = encoder.encodeInto(value, u8.subarray(at, at + VALUE_BYTES_MAX))
    if (read < value.length || (written !== value.length && SURROGATE.test(value))) return -1
    this.#admit(field, written)
    return written
  }

  /** The value whose handle and length stand at `at`: a copy, or a string. */
  read(field: FieldLayout, at: number): Uint8Array | string {
    const { core, u8, u32 } = this.#engine
    const handle = u32[at >>> 2]!
    const length = u32[(at >>> 2) + 1]!
    if (length === 0) return field.type === FIELD.blob ? new Uint8Array(0) : ''
    const isWhole = length <= ((handle & 1) === 1 ? PAGE_ROOM : UNIT_ROOM)
    const from = isWhole ? this.#arenaAt + ((handle >>> 1) - 1) * UNIT + 4 : core.flat(handle, length) >>> 0
    if (field.type === FIELD.blob) return u8.slice(from, from + length)
    return decoder.decode(u8.subarray(from, from + length))
  }
}
