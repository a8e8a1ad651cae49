// One direction of one link: what it does to datagrams and to the bytes of streams. Faults nest, so each is a count.
import type { Pipe } from './pipe.ts'
import type { Prng } from './prng.ts'
import type { World } from './world.ts'

/** What a path is like without faults. */
export interface PathProfile {
  /** ms */
  readonly latency: number
  readonly jitter: number
  /** Shares of datagrams. */
  readonly loss: number
  readonly duplicate: number
  readonly reorder: number
  readonly corrupt: number
  /** Share of datagrams after which an old one, of any process before, is played again. */
  readonly replay: number
  /** Share of writes that arrive in two pieces. */
  readonly fragment: number
  /** Bytes per ms. */
  readonly bandwidth: number
}

export const CLEAN_PATH: PathProfile = {
  latency: 0.2,
  jitter: 0.1,
  loss: 0,
  duplicate: 0,
  reorder: 0,
  corrupt: 0,
  replay: 0,
  fragment: 0,
  bandwidth: 100_000,
}

const TAPE_LENGTH = 64
/** Mean time until an old datagram is played, ms. */
const REPLAY_MS = 1_000

export class Path {
  readonly link: number
  /** Index of the sending node. */
  readonly from: number
  profile: PathProfile
  /** When something last passed again after a cut, ms. */
  mendedAt = Number.NEGATIVE_INFINITY
  /** Bytes of streams wait. */
  stalls = 0
  /** Datagrams vanish. */
  blocks = 0
  /** Connects are refused. */
  rejects = 0
  /** Added to every delay, ms. */
  lag = 0
  /** Share of datagrams lost on top of the profile's. */
  storm = 0
  readonly pipes = new Set<Pipe>()
  private cutCount = 0
  private readonly world: World
  private readonly random: Prng
  /** Old datagrams. */
  private readonly tape: Uint8Array[] = []

  constructor(world: World, random: Prng, link: number, from: number, profile: PathProfile) {
    this.world = world
    this.random = random
    this.link = link
    this.from = from
    this.profile = profile
  }

  /** Cuts under way: nothing passes. */
  get cuts(): number {
    return this.cutCount
  }

  set cuts(count: number) {
    if (count === 0 && this.cutCount > 0) this.mendedAt = this.world.now
    this.cutCount = count
  }

  /** Stream bytes pass. */
  get flows(): boolean {
    return this.cuts === 0 && this.stalls === 0
  }

  delay(): number {
    return this.profile.latency + this.random.float() * this.profile.jitter + this.lag
  }

  /** Carries a datagram, or not, or twice, or late, or harmed. */
  carry(bytes: Uint8Array, deliver: (bytes: Uint8Array) => void): void {
    const { random, profile, world } = this
    if (this.cuts > 0 || this.blocks > 0) return
    if (random.chance(profile.replay)) {
      this.remember(bytes)
      world.count('datagram replayed')
      const old = random.pick(this.tape)
      // Somebody on the path, who goes on when the sender is long gone.
      world.after(this.delay() + random.exponential(REPLAY_MS), () => deliver(old))
    }
    if (random.chance(profile.loss + this.storm)) {
      world.count('datagram lost')
      return
    }
    let late = 0
    if (random.chance(profile.reorder)) {
      world.count('datagram late')
      late = random.between(0, 20 * (profile.latency + 1))
    }
    let carried = bytes
    if (random.chance(profile.corrupt)) {
      world.count('datagram harmed')
      carried = harm(bytes, random)
    }
    world.after(this.delay() + late, () => deliver(carried))
    if (random.chance(profile.duplicate)) {
      world.count('datagram doubled')
      world.after(this.delay() + random.between(0, 5), () => deliver(carried))
    }
  }

  private remember(bytes: Uint8Array): void {
    if (this.tape.length < TAPE_LENGTH) this.tape.push(bytes)
    else this.tape[this.random.below(TAPE_LENGTH)] = bytes
  }

  /** Something ended: what waited goes on after TCP has noticed. */
  resume(retryMs: number): void {
    if (!this.flows) return
    for (const pipe of this.pipes) pipe.resume(this.random.float() * retryMs)
  }
}

function harm(bytes: Uint8Array, random: Prng): Uint8Array {
  const kind = random.below(3)
  if (kind === 0) return bytes.slice(0, random.below(bytes.length))
  if (kind === 1) return random.bytes(bytes.length)
  const harmed = bytes.slice()
  harmed[random.below(harmed.length)]! ^= 1 << random.below(8)
  return harmed
}
