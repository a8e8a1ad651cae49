// Feeding a secondary: who follows whom, the attachment, and the two sequences (forward: batches, images, verdicts;
// reverse: digests, requests). Frames are made and applied on the application thread; this part numbers nothing and
// reads no payload but RESYNC's, it moves frames over both links, each once, in order. docs/PROTOCOL.md section 6.

import type { RefusalName } from '../wire/constants.ts'
import { FORWARD_TYPE_MIN, FrameType, REVERSE_TYPE_MIN } from '../wire/constants.ts'
import type { Ack } from '../wire/control.ts'
import { AWAITED_UNKNOWN, decodeAck, decodeFollow, encodeAck, encodeFollow } from '../wire/control.ts'
import type { Frame } from '../wire/frame.ts'
import { parseFrame } from '../wire/frame.ts'
import { readResync } from '../wire/sequenced.ts'
import type { NodeStatus } from '../wire/status.ts'
import type { Link } from './link.ts'
import type { ToSync } from './messages.ts'
import { FRAME_COST_BYTES, UNAPPLIED_BYTES_MAX } from './options.ts'
import { LinkChoice } from './sending.ts'
import type { Core } from './state.ts'
import { ReceiveStream, SendStream } from './stream.ts'

interface Following {
  readonly epoch: number
  readonly lineage: string
  readonly incarnation: string
}

interface Fed {
  readonly incarnation: string
  /** Follow number answered. */
  readonly follow: number
}

export class Feed {
  private readonly core: Core
  private readonly outgoing = new SendStream()
  private readonly incoming = new ReceiveStream()
  private readonly choice = new LinkChoice()
  /** Sequence of the RESYNC frame both nodes are attached by; 0 = not attached. */
  attach = 0
  private ackDue = false
  /** Primary: the secondary being fed. */
  private fed: Fed | undefined
  private ack: Ack | undefined
  /** Primary: the peer has said that it follows this reign. */
  private isFollowed = false
  /** Primary: whether nobody is fed, because who leads may change yet (src/core/choice.ts). */
  isHeld = () => false
  /** Number of the FOLLOW that waits for that. */
  private held: number | undefined
  /** Secondary: the primary being followed. */
  following: Following | undefined
  private followNumber = 0
  applied = 0
  awaited: number = AWAITED_UNKNOWN
  private acknowledged = 0
  private unapplied: { sequence: number; bytes: number }[] = []
  private unappliedBytes = 0
  private lastPosition = 0
  /** Secondary: sequence of the last PARTIAL frame received; the tables are a mix until something later is applied. */
  private partial = 0

  constructor(core: Core) {
    this.core = core
    this.lastPosition = core.options.loaded?.standing.sequence ?? 0
  }

  /** Last sequence produced (primary) or applied (secondary); kept when an attachment ends. */
  get position(): number {
    if (this.attach === 0) return this.lastPosition
    return this.core.state.role === 'primary' ? this.outgoing.last : this.applied
  }

  /** Last sequence received of the followed epoch. */
  get received(): number {
    return this.incoming.received
  }

  /** Primary: the living secondary awaits nothing. */
  get feedsSynced(): boolean {
    return this.attach !== 0 && this.core.peer.alive && this.ack?.awaited === 0
  }

  /** Secondary: everything up to the last applied frame is one state of a living primary. */
  get isSynced(): boolean {
    return this.attach !== 0 && this.awaited === 0 && this.core.peer.alive && this.core.state.complete
  }

  /** Ends whatever attachment there is; the next one starts from nothing. */
  detach(): void {
    this.lastPosition = this.position
    this.outgoing.reset(1)
    this.incoming.reset(0)
    this.attach = 0
    this.ackDue = false
    this.fed = undefined
    this.held = undefined
    this.isFollowed = false
    this.ack = undefined
    this.following = undefined
    this.applied = 0
    this.awaited = AWAITED_UNKNOWN
    this.acknowledged = 0
    this.partial = 0
    this.unapplied = []
    this.unappliedBytes = 0
  }

  /** A new reign of this node: positions count from nothing. */
  beginReign(): void {
    this.detach()
    this.lastPosition = 0
  }

  /** Secondary: start to follow the peer, which says that it is primary. */
  follow(now: number): void {
    const status = this.core.peer.status!
    if (this.attach !== 0) this.core.post({ type: 'detach' })
    this.detach()
    this.following = { epoch: status.epoch, lineage: status.lineage, incarnation: status.incarnation }
    this.followNumber++
    for (const link of this.core.links) this.sayFollow(link, now)
  }

  private sayFollow(link: Link, now: number): void {
    if (this.following === undefined) return
    const follow = { number: this.followNumber, attach: this.attach, received: this.incoming.received }
    this.core.send(link, encodeFollow(this.following.epoch, follow), now)
  }

  /**
   * A link has a proven stream. What was acknowledged last may have been lost with the one before, and a peer that waits
   * for it sends nothing that would have it said again.
   */
  handleLinkUp(link: Link, now: number): void {
    this.sayFollow(link, now)
    if (this.attach === 0) return
    this.outgoing.open(link.index)
    this.ackDue = true
  }

