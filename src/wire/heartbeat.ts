// The heartbeat datagram: fixed length, counter and HMAC-SHA-256 (docs/PROTOCOL.md section 5). Whatever fails here is
// dropped and counted, never answered. The MAC function is passed in: this file knows no crypto library.
import { ByteReader, ByteWriter } from './bytes.ts'
import { HEARTBEAT_BYTES, MAC_BYTES, PROTOCOL_VERSION } from './constants.ts'
import type { NodeStatus } from './status.ts'
import { readStatus, writeStatus } from './status.ts'

/** HMAC-SHA-256 of `bytes` under `key`: 32 bytes. */
export type Mac = (key: Uint8Array, bytes: Uint8Array) => Uint8Array

export interface Heartbeat {
  /** 0 = m1, 1 = m2. */
  readonly link: number
  /** Place of the sender in the sorted pair of ids, so that nothing can be reflected. */
  readonly place: number
  /** Strictly increasing per sender, link and key. */
  readonly counter: number
  /** Sender's monotonic clock at sending, ms. */
  readonly sentAt: number
  /** `sentAt` of the last heartbeat heard from the receiver on this link; -1 = none. */
  readonly echo: number
  /** How long that one was held before this was sent, ms. */
  readonly heldMs: number
  readonly status: NodeStatus
}

export type HeartbeatRefusal = 'size' | 'mac' | 'version' | 'link' | 'reflected' | 'replayed' | 'malformed'

const MAGIC = 0x4648 // "HF"
const SIGNED_BYTES = HEARTBEAT_BYTES - MAC_BYTES

export function encodeHeartbeat(heartbeat: Heartbeat, key: Uint8Array, mac: Mac): Uint8Array {
  const writer = new ByteWriter(HEARTBEAT_BYTES)
    .u16(MAGIC)
    .u8(PROTOCOL_VERSION)
    .u8(heartbeat.link)
    .u8(heartbeat.place)
    .u8(0)
    .u16(0)
    .u53(heartbeat.counter)
    .f64(heartbeat.sentAt)
    .f64(heartbeat.echo)
    .f64(heartbeat.heldMs)
  writeStatus(writer, heartbeat.status)
  return writer.raw(mac(key, writer.finish())).finish().slice()
}

/** Checks length and MAC first; nothing is read from a datagram that fails them. */
export function decodeHeartbeat(bytes: Uint8Array, key: Uint8Array, mac: Mac): Heartbeat | HeartbeatRefusal {
  if (bytes.length !== HEARTBEAT_BYTES) return 'size'
  if (!equalBytes(mac(key, bytes.subarray(0, SIGNED_BYTES)), bytes.subarray(SIGNED_BYTES))) return 'mac'
  const reader = new ByteReader(bytes.subarray(0, SIGNED_BYTES))
  const magic = reader.u16()
  const version = reader.u8()
  const link = reader.u8()
  const place = reader.u8()
  reader.u8()
  reader.u16()
  if (magic !== MAGIC) return 'malformed'
  if (version !== PROTOCOL_VERSION) return 'version'
  const counter = reader.u53()
  const sentAt = reader.f64()
  const echo = reader.f64()
  const heldMs = reader.f64()
  const status = readStatus(reader)
  if (!reader.done) return 'malformed'
  return { link, place, counter, sentAt, echo, heldMs, status }
}

/** Takes the same time wherever the first difference is. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  let difference = 0
  for (let i = 0; i < a.length; i++) difference |= a[i]! ^ b[i]!
  return difference === 0
}
