// The small frames of one link: keep-alive, acknowledgement, follow, and the words of a role change
// (docs/PROTOCOL.md sections 4 and 6).
import { ByteReader } from './bytes.ts'
import type { Reason } from './constants.ts'
import { FrameType, LEASE_MS_MAX, REASONS } from './constants.ts'
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

/** A primary that cannot reach the witness asks its secondary to let it go on. */
export interface LeaseAsk {
  /** Counts this process's questions. */
  number: number
  /** For how long, ms. */
  leaseMs: number
}

/** The answer. */
export interface LeaseBond {
  number: number
  /** The secondary will not take the lease for so long, and a hundredth of it, from now. */
  bound: boolean
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

/** KEEPALIVE, DENY and GOODBYE: a status block and nothing else. `epoch`: in DENY that of the claim. */
export function encodeStatusFrame(
  type: number,
  status: NodeStatus,
  epoch: number = status.epoch,
): Uint8Array {
  return sealFrame(writeStatus(beginFrame(type, epoch), status))
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

/** `revision`: the lease that the giver of the grant gives up with it; 0 if there is none. */
export function encodeGrant(epoch: number, revision: number): Uint8Array {
  return sealFrame(beginFrame(FrameType.GRANT, epoch, 0, 0, 40).u53(revision))
}

export function decodeGrant(payload: Uint8Array): { revision: number } | undefined {
  const reader = new ByteReader(payload)
  const revision = reader.u53()
  return reader.done ? { revision } : undefined
}

export function encodeLeaseAsk(epoch: number, { number, leaseMs }: LeaseAsk): Uint8Array {
  return sealFrame(beginFrame(FrameType.LEASE_ASK, epoch, 0, 0, 48).u53(number).f64(leaseMs))
}

export function decodeLeaseAsk(payload: Uint8Array): LeaseAsk | undefined {
  const reader = new ByteReader(payload)
  const ask = { number: reader.u53(), leaseMs: reader.f64() }
  return reader.done && ask.leaseMs > 0 && ask.leaseMs <= LEASE_MS_MAX ? ask : undefined
}

export function encodeLeaseBond(epoch: number, { number, bound }: LeaseBond): Uint8Array {
  return sealFrame(
    beginFrame(FrameType.LEASE_BOND, epoch, 0, 0, 48)
      .u53(number)
      .u8(bound ? 1 : 0),
  )
}

export function decodeLeaseBond(payload: Uint8Array): LeaseBond | undefined {
  const reader = new ByteReader(payload)
  const number = reader.u53()
  const bound = reader.u8()
  return reader.done && bound <= 1 ? { number, bound: bound === 1 } : undefined
}