  handleLinkDown(link: Link): void {
    this.outgoing.close(link.index)
  }

  /**
   * In mode 'witness' the followed primary may step down with nobody in its place, in this reign or in one of its own that
   * was missed: then there is no primary to be synced with.
   */
  handleLeaderless(status: NodeStatus): void {
    const { following, core } = this
    if (core.options.mode !== 'witness' || following?.incarnation !== status.incarnation) return
    if (status.epoch < following.epoch) return
    this.detach()
    core.post({ type: 'detach' })
  }

  /** Primary: a node asks to be fed, or says how far it got before a link was lost. */
  handleFollow(frame: Frame, now: number): RefusalName | undefined {
    const follow = decodeFollow(frame.payload)
    if (follow === undefined) return 'malformed'
    const { state, peer, options } = this.core
    if (state.role !== 'primary' || frame.epoch !== state.epoch) {
      this.core.count('follow-of-other-epoch')
      return undefined
    }
    const tooSmall = options.tables.some((table, i) => {
      const theirs = peer.hello?.tables[i]
      return theirs === undefined || theirs.capacity < table.capacity || theirs.arena < table.arena
    })
    if (tooSmall) return 'capacity'
    if (this.fed?.incarnation === peer.incarnation && follow.number <= this.fed.follow) {
      if (follow.number === this.fed.follow && follow.attach === this.attach && this.attach !== 0) {
        if (!this.outgoing.handleAck(follow.received)) return 'sequence'
        this.pump(now)
      }
      return undefined
    }
    this.lastPosition = this.position
    this.fed = undefined
    this.isFollowed = false
    this.attach = 0
    this.ack = undefined
    this.outgoing.close(0)
    this.outgoing.close(1)
    this.held = follow.number
    if (!this.isHeld()) this.release()
    return undefined
  }

  /** Primary: who waits to be fed need not wait any more. */
  release(): void {
    const { held: follow, core } = this
    if (follow === undefined || core.state.role !== 'primary') return
    this.held = undefined
    this.fed = { incarnation: core.peer.incarnation, follow }
    core.post({ type: 'attach', epoch: core.state.epoch, follow })
  }

  /**
   * Primary: a secondary that says it is something else has left, though its last acknowledgement stands: streams can
   * stall while heartbeats pass. Only news later than that it followed count; it comes back by another FOLLOW.
   */
  handlePeerStatus(status: NodeStatus): void {
    const { state } = this.core
    if (state.role !== 'primary' || this.attach === 0) return
    if (status.role === 'secondary' && status.epoch === state.epoch) this.isFollowed = true
    else if (this.isFollowed) {
      this.detach()
      this.core.post({ type: 'detach' })
    }
  }

  /** A frame the application thread made. Frames of an attachment that is over are dropped. */
  handleLocalFrame(bytes: Uint8Array, now: number): void {
    const frame = parseFrame(bytes)
    if (typeof frame === 'string') throw new Error(`own frame is ${frame}`)
    const { state } = this.core
    if (frame.epoch !== state.epoch) return
    const forward = frame.type < REVERSE_TYPE_MIN
    if (forward !== (state.role === 'primary')) return
    if (frame.type === FrameType.RESYNC) {
      if (this.fed === undefined || readResync(frame.payload)?.follow !== this.fed.follow) return
      this.openAttachment(frame.sequence, frame.sequence)
      this.incoming.reset(0)
      this.ack = undefined
    } else if (frame.attach !== this.attach || this.attach === 0) {
      return
    }
    this.outgoing.push(frame.sequence, bytes)
    this.pump(now)
  }

  private openAttachment(attach: number, firstOutgoing: number): void {
    this.attach = attach
    this.outgoing.reset(firstOutgoing)
    this.choice.begin(this.core.links)
    for (const link of this.core.links) if (link.stream !== undefined) this.outgoing.open(link.index)
  }

  /** A frame of the peer's sequence arrived on a link. */
  handleSequenced(frame: Frame, now: number): RefusalName | undefined {
    const forward = frame.type >= FORWARD_TYPE_MIN && frame.type < REVERSE_TYPE_MIN
    return forward ? this.handleForward(frame, now) : this.handleReverse(frame)
  }

  private handleForward(frame: Frame, now: number): RefusalName | undefined {
    if (this.following === undefined || frame.epoch !== this.following.epoch) {
      this.core.count('frame-of-other-epoch')
      return undefined
    }
    if (frame.type === FrameType.RESYNC) return this.handleResync(frame, now)
    if (frame.attach !== this.attach || this.attach === 0) {
      this.core.count('frame-of-other-attachment')
      return undefined
    }
    return this.take(frame)
  }

