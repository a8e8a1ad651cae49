// One link: its connections, its heartbeats, its silence. Knows nothing of roles or of the other link.
import { FrameReader } from '../wire/frame.ts'
import type { LinkStatus } from './messages.ts'
import { CANDIDATES_MAX, DIAL_BACKOFF_MS, LINK_BYTES_MAX } from './options.ts'

/** A connection that has not said hello may not send longer frames than a hello can be. */
const HELLO_FRAME_BYTES_MAX = 262_144
/** A proven connection that lived so long lets the next dial start with the first back-off. */
const STEADY_MS = 1_000
const LOSS_WINDOW = 100
/** Reasons told of a link that stays down; a peer may say any. */
const TOLD_MAX = 64

export interface Connection {
  readonly id: number
  readonly openedAt: number
  readonly reader: FrameReader
  /** The peer's hello was accepted. */
  proven: boolean
  /** What of its hello does not fit, for people. */
  fault: string
}

export class Link {
  readonly index: number
  /** The proven connection. */
  stream: Connection | undefined
  private readonly candidates = new Map<number, Connection>()
  /** Bytes given to the connection and not yet flushed. */
  private unflushedBytes = 0
  bytesSent = 0
  bytesReceived = 0
  lastReason = ''
  /** Reasons told since the link was last up. */
  private readonly told = new Set<string>()
  private provenAt: number | undefined
  /** When the proven connection last brought anything. */
  streamHeardAt: number = Number.NEGATIVE_INFINITY
  private streamSentAt = Number.NEGATIVE_INFINITY
  private datagramHeardAt = Number.NEGATIVE_INFINITY
  /** Next heartbeat's counter. */
  counter = 1
  private lastCounter = 0
  private echo = -1
  /** Latest of this node's own clock readings that the peer has given back. */
  echoed: number = Number.NEGATIVE_INFINITY
  private echoAt = 0
  private rttMs: number | null = null
  /** Newest last; true = arrived. */
  private arrivals: boolean[] = []
  /** Between the heartbeats that arrived last, ms; newest last. */
  private gaps: number[] = []
  /** Dialling side only. */
  dialling = false
  redialAt: number | undefined
  private backoffMs: number = DIAL_BACKOFF_MS.first
  wasUp = false

  constructor(index: number) {
    this.index = index
  }

  /** A connection was opened. Undefined when there are too many unproven ones. */
  handleOpen(id: number, now: number): Connection | undefined {
    if (this.candidates.size >= CANDIDATES_MAX) return undefined
    const connection = {
      id,
      openedAt: now,
      reader: new FrameReader(HELLO_FRAME_BYTES_MAX),
      proven: false,
      fault: '',
    }
    this.candidates.set(id, connection)
    return connection
  }

  find(id: number): Connection | undefined {
    return this.stream?.id === id ? this.stream : this.candidates.get(id)
  }

  /** A connection proved itself; returns the one it replaces. */
  prove(connection: Connection, now: number): Connection | undefined {
    const replaced = this.stream
    this.candidates.delete(connection.id)
    connection.proven = true
    this.stream = connection
    this.unflushedBytes = 0
    this.streamHeardAt = now
    this.streamSentAt = Number.NEGATIVE_INFINITY
    this.provenAt = now
    this.told.clear()
    this.redialAt = undefined
    this.lastReason = ''
    return replaced
  }

  /** A connection is gone. True if it was the proven one. */
  forget(id: number): boolean {
    this.candidates.delete(id)
    if (this.stream?.id !== id) return false
    this.stream = undefined
    return true
  }

  /** Unproven connections that have had their time. */
  expired(now: number, timeoutMs: number): Connection[] {
    return [...this.candidates.values()].filter((candidate) => now - candidate.openedAt >= timeoutMs)
  }

  /** All connections, proven or not. */
  get connections(): Connection[] {
    return this.stream === undefined
      ? [...this.candidates.values()]
      : [this.stream, ...this.candidates.values()]
  }

  handleSent(bytes: number, now: number): void {
    this.unflushedBytes += bytes
    this.bytesSent += bytes
    this.streamSentAt = now
  }

  handleFlushed(bytes: number): void {
    this.unflushedBytes = Math.max(0, this.unflushedBytes - bytes)
  }

