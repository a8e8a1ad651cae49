// The sync thread's core: two links, one peer, one role. Sans-io: bytes, time and random numbers come in through
// handle…, actions and deadlines go out through takeActions and pollTimeout. After every handle… call take the actions
// and arm one timer for pollTimeout(); calling handleTimeout early or twice does no harm.

import { FrameType } from '../wire/constants.ts'
import { encodeStatusFrame } from '../wire/control.ts'
import type { Hello } from '../wire/hello.ts'
import { encodeHello } from '../wire/hello.ts'
import type { NodeStatus } from '../wire/status.ts'
import type { Action } from './actions.ts'
import type { LinkTimer } from './connections.ts'
import { Connections } from './connections.ts'
import { placeOf } from './election.ts'
import { Feed } from './feed.ts'
import { FreezeGuard } from './freeze.ts'
import { Handover } from './handover.ts'
import { Inbound } from './inbound.ts'
import { Leasing } from './leasing.ts'
import { Link } from './link.ts'
import type { FromSync, ToSync } from './messages.ts'
import type { CoreOptions } from './options.ts'
import { Headline, statusOf, syncStatusOf } from './report.ts'
import { Requests } from './requests.ts'
import { Roles } from './roles.ts'
import type { Core } from './state.ts'
import { NodeState, Peer } from './state.ts'
import { Switching } from './switching.ts'
import { Timers } from './timers.ts'
import { Vitals } from './vitals.ts'
import type { WitnessAnswer, WitnessState } from './witness.ts'

export class NodeCore implements Core {
  readonly options: CoreOptions
  readonly place: 0 | 1
  readonly state: NodeState
  readonly peer: Peer = new Peer()
  readonly links: readonly [Link, Link] = [new Link(0), new Link(1)]
  private actions: Action[] = []
  private readonly timers = new Timers<'tick' | 'hold-down'>()
  private readonly linkTimers = new Timers<LinkTimer>()
  private readonly vitals: Vitals
  private readonly connections: Connections
  private readonly feed: Feed
  private readonly handover: Handover
  private readonly leasing: Leasing
  private readonly roles: Roles
  private readonly requests: Requests
  private readonly switching: Switching
  private readonly freeze: FreezeGuard
  private readonly inbound: Inbound
  private readonly headline = new Headline()
  private readonly refusals: Record<string, number> = {}
  /** What pollTimeout last answered: the planned wake. */
  private planned: number | undefined

  constructor(options: CoreOptions, now: number) {
    this.options = options
    this.place = placeOf(options.id, options.peer)
    this.state = new NodeState(now, options.epochFloor, options.reserved, options.loaded)
    this.vitals = new Vitals(this, options, this.linkTimers, (reason, since, at) => {
      this.roles.handlePeerLost(reason, since, at)
    })
    this.connections = new Connections(this, this.linkTimers, (link) => this.handleLinkChange(link))
    this.feed = new Feed(this)
    this.handover = new Handover(this, this.feed)
    this.leasing = new Leasing(this, this.handover, now, {
      taken: (at) => this.roles.takeover.handleLease(at),
      lost: (at) => this.roles.handleLeaseLost(at),
    })
    this.roles = new Roles(this, this.feed, this.handover, this.leasing)
    this.requests = new Requests(this, this.roles, this.handover, this.leasing)
    this.switching = new Switching(this, this.feed, this.handover)
    this.freeze = new FreezeGuard(this)
    const { connections, vitals, feed, handover, roles, leasing } = this
    this.inbound = new Inbound(this, { connections, vitals, feed, handover, roles, leasing })
    this.timers.set('tick', now + options.interval)
    this.timers.set('hold-down', this.roles.holdDown.at)
    this.connections.start()
    this.postStatus(now)
  }

  // ---- Core, for the parts

  get boundMs(): number {
    return this.vitals.boundMs
  }

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

  count(name: string): void {
    this.refusals[name] = (this.refusals[name] ?? 0) + 1
  }

  statusAt(now: number): NodeStatus {
    return statusOf(this, this.feed, this.leasing, now)
  }

  // ---- Output

  takeActions(): Action[] {
    const actions = this.actions
    this.actions = []
    return actions
  }

  /** When handleTimeout is to be called, ms. */
  pollTimeout(): number {
    const silence = this.connections.silenceDeadline(this.vitals.graceUntil)
    const { timers, linkTimers, vitals, leasing } = this
    this.planned = Math.min(timers.next(), linkTimers.next(), vitals.deadline, leasing.deadline, silence)
    return this.planned
  }

  // ---- Time

  handleTimeout(now: number): void {
    if (this.planned !== undefined && now >= this.planned) {
      this.vitals.handleWake(this.planned, now)
      this.freeze.handleWake(this.planned, now)
      this.state.handleLateWake(now - this.planned)
      if (this.state.role === 'starting') this.roles.holdDown.handleWake(this.planned, now)
    }
    if (this.timers.due('hold-down', now) && now < this.roles.holdDown.at) {
      this.timers.set('hold-down', this.roles.holdDown.at)
    }
    this.leasing.handleTimeout(now)
    this.connections.handleTimeout(now, this.vitals.graceUntil)
    this.vitals.handleTimeout(now)
    if (this.timers.due('tick', now)) this.handleTick(now)
    this.vitals.judge(now)
    this.settle(now)
  }

