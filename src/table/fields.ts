// Values of fields between JavaScript and memory. Written as two switches over small numbers, not as an object per
// type: one monomorphic function is what the engines compile best, and nothing is generated from text (CSP).
import { ValueError } from '../errors.ts'
import type { FieldLayout } from '../schema/index.ts'
import { formatIpv4, formatIpv6, isMapped, parseIpv4, parseIpv6 } from '../schema/ip.ts'
import { FIELD, VALUE_BYTES_MAX } from '../schema/layout.ts'
import type { LongValues } from './long-values.ts'

/** One memory as arrays of every width. */
export interface MemoryViews {
  readonly u8: Uint8Array
  readonly u16: Uint16Array
  readonly u32: Uint32Array
  readonly i32: Int32Array
  readonly f64: Float64Array
}

const TWO_32 = 2 ** 32
const SURROGATE = /\p{Surrogate}/u
const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

const ALLOWED: readonly string[] = [
  'an integer from 0 to 255',
  'true or false',
  '',
  'an integer from 0 to 65535',
  'an integer from 0 to 4294967295',
  'an integer from -2147483648 to 2147483647',
  'an integer from 0 to 9007199254740991',
  'a number',
  'text such as 192.0.2.1, an integer from 0 to 4294967295, or 4 bytes',
  'text such as 2001:db8::1, or 16 bytes',
  'IPv4 or IPv6 text, or 4 or 16 bytes',
]

function allowedIn(field: FieldLayout): string {
  if (field.type === FIELD.enum) return `one of ${field.names.map((name) => JSON.stringify(name)).join(', ')}`
  if (field.type === FIELD.bytes) return `a Uint8Array of ${field.size} bytes`
  if (field.type === FIELD.string) return `well-formed text of at most ${field.size - 1} bytes of UTF-8`
  if (field.type === FIELD.blob) return `a Uint8Array of at most ${VALUE_BYTES_MAX} bytes`
  if (field.type === FIELD.text) return `well-formed text of at most ${VALUE_BYTES_MAX} bytes of UTF-8`
  return ALLOWED[field.type]!
}

export function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value)
  if (typeof value === 'bigint') return `${value}n`
  if (value instanceof Uint8Array) return `${value.length} bytes`
  if (typeof value === 'function') return 'a function'
  return typeof value === 'object' && value !== null ? 'an object' : String(value)
}

/** What a `text` field holds is a session's content, which belongs in no log. */
function shownIn(field: FieldLayout, value: unknown): string {
  if (field.type !== FIELD.text || typeof value !== 'string') return shown(value)
  return `text of ${new TextEncoder().encode(value).length} bytes`
}

/** Reads and writes fields of one table's memory, or of the rows of a batch. */
export class FieldIo {
  readonly #table: string
  readonly #engine: MemoryViews
  /** Where a value is prepared that can still turn out wrong. */
  readonly #scratch = new Uint8Array(256)
  readonly #long: LongValues | undefined

  /** `long`: where values of `blob` and `text` fields go; the rows of a batch have none. */
  constructor(table: string, engine: MemoryViews, long?: LongValues) {
    this.#table = table
    this.#engine = engine
    this.#long = long
  }

  /** The values written next belong to another call. */
  begin(): void {
    this.#long?.begin()
  }

  /** The error that says what a field allows. */
  wrong(field: FieldLayout, value: unknown): ValueError {
    return new ValueError(
      `table ${this.#table}: field ${field.name}: ${shownIn(field, value)} given; allowed: ${allowedIn(field)}`,
    )
  }

  /**
   * Writes a value into the record or row at address `record`; throws ValueError before anything is written. A `blob`
   * or `text` may go into a row only. Numbers have a function of their own, so that the engines keep them unboxed.
   */
  write(field: FieldLayout, record: number, value: unknown): void {
    if (typeof value === 'number') this.#writeNumber(field, record + field.offset, value)
    else this.#writeOther(field, record + field.offset, value)
  }

