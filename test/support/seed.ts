// Random tests that can be replayed: one seed per process, from HOLDFAST_SEED or drawn, told on failure together with
// the command that runs the same again.
import { relative } from 'node:path'

const given = process.env.HOLDFAST_SEED

/** The seed of every random test in this process: a 32-bit integer. */
export const seed: number =
  given === undefined ? Math.floor(Math.random() * 0x1_0000_0000) | 0 : Number(given) | 0

/** How many times more (or, below 1, less) than by default; a long run sets HOLDFAST_RUNS=20. */
const factor = Number(process.env.HOLDFAST_RUNS ?? 1)

export const runs = (byDefault: number): number => Math.max(1, Math.round(byDefault * factor))

export function replayCommand(): string {
  return `HOLDFAST_SEED=${seed} node --import tsx ${relative(process.cwd(), process.argv[1] ?? '')}`
}

/** Runs `body` with a generator of its own; what it throws gets the command that replays it. */
export function seeded(body: (random: Random) => void): () => void {
  return () => {
    try {
      body(new Random(seed))
    } catch (error) {
      if (error instanceof Error) error.message += `\n    replay: ${replayCommand()}`
      throw error
    }
  }
}

/** sfc32, by Chris Doty-Humphrey: small, fast, passes PractRand. */
export class Random {
  #a = 0x9e3779b9
  #b = 0x243f6a88
  #c: number
  #counter = 1

  constructor(seed: number) {
    this.#c = seed | 0
    for (let i = 0; i < 12; i++) this.u32()
  }

  u32(): number {
    const result = (((this.#a + this.#b) | 0) + this.#counter) | 0
    this.#counter = (this.#counter + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + result
    return result >>> 0
  }

  /** An integer from 0 up to, not including, `end`. */
  below(end: number): number {
    return Math.floor((this.u32() / 0x1_0000_0000) * end)
  }

  chance(share: number): boolean {
    return this.u32() < share * 0x1_0000_0000
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!
  }

  bytes(count: number): Uint8Array {
    return Uint8Array.from({ length: count }, () => this.u32() & 255)
  }

  shuffle<T>(list: T[]): T[] {
    for (let i = list.length - 1; i > 0; i--) {
      const j = this.below(i + 1)
      const kept = list[i]!
      list[i] = list[j]!
      list[j] = kept
    }
    return list
  }
}
