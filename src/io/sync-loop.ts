// Runs the core on the sync thread: every event goes in with the time, every action is carried out at once, one alarm
// stands for the next deadline. Nothing is decided here.
import { setImmediate } from 'node:timers'
import type { Action } from '../core/actions.ts'
import type { FromSync, LinkStatus, ToSync } from '../core/messages.ts'
import { SharedWord } from '../core/messages.ts'
import { NodeCore } from '../core/node.ts'
import { holderName } from '../core/witness.ts'
import { EpochKeeper } from '../state/epoch-keeper.ts'
import { Alarm } from './alarm.ts'
import type { Clock } from './clock.ts'
import { ClockGap } from './clock-gap.ts'
import type { PortEvents } from './link-ports.ts'
import { LinkPorts } from './link-ports.ts'
import { hmacSha256 } from './mac.ts'
import { SharedDeadline } from './shared-deadline.ts'
import type { Transport } from './tcp-link.ts'
import type { ThreadData } from './thread-messages.ts'
import { WitnessPort } from './witness-port.ts'

export interface LoopOutput {
  post(messages: FromSync[]): void
  /** A port of a link could not be had; it is tried again. */
  failed(link: number, message: string): void
  /** The state file could not be written; it is tried again. */
  stateFailed(message: string): void
  /** The core has said everything. */
  stop(): void
}

export class SyncLoop {
  readonly links: readonly LinkPorts[]
  /** In mode 'witness'. */
  readonly witness: WitnessPort | undefined
  private core: NodeCore | undefined
  private readonly data: ThreadData
  private readonly clock: Clock
  private readonly words: Int32Array
  private readonly gateDeadline: SharedDeadline
  private readonly output: LoopOutput
  private readonly alarm: Alarm
  private readonly epochs: EpochKeeper | undefined
  private deadline = Number.POSITIVE_INFINITY
  private readonly gap: ClockGap
  /** A wake later than this is told to the core before the news that came with it. */
  private readonly lateMs: number
  private readonly linkOfStream = new Map<number, LinkPorts>()
  /** Number of the newest connection. */
  streams = 0
  /** Why the connection that each link tried last did not come to be, or ended. */
  readonly lastEnds: [string, string] = ['', '']
  /** Refused before the core heard of it, by reason. */
  private readonly refusals: Record<string, number> = {}

  constructor(data: ThreadData, transport: Transport, clock: Clock, output: LoopOutput) {
    this.data = data
    this.clock = clock
    this.words = new Int32Array(data.words)
    this.gateDeadline = new SharedDeadline(data.words)
    this.witness = this.makeWitness()
    this.output = output
    this.gap = new ClockGap(data.core.leaseMs)
    this.lateMs = data.core.interval / 2
    // The alarm only says that it is time. Between a timer and an immediate the sockets are read (not by Deno), so that
    // the core does not judge silence while the peer's heartbeat waits in the kernel. After a late wake it sees to that
    // itself.
    this.alarm = new Alarm(clock, () => setImmediate(() => this.handleAlarm()))
    this.epochs =
      data.state &&
      new EpochKeeper(data.state, {
        reserved: (epoch) => this.handle((core, now) => core.handleReserved(epoch, now)),
        failed: (message) => output.stateFailed(message),
      })
    this.links = data.links.map(
      (addresses, link) => new LinkPorts(addresses, transport, () => ++this.streams, this.eventsOf(link)),
    )
  }

  /** Starts the core; connections made before are refused. */
  begin(): void {
    this.core = new NodeCore({ ...this.data.core, random: Math.random, mac: hmacSha256 }, this.clock())
    this.settle(this.core)
  }

  handleLocal(messages: readonly ToSync[]): void {
    this.handle((core, now) => {
      for (const message of messages) core.handleLocal(message, now)
    })
  }

  private makeWitness(): WitnessPort | undefined {
    const { core, witness } = this.data
    if (witness === undefined) return undefined
    const { cluster, id, incarnation, leaseMs } = core
    const context = { cluster, holder: holderName(id, incarnation), leaseMs }
    return new WitnessPort(witness, context, {
      answer: (answer) => this.handle((one, now) => one.handleWitness(answer, now)),
      news: (state) => this.handle((one, now) => one.handleWitnessNews(state, now)),
    })
  }

