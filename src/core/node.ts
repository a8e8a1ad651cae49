// The sync thread's core: two links, one peer, one role. Sans-io: bytes, time and random numbers come in through
// handle…, actions and deadlines go out through takeActions and pollTimeout. After every handle… call take the actions
// and arm one timer for pollTimeout(); calling handleTimeout early or twice does no harm.

import type { Reason, RefusalName } from '../wire/constants.ts'
import { FORWARD_TYPE_MIN, FrameType } from '../wire/constants.ts'
import { decodeClaim, decodeOffer, decodeStatusFrame, encodeStatusFrame } from '../wire/control.ts'
import type { Frame } from '../wire/frame.ts'
import { FrameReader } from '../wire/frame.ts'
import { decodeHeartbeat, encodeHeartbeat } from '../wire/heartbeat.ts'
import type { Hello } from '../wire/hello.ts'
import { decodeHello, decodeRefused, encodeHello, encodeRefused } from '../wire/hello.ts'
import type { NodeStatus } from '../wire/status.ts'
import type { Action } from './actions.ts'
import { DeathWatch } from './death.ts'
import { Detector } from './detector.ts'
import { placeOf } from './election.ts'
import { Feed } from './feed.ts'
import { Handover } from './handover.ts'
import { helloRefusal } from './hello-check.ts'
import type { Connection } from './link.ts'
import { Link } from './link.ts'
import type { FromSync, SyncStatus, ToSync } from './messages.ts'
import type { CoreOptions } from './options.ts'
import { PROBE_INTERVAL_MS } from './options.ts'
import { Requests } from './requests.ts'
import { Roles } from './roles.ts'
import type { Core } from './state.ts'
import { NodeState, Peer } from './state.ts'
import { Timers } from './timers.ts'

type TimerName = 'tick' | 'hold-down' | 'probe-0' | 'probe-1' | 'dial-0' | 'dial-1'

export class NodeCore implements Core {
  readonly options: CoreOptions
  readonly place: 0 | 1
  readonly state: NodeState
  readonly peer = new Peer()
  readonly links: readonly [Link, Link] = [new Link(0), new Link(1)]
  readonly boundMs: number
  private actions: Action[] = []
  private readonly timers = new Timers<TimerName>()
  private readonly detector: Detector
  private readonly death: DeathWatch
  private readonly feed: Feed
  private readonly handover: Handover
  private readonly roles: Roles
  private readonly requests: Requests
  private readonly refusals: Record<string, number> = {}
  /** What pollTimeout last answered: the planned wake. */
  private planned: number | undefined

  constructor(options: CoreOptions, now: number) {
    this.options = options
    this.place = placeOf(options.id, options.peer)
    this.state = new NodeState(now, options.epochFloor)
    this.detector = new Detector(options)
    this.boundMs = this.detector.boundMs
    this.death = new DeathWatch(options.interval)
    this.feed = new Feed(this)
    this.handover = new Handover(this, this.feed)
    this.roles = new Roles(this, this.feed, this.handover)
    this.requests = new Requests(this, this.roles, this.handover)
    this.timers.set('tick', now + options.interval)
    this.timers.set('hold-down', this.roles.holdDownAt)
    if (this.place === 0) for (const link of this.links) this.dial(link)
    this.postStatus(now)
  }

  /** The smaller id dials and the larger listens, so two crossing connections never fight. */
  private get dials(): boolean {
    return this.place === 0
  }

  // ---- Core, for the parts

  act(action: Action): void {
    this.actions.push(action)
  }

  post(message: FromSync): void {
    this.actions.push({ type: 'post', message })
  }

  send(link: Link, frame: Uint8Array, now: number): void {
    if (link.stream === undefined) return
    link.handleSent(frame.length, now)
    this.actions.push({ type: 'send', stream: link.stream.id, bytes: frame })
  }

  broadcast(frame: Uint8Array, now: number): void {
    for (const link of this.links) this.send(link, frame, now)
  }

  refuse(link: Link, reason: RefusalName, now: number): void {
    if (link.stream !== undefined) this.refuseConnection(link, link.stream, reason, now)
  }

