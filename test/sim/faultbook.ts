// Which fault was where and when: the only excuse a checker accepts for a promotion that nobody agreed to.

interface Interval {
  readonly from: number
  /** Infinity while it lasts. */
  to: number
}

export class FaultBook {
  private readonly links: readonly [Interval[], Interval[]] = [[], []]
  private readonly nodes: readonly [Interval[], Interval[]] = [[], []]
  /** A link is not what it should be; call the result with the time from which it is again. */
  harmLink(link: number, from: number): (to: number) => void {
    return begin(this.links[link]!, from)
  }

  /** A node is away, or its sync thread stands still. */
  harmNode(node: number, from: number): (to: number) => void {
    return begin(this.nodes[node]!, from)
  }

  wasLinkHarmed(link: number, from: number, to: number): boolean {
    return overlaps(this.links[link]!, from, to)
  }

  wasNodeHarmed(node: number, from: number, to: number): boolean {
    return overlaps(this.nodes[node]!, from, to)
  }

  /** Whether a node may, in this time, not have heard its peer. */
  mayMiss(peer: number, from: number, to: number): boolean {
    if (this.wasNodeHarmed(peer, from, to)) return true
    return this.wasLinkHarmed(0, from, to) && this.wasLinkHarmed(1, from, to)
  }
}

function begin(intervals: Interval[], from: number): (to: number) => void {
  const interval = { from, to: Number.POSITIVE_INFINITY }
  intervals.push(interval)
  return (to) => {
    interval.to = to
  }
}

function overlaps(intervals: readonly Interval[], from: number, to: number): boolean {
  return intervals.some((interval) => interval.from <= to && interval.to >= from)
}
