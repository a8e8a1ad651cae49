// A writer that grows and a reader that cannot run past its end: reading too far sets `failed` and yields zeros, so a
// decoder checks once, at its end. Little-endian throughout.

const TWO_32 = 4_294_967_296
/** Every byte as two digits: heartbeats carry such texts many times a second. */
const HEX: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

export class ByteWriter {
  bytes: Uint8Array
  view: DataView
  length = 0

  constructor(capacity = 256) {
    this.bytes = new Uint8Array(capacity)
    this.view = new DataView(this.bytes.buffer)
  }

  /** May replace `bytes` and `view`: take them afterwards, never in the same expression before the call. */
  private reserve(count: number): number {
    const at = this.length
    const needed = at + count
    if (needed > this.bytes.length) {
      const grown = new Uint8Array(Math.max(needed, this.bytes.length * 2))
      grown.set(this.bytes.subarray(0, at))
      this.bytes = grown
      this.view = new DataView(grown.buffer)
    }
    this.length = needed
    return at
  }

  u8(value: number): this {
    const at = this.reserve(1)
    this.bytes[at] = value
    return this
  }

  u16(value: number): this {
    const at = this.reserve(2)
    this.view.setUint16(at, value, true)
    return this
  }

  u32(value: number): this {
    const at = this.reserve(4)
    this.view.setUint32(at, value, true)
    return this
  }

  u53(value: number): this {
    const at = this.reserve(8)
    this.view.setUint32(at, value % TWO_32, true)
    this.view.setUint32(at + 4, Math.floor(value / TWO_32), true)
    return this
  }

  f64(value: number): this {
    const at = this.reserve(8)
    this.view.setFloat64(at, value, true)
    return this
  }

  varint(value: number): this {
    let rest = value
    while (rest >= 128) {
      this.u8((rest % 128) | 128)
      rest = Math.floor(rest / 128)
    }
    return this.u8(rest)
  }

  raw(bytes: Uint8Array): this {
    const at = this.reserve(bytes.length)
    this.bytes.set(bytes, at)
    return this
  }

  /** Lower-case hex of a fixed number of bytes, as used for incarnations and lineages. */
  hex(text: string): this {
    for (let i = 0; i < text.length; i += 2) this.u8(Number.parseInt(text.slice(i, i + 2), 16))
    return this
  }

  /** Length byte and UTF-8. */
  text(text: string): this {
    const encoded = new TextEncoder().encode(text)
    return this.u8(encoded.length).raw(encoded)
  }

  finish(): Uint8Array {
    return this.bytes.subarray(0, this.length)
  }
}

export class ByteReader {
  readonly bytes: Uint8Array
  readonly view: DataView
  offset: number
  failed = false

  constructor(bytes: Uint8Array, offset = 0) {
    this.bytes = bytes
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.offset = offset
  }

  private take(count: number): number {
    const at = this.offset
    if (count > this.bytes.length - at) {
      this.failed = true
      return -1
    }
    this.offset = at + count
    return at
  }

  /** True if everything was read and nothing was missing. */
  get done(): boolean {
    return !this.failed && this.offset === this.bytes.length
  }

  u8(): number {
    const at = this.take(1)
    return at < 0 ? 0 : this.bytes[at]!
  }

  u16(): number {
    const at = this.take(2)
    return at < 0 ? 0 : this.view.getUint16(at, true)
  }

  u32(): number {
    const at = this.take(4)
    return at < 0 ? 0 : this.view.getUint32(at, true)
  }

  /** Fails above 2^53 - 1. */
  u53(): number {
    const at = this.take(8)
    if (at < 0) return 0
    const high = this.view.getUint32(at + 4, true)
    if (high >= 2_097_152) {
      this.failed = true
      return 0
    }
    return high * TWO_32 + this.view.getUint32(at, true)
  }

  /** Fails on NaN and infinities: no field of the wire may be either. */
  f64(): number {
    const at = this.take(8)
    if (at < 0) return 0
    const value = this.view.getFloat64(at, true)
    if (!Number.isFinite(value)) this.failed = true
    return value
  }

  /** Shortest form only, below 2^53. */
  varint(): number {
    let value = 0
    let scale = 1
    for (let i = 0; i < 8; i++) {
      const byte = this.u8()
      if (this.failed) return 0
      value += (byte & 127) * scale
      if (byte < 128) {
        if (byte === 0 && i > 0) break
        if (value > Number.MAX_SAFE_INTEGER) break
        return value
      }
      scale *= 128
    }
    this.failed = true
    return 0
  }

  raw(count: number): Uint8Array {
    const at = this.take(count)
    return at < 0 ? new Uint8Array(0) : this.bytes.subarray(at, at + count)
  }

  hex(count: number): string {
    let text = ''
    for (const byte of this.raw(count)) text += HEX[byte]
    return text
  }

  /** Fails on bytes that are not UTF-8 and on texts longer than `bytesMax`. */
  text(bytesMax: number): string {
    const length = this.u8()
    if (length > bytesMax) this.failed = true
    if (this.failed) return ''
    const bytes = this.raw(length)
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    } catch {
      this.failed = true
      return ''
    }
  }

  rest(): Uint8Array {
    return this.raw(this.bytes.length - this.offset)
  }
}
