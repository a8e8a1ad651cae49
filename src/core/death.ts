// Sees the death of the peer's process before its silence is long enough: when a process dies its kernel ends its
// streams and refuses its ports. One of these alone proves nothing (a middlebox can end a stream, a restart refuses
// for a moment); both, on every link that was up, with nothing authentic heard since, is as good as it gets.
// A heuristic: option `fastDetection: false` waits for silence instead.

interface LinkEvidence {
  endedAt: number | undefined
  refused: boolean
}

export class DeathWatch {
  private readonly links: [LinkEvidence, LinkEvidence] = [
    { endedAt: undefined, refused: false },
    { endedAt: undefined, refused: false },
  ]
  /** Links that were up when the first stream ended. */
  private expected: boolean[] | undefined
  /** Life heard after all streams had ended: a heartbeat that was still in a socket, or a peer that lives. */
  private heardAfter: number | undefined
  /** When the last piece of evidence came. */
  private refusedAt = 0
  private readonly graceMs: number

  /** `interval`: heartbeat interval, ms. After late life, two intervals of silence are wanted as well. */
  constructor(interval: number) {
    this.graceMs = 2 * interval
  }

  /**
   * The peer ended the stream of `link`. `streams` says which links had one just before, `alive` which were known to
   * work or not yet known not to: without a stream that could end, such a link's port must be refused all the same.
   */
  handleEnd(
    link: number,
    streams: readonly [boolean, boolean],
    now: number,
    alive: readonly [boolean, boolean] = streams,
  ): void {
    if (this.expected === undefined) {
      this.expected = [streams[0] || alive[0], streams[1] || alive[1]]
      for (const [i, other] of this.links.entries()) if (!streams[i] && alive[i]) other.endedAt = now
    }
    this.links[link]!.endedAt = now
    this.links[link]!.refused = false
  }

  /** A connect (or a datagram) sent to the peer's address on `link` was refused. */
  handleRefused(link: number, now: number): void {
    if (this.links[link]!.endedAt === undefined) return
    this.links[link]!.refused = true
    this.refusedAt = now
  }

  /** The peer's port accepted: somebody lives there. */
  handleAccepted(link: number): void {
    this.links[link]!.refused = false
  }

  /** Something authentic was heard. With a stream still open all evidence is void. */
  handleLife(now: number): void {
    if (this.expected === undefined) return
    const allEnded = this.links.every((link, i) => !this.expected![i] || link.endedAt !== undefined)
    for (const link of this.links) link.refused = false
    if (allEnded) this.heardAfter = now
    else this.forget()
  }

  /** A stream is open again, or another process took the peer's place. */
  forget(): void {
    this.expected = undefined
    this.heardAfter = undefined
    for (const link of this.links) {
      link.endedAt = undefined
      link.refused = false
    }
  }

  /** True while an ended stream still lacks its second piece of evidence. */
  wantsProbe(link: number): boolean {
    const evidence = this.links[link]!
    return this.expected !== undefined && evidence.endedAt !== undefined && !evidence.refused
  }

  /** When the stream of a link ended; of use while a probe is wanted. */
  endedAt(link: number): number {
    return this.links[link]!.endedAt ?? 0
  }

  isDead(now: number): boolean {
    if (this.expected === undefined) return false
    if (this.heardAfter !== undefined && now - this.heardAfter < this.graceMs) return false
    return this.isEvident
  }

  /** Both pieces of evidence, on every link that counts. */
  private get isEvident(): boolean {
    return this.links.every((link, i) => !this.expected?.[i] || (link.endedAt !== undefined && link.refused))
  }

  /** When the verdict is due: with all evidence together at once, or after silence; undefined without it. */
  get deadline(): number | undefined {
    if (this.expected === undefined || !this.isEvident) return undefined
    return this.heardAfter === undefined ? this.refusedAt : this.heardAfter + this.graceMs
  }
}
