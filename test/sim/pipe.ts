// One direction of one connection: an ordered pipe of bytes between two kernels, with a bounded buffer. Bytes that do not
// fit wait with the sender, which learns when they are taken. A stalled path makes them wait; a pipe can also be dead:
// everything put in vanishes, nobody is told, and the buffer never drains.
import type { Path } from './path.ts'
import type { Prng } from './prng.ts'
import type { World } from './world.ts'

/** What travels: bytes, or one step of a connection's life. */
export type Parcel =
  | { readonly type: 'bytes'; readonly bytes: Uint8Array }
  | { readonly type: 'syn' | 'accept' | 'open' | 'refused' | 'end' }

interface Transit {
  readonly parcel: Parcel
  readonly at: number
}

/** Bytes the two kernels hold between them. */
export const KERNEL_BYTES = 131_072
/** The sender is told of bytes taken in portions, as if it had corked its writes; a core that waits for room waits for more. */
const FLUSH_BYTES = 8_192
const FLUSH_DELAY_MS = 0.02

export class Pipe {
  private readonly world: World
  private readonly random: Prng
  private readonly path: Path
  /** The other direction: acknowledgements of TCP come back on it. */
  private readonly back: Path
  private readonly deliver: (parcel: Parcel) => void
  private readonly flushed: (bytes: number) => void
  private transit: Transit[] = []
  private waiting: Uint8Array[] = []
  private endWaits = false
  private kernelBytes = 0
  private flushedBytes = 0
  private unacknowledged = 0
  private lastAt = 0
  private departAt = 0
  private waking = false
  private dead = false
  private closed = false

  constructor(
    world: World,
    random: Prng,
    path: Path,
    back: Path,
    deliver: (parcel: Parcel) => void,
    flushed: (bytes: number) => void,
  ) {
    this.world = world
    this.random = random
    this.path = path
    this.back = back
    this.deliver = deliver
    this.flushed = flushed
    path.pipes.add(this)
  }

  /** Bytes the sender's process still holds for it. */
  get waitingBytes(): number {
    return this.waiting.reduce((sum, bytes) => sum + bytes.length, 0)
  }

  /** A step of the connection's life. */
  step(type: 'syn' | 'accept' | 'open' | 'refused' | 'end'): void {
    if (this.closed) return
    if (type === 'end') {
      this.closed = true
      if (this.waiting.length > 0) {
        this.endWaits = true
        return
      }
    }
    this.depart({ type })
  }

  write(bytes: Uint8Array): void {
    if (this.closed) return
    if (this.waiting.length > 0 || !this.fits(bytes.length)) this.waiting.push(bytes)
    else this.admit(bytes)
  }

  private fits(count: number): boolean {
    return this.kernelBytes === 0 || this.kernelBytes + count <= KERNEL_BYTES
  }

  private admit(bytes: Uint8Array): void {
    this.kernelBytes += bytes.length
    this.flushedBytes += bytes.length
    if (this.flushedBytes >= FLUSH_BYTES) this.sayFlushed()
    if (bytes.length > 1 && this.random.chance(this.path.profile.fragment)) {
      const cut = 1 + this.random.below(bytes.length - 1)
      this.depart({ type: 'bytes', bytes: bytes.subarray(0, cut) })
      this.depart({ type: 'bytes', bytes: bytes.subarray(cut) })
    } else this.depart({ type: 'bytes', bytes })
  }

  private sayFlushed(): void {
    const bytes = this.flushedBytes
    this.flushedBytes = 0
    this.world.after(FLUSH_DELAY_MS, () => this.flushed(bytes))
  }

  private depart(parcel: Parcel): void {
    if (this.dead) return
    const { now } = this.world
    const length = parcel.type === 'bytes' ? parcel.bytes.length : 0
    this.departAt = Math.max(this.departAt, now) + length / this.path.profile.bandwidth
    this.lastAt = Math.max(this.lastAt, this.departAt + this.path.delay())
    this.transit.push({ parcel, at: this.lastAt })
    this.schedule()
  }

  private schedule(): void {
    if (this.waking || this.transit.length === 0 || !this.path.flows) return
    this.waking = true
    this.world.at(this.transit[0]!.at, () => {
      this.waking = false
      this.arrive()
    })
  }

  private arrive(): void {
    while (!this.dead && this.path.flows) {
      const head = this.transit[0]
      if (head === undefined || head.at > this.world.now) break
      this.transit.shift()
      this.deliver(this.gather(head.parcel))
    }
    this.schedule()
  }

  /** Bytes that have arrived together are often read together. */
  private gather(parcel: Parcel): Parcel {
    if (parcel.type !== 'bytes') return parcel
    const next = this.transit[0]
    if (next === undefined || next.at > this.world.now || next.parcel.type !== 'bytes') return parcel
    if (this.random.chance(0.5)) return parcel
    this.transit.shift()
    const joined = new Uint8Array(parcel.bytes.length + next.parcel.bytes.length)
    joined.set(parcel.bytes)
    joined.set(next.parcel.bytes, parcel.bytes.length)
    return { type: 'bytes', bytes: joined }
  }

  /** The receiving process has read so many bytes. */
  handleRead(count: number): void {
    this.unacknowledged += count
    if (this.back.cuts === 0) this.release()
  }

  private release(): void {
    this.kernelBytes -= this.unacknowledged
    this.unacknowledged = 0
    while (this.waiting.length > 0 && this.fits(this.waiting[0]!.length)) this.admit(this.waiting.shift()!)
    if (this.waiting.length === 0 && this.endWaits) {
      this.endWaits = false
      this.depart({ type: 'end' })
    }
  }

  /** The path flows again: TCP sends again what it kept, after a while. */
  resume(delay: number): void {
    if (this.dead) return
    this.lastAt = Math.max(this.lastAt, this.world.now + delay)
    this.transit = this.transit.map(({ parcel, at }) => ({
      parcel,
      at: Math.max(at, this.world.now + delay),
    }))
    if (this.unacknowledged > 0) this.world.after(delay, () => this.release())
    this.schedule()
  }

  loseWaiting(): void {
    this.waiting = []
  }

  /** Whatever is under way is lost, and the far end sees the connection end. */
  reset(): void {
    this.waiting = []
    this.endWaits = false
    this.transit = []
    this.closed = true
    this.depart({ type: 'end' })
  }

  /** From now on everything put in vanishes. */
  kill(): void {
    this.dead = true
    this.transit = []
  }

  /** Neither end is interested any more. */
  forget(): void {
    this.kill()
    this.path.pipes.delete(this)
  }
}
