// Decides whether the peer has fallen silent. A node that woke late cannot tell a silent peer from its own deafness, so
// a late wake first buys time: the sockets are read, and only silence that goes on after that counts (the idea of
// Lifeguard, arXiv:1707.00788, local health). At most one detection bound per late wake and eight grants in a row. Every
// late wake, the ninth and later too, buys the moment in which sockets are read: nothing is judged, silence or death,
// while life may wait there. After sixteen bounds of silence not even that, so that a machine on which every wake is late
// still sees its peer gone.

export interface DetectorOptions {
  /** Heartbeat interval, ms. */
  readonly interval: number
  /** Heartbeats that may be missing. */
  readonly lost: number
}

const DOUBTS_MAX = 8
/** What reading the sockets may take, as a share of the interval: enough for some turns of an event loop. */
const READING_SHARE = 0.1
const READING_BOUNDS = 16

export class Detector {
  /** Silence longer than this is suspicion, ms: interval x lost + interval / 2. */
  readonly boundMs: number
  private readonly interval: number
  private heardAt: number | undefined
  /** A late wake is made up for until then. */
  graceUntil = 0
  /** After a late wake the sockets are read until then. */
  readingUntil = 0
  private doubts = 0

  constructor(options: DetectorOptions) {
    this.interval = options.interval
    this.boundMs = options.interval * options.lost + options.interval / 2
  }

  /** Authentic life of the peer, on any link. */
  handleLife(now: number): void {
    this.heardAt = now
    this.doubts = 0
  }

  /** This thread was to wake at `planned` and woke at `now`. */
  handleWake(planned: number, now: number): void {
    const lateMs = now - planned
    if (lateMs <= this.interval / 2) return
    if (this.silenceMs(now) < READING_BOUNDS * this.boundMs) {
      this.readingUntil = now + this.interval * READING_SHARE
    }
    if (this.doubts >= DOUBTS_MAX) return
    this.doubts++
    this.graceUntil = Math.max(this.graceUntil, now + Math.min(this.boundMs, Math.max(lateMs, this.interval)))
  }

  /** Nothing is expected from the peer any more. */
  forget(): void {
    this.heardAt = undefined
    this.graceUntil = 0
    this.readingUntil = 0
    this.doubts = 0
  }

  /** When to judge next; undefined when nothing is expected. */
  get deadline(): number | undefined {
    if (this.heardAt === undefined) return undefined
    return Math.max(this.heardAt + this.boundMs, this.graceUntil, this.readingUntil)
  }

  isSilent(now: number): boolean {
    const deadline = this.deadline
    return deadline !== undefined && now >= deadline
  }

  /** How long nothing was heard, ms. */
  silenceMs(now: number): number {
    return this.heardAt === undefined ? 0 : now - this.heardAt
  }
}
