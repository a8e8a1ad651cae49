// The 32-byte frame header, and the reader that cuts a stream of bytes into frames (docs/PROTOCOL.md section 4).
// A frame's length is checked against the bound before a byte of it is kept.
import { ByteReader, ByteWriter } from './bytes.ts'
import type { RefusalName } from './constants.ts'
import { FRAME_BYTES_MAX, FRAME_HEADER_BYTES, FRAME_TYPE_MAX, PROTOCOL_VERSION } from './constants.ts'

export interface Frame {
  readonly type: number
  readonly epoch: number
  readonly sequence: number
  readonly attach: number
  readonly payload: Uint8Array
  /** The whole frame, header included. */
  readonly bytes: Uint8Array
}

/** Starts a frame in a writer; the payload is written after it and `sealFrame` closes it. */
export function beginFrame(
  type: number,
  epoch: number,
  sequence = 0,
  attach = 0,
  capacity = 128,
): ByteWriter {
  const writer = new ByteWriter(capacity)
  writer.u32(0).u8(type).u8(PROTOCOL_VERSION).u16(0).u53(epoch).u53(sequence).u53(attach)
  return writer
}

/** Writes the length and gives the finished frame. */
export function sealFrame(writer: ByteWriter): Uint8Array {
  writer.view.setUint32(0, writer.length, true)
  return writer.finish()
}

/** A frame without payload. */
export function emptyFrame(type: number, epoch: number, sequence = 0, attach = 0): Uint8Array {
  return sealFrame(beginFrame(type, epoch, sequence, attach, FRAME_HEADER_BYTES))
}

/** Reads the header of a complete frame; a text names what is wrong with it. */
export function parseFrame(bytes: Uint8Array): Frame | RefusalName {
  const reader = new ByteReader(bytes)
  const length = reader.u32()
  const type = reader.u8()
  const version = reader.u8()
  const reserved = reader.u16()
  const epoch = reader.u53()
  const sequence = reader.u53()
  const attach = reader.u53()
  if (reader.failed || length !== bytes.length || reserved !== 0) return 'malformed'
  if (version !== PROTOCOL_VERSION) return 'version'
  if (type === 0 || type > FRAME_TYPE_MAX) return 'malformed'
  return { type, epoch, sequence, attach, payload: bytes.subarray(FRAME_HEADER_BYTES), bytes }
}

/** Cuts a byte stream into frames. After it returned a refusal it must not be used again. */
export class FrameReader {
  private partial: Uint8Array = new Uint8Array(FRAME_HEADER_BYTES)
  private filled = 0
  private bytesMax: number

  /** `bytesMax`: longest frame that is let through, header included. */
  constructor(bytesMax: number = FRAME_BYTES_MAX) {
    this.bytesMax = bytesMax
  }

  /** From the next frame on, also of bytes already given, longer ones are let through. */
  allow(bytesMax: number): void {
    this.bytesMax = bytesMax
  }

  /** Adds bytes; `handle` gets each complete frame (its bytes are only lent) and stops the reading by returning a refusal. */
  push(bytes: Uint8Array, handle: (frame: Frame) => RefusalName | undefined): RefusalName | undefined {
    let at = 0
    while (at < bytes.length) {
      if (this.filled === 0 && bytes.length - at >= 4) {
        const length = lengthAt(bytes, at)
        if (!this.allowed(length)) return 'frame-size'
        if (length <= bytes.length - at) {
          const refusal = deliver(bytes.subarray(at, at + length), handle)
          if (refusal !== undefined) return refusal
          at += length
          continue
        }
      }
      const wanted = this.filled < 4 ? 4 : lengthAt(this.partial, 0)
      if (this.filled >= 4 && this.partial.length < wanted) this.grow(wanted, bytes.length - at)
      const take = Math.min(wanted - this.filled, bytes.length - at, this.partial.length - this.filled)
      this.partial.set(bytes.subarray(at, at + take), this.filled)
      this.filled += take
      at += take
      if (this.filled < 4) continue
      const length = lengthAt(this.partial, 0)
      if (!this.allowed(length)) return 'frame-size'
      if (this.filled < length) continue
      const frame = this.partial.subarray(0, length)
      this.filled = 0
      this.partial = new Uint8Array(FRAME_HEADER_BYTES)
      const refusal = deliver(frame, handle)
      if (refusal !== undefined) return refusal
    }
    return undefined
  }

  private allowed(length: number): boolean {
    return length >= FRAME_HEADER_BYTES && length <= this.bytesMax
  }

  /** Memory follows what has arrived, doubling, so that a length alone allocates nothing. */
  private grow(wanted: number, arriving: number): void {
    if (this.filled + arriving <= this.partial.length) return
    const size = Math.min(wanted, Math.max(this.filled + arriving, this.partial.length * 2))
    const grown = new Uint8Array(size)
    grown.set(this.partial.subarray(0, this.filled))
    this.partial = grown
  }
}

function lengthAt(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0
}

function deliver(
  bytes: Uint8Array,
  handle: (frame: Frame) => RefusalName | undefined,
): RefusalName | undefined {
  const frame = parseFrame(bytes)
  return typeof frame === 'string' ? frame : handle(frame)
}
