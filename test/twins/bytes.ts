// Reading and writing of docs/PROTOCOL.md sections 1 and 2, a byte at a time and with BigInt where a number has more
// than 53 bits.
import { type Column, fromHex, toHex, VALUE_MAX } from './schema.ts'

/** Thrown to end the reading of malformed bytes; `reason` is a name of docs/PROTOCOL.md section 7. No stack, for speed. */
export class Malformed {
  readonly reason: string
  constructor(reason: string) {
    this.reason = reason
  }
}

export class Writer {
  readonly #bytes: number[] = []

  byte(value: number): void {
    this.#bytes.push(value & 255)
  }

  raw(bytes: Uint8Array): void {
    for (const byte of bytes) this.byte(byte)
  }

  varint(value: number | bigint): void {
    let rest = BigInt(value)
    while (rest > 127n) {
      this.byte(Number(rest & 127n) | 128)
      rest >>= 7n
    }
    this.byte(Number(rest))
  }

  zigzag(value: number | bigint): void {
    const n = BigInt(value)
    this.varint(n >= 0n ? 2n * n : -2n * n - 1n)
  }

  take(): Uint8Array {
    return Uint8Array.from(this.#bytes)
  }
}

const MAPPED = '00000000000000000000ffff'
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export class Reader {
  at = 0
  readonly bytes: Uint8Array
  /** Called with the reason of a fault after which reading can go on. */
  readonly fault: (reason: string) => void

  constructor(bytes: Uint8Array, fault: (reason: string) => void) {
    this.bytes = bytes
    this.fault = fault
  }

  get left(): number {
    return this.bytes.length - this.at
  }

  byte(): number {
    const byte = this.bytes[this.at]
    if (byte === undefined) throw new Malformed('truncated')
    this.at++
    return byte
  }

  raw(count: number): Uint8Array {
    if (this.left < count) throw new Malformed('truncated')
    this.at += count
    return this.bytes.subarray(this.at - count, this.at)
  }

  #varint(bits: bigint): bigint {
    let value = 0n
    for (let i = 0; i < 8; i++) {
      const byte = this.byte()
      value |= BigInt(byte & 127) << BigInt(7 * i)
      if (byte < 128) {
        if ((byte === 0 && i > 0) || value >> bits > 0n) throw new Malformed('varint')
        return value
      }
    }
    throw new Malformed('varint')
  }

  varint(): number {
    return Number(this.#varint(53n))
  }

  zigzag(): bigint {
    const coded = this.#varint(54n)
    return coded & 1n ? -(coded + 1n) / 2n : coded / 2n
  }

  /** Bytes of an `ip`: family, then 4 or 16 bytes; as stored, 16 bytes. */
  ip(): string {
    const family = this.byte()
    if (family === 4) return MAPPED + toHex(this.raw(4))
    if (family !== 6) throw new Malformed('value')
    const hex = toHex(this.raw(16))
    if (hex.startsWith(MAPPED)) this.fault('value')
    return hex
  }

  string(max: number): string {
    const length = this.byte()
    if (length > max) throw new Malformed('value')
    const text = this.raw(length)
    if (!isUtf8(text)) this.fault('value')
    return toHex(text)
  }

  /** A length of, or within, a value of variable length. */
  longLength(): number {
    const length = this.varint()
    if (length > VALUE_MAX) throw new Malformed('value')
    return length
  }
}

export function isUtf8(bytes: Uint8Array): boolean {
  try {
    utf8.decode(bytes)
    return true
  } catch {
    return false
  }
}

export function writeIp(writer: Writer, hex: string): void {
  const mapped = hex.startsWith(MAPPED)
  writer.byte(mapped ? 4 : 6)
  writer.raw(fromHex(mapped ? hex.slice(MAPPED.length) : hex))
}

/** The largest and smallest value of a number column. */
export function limits(column: Column): readonly [bigint, bigint] {
  switch (column.kind) {
    case 'u8':
      return [0n, 0xffn]
    case 'bool':
      return [0n, 1n]
    case 'enum':
      return [0n, BigInt(column.names.length - 1)]
    case 'u16':
      return [0n, 0xffffn]
    case 'u32':
      return [0n, 0xffffffffn]
    case 'i32':
      return [-0x80000000n, 0x7fffffffn]
    default:
      return [0n, (1n << 53n) - 1n]
  }
}