  count(name: string): void {
    this.refusals[name] = (this.refusals[name] ?? 0) + 1
  }

  statusAt(now: number): NodeStatus {
    const { state, options } = this
    const isPrimary = state.role === 'primary'
    let hears = 0
    for (const link of this.links) if (link.hears(now, this.boundMs)) hears |= 1 << link.index
    return {
      incarnation: options.incarnation,
      lineage: state.lineage,
      epoch: state.epoch,
      heardEpoch: Math.max(state.heardEpoch, state.granted),
      sequence: this.feed.position,
      role: state.role,
      complete: state.complete,
      synced: isPrimary ? state.isProtected && this.feed.feedsSynced : this.feed.isSynced,
      fenced: isPrimary && !state.open,
      manual: options.mode === 'manual',
      hears,
      failed: 0,
      priority: options.priority,
      sessions: state.sessions,
      uptimeMs: now - state.startedAt,
      lineageAgeMs: state.lineageBornAt === 0 ? 0 : Math.max(0, now - state.lineageBornAt),
      progressAgeMs: state.progressAgeMs(now),
    }
  }

  // ---- Output

  takeActions(): Action[] {
    const actions = this.actions
    this.actions = []
    return actions
  }

  /** When handleTimeout is to be called, ms. */
  pollTimeout(): number {
    let next = this.timers.next() ?? Number.POSITIVE_INFINITY
    if (this.peer.alive) {
      next = Math.min(next, this.detector.deadline ?? next, this.death.deadline ?? next)
    }
    this.planned = next
    return next
  }

  // ---- Time

  handleTimeout(now: number): void {
    if (this.planned !== undefined && now >= this.planned) this.detector.handleWake(this.planned, now)
    this.timers.due('hold-down', now)
    for (const link of this.links) {
      if (this.timers.due(`dial-${link.index as 0 | 1}`, now) && link.stream === undefined) this.dial(link)
      if (this.timers.due(`probe-${link.index as 0 | 1}`, now) && this.death.wantsProbe(link.index)) {
        this.act({ type: 'probe', link: link.index })
      }
    }
    if (this.timers.due('tick', now)) this.handleTick(now)
    this.judge(now)
    this.settle(now)
  }

  private handleTick(now: number): void {
    const { interval } = this.options
    this.timers.set('tick', now + interval)
    for (const link of this.links) {
      for (const late of link.expired(now)) this.refuseConnection(link, late, 'hello-late', now)
      if (link.isStreamSilent(now, this.boundMs)) this.closeConnection(link, link.stream!, 'silent', now)
      this.sayHeartbeat(link, now)
      if (link.stream !== undefined && link.isIdle(now, interval)) {
        this.send(link, encodeStatusFrame(FrameType.KEEPALIVE, this.statusAt(now)), now)
      }
    }
    this.roles.handleTick(now)
    this.handover.handleTick(now)
    this.requests.handleTick(now)
    if (this.state.role === 'primary' && this.state.progressAgeMs(now) > this.options.stallTimeoutMs) {
      this.handover.beginStalled(now)
    }
    this.postStatus(now)
  }

  private sayHeartbeat(link: Link, now: number): void {
    const key = this.peer.key
    if (key === undefined || this.peer.left) return
    const heartbeat = {
      link: link.index,
      place: this.place,
      counter: link.counter++,
      sentAt: now,
      ...link.echoFor(now),
      status: this.statusAt(now),
    }
    this.act({ type: 'datagram', link: link.index, bytes: encodeHeartbeat(heartbeat, key, this.options.mac) })
  }

  /** The progress counter of the application thread, read by the caller before handleTimeout. */
  handleProgress(progress: number, now: number): void {
    this.state.handleProgress(progress, now)
  }

  private judge(now: number): void {
    if (!this.peer.alive) return
    if (this.options.fastDetection && this.death.isDead(now)) this.losePeer('peer-died', now)
    else if (this.detector.isSilent(now)) this.losePeer('peer-silent', now)
  }

