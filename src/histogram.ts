// A histogram with fixed bounds: how long things took, how large they were. Counted where they happen, once a batch.

/** How values were spread since the start. */
export interface Histogram {
  /** Upper bounds, inclusive, ascending; in the unit that its name ends with. */
  readonly bounds: readonly number[]
  /** Values up to each bound and above the one before; one more count than bounds, for what is above all. */
  readonly counts: readonly number[]
  /** Of all values. */
  readonly sum: number
  /** Number of values. */
  readonly count: number
}

export class Spread {
  private readonly bounds: readonly number[]
  private readonly counts: number[]
  private sum = 0
  private count = 0

  constructor(bounds: readonly number[]) {
    this.bounds = bounds
    this.counts = new Array<number>(bounds.length + 1).fill(0)
  }

  add(value: number): void {
    let at = 0
    while (at < this.bounds.length && value > this.bounds[at]!) at++
    this.counts[at]!++
    this.sum += value
    this.count++
  }

  read(): Histogram {
    const { bounds, counts, sum, count } = this
    return { bounds, counts: [...counts], sum, count }
  }
}
