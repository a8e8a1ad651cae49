// Connections of the two links: dialling with back-off, the bound on unproven ones, replacement, closing. A connection
// counts for nothing until its hello was accepted. The smaller id dials and keeps, the larger listens, so two crossing
// connections never fight.
import type { RefusalName } from '../wire/constants.ts'
import { FRAME_BYTES_MAX } from '../wire/constants.ts'
import { encodeRefused } from '../wire/hello.ts'
import type { Connection, Link } from './link.ts'
import { DIAL_BACKOFF_MS, DIALLED_HELLO_TIMEOUT_MS, HELLO_TIMEOUT_MS } from './options.ts'
import type { Core } from './state.ts'
import type { Timers } from './timers.ts'

/** How `lastReason` begins when the peer said why it closed. */
export const REFUSED_BY_PEER = 'refused by peer: '

/** A reason with what is different, where that is known. */
export const detailed = (reason: string, detail: string): string =>
  detail === '' ? reason : `${reason}: ${detail}`

export type LinkTimer = 'probe-0' | 'probe-1' | 'dial-0' | 'dial-1'

export class Connections {
  private readonly core: Core
  private readonly timers: Timers<LinkTimer>
  /** A proven connection came or went. */
  private readonly onChange: (link: Link) => void

  constructor(core: Core, timers: Timers<LinkTimer>, onChange: (link: Link) => void) {
    this.core = core
    this.timers = timers
    this.onChange = onChange
  }

  private get dials(): boolean {
    return this.core.place === 0
  }

  start(): void {
    if (this.dials) for (const link of this.core.links) this.dial(link)
  }

  private dial(link: Link): void {
    if (link.dialling || this.core.state.role === 'stopped') return
    link.dialling = true
    this.core.act({ type: 'dial', link: link.index })
  }

  /** Dials what is due and closes streams that fell silent; not while a late wake is being made up for. */
  handleTimeout(now: number, graceUntil: number): void {
    for (const link of this.core.links) {
      if (this.timers.due(`dial-${link.index as 0 | 1}`, now) && link.stream === undefined) this.dial(link)
      const isSilent = now >= graceUntil && link.isStreamSilent(now, this.core.boundMs)
      if (isSilent) this.close(link, link.stream!, 'silent', now)
    }
  }

  /** When a stream will have been silent for the bound. */
  silenceDeadline(graceUntil: number): number {
    let earliest = Number.POSITIVE_INFINITY
    for (const link of this.core.links) {
      if (link.stream !== undefined) earliest = Math.min(earliest, link.streamHeardAt + this.core.boundMs)
    }
    return Math.max(earliest, graceUntil)
  }

  /** Each heartbeat interval: closes what did not say hello in time. */
  handleTick(now: number): void {
    const timeoutMs = this.dials
      ? Math.max(DIALLED_HELLO_TIMEOUT_MS, 2 * this.core.boundMs)
      : HELLO_TIMEOUT_MS
    for (const link of this.core.links) {
      for (const late of link.expired(now, timeoutMs)) this.refuse(link, late, 'hello-late', now)
    }
  }

  /** A connection is gone and the link has none. Strangers and probes that come and go do not put off the next dial. */
  private redial(link: Link, now: number): void {
    const isUnderWay = link.dialling || this.timers.get(`dial-${link.index as 0 | 1}`) !== undefined
    if (link.stream === undefined && !isUnderWay) this.scheduleDial(link, now)
  }

  /** A dial failed. */
  scheduleDial(link: Link, now: number): void {
    if (!this.dials) return
    const { random, holdDownMs } = this.core.options
    // A node that starts while its peer waits between two dials must be dialled within its hold-down, or it starts alone.
    link.scheduleDial(now, random, Math.min(DIAL_BACKOFF_MS.longest, holdDownMs / 3))
    this.timers.set(`dial-${link.index as 0 | 1}`, link.redialAt!)
  }

  /** A new connection; undefined when the link has too many unproven ones. */
  handleOpen(link: Link, stream: number, now: number): Connection | undefined {
    link.dialling = false
    const connection = link.handleOpen(stream, now)
    if (connection !== undefined) return connection
    this.core.count('too-many')
    this.core.act({ type: 'close', stream, reason: 'too-many' })
    return undefined
  }

  /** Its hello was accepted: longer frames are let through, and the connection it replaces is closed. */
  prove(link: Link, connection: Connection, now: number): void {
    const replaced = link.prove(connection, now)
    connection.reader.allow(FRAME_BYTES_MAX)
    if (replaced !== undefined) this.core.act({ type: 'close', stream: replaced.id, reason: 'replaced' })
    this.onChange(link)
  }

  /** The other end, or the network, ended it. True if it was proven. */
  handleClosed(link: Link, stream: number, reason: string, now: number): boolean {
    const wasProven = link.forget(stream)
    // What the peer said before it closed tells more than that it closed.
    const isTold = wasProven ? link.lastReason.startsWith(REFUSED_BY_PEER) : link.lastReason !== ''
    if (!isTold) link.lastReason = reason
    this.tell(link, wasProven)
    this.redial(link, now)
    return wasProven
  }

  /** A connection ended, or a dial failed, for `link.lastReason`. */
  tell(link: Link, wasProven: boolean): void {
    const isNew = link.note(link.lastReason)
    if (wasProven) this.onChange(link)
    else if (isNew) this.core.post({ type: 'link', link: link.index, up: false, reason: link.lastReason })
  }

  close(link: Link, connection: Connection, reason: string, now: number): void {
    const wasProven = link.forget(connection.id)
    this.core.act({ type: 'close', stream: connection.id, reason })
    link.lastReason = detailed(reason, connection.fault)
    this.core.count(reason)
    this.tell(link, wasProven)
    this.redial(link, now)
  }

  /** Says why, then closes. */
  refuse(link: Link, connection: Connection, reason: RefusalName, now: number): void {
    this.core.act({ type: 'send', stream: connection.id, bytes: encodeRefused(reason, connection.fault) })
    this.close(link, connection, reason, now)
  }
}