  private losePeer(reason: Reason, now: number): void {
    const since = now - this.detector.silenceMs(now)
    this.peer.alive = false
    this.detector.forget()
    this.death.forget()
    this.post({ type: 'peer', alive: false })
    this.roles.handlePeerLost(reason, since, now)
  }

  private handleLife(now: number): void {
    if (this.peer.left) return
    this.detector.handleLife(now)
    this.death.handleLife(now)
    if (this.peer.alive) return
    this.peer.alive = true
    this.post({ type: 'peer', alive: true })
  }

  // ---- Connections

  private dial(link: Link): void {
    if (link.dialling || this.state.role === 'stopped') return
    link.dialling = true
    this.act({ type: 'dial', link: link.index })
  }

  private scheduleDial(link: Link, now: number): void {
    if (!this.dials) return
    link.scheduleDial(now, this.options.random)
    this.timers.set(`dial-${link.index as 0 | 1}`, link.redialAt!)
  }

  /** A dial came to nothing. `refused`: the port said no, so nobody listens there. */
  handleDialFailed(index: number, refused: boolean, reason: string, now: number): void {
    const link = this.links[index]!
    link.lastReason = reason
    this.scheduleDial(link, now)
    if (refused) this.death.handleRefused(index)
    this.judge(now)
    this.settle(now)
  }

  /** Outcome of a probe. */
  handleProbe(index: number, refused: boolean, now: number): void {
    if (refused) this.death.handleRefused(index)
    else this.death.handleAccepted(index)
    if (this.death.wantsProbe(index)) this.timers.set(`probe-${index as 0 | 1}`, now + PROBE_INTERVAL_MS)
    this.judge(now)
    this.settle(now)
  }

  /** A connection of a link is open (TLS done, where there is TLS). `stream` is a number of the caller's choice. */
  handleStreamOpen(index: number, stream: number, now: number): void {
    const link = this.links[index]!
    link.dialling = false
    const connection = link.handleOpen(stream, now)
    if (connection === undefined) {
      this.count('too-many')
      this.act({ type: 'close', stream, reason: 'too-many' })
      return
    }
    const { options } = this
    const hello: Hello = {
      cluster: options.cluster,
      id: options.id,
      link: index,
      contribution: options.contribution,
      heartbeatInterval: options.interval,
      heartbeatLost: options.lost,
      tables: options.tables,
      status: this.statusAt(now),
    }
    this.act({ type: 'send', stream, bytes: encodeHello(hello) })
  }

  /** Bytes arrived on a connection. */
  handleStream(index: number, stream: number, bytes: Uint8Array, now: number): void {
    const link = this.links[index]!
    const connection = link.find(stream)
    if (connection === undefined) return
    const refusal = connection.reader.push(bytes, (frame) => this.handleFrame(link, connection, frame, now))
    if (refusal !== undefined) this.refuseConnection(link, connection, refusal, now)
    else if (connection.proven && link.stream === connection) {
      link.handleStreamLife(bytes.length, now)
      this.handleLife(now)
    }
    this.settle(now)
  }

  /** The caller has handed this many bytes of a link's connection to the system. */
  handleFlushed(index: number, stream: number, bytes: number, now: number): void {
    const link = this.links[index]!
    if (link.stream?.id !== stream) return
    link.handleFlushed(bytes)
    this.feed.pump(now)
  }

  /** A connection ended that this core did not close. */
  handleStreamClosed(index: number, stream: number, reason: string, now: number): void {
    const link = this.links[index]!
    const up: [boolean, boolean] = [this.links[0].stream !== undefined, this.links[1].stream !== undefined]
    const wasProven = link.forget(stream)
    link.lastReason = link.lastReason || reason
    if (wasProven) {
      this.feed.handleLinkDown(link)
      this.noticeLink(link, now)
      if (this.peer.alive) {
        this.death.handleEnd(index, up, now)
        this.act({ type: 'probe', link: index })
      }
    }
    if (link.stream === undefined) this.scheduleDial(link, now)
    this.settle(now)
  }

