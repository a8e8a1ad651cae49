// The small frames of one link: keep-alive, acknowledgement, follow, and the words of a role change
// (docs/PROTOCOL.md sections 4 and 6).
import { ByteReader } from './bytes.ts'
import type { Reason } from './constants.ts'
import { FrameType, REASONS } from './constants.ts'
import { beginFrame, sealFrame } from './frame.ts'
import type { NodeStatus } from './status.ts'
import { readStatus, writeStatus } from './status.ts'

/** `awaited` in an ACK while the receiver does not know the number yet. */
export const AWAITED_UNKNOWN = 0xffff_ffff

export interface Ack {
  /** Last sequence of the other side's frames received without a gap. */
  received: number
  /** Last one applied to the tables. */
  applied: number
  /** Segments awaited at that point. */
  awaited: number
}

export interface Follow {
  /** Counts this process's follows; a later number is a later state. */
  number: number
  /** Attachment this node is in; 0 = none. */
  attach: number
  /** Last sequence received in it. */
  received: number
}

export interface Claim {
  epoch: number
  reason: Reason
  status: NodeStatus
}

/** A primary asks its secondary to take over. */
export interface Offer {
  /** Sequence that must be applied first. */
  position: number
  reason: Reason
}

export function encodeAck(epoch: number, attach: number, ack: Ack): Uint8Array {
  const writer = beginFrame(FrameType.ACK, epoch, 0, attach, 64)
  return sealFrame(writer.u53(ack.received).u53(ack.applied).u32(ack.awaited))
}

export function decodeAck(payload: Uint8Array): Ack | undefined {
  const reader = new ByteReader(payload)
  const ack = { received: reader.u53(), applied: reader.u53(), awaited: reader.u32() }
  return reader.done ? ack : undefined
}

export function encodeFollow(epoch: number, follow: Follow): Uint8Array {
  const writer = beginFrame(FrameType.FOLLOW, epoch, 0, 0, 64)
  return sealFrame(writer.u53(follow.number).u53(follow.attach).u53(follow.received))
}

export function decodeFollow(payload: Uint8Array): Follow | undefined {
  const reader = new ByteReader(payload)
  const follow = { number: reader.u53(), attach: reader.u53(), received: reader.u53() }
  return reader.done ? follow : undefined
}

export function encodeClaim(claim: Claim): Uint8Array {
  const writer = beginFrame(FrameType.CLAIM, claim.epoch).u8(REASONS.indexOf(claim.reason))
  return sealFrame(writeStatus(writer, claim.status))
}

export function decodeClaim(epoch: number, payload: Uint8Array): Claim | undefined {
  const reader = new ByteReader(payload)
  const reason = REASONS[reader.u8()]
  const status = readStatus(reader)
  return reader.done && reason !== undefined ? { epoch, reason, status } : undefined
}

/** KEEPALIVE, DENY and GOODBYE: a status block and nothing else. */
export function encodeStatusFrame(type: number, status: NodeStatus): Uint8Array {
  return sealFrame(writeStatus(beginFrame(type, status.epoch), status))
}

export function decodeStatusFrame(payload: Uint8Array): NodeStatus | undefined {
  const reader = new ByteReader(payload)
  const status = readStatus(reader)
  return reader.done ? status : undefined
}

export function encodeOffer(epoch: number, offer: Offer): Uint8Array {
  const writer = beginFrame(FrameType.OFFER, epoch, 0, 0, 48)
  return sealFrame(writer.u53(offer.position).u8(REASONS.indexOf(offer.reason)))
}

export function decodeOffer(payload: Uint8Array): Offer | undefined {
  const reader = new ByteReader(payload)
  const position = reader.u53()
  const reason = REASONS[reader.u8()]
  return reader.done && reason !== undefined ? { position, reason } : undefined
}
