// Seeded random numbers: the same figures are measured with the same sessions in the same order, everywhere.

export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** 32 random bits (mulberry32, Tommy Ettinger). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return (mixed ^ (mixed >>> 14)) >>> 0
  }

  /** An integer from 0 to `limit - 1`. */
  below(limit: number): number {
    return Math.floor((this.next() / 2 ** 32) * limit)
  }

  /** 0 to `count - 1` in random order. */
  shuffled(count: number): Uint32Array {
    const order = new Uint32Array(count)
    for (let i = 0; i < count; i++) {
      const j = this.below(i + 1)
      order[i] = order[j]!
      order[j] = i
    }
    return order
  }

  /** `count` different integers from 0 to `limit - 1`, in random order (Floyd). */
  sample(count: number, limit: number): Uint32Array {
    const chosen = new Set<number>()
    for (let last = limit - count; last < limit; last++) {
      const one = this.below(last + 1)
      chosen.add(chosen.has(one) ? last : one)
    }
    const list = Uint32Array.from(chosen)
    const order = this.shuffled(count)
    return order.map((at) => list[at]!)
  }
}