  #writeNumber(field: FieldLayout, at: number, value: number): void {
    const low = value >>> 0
    if (low !== value || low > field.wordMax) {
      this.#writeWide(field, at, value)
      return
    }
    const { size } = field
    const engine = this.#engine
    if (size === 4) engine.u32[at >>> 2] = low
    else if (size === 2) engine.u16[at >>> 1] = low
    else if (size === 1) engine.u8[at] = low
    else {
      engine.u32[at >>> 2] = low
      engine.u32[(at >>> 2) + 1] = 0
    }
  }

  /** Numbers that are not one unsigned word. */
  #writeWide(field: FieldLayout, at: number, value: number): void {
    const { i32, u32, f64 } = this.#engine
    if (field.type === FIELD.f64) f64[at >>> 3] = value
    else if (field.type === FIELD.i32 && (value | 0) === value) i32[at >>> 2] = value
    else if (field.type === FIELD.u53 && Number.isSafeInteger(value) && value >= 0) {
      u32[at >>> 2] = value
      u32[(at >>> 2) + 1] = value / TWO_32
    } else throw this.wrong(field, value)
  }

  #writeOther(field: FieldLayout, at: number, value: unknown): void {
    const engine = this.#engine
    switch (field.type) {
      case FIELD.ipv4:
        engine.u32[at >>> 2] = this.#ipv4(field, value)
        return
      case FIELD.bool:
        if (typeof value !== 'boolean') throw this.wrong(field, value)
        engine.u8[at] = value ? 1 : 0
        return
      case FIELD.enum: {
        const index = field.names.indexOf(value as string)
        if (index < 0) throw this.wrong(field, value)
        engine.u8[at] = index
        return
      }
      default:
        this.#writeBytes(field, at, value)
    }
  }

  #ipv4(field: FieldLayout, value: unknown): number {
    if (typeof value === 'string') {
      const address = parseIpv4(value)
      if (address >= 0) return address
    } else if (this.#takeOctets(value, 4, 0)) {
      const bytes = this.#scratch
      return ((bytes[0]! << 24) | (bytes[1]! << 16) | (bytes[2]! << 8) | bytes[3]!) >>> 0
    }
    throw this.wrong(field, value)
  }

  /** Copies an array of `count` octets to the scratch; false if the value is none. */
  #takeOctets(value: unknown, count: number, to: number): boolean {
    if (typeof value !== 'object' || value === null) return false
    const list = value as ArrayLike<unknown>
    if (list.length !== count) return false
    for (let i = 0; i < count; i++) {
      const octet = list[i]
      if (typeof octet !== 'number' || (octet & 255) !== octet) return false
      this.#scratch[to + i] = octet
    }
    return true
  }

  #takeIpv6(value: unknown): boolean {
    if (typeof value === 'string') return parseIpv6(value, this.#scratch.subarray(0, 16))
    return this.#takeOctets(value, 16, 0)
  }

  #takeMapped(value: unknown): boolean {
    const bytes = this.#scratch
    if (typeof value === 'string') {
      const address = parseIpv4(value)
      if (address < 0) return false
      for (let i = 0; i < 4; i++) bytes[12 + i] = address >>> (24 - 8 * i)
    } else if (!this.#takeOctets(value, 4, 12)) return false
    bytes.fill(0, 0, 10)
    bytes.fill(255, 10, 12)
    return true
  }

  #writeBytes(field: FieldLayout, at: number, value: unknown): void {
    const { u8 } = this.#engine
    const scratch = this.#scratch
    switch (field.type) {
      case FIELD.ipv6:
        if (!this.#takeIpv6(value)) throw this.wrong(field, value)
        break
      case FIELD.ip:
        if (!this.#takeMapped(value) && !this.#takeIpv6(value)) throw this.wrong(field, value)
        break
      case FIELD.string:
        this.#writeText(field, at, this.#takeText(field, value))
        return
      case FIELD.bytes:
        if (!(value instanceof Uint8Array) || value.length !== field.size) throw this.wrong(field, value)
        u8.set(value, at)
        return
      case FIELD.blob:
      case FIELD.text:
        if (this.#long?.write(field, at, value) !== true) throw this.wrong(field, value)
        return
      default:
        throw this.wrong(field, value)
    }
    for (let i = 0; i < field.size; i++) u8[at + i] = scratch[i]!
  }

  /** A text from the scratch, and zeros: of a session id of 36 bytes in a string(255) only these 36 are copied one by one. */
  #writeText({ size }: FieldLayout, at: number, length: number): void {
    const { u8 } = this.#engine
    const scratch = this.#scratch
    u8[at] = length
    for (let i = 0; i < length; i++) u8[at + 1 + i] = scratch[i]!
    const end = at + size
    const from = at + 1 + length
    if (end - from > 32) u8.fill(0, from, end)
    else for (let i = from; i < end; i++) u8[i] = 0
  }

  /** The UTF-8 of a text into the scratch; gives its length. */
  #takeText(field: FieldLayout, value: unknown): number {
    const scratch = this.#scratch
    if (typeof value !== 'string' || value.length >= field.size) throw this.wrong(field, value)
    let length = 0
    for (; length < value.length; length++) {
      const code = value.charCodeAt(length)
      if (code > 127) break
      scratch[length] = code
    }
    if (length < value.length) {
      if (SURROGATE.test(value)) throw this.wrong(field, value)
      const { read, written } = encoder.encodeInto(value, scratch.subarray(0, field.size - 1))
      if (read < value.length) throw this.wrong(field, value)
      length = written
    }
    return length
  }

  /** The value of a field of the record at address `record`. */
  read(field: FieldLayout, record: number): unknown {
    const { u8, u16, u32, i32, f64 } = this.#engine
    const at = record + field.offset
    switch (field.type) {
      case FIELD.u8:
        return u8[at]
      case FIELD.bool:
        return u8[at] === 1
      case FIELD.enum:
        return field.names[u8[at]!]
      case FIELD.u16:
        return u16[at >>> 1]
      case FIELD.u32:
        return u32[at >>> 2]
      case FIELD.i32:
        return i32[at >>> 2]
      case FIELD.u53:
        return u32[at >>> 2]! + u32[(at >>> 2) + 1]! * TWO_32
      case FIELD.f64:
        return f64[at >>> 3]
      case FIELD.ipv4:
        return formatIpv4(u32[at >>> 2]!)
      case FIELD.ipv6:
        return formatIpv6(u8, at)
      case FIELD.ip:
        return isMapped(u8, at) ? formatIpv4(this.#mapped(at + 12)) : formatIpv6(u8, at)
      case FIELD.bytes:
        return u8.slice(at, at + field.size)
      case FIELD.blob:
      case FIELD.text:
        return this.#long?.read(field, at)
      default:
        return decoder.decode(u8.subarray(at + 1, at + 1 + u8[at]!))
    }
  }

  #mapped(at: number): number {
    const { u8 } = this.#engine
    return ((u8[at]! << 24) | (u8[at + 1]! << 16) | (u8[at + 2]! << 8) | u8[at + 3]!) >>> 0
  }
}
