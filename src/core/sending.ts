// Which link carries a frame. While a synced secondary is fed redundantly each frame goes on both links, so that the loss
// of one is no gap. Otherwise one link carries it and the other takes over what is unacknowledged when that link ends or
// stands still: by choice (`sending: 'single'`), and in any case while the secondary is not synced, since nothing is
// promised then and a full sync would be paid twice.

export type Sending = 'redundant' | 'single'

/** What is looked at of a link (src/core/link.ts). */
export interface Way {
  /** Its proven connection, if there is one. */
  readonly stream: unknown
  /** ms; null while unknown. */
  readonly roundTripMs: number | null
}

export class LinkChoice {
  /** Link that carries what only one link carries. */
  private active = 0
  /** Since when nothing that was sent has been acknowledged; undefined while nothing is outstanding. */
  private waitingSince: number | undefined
  /** How long that may last before the other link takes over; doubles while that does not help. */
  private patienceMs = 0
  private acknowledged = 0

  /**
   * The one link to send on. `outstanding`: something is unacknowledged; `acknowledged`: how far the peer said it got;
   * `intervalMs`: heartbeat interval.
   */
  choose(
    links: readonly Way[],
    outstanding: boolean,
    acknowledged: number,
    intervalMs: number,
    now: number,
  ): number {
    const advanced = acknowledged !== this.acknowledged
    this.acknowledged = acknowledged
    if (advanced || !outstanding) {
      this.waitingSince = outstanding ? now : undefined
      this.patienceMs = intervalMs
    }
    if (outstanding) this.waitingSince ??= now
    const other = 1 - this.active
    if (links[other]!.stream === undefined) return this.active
    this.patienceMs = Math.max(this.patienceMs, intervalMs)
    const since = this.waitingSince
    const stands = since !== undefined && now - since >= this.patienceMs
    if (links[this.active]!.stream === undefined || stands) {
      this.active = other
      if (outstanding) this.waitingSince = now
      if (stands) this.patienceMs *= 2
    }
    return this.active
  }

  /** Another attachment: the quicker link carries it. */
  begin(links: readonly Way[]): void {
    const [one, two] = links as readonly [Way, Way]
    const isQuicker = (two.roundTripMs ?? 1e9) < (one.roundTripMs ?? 1e9)
    this.active = one.stream === undefined || (two.stream !== undefined && isQuicker) ? 1 : 0
    this.waitingSince = undefined
    this.patienceMs = 0
    this.acknowledged = 0
  }
}