  private closeConnection(link: Link, connection: Connection, reason: string, now: number): void {
    const wasProven = link.forget(connection.id)
    this.act({ type: 'close', stream: connection.id, reason })
    link.lastReason = reason
    this.count(reason)
    if (wasProven) {
      this.feed.handleLinkDown(link)
      this.noticeLink(link, now)
    }
    if (link.stream === undefined) this.scheduleDial(link, now)
  }

  private refuseConnection(link: Link, connection: Connection, reason: RefusalName, now: number): void {
    this.act({ type: 'send', stream: connection.id, bytes: encodeRefused(reason) })
    this.closeConnection(link, connection, reason, now)
  }

  // ---- Frames

  private handleFrame(
    link: Link,
    connection: Connection,
    frame: Frame,
    now: number,
  ): RefusalName | undefined {
    if (frame.type === FrameType.REFUSED) {
      link.lastReason = `refused by peer: ${decodeRefused(frame.payload)}`
      this.count(`peer-refused-${decodeRefused(frame.payload)}`)
      return undefined
    }
    if (frame.type === FrameType.HELLO) {
      if (connection.proven) return 'hello-expected'
      const hello = decodeHello(frame.payload)
      if (hello === undefined) return 'malformed'
      return this.handleHello(link, connection, hello, now)
    }
    if (!connection.proven) return 'hello-expected'
    if (frame.type >= FORWARD_TYPE_MIN) return this.feed.handleSequenced(frame, now)
    return this.handleControl(frame, now)
  }

  private handleHello(
    link: Link,
    connection: Connection,
    hello: Hello,
    now: number,
  ): RefusalName | undefined {
    const refusal = helloRefusal(hello, this.options, link.index)
    if (refusal !== undefined) return refusal
    if (hello.status.incarnation !== this.peer.incarnation) this.replacePeer(hello, now)
    else this.peer.handleStatus(hello.status)
    this.state.hear(Math.max(hello.status.epoch, hello.status.heardEpoch))
    const replaced = link.prove(connection, now)
    connection.reader = new FrameReader()
    if (replaced !== undefined) this.act({ type: 'close', stream: replaced.id, reason: 'replaced' })
    this.death.forget()
    this.handleLife(now)
    this.noticeLink(link, now)
    this.feed.handleLinkUp(link, now)
    return undefined
  }

  /** Another process speaks under the peer's id: everything that belonged to the old one is over. */
  private replacePeer(hello: Hello, now: number): void {
    const { options, place } = this
    const mine = options.contribution
    const theirs = hello.contribution
    const key = options.mac(place === 0 ? mine : theirs, place === 0 ? theirs : mine)
    const known = this.peer.incarnation !== ''
    this.peer.replace(hello, key)
    for (const link of this.links) {
      link.resetHeartbeats()
      if (link.stream !== undefined) this.closeConnection(link, link.stream, 'replaced', now)
    }
    if (!known) return
    this.feed.detach()
    if (this.state.role === 'primary') this.post({ type: 'detach' })
    this.roles.handlePeerReplaced()
    this.handover.handlePeerLost(now)
  }

  private handleControl(frame: Frame, now: number): RefusalName | undefined {
    switch (frame.type) {
      case FrameType.KEEPALIVE:
      case FrameType.DENY:
      case FrameType.GOODBYE: {
        const status = decodeStatusFrame(frame.payload)
        if (status === undefined) return 'malformed'
        this.hearStatus(status)
        if (frame.type === FrameType.DENY) this.roles.handleDeny(now)
        if (frame.type === FrameType.GOODBYE) this.handleGoodbye(now)
        return undefined
      }
      case FrameType.ACK:
        return this.feed.handleAck(frame, now)
      case FrameType.FOLLOW:
        return this.feed.handleFollow(frame, now)
      case FrameType.CLAIM: {
        const claim = decodeClaim(frame.epoch, frame.payload)
        if (claim === undefined) return 'malformed'
        this.hearStatus(claim.status)
        this.roles.handleClaim(claim, now)
        return undefined
      }
      case FrameType.GRANT:
        this.roles.handleGrant(frame.epoch, now)
        return undefined
      case FrameType.OFFER: {
        const offer = decodeOffer(frame.payload)
        if (offer === undefined) return 'malformed'
        this.roles.handleOffer(offer, frame.epoch, now)
        return undefined
      }
      default:
        return 'malformed'
    }
  }