  private handleTick(now: number): void {
    const { interval, stallTimeoutMs } = this.options
    this.timers.set('tick', now + interval)
    this.connections.handleTick(now)
    const status = this.statusAt(now)
    for (const link of this.links) {
      this.vitals.beat(link, status, now)
      if (link.isIdle(now, interval)) this.send(link, encodeStatusFrame(FrameType.KEEPALIVE, status), now)
    }
    this.roles.handleTick(now)
    this.handover.handleTick(now)
    this.requests.handleTick(now)
    this.switching.handleTick(now)
    const stalled = this.state.progressAgeMs(now) > stallTimeoutMs
    if (this.state.role === 'primary' && stalled) this.handover.beginStalled(now)
    this.postStatus(now)
  }

  /** The progress counter of the application thread, read by the caller before handleTimeout. */
  handleProgress(progress: number, now: number): void {
    this.state.handleProgress(progress, now)
  }

  // ---- Connections

  /** A dial came to nothing. `refused`: the port said no, so nobody listens there. */
  handleDialFailed(index: number, refused: boolean, reason: string, now: number): void {
    const link = this.links[index]!
    link.lastReason = reason
    this.connections.scheduleDial(link, now)
    if (refused) this.vitals.handleRefused(index, now)
    else this.connections.tell(link, false)
    this.settle(now)
  }

  /** Outcome of a probe. */
  handleProbe(index: number, refused: boolean, now: number): void {
    this.vitals.handleProbe(index, refused, now)
    this.settle(now)
  }

  /** A connection of a link is open (TLS done, where there is TLS). `stream` is a number of the caller's choice. */
  handleStreamOpen(index: number, stream: number, now: number): void {
    const link = this.links[index]!
    if (this.connections.handleOpen(link, stream, now) === undefined) return
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
    const refusal = connection.reader.push(bytes, (frame) =>
      this.inbound.handleFrame(link, connection, frame, now),
    )
    if (refusal !== undefined) this.connections.refuse(link, connection, refusal, now)
    else if (link.stream === connection) {
      link.handleStreamLife(bytes.length, now)
      this.vitals.handleLife(now)
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
    const up: [boolean, boolean] = [this.links[0].stream !== undefined, this.links[1].stream !== undefined]
    const wasProven = this.connections.handleClosed(this.links[index]!, stream, reason, now)
    if (wasProven) this.vitals.handleStreamEnd(index, up, now)
    this.settle(now)
  }

  private handleLinkChange(link: Link): void {
    const up = link.stream !== undefined
    if (!up) this.feed.handleLinkDown(link)
    if (up === link.wasUp) return
    link.wasUp = up
    this.post({ type: 'link', link: link.index, up, reason: link.lastReason })
  }

  /** A datagram arrived on a link's heartbeat socket, from whomever. */
  handleDatagram(index: number, bytes: Uint8Array, now: number): void {
    const status = this.vitals.handleDatagram(index, bytes, now)
    if (status === undefined) return
    this.inbound.hearStatus(status, now)
    this.vitals.handleLife(now)
    this.settle(now)
  }

  // ---- The witness

  /** What came of a call. */
  handleWitness(answer: WitnessAnswer, now: number): void {
    this.leasing.handleAnswer(answer, now)
    this.settle(now)
  }

  /** The witness told of a change by itself. */
  handleWitnessNews(state: WitnessState, now: number): void {
    this.leasing.handleNews(state, now)
    this.settle(now)
  }

  /** The date went on by more than the monotonic clock did. */
  handleClockGap(now: number): void {
    this.leasing.handleClockGap(now)
    this.settle(now)
  }

  // ---- The application thread

  handleLocal(message: ToSync, now: number): void {
    switch (message.type) {
      case 'frame':
        this.feed.handleLocalFrame(message.frame, now)
        break
      case 'applied':
        this.feed.handleApplied(message)
        break
      case 'sessions':
      case 'protected':
      case 'time':
      case 'health':
      case 'changed':
        this.state.handleSaid(message, now)
        break
      case 'flushed':
        this.handover.handleFlushed(message.token, message.sequence, now)
        break
      case 'chosen':
        this.roles.choice.handleChosen(message.token, message.side, now)
        break
      case 'handover':
        this.handover.begin('handover', message.request, now)
        break
      case 'promote':
        this.requests.handlePromote(message.request, message.force, now)
        break
      case 'unforce':
      case 'maintenance':
        this.requests.handleWish(message, now)
        break
      case 'close':
        this.requests.handleClose(message.request, now)
        break
      case 'refused':
        this.count(message.name)
        break
    }
    this.settle(now)
  }

  /** The state file reserves epochs up to this one. */
  handleReserved(epoch: number, now: number): void {
    this.state.reservation.handleReserved(epoch)
    this.settle(now)
  }

  // ---- After every event

  private settle(now: number): void {
    this.leasing.settle(now)
    this.roles.decide(now)
    this.handover.settle()
    this.roles.choice.settle(now)
    this.requests.settle(now)
    this.freeze.settle(now)
    this.feed.flushAck(now)
    this.feed.pump(now)
    const epoch = this.state.reservation.extend(this.state.heardEpoch)
    if (epoch !== undefined) this.act({ type: 'reserve', epoch })
    if (this.headline.changed(this, this.feed)) this.postStatus(now)
  }

  private postStatus(now: number): void {
    const { feed, leasing, refusals } = this
    const status = syncStatusOf(this, feed, leasing, this.switching.damping(now), refusals, now)
    this.post({ type: 'status', status })
  }
}
