// What is wrong with a cable at the moment, and what that means for a byte, a datagram and a connect. Pure: random
// numbers come from a seed, and nothing here knows a socket or a clock.
import { ConfigError } from '../errors.ts'

/** Which way something travels. */
export type Direction = 'a->b' | 'b->a'

/** One way, or both. */
export type Directions = Direction | 'both'

/** What happens to datagrams on their way. All default to 0: nothing. */
export interface Impairment {
  /** Share of datagrams that vanish, 0 to 1. */
  readonly loss?: number
  /** Share of datagrams that arrive twice, 0 to 1. */
  readonly duplicate?: number
  /** Added to every datagram's travel, in milliseconds. */
  readonly delayMs?: number
  /** Up to this many milliseconds more, drawn for each datagram, so that they overtake each other. */
  readonly jitterMs?: number
}

interface Way {
  cut: boolean
  stalled: boolean
  impairment: Required<Impairment>
}

const SOUND: Required<Impairment> = { loss: 0, duplicate: 0, delayMs: 0, jitterMs: 0 }

/** The state of one cable. */
export class Faults {
  readonly #ways: Record<Direction, Way> = {
    'a->b': { cut: false, stalled: false, impairment: SOUND },
    'b->a': { cut: false, stalled: false, impairment: SOUND },
  }
  readonly #random: () => number

  constructor(seed: number) {
    this.#random = mulberry32(seed)
  }

  /** Whether any way is cut: then no connection can be made, because a handshake needs both. */
  get cut(): boolean {
    return this.#ways['a->b'].cut || this.#ways['b->a'].cut
  }

  isCut(direction: Direction): boolean {
    return this.#ways[direction].cut
  }

  /** Whether bytes of a TCP connection pass, or wait. */
  streams(direction: Direction): boolean {
    const { cut, stalled } = this.#ways[direction]
    return !cut && !stalled
  }

  /** Milliseconds after which each copy of the next datagram arrives: none, one or two of them. */
  datagram(direction: Direction): number[] {
    const { cut, impairment } = this.#ways[direction]
    if (cut) return []
    const { loss, duplicate, delayMs, jitterMs } = impairment
    if (loss > 0 && this.#random() < loss) return []
    const copies = duplicate > 0 && this.#random() < duplicate ? 2 : 1
    return Array.from({ length: copies }, () => delayMs + (jitterMs > 0 ? this.#random() * jitterMs : 0))
  }

  setCut(directions: Directions): void {
    for (const way of this.#each(directions)) way.cut = true
  }

  setStalled(directions: Directions): void {
    for (const way of this.#each(directions)) way.stalled = true
  }

  setImpairment(impairment: Impairment, directions: Directions): void {
    const checked = { ...SOUND, ...impairment }
    for (const name of ['loss', 'duplicate'] as const) {
      if (!(checked[name] >= 0 && checked[name] <= 1)) {
        throw new ConfigError(`${name}: ${checked[name]} is not a share between 0 and 1`)
      }
    }
    for (const name of ['delayMs', 'jitterMs'] as const) {
      if (!(checked[name] >= 0 && checked[name] <= 60_000)) {
        throw new ConfigError(`${name}: ${checked[name]} is not between 0 and 60000 milliseconds`)
      }
    }
    for (const way of this.#each(directions)) way.impairment = checked
  }

  /** Nothing is cut or stalled any more; impairment of datagrams stays. */
  mend(): void {
    for (const way of this.#each('both')) way.cut = way.stalled = false
  }

  #each(directions: Directions): Way[] {
    if (directions === 'both') return Object.values(this.#ways)
    const way = this.#ways[directions]
    if (!way) throw new ConfigError(`'${directions}' is not a direction; give 'a->b', 'b->a' or 'both'`)
    return [way]
  }
}

/** Small seeded generator of numbers in [0, 1) (Tommy Ettinger's mulberry32, public domain). */
export function mulberry32(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
