// Decides whether the peer has fallen silent. A node that woke late cannot tell a silent peer from its own deafness, so
// a late wake buys time three ways (the idea of Lifeguard, arXiv:1707.00788, local health):
// - at most one detection bound of grace, eight times in a row;
// - it is remembered for a while, and silence must outlast the bound by the lateness: a machine that was late may be so
//   again, and what the peer says is often on its way through the same machine;
// - always the moment in which sockets are read: nothing is judged, silence or death, while life may wait there. After
//   sixteen bounds of silence not even that, so that a machine on which every wake is late still sees its peer gone.

export interface DetectorOptions {
  /** Heartbeat interval, ms. */
  readonly interval: number
  /** Heartbeats that may be missing. */
  readonly lost: number
}

const DOUBTS_MAX = 8
/** How long a late wake is remembered, in bounds. */
const REMEMBERED_BOUNDS = 4
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
  /** Recent lateness, ms, and until when it counts. */
  private latenessMs = 0
  private latenessUntil = 0

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
    const remembered = now < this.latenessUntil ? this.latenessMs / 2 : 0
    this.latenessMs = Math.min(this.boundMs, Math.max(lateMs, remembered))
    this.latenessUntil = now + REMEMBERED_BOUNDS * this.boundMs
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
    const bound = this.heardAt + this.boundMs
    const silence = bound < this.latenessUntil ? bound + this.latenessMs : bound
    return Math.max(silence, this.graceUntil, this.readingUntil)
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