  private eventsOf(link: number): PortEvents {
    return {
      open: (stream) => {
        const ports = this.links[link]!
        if (this.core === undefined) {
          ports.stream.close(stream)
          return
        }
        this.linkOfStream.set(stream, ports)
        this.handle((core, now) => core.handleStreamOpen(link, stream, now))
      },
      data: (stream, bytes) => this.handle((core, now) => core.handleStream(link, stream, bytes, now)),
      flushed: (stream, bytes) => this.handle((core, now) => core.handleFlushed(link, stream, bytes, now)),
      closed: (stream, reason) => {
        this.linkOfStream.delete(stream)
        this.lastEnds[link] = reason
        this.handle((core, now) => core.handleStreamClosed(link, stream, reason, now))
      },
      dialFailed: (refused, reason) => {
        this.lastEnds[link] = reason
        this.handle((core, now) => core.handleDialFailed(link, refused, reason, now))
      },
      probed: (refused) => this.handle((core, now) => core.handleProbe(link, refused, now)),
      datagram: (bytes) => this.handle((core, now) => core.handleDatagram(link, bytes, now)),
      // The port is shut: as good as a refused connect, and it counts for no more than that.
      refused: () => this.handle((core, now) => core.handleProbe(link, true, now)),
      refusedIncoming: (reason) => {
        this.refusals[reason] = (this.refusals[reason] ?? 0) + 1
      },
      failed: (message) => this.output.failed(link, message),
    }
  }

  private handle(event: (core: NodeCore, now: number) => void): void {
    const { core } = this
    if (core === undefined) return
    const now = this.clock()
    if (now - this.deadline > this.lateMs) this.wake(core, now)
    event(core, now)
    this.settle(core)
  }

  private handleAlarm(): void {
    const { core } = this
    if (core === undefined) return
    this.wake(core, this.clock())
    this.settle(core)
  }

  private wake(core: NodeCore, now: number): void {
    core.handleProgress(Atomics.load(this.words, SharedWord.PROGRESS), now)
    if (this.witness !== undefined) {
      this.gateDeadline.handleClock(now)
      if (this.gap.isGap(this.clock, Date.now)) core.handleClockGap(now)
    }
    core.handleTimeout(now)
  }

  private settle(core: NodeCore): void {
    const messages: FromSync[] = []
    let stopped = false
    for (const action of core.takeActions()) {
      if (action.type === 'post') messages.push(this.completed(action.message))
      else if (action.type === 'stop') stopped = true
      else this.carryOut(action)
    }
    for (const link of this.links) link.stream.flush()
    if (messages.length > 0) this.output.post(messages)
    if (stopped) {
      this.core = undefined
      this.alarm.clear()
      this.epochs?.stop()
      this.output.stop()
      return
    }
    this.deadline = core.pollTimeout()
    this.alarm.set(this.deadline)
  }

  /** A status also tells what the core does not know: what was refused here, and which link does not listen. */
  private completed(message: FromSync): FromSync {
    if (message.type !== 'status') return message
    const { status } = message
    const [m1, m2] = this.links
    const links: [LinkStatus, LinkStatus] = [
      { ...status.links[0], lastReason: m1!.fault ?? status.links[0].lastReason },
      { ...status.links[1], lastReason: m2!.fault ?? status.links[1].lastReason },
    ]
    return { ...message, status: { ...status, links, refusals: { ...status.refusals, ...this.refusals } } }
  }

  private carryOut(action: Exclude<Action, { type: 'post' | 'stop' }>): void {
    switch (action.type) {
      case 'word':
        Atomics.store(this.words, SharedWord.ROLE, action.word)
        break
      case 'deadline':
        this.gateDeadline.store(action.at)
        break
      case 'witness':
        this.witness?.call(action.call, action.timeoutMs)
        break
      case 'send':
        this.linkOfStream.get(action.stream)?.stream.send(action.stream, action.bytes)
        break
      case 'close':
        this.linkOfStream.get(action.stream)?.stream.close(action.stream, action.reason === 'replaced')
        this.linkOfStream.delete(action.stream)
        break
      case 'datagram':
        this.links[action.link]!.heartbeats.send(action.bytes)
        break
      case 'reserve':
        this.epochs?.reserve(action.epoch)
        break
      case 'dial':
        this.links[action.link]!.stream.dial()
        break
      case 'probe':
        this.links[action.link]!.stream.probe()
        break
    }
  }
}
