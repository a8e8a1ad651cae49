// Signs of life: heartbeats out and in, silence, death. Any authentic frame or datagram on any link is life. A node
// goes on beating at a peer it has declared dead, so that a peer that was only cut off is heard again.
import type { Reason } from '../wire/constants.ts'
import { decodeHeartbeat, encodeHeartbeat } from '../wire/heartbeat.ts'
import type { NodeStatus } from '../wire/status.ts'
import type { LinkTimer } from './connections.ts'
import { DeathWatch } from './death.ts'
import { Detector } from './detector.ts'
import type { Link } from './link.ts'
import type { CoreOptions } from './options.ts'
import { PROBE_INTERVAL_MS, PROBE_SLOWING } from './options.ts'
import type { Core } from './state.ts'
import type { Timers } from './timers.ts'

export class Vitals {
  private readonly core: Core
  private readonly timers: Timers<LinkTimer>
  private readonly detector: Detector
  private readonly death: DeathWatch
  /** The peer was lost; `since` is when it was last heard. */
  private readonly onLost: (reason: Reason, since: number, now: number) => void

  constructor(
    core: Core,
    options: CoreOptions,
    timers: Timers<LinkTimer>,
    onLost: (reason: Reason, since: number, now: number) => void,
  ) {
    this.core = core
    this.timers = timers
    this.detector = new Detector(options)
    this.death = new DeathWatch(options.interval)
    this.onLost = onLost
  }

  get boundMs(): number {
    return this.detector.boundMs
  }

  /** When the peer is to be judged next; infinity while it is not alive anyway. */
  get deadline(): number {
    const never = Number.POSITIVE_INFINITY
    if (!this.core.peer.alive) return never
    const death = this.core.options.fastDetection ? this.death.deadline : undefined
    const evident = death === undefined ? never : Math.max(death, this.detector.readingUntil)
    return Math.min(this.detector.deadline ?? never, evident)
  }

  /** Nothing is judged before this. */
  get graceUntil(): number {
    return this.detector.graceUntil
  }

  handleWake(planned: number, now: number): void {
    this.detector.handleWake(planned, now)
  }

  handleTimeout(now: number): void {
    for (const link of this.core.links) {
      if (this.timers.due(`probe-${link.index as 0 | 1}`, now) && this.death.wantsProbe(link.index)) {
        this.core.act({ type: 'probe', link: link.index })
      }
    }
  }

  beat(link: Link, status: NodeStatus, now: number): void {
    const { peer, place, options } = this.core
    if (peer.key === undefined || peer.left) return
    const heartbeat = {
      link: link.index,
      place,
      counter: link.counter++,
      sentAt: now,
      ...link.echoFor(now),
      status,
    }
    const bytes = encodeHeartbeat(heartbeat, peer.key, options.mac)
    this.core.act({ type: 'datagram', link: link.index, bytes })
  }

  /** The status of an authentic, new heartbeat; anything else is counted and dropped. */
  handleDatagram(index: number, bytes: Uint8Array, now: number): NodeStatus | undefined {
    const { peer, place, options, links } = this.core
    if (peer.key === undefined) {
      this.core.count('heartbeat-no-key')
      return undefined
    }
    const heartbeat = decodeHeartbeat(bytes, peer.key, options.mac)
    if (typeof heartbeat === 'string') {
      this.core.count(`heartbeat-${heartbeat}`)
      return undefined
    }
    const { counter, sentAt, echo, heldMs } = heartbeat
    if (heartbeat.place === place) this.core.count('heartbeat-reflected')
    else if (heartbeat.link !== index) this.core.count('heartbeat-link')
    else if (!links[index]!.handleHeartbeat(counter, sentAt, echo, heldMs, now)) {
      this.core.count('heartbeat-replayed')
    } else return heartbeat.status
    return undefined
  }

  handleLife(now: number): void {
    const { peer } = this.core
    if (peer.left) return
    this.detector.handleLife(now)
    this.death.handleLife(now)
    if (peer.alive) return
    peer.alive = true
    peer.backAt = now
    this.core.post({ type: 'peer', alive: true })
  }

  /** The peer proved itself on a connection: it lives. */
  handleProven(now: number): void {
    this.death.forget()
    this.handleLife(now)
  }

  /** A proven stream ended. `streams`: which links had one just before. */
  handleStreamEnd(index: number, streams: readonly [boolean, boolean], now: number): void {
    const { peer, links } = this.core
    if (!peer.alive) return
    // A link that has carried something lately works; right after two processes have met, either link may.
    const isNew = now - peer.metAt < this.boundMs
    const alive: [boolean, boolean] = [
      isNew || links[0].hears(now, this.boundMs),
      isNew || links[1].hears(now, this.boundMs),
    ]
    this.death.handleEnd(index, streams, now, alive)
    for (const link of [0, 1]) {
      if (link === index || (!streams[link] && this.death.wantsProbe(link)))
        this.core.act({ type: 'probe', link })
    }
  }

  handleRefused(index: number, now: number): void {
    this.death.handleRefused(index, now)
  }

  handleProbe(index: number, refused: boolean, now: number): void {
    if (refused) this.death.handleRefused(index, now)
    else this.death.handleAccepted(index)
    if (this.death.wantsProbe(index)) {
      // A process that dies closes its ports soon; one that lives is not to be stormed.
      const waitMs = Math.max(PROBE_INTERVAL_MS, (now - this.death.endedAt(index)) / PROBE_SLOWING)
      this.timers.set(`probe-${index as 0 | 1}`, now + waitMs)
    }
  }

  /** Only ever when a deadline is due, never at news: what came with it may be in other sockets still. */
  judge(now: number): void {
    if (!this.core.peer.alive || now < this.detector.readingUntil) return
    if (this.core.options.fastDetection && this.death.isDead(now)) this.lose('peer-died', now)
    else if (this.detector.isSilent(now)) this.lose('peer-silent', now)
  }

  lose(reason: Reason, now: number): void {
    const since = now - this.detector.silenceMs(now)
    this.core.peer.alive = false
    this.core.peer.lostAt = since
    this.detector.forget()
    this.death.forget()
    this.core.post({ type: 'peer', alive: false })
    this.onLost(reason, since, now)
  }
}

/** The key of one pair of processes, from what both drew at their start (docs/PROTOCOL.md section 5). */
export function heartbeatKey(core: Core, theirs: Uint8Array): Uint8Array {
  const { contribution: mine, mac } = core.options
  return core.place === 0 ? mac(mine, theirs) : mac(theirs, mine)
}