  private handleResync(frame: Frame, now: number): RefusalName | undefined {
    const resync = readResync(frame.payload)
    if (resync === undefined || frame.attach !== frame.sequence || frame.sequence === 0) return 'malformed'
    const { tables } = this.core.options
    if (resync.capacities.length !== tables.length) return 'malformed'
    if (tables.some((table, i) => resync.capacities[i]! > table.capacity)) return 'capacity'
    if (resync.follow !== this.followNumber) {
      this.core.count('frame-of-other-attachment')
      return undefined
    }
    if (frame.sequence <= this.incoming.received) return undefined
    const { state, peer } = this.core
    const following = this.following!
    this.openAttachment(frame.sequence, 1)
    this.incoming.reset(frame.sequence - 1)
    this.awaited = AWAITED_UNKNOWN
    this.partial = 0
    this.unapplied = []
    this.unappliedBytes = 0
    state.complete = false
    state.epoch = following.epoch
    state.giveWay(false)
    state.lineage = following.lineage
    state.lineageBornAt = now - (peer.status?.lineageAgeMs ?? 0)
    return this.take(frame)
  }

  private handleReverse(frame: Frame): RefusalName | undefined {
    const { state } = this.core
    if (state.role !== 'primary' || frame.epoch !== state.epoch || frame.attach !== this.attach) {
      this.core.count('frame-of-other-attachment')
      return undefined
    }
    return this.take(frame)
  }

  private take(frame: Frame): RefusalName | undefined {
    const copy = this.incoming.accept(frame.sequence)
    if (copy === 'gap') return 'sequence'
    if (copy === 'known') return undefined
    if (this.core.state.role !== 'primary') {
      if (frame.type === FrameType.PARTIAL) {
        this.partial = frame.sequence
        this.core.state.complete = false
      }
      const bytes = frame.bytes.length + FRAME_COST_BYTES
      this.unapplied.push({ sequence: frame.sequence, bytes })
      this.unappliedBytes += bytes
    }
    this.ackDue = true
    this.core.post({ type: 'frame', frame: frame.bytes.slice() })
    return undefined
  }

  handleAck(frame: Frame, now: number): RefusalName | undefined {
    const ack = decodeAck(frame.payload)
    if (ack === undefined) return 'malformed'
    const { state } = this.core
    if (frame.epoch !== state.epoch || frame.attach !== this.attach || this.attach === 0) {
      this.core.count('frame-of-other-attachment')
      return undefined
    }
    if (!this.outgoing.handleAck(ack.received)) return 'sequence'
    if (state.role === 'primary' && isNewer(ack, this.ack)) {
      this.ack = ack
      this.core.post({ type: 'ack', attach: this.attach, ...ack })
    }
    this.pump(now)
    return undefined
  }

  /**
   * Secondary: the application thread has applied up to here. What it says of an earlier reign may still be under way,
   * and attachments of two reigns often have the same number.
   */
  handleApplied({ epoch, attach, applied, awaited }: Extract<ToSync, { type: 'applied' }>): void {
    if (this.attach === 0 || attach !== this.attach || epoch !== this.following?.epoch) return
    this.applied = applied
    this.awaited = awaited
    this.core.state.complete = awaited === 0 && applied >= this.partial
    let count = 0
    while (count < this.unapplied.length && this.unapplied[count]!.sequence <= applied) {
      this.unappliedBytes -= this.unapplied[count]!.bytes
      count++
    }
    this.unapplied.splice(0, count)
    this.ackDue = true
  }

  /** Each frame goes on both links, or on one. */
  private get isRedundant(): boolean {
    if (this.core.options.sending === 'single') return false
    return this.core.state.role === 'primary' ? this.feedsSynced : this.isSynced
  }

  /** Fills every link up to its bound; a link without room does not hold back the other. */
  pump(now: number): void {
    if (this.attach === 0) return
    const { core, outgoing } = this
    const { interval } = core.options
    const one = this.choice.choose(core.links, outgoing.isWaiting, outgoing.acknowledged, interval, now)
    const both = this.isRedundant
    for (const link of core.links) {
      if (!both && link.index !== one) continue
      while (link.stream !== undefined && link.hasRoom) {
        const frame = this.outgoing.poll(link.index)
        if (frame === undefined) break
        this.core.send(link, frame, now)
      }
    }
  }

  /**
   * Says how far this side got. A secondary whose application thread stands still, or is far behind, acknowledges
   * nothing new: what it holds could not be applied by a promotion.
   */
  flushAck(now: number): void {
    if (!this.ackDue || this.attach === 0) return
    const { state, options } = this.core
    const able =
      state.role === 'primary' ||
      (state.progressAgeMs(now) < options.stallTimeoutMs && this.unappliedBytes < UNAPPLIED_BYTES_MAX)
    if (!able) return
    this.acknowledged = this.incoming.received
    this.ackDue = false
    const isPrimary = state.role === 'primary'
    const ack: Ack = {
      received: this.acknowledged,
      applied: isPrimary ? this.acknowledged : Math.min(this.applied, this.acknowledged),
      awaited: isPrimary ? 0 : this.awaited,
    }
    this.core.broadcast(encodeAck(state.epoch, this.attach, ack), now)
  }
}

/** Acknowledgements come twice, over two links; an older copy must not undo a newer one. */
function isNewer(ack: Ack, last: Ack | undefined): boolean {
  if (last === undefined) return true
  if (ack.received < last.received || ack.applied < last.applied) return false
  return ack.received !== last.received || ack.applied !== last.applied || ack.awaited !== last.awaited
}