  /** Smoothed, of heartbeats; null before the first. */
  get roundTripMs(): number | null {
    return this.rttMs
  }

  get hasRoom(): boolean {
    return this.unflushedBytes < LINK_BYTES_MAX
  }

  handleStreamLife(bytes: number, now: number): void {
    this.streamHeardAt = now
    this.bytesReceived += bytes
  }

  /** False for a counter at or below the last one: an old datagram. */
  handleHeartbeat(counter: number, sentAt: number, echo: number, heldMs: number, now: number): boolean {
    if (counter <= this.lastCounter) return false
    const missed = this.lastCounter === 0 ? 0 : Math.min(counter - this.lastCounter - 1, LOSS_WINDOW)
    for (let i = 0; i < missed; i++) this.arrivals.push(false)
    this.arrivals.push(true)
    if (this.arrivals.length > LOSS_WINDOW) this.arrivals = this.arrivals.slice(-LOSS_WINDOW)
    if (this.lastCounter !== 0) this.gaps.push(now - this.datagramHeardAt)
    if (this.gaps.length > LOSS_WINDOW) this.gaps.shift()
    this.lastCounter = counter
    this.datagramHeardAt = now
    this.echo = sentAt
    this.echoAt = now
    if (echo >= 0) {
      this.echoed = Math.max(this.echoed, echo)
      const sample = Math.max(0, now - echo - heldMs)
      this.rttMs = this.rttMs === null ? sample : this.rttMs + (sample - this.rttMs) / 8
    }
    return true
  }

  /** Another process took the peer's place: its counters start again. */
  resetHeartbeats(): void {
    this.lastCounter = 0
    this.echo = -1
    this.arrivals = []
    this.gaps = []
    this.rttMs = null
  }

  /** Remembers why the link is not up; true if that reason is new since it was. */
  note(reason: string): boolean {
    this.lastReason = reason
    if (this.stream !== undefined || this.told.has(reason) || this.told.size >= TOLD_MAX) return false
    this.told.add(reason)
    return true
  }

  echoFor(now: number): { echo: number; heldMs: number } {
    return { echo: this.echo, heldMs: this.echo < 0 ? 0 : now - this.echoAt }
  }

  /** Anything authentic within `boundMs`. */
  hears(now: number, boundMs: number): boolean {
    return now - Math.max(this.streamHeardAt, this.datagramHeardAt) < boundMs
  }

  isStreamSilent(now: number, boundMs: number): boolean {
    return this.stream !== undefined && now >= this.streamHeardAt + boundMs
  }

  isIdle(now: number, interval: number): boolean {
    return now - this.streamSentAt >= interval
  }

  /** After a dial failed or a stream ended: when to dial again. Doubles up to the longest, with up to 25 % jitter. */
  scheduleDial(now: number, random: () => number, longestMs: number): void {
    this.dialling = false
    // A connection that was refused right after its hello does not earn a quick dial.
    if (this.provenAt !== undefined && now - this.provenAt >= STEADY_MS)
      this.backoffMs = DIAL_BACKOFF_MS.first
    this.provenAt = undefined
    this.redialAt = now + this.backoffMs * (1 - random() / 4)
    this.backoffMs = Math.min(this.backoffMs * 2, longestMs)
  }

  status(now: number, interval: number, boundMs: number): LinkStatus {
    const overdue = Math.floor((now - this.datagramHeardAt) / interval) - 1
    const missing = Number.isFinite(overdue) ? Math.min(Math.max(overdue, 0), LOSS_WINDOW) : LOSS_WINDOW
    const recent = this.arrivals.slice(-(LOSS_WINDOW - missing) || this.arrivals.length)
    const counted = missing >= LOSS_WINDOW ? [] : recent
    const lost = counted.filter((arrived) => !arrived).length + missing
    const total = counted.length + missing
    return {
      up: this.stream !== undefined && this.hears(now, boundMs),
      rttMs: this.rttMs,
      gapMs: this.gaps.length === 0 ? null : Math.max(...this.gaps),
      lossShare: total === 0 ? 0 : lost / total,
      stream: this.stream !== undefined,
      heartbeats: now - this.datagramHeardAt < boundMs,
      bytesSent: this.bytesSent,
      bytesReceived: this.bytesReceived,
      lastReason: this.lastReason,
    }
  }
}