  private hearStatus(status: NodeStatus): void {
    if (!this.peer.handleStatus(status)) return
    this.state.hear(Math.max(status.epoch, status.heardEpoch))
  }

  private handleGoodbye(now: number): void {
    if (this.peer.left) return
    this.peer.left = true
    if (this.peer.alive) this.losePeer('peer-left', now)
    if (this.state.role === 'primary') {
      this.feed.detach()
      this.post({ type: 'detach' })
    }
  }

  /** A datagram arrived on a link's heartbeat socket, from whomever. */
  handleDatagram(index: number, bytes: Uint8Array, now: number): void {
    const key = this.peer.key
    if (key === undefined) {
      this.count('heartbeat-no-key')
      return
    }
    const heartbeat = decodeHeartbeat(bytes, key, this.options.mac)
    if (typeof heartbeat === 'string') {
      this.count(`heartbeat-${heartbeat}`)
      return
    }
    const refusal = this.heartbeatRefusal(index, heartbeat, now)
    if (refusal !== undefined) {
      this.count(refusal)
      return
    }
    this.hearStatus(heartbeat.status)
    this.handleLife(now)
    this.settle(now)
  }

  private heartbeatRefusal(
    index: number,
    heartbeat: Exclude<ReturnType<typeof decodeHeartbeat>, string>,
    now: number,
  ): string | undefined {
    if (heartbeat.place === this.place) return 'heartbeat-reflected'
    if (heartbeat.link !== index) return 'heartbeat-link'
    const { counter, sentAt, echo, heldMs } = heartbeat
    if (!this.links[index]!.handleHeartbeat(counter, sentAt, echo, heldMs, now)) return 'heartbeat-replayed'
    return undefined
  }

  // ---- The application thread

  handleLocal(message: ToSync, now: number): void {
    switch (message.type) {
      case 'frame':
        this.feed.handleLocalFrame(message.frame, now)
        break
      case 'applied':
        this.feed.handleApplied(message.attach, message.applied, message.awaited)
        break
      case 'sessions':
        this.state.sessions = message.sessions
        break
      case 'protected':
        this.state.isProtected = message.value
        break
      case 'flushed':
        this.handover.handleFlushed(message.token, message.sequence, now)
        break
      case 'handover':
        this.handover.begin('handover', message.request, now)
        break
      case 'promote':
        this.requests.handlePromote(message.request, message.force, now)
        break
      case 'close':
        this.requests.handleClose(message.request, now)
        break
    }
    this.settle(now)
  }

  // ---- After every event

  private settle(now: number): void {
    this.roles.decide(now)
    this.handover.settle()
    this.requests.settle(now)
    this.feed.flushAck(now)
    this.feed.pump(now)
  }

  private noticeLink(link: Link, now: number): void {
    const up = link.stream !== undefined
    if (up === link.wasUp) return
    link.wasUp = up
    this.post({ type: 'link', link: link.index, up, reason: link.lastReason })
    this.postStatus(now)
  }

  private postStatus(now: number): void {
    this.post({ type: 'status', status: this.syncStatus(now) })
  }

  private syncStatus(now: number): SyncStatus {
    const { state, peer, options } = this
    const status = peer.status
    return {
      role: state.role,
      epoch: state.epoch,
      lineage: state.lineage,
      reason: state.reason,
      peer:
        status === undefined
          ? null
          : {
              id: options.peer,
              role: peer.left ? 'stopped' : status.role,
              incarnation: status.incarnation,
              synced: peer.alive && (state.role === 'primary' ? this.feed.feedsSynced : status.synced),
              alive: peer.alive,
            },
      links: [
        this.links[0].status(now, options.interval, this.boundMs),
        this.links[1].status(now, options.interval, this.boundMs),
      ],
      refusals: { ...this.refusals },
    }
  }
}
