// Random numbers of one run. A seed has 64 bits; every component draws from a stream of its own, named by a path, so a
// new kind of fault does not shift what the others draw and an old seed keeps most of its story.
import { exp, ln } from './same-math.ts'

export class Prng {
  private readonly path: string
  private a: number
  private b: number
  private c: number
  private counter: number

  /** `seed` is taken modulo 2^64. */
  constructor(seed: bigint, path = '') {
    this.path = `${BigInt.asUintN(64, seed).toString(16)}${path}`
    const [a, b, c, d] = mix(this.path)
    this.a = a
    this.b = b
    this.c = c
    this.counter = d
    for (let i = 0; i < 12; i++) this.u32()
  }

  /** A stream of its own; does not change this one. */
  split(label: string): Prng {
    const [seed = '0', ...rest] = this.path.split('/')
    return new Prng(BigInt(`0x${seed}`), `${rest.map((part) => `/${part}`).join('')}/${label}`)
  }

  /** sfc32, by Chris Doty-Humphrey. */
  u32(): number {
    const result = (((this.a + this.b) | 0) + this.counter) | 0
    this.counter = (this.counter + 1) | 0
    this.a = this.b ^ (this.b >>> 9)
    this.b = (this.c + (this.c << 3)) | 0
    this.c = ((this.c << 21) | (this.c >>> 11)) + result
    return result >>> 0
  }

  /** Uniform in [0, 1). */
  float(): number {
    return this.u32() / 0x1_0000_0000
  }

  /** An integer from 0 up to, not including, `end`. */
  below(end: number): number {
    return Math.floor(this.float() * end)
  }

  between(low: number, high: number): number {
    return low + this.float() * (high - low)
  }

  /** Between the two, each order of magnitude as likely as the next. */
  logBetween(low: number, high: number): number {
    return low * exp(this.float() * ln(high / low))
  }

  chance(share: number): boolean {
    return share > 0 && this.float() < share
  }

  /** Waiting time of a Poisson process. */
  exponential(mean: number): number {
    return -ln(1 - this.float()) * mean
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!
  }

  /** The same in another order. */
  shuffle<T>(list: readonly T[]): T[] {
    const shuffled = [...list]
    for (let at = shuffled.length - 1; at > 0; at--) {
      const other = this.below(at + 1)
      const held = shuffled[at]!
      shuffled[at] = shuffled[other]!
      shuffled[other] = held
    }
    return shuffled
  }

  hex(digits: number): string {
    let text = ''
    while (text.length < digits) text += this.u32().toString(16).padStart(8, '0')
    return text.slice(0, digits)
  }

  bytes(count: number): Uint8Array {
    return Uint8Array.from({ length: count }, () => this.u32() & 255)
  }
}

/** Four words from a text: cyrb128. */
function mix(text: string): [number, number, number, number] {
  let a = 1779033703
  let b = 3144134277
  let c = 1013904242
  let d = 2773480762
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    a = b ^ Math.imul(a ^ code, 597399067)
    b = c ^ Math.imul(b ^ code, 2869860233)
    c = d ^ Math.imul(c ^ code, 951274213)
    d = a ^ Math.imul(d ^ code, 2716044179)
  }
  a = Math.imul(c ^ (a >>> 18), 597399067)
  b = Math.imul(d ^ (b >>> 22), 2869860233)
  c = Math.imul(a ^ (c >>> 17), 951274213)
  d = Math.imul(b ^ (d >>> 19), 2716044179)
  return [a ^ b ^ c ^ d, b ^ a, c ^ a, d ^ a]
}
