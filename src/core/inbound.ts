// Frames of the peer to whom they belong: hello and refusals to the connections, sequenced frames to the feed, words
// about roles to the roles. Nothing but hello is heard on a connection that has not proved itself.

import type { RefusalName } from '../wire/constants.ts'
import { FORWARD_TYPE_MIN, FrameType } from '../wire/constants.ts'
import { decodeClaim, decodeGrant, decodeOffer, decodeStatusFrame } from '../wire/control.ts'
import type { Frame } from '../wire/frame.ts'
import type { Hello } from '../wire/hello.ts'
import { decodeHello, decodeRefused } from '../wire/hello.ts'
import type { NodeStatus } from '../wire/status.ts'
import type { Connections } from './connections.ts'
import { detailed, REFUSED_BY_PEER } from './connections.ts'
import type { Feed } from './feed.ts'
import type { Handover } from './handover.ts'
import { commonWith, helloRefusal } from './hello-check.ts'
import type { Leasing } from './leasing.ts'
import type { Connection, Link } from './link.ts'
import type { Roles } from './roles.ts'
import type { Core } from './state.ts'
import type { Vitals } from './vitals.ts'
import { heartbeatKey } from './vitals.ts'

export interface InboundParts {
  readonly connections: Connections
  readonly vitals: Vitals
  readonly feed: Feed
  readonly handover: Handover
  readonly roles: Roles
  readonly leasing: Leasing
}

export class Inbound {
  private readonly core: Core
  private readonly parts: InboundParts

  constructor(core: Core, parts: InboundParts) {
    this.core = core
    this.parts = parts
  }

  /** A frame of a connection; a refusal ends the connection. */
  handleFrame(link: Link, connection: Connection, frame: Frame, now: number): RefusalName | undefined {
    if (frame.type === FrameType.REFUSED) {
      const { reason, detail } = decodeRefused(frame.payload)
      link.lastReason = detailed(`${REFUSED_BY_PEER}${reason}`, detail)
      this.core.count(`peer-refused-${reason}`)
      return undefined
    }
    if (frame.type === FrameType.HELLO) {
      if (connection.proven) return 'hello-expected'
      const hello = decodeHello(frame.payload)
      return hello === undefined ? 'malformed' : this.handleHello(link, connection, hello, now)
    }
    if (!connection.proven) return 'hello-expected'
    if (frame.type >= FORWARD_TYPE_MIN) return this.parts.feed.handleSequenced(frame, now)
    return this.handleControl(frame, now)
  }

  private handleHello(
    link: Link,
    connection: Connection,
    hello: Hello,
    now: number,
  ): RefusalName | undefined {
    const refusal = helloRefusal(hello, this.core.options, link.index)
    if (refusal !== undefined) {
      connection.fault = refusal.detail
      return refusal.reason
    }
    if (hello.status.incarnation !== this.core.peer.incarnation) {
      this.replacePeer(hello, now)
      this.core.post({ type: 'common', tables: commonWith(hello, this.core.options) })
    } else this.core.peer.handleStatus(hello.status, now)
    this.core.state.hear(Math.max(hello.status.epoch, hello.status.heardEpoch))
    this.parts.connections.prove(link, connection, now)
    this.parts.vitals.handleProven(now)
    this.parts.feed.handleLinkUp(link, now)
    return undefined
  }

  /** Another process speaks under the peer's id: everything that belonged to the old one is over. */
  private replacePeer(hello: Hello, now: number): void {
    const known = this.core.peer.incarnation !== ''
    this.core.peer.replace(hello, heartbeatKey(this.core, hello.contribution), now)
    for (const link of this.core.links) {
      link.resetHeartbeats()
      if (link.stream !== undefined) this.parts.connections.close(link, link.stream, 'replaced', now)
    }
    if (!known) return
    this.parts.feed.detach()
    this.core.post({ type: 'detach' })
    this.parts.roles.handlePeerReplaced(now)
    this.parts.handover.handlePeerLost(now)
  }

  private handleControl(frame: Frame, now: number): RefusalName | undefined {
    switch (frame.type) {
      case FrameType.KEEPALIVE:
      case FrameType.DENY:
      case FrameType.GOODBYE: {
        const status = decodeStatusFrame(frame.payload)
        if (status === undefined) return 'malformed'
        this.hearStatus(status, now)
        if (frame.type === FrameType.DENY) this.parts.roles.handleDeny(frame.epoch, now)
        if (frame.type === FrameType.GOODBYE) this.handleGoodbye(now)
        return undefined
      }
      case FrameType.ACK:
        return this.parts.feed.handleAck(frame, now)
      case FrameType.FOLLOW:
        return this.parts.feed.handleFollow(frame, now)
      case FrameType.CLAIM: {
        const claim = decodeClaim(frame.epoch, frame.payload)
        if (claim === undefined) return 'malformed'
        this.hearStatus(claim.status, now)
        this.parts.roles.handleClaim(claim, now)
        return undefined
      }
      case FrameType.GRANT: {
        const grant = decodeGrant(frame.payload)
        if (grant === undefined) return 'malformed'
        this.parts.roles.handleGrant(frame.epoch, grant.revision, now)
        return undefined
      }
      case FrameType.LEASE_ASK:
        return this.parts.leasing.handleAsk(frame.payload, now)
      case FrameType.LEASE_BOND:
        return this.parts.leasing.handleBond(frame.payload, now)
      case FrameType.OFFER: {
        const offer = decodeOffer(frame.payload)
        if (offer === undefined) return 'malformed'
        this.parts.roles.handleOffer(offer, frame.epoch, now)
        return undefined
      }
      default:
        return 'malformed'
    }
  }

  /** What the peer says of itself, on whichever way. */
  hearStatus(status: NodeStatus, now: number): void {
    if (!this.core.peer.handleStatus(status, now)) return
    this.core.state.hear(Math.max(status.epoch, status.heardEpoch))
    this.parts.feed.handlePeerStatus(status)
  }

  private handleGoodbye(now: number): void {
    if (this.core.peer.left) return
    this.core.peer.left = true
    if (this.core.peer.alive) this.parts.vitals.lose('peer-left', now)
    if (this.core.state.role !== 'primary') return
    this.parts.feed.detach()
    this.core.post({ type: 'detach' })
  }
}
