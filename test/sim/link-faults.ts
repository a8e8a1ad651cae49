// What can befall links, each for a while: cuts, stalls, blocks, refusals, breaks, lag, storms. Every one is entered in
// the book, and all of them can be ended at once.
import type { FaultBook } from './faultbook.ts'
import type { Network } from './network.ts'
import type { Path } from './path.ts'
import type { Plan } from './plan.ts'
import type { Prng } from './prng.ts'

type Counted = 'cuts' | 'stalls' | 'blocks' | 'rejects'

/** TCP tries again after at most so long, ms; what lasts longer is closed and dialled anew. */
const RETRY_MS_MAX = 1_500

/** Longest delay a lagging link adds, ms. */
export function lagMaxMs(plan: Plan): number {
  return plan.faults.has('lag') ? 1.5 * plan.boundMs : 0
}

export class LinkFaults {
  private readonly plan: Plan
  private readonly network: Network
  private readonly book: FaultBook
  /** Everything that lasts, and how it ends. */
  private readonly active = new Set<() => void>()
  /** How long a link may need after a fault until it is as before, ms. */
  private readonly recoveryMs: number

  constructor(plan: Plan, network: Network, book: FaultBook) {
    this.plan = plan
    this.network = network
    this.book = book
    this.recoveryMs = plan.boundMs + plan.network.dialTimeoutMs + RETRY_MS_MAX
  }

  /** What lasts from the first moment to the last. */
  beginPermanent(): void {
    const { permanent, permanentLink: link, permanentFrom: from } = this.plan
    if (permanent === 'none') return
    this.network.world.count(`for ever: ${permanent}`)
    this.book.harmLink(link, 0)
    const there = this.network.path(link, from)
    const back = this.network.path(link, 1 - from)
    if (permanent === 'one-way cut') there.cuts++
    if (permanent === 'udp block') there.blocks++
    if (permanent === 'dead link') for (const path of [there, back]) path.cuts++
    if (permanent === 'stalled link') for (const path of [there, back]) path.stalls++
  }

  private note(link: number, what: string, durationMs: number): void {
    const { world } = this.network
    world.note(link, () => `-- M${link + 1} ${what} for ${durationMs.toFixed(0)} ms`)
  }

  /** Nothing passes; connections that were open may be dead for ever. */
  cut(link: number, senders: readonly number[], durationMs: number, random: Prng): void {
    const dead = random.chance(0.5)
    this.note(link, `cut${fromText(senders)}${dead ? ', its streams for ever' : ''}`, durationMs)
    this.last(link, durationMs, senders, 'cuts', random)
    if (dead) for (const stream of this.network.streamsOf(link)) stream.kill()
  }

  /** Streams stall, datagrams are blocked, or connects are refused. */
  hold(
    link: number,
    senders: readonly number[],
    what: Exclude<Counted, 'cuts'>,
    durationMs: number,
    random: Prng,
  ): void {
    this.note(link, `${what}${fromText(senders)}`, durationMs)
    this.last(link, durationMs, senders, what, random)
  }

  private last(
    link: number,
    durationMs: number,
    senders: readonly number[],
    what: Counted,
    random: Prng,
  ): void {
    const paths: Path[] = senders.map((sender) => this.network.path(link, sender))
    for (const path of paths) path[what]++
    this.lasting(link, durationMs, () => {
      for (const path of paths) path[what]--
      this.network.resume(link, Math.min(durationMs, RETRY_MS_MAX) * random.float())
    })
  }

  private lasting(link: number, durationMs: number, end: () => void): void {
    const { world } = this.network
    const mended = this.book.harmLink(link, world.now)
    let isOver = false
    const finish = () => {
      if (isOver) return
      isOver = true
      this.active.delete(finish)
      end()
      mended(world.now + this.recoveryMs)
    }
    this.active.add(finish)
    world.after(durationMs, finish)
  }

  breakStreams(link: number, random: Prng): void {
    const { world } = this.network
    this.note(link, 'streams break', 0)
    this.book.harmLink(link, world.now)(world.now + this.recoveryMs)
    for (const stream of this.network.streamsOf(link)) {
      if (random.chance(0.9)) stream.break()
    }
  }

  lag(link: number, durationMs: number, random: Prng): void {
    const paths = this.network.paths[link]!
    if (paths.some((path) => path.lag > 0)) return
    const lagMs = random.logBetween(0.1 * this.plan.interval, lagMaxMs(this.plan))
    this.note(link, `lags by ${lagMs.toFixed(0)} ms`, durationMs)
    for (const path of paths) path.lag = lagMs
    this.lasting(link, durationMs, () => {
      for (const path of paths) path.lag = 0
    })
  }

  storm(link: number, durationMs: number, random: Prng): void {
    const share = random.between(0.3, 1)
    this.note(link, `loses ${(share * 100).toFixed(0)} % of datagrams`, durationMs)
    const path = this.network.path(link, random.below(2))
    path.storm += share
    this.lasting(link, durationMs, () => {
      path.storm -= share
    })
  }

  /** Ends whatever lasts. */
  heal(): void {
    for (const finish of [...this.active]) finish()
  }
}

function fromText(senders: readonly number[]): string {
  return senders.length === 1 ? ` from ${'ab'[senders[0]!]}` : ''
}
