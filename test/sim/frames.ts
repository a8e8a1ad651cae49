// Frames as the checkers read them: numbers at fixed places, without the code under test (docs/PROTOCOL.md section 4).

export const ACK = 4
export const GRANT = 7
export const OFFER = 9
export const RESYNC = 32
export const BATCH = 33
export const SAME = 34
export const IMAGE = 35
/** A batch after which older changes are still unsent. */
export const PARTIAL = 39
/** The primary's sequence is below, the secondary's from here. */
export const REVERSE = 48
export const RESYNC_REQUEST = 51
/** The primary's answer to a secondary's offer: 1 byte, whether they differ in known records only. */
export const DIFFERENCE = 40
/** The last of these lists says what is owed; the second byte of the payload marks it. */
export const OWED = 41
const HEADER_BYTES = 32

export function payloadByte(frame: Uint8Array, at: number): number {
  return frame[HEADER_BYTES + at]!
}

export function payloadU53(frame: Uint8Array, at: number): number {
  return u53At(frame, HEADER_BYTES + at)
}

export function typeOf(frame: Uint8Array): number {
  return frame[4]!
}

export function epochOf(frame: Uint8Array): number {
  return u53At(frame, 8)
}

export function sequenceOf(frame: Uint8Array): number {
  return u53At(frame, 16)
}

export function attachOf(frame: Uint8Array): number {
  return u53At(frame, 24)
}

/** What an ACK says. */
export function ackOf(frame: Uint8Array): { received: number; applied: number; awaited: number } {
  const awaited = new DataView(frame.buffer, frame.byteOffset).getUint32(48, true)
  return { received: u53At(frame, 32), applied: u53At(frame, 40), awaited }
}

/** Of a heartbeat datagram. */
export function counterOf(heartbeat: Uint8Array): number {
  return u53At(heartbeat, 8)
}

function u53At(bytes: Uint8Array, at: number): number {
  let value = 0
  for (let i = 7; i >= 0; i--) value = value * 256 + bytes[at + i]!
  return value
}
