// Brings faults about, keeps book of them, and heals everything when their time is over.
import type { FaultBook } from './faultbook.ts'
import type { Network } from './network.ts'
import type { Path } from './path.ts'
import type { FaultName, Plan } from './plan.ts'
import type { Prng } from './prng.ts'
import type { SimProcess } from './process.ts'

type Counted = 'cuts' | 'stalls' | 'blocks' | 'rejects'

/** What the faults may do to nodes. */
export interface Patient {
  running(node: number): SimProcess | undefined
  /** Ends the process and starts the next one so much later. */
  bringDown(node: number, how: 'kill' | 'power', awayMs: number): void
  /** Spoils a part of what a synced secondary holds, without its noticing. */
  spoil(random: Prng): void
}

/** What an ambush waits for: frame types. */
const AMBUSHED = [1, 4, 5, 6, 7, 8, 9, 10, 32, 33, 34, 35, 36, 48]

/** Longest delay a lagging link adds, ms. */
export function lagMaxMs(plan: Plan): number {
  return plan.faults.has('lag') ? 1.5 * plan.boundMs : 0
}

export class Faults {
  private readonly plan: Plan
  private readonly network: Network
  private readonly book: FaultBook
  private readonly patient: Patient
  private readonly random: Prng
  /** Everything that lasts, and how it ends. */
  private readonly active = new Set<() => void>()
  private healed = false
  private ambush: { type: number; node: number; strike: () => void } | undefined
  /** How long a link may need after a fault until it is as before, ms. */
  readonly recoveryMs: number

  constructor(plan: Plan, network: Network, book: FaultBook, patient: Patient, random: Prng) {
    this.plan = plan
    this.network = network
    this.book = book
    this.patient = patient
    this.random = random
    this.recoveryMs = plan.boundMs + plan.network.dialTimeoutMs + 1_500
  }

  begin(): void {
    this.beginPermanent()
    const { world } = this.network
    for (const [name, mean] of this.plan.faults) {
      const random = this.random.split(name)
      world.after(this.plan.faultyFrom, () => this.wait(name, mean, random))
    }
  }

  private wait(name: FaultName, mean: number, random: Prng): void {
    this.network.world.after(random.exponential(mean), () => {
      if (this.healed) return
      this.network.world.count(`fault: ${name}`)
      this.strike(name, random)
      this.wait(name, mean, random)
    })
  }

  private beginPermanent(): void {
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

  /** Bounds are the natural unit: what ends before one must not show, what lasts longer must. */
  private duration(random: Prng): number {
    return this.plan.boundMs * random.logBetween(0.1, 12)
  }

  private strike(name: FaultName, random: Prng): void {
    const { network } = this
    const link = random.below(2)
    const node = random.chance(0.6) ? this.primaryNode(random) : random.below(2)
    const duration = this.duration(random)
    switch (name) {
      case 'cut':
        this.cut(link, [0, 1], duration, random)
        break
      case 'one-way cut':
        this.cut(link, [random.below(2)], duration, random)
        break
      case 'both cut':
        this.cut(0, [0, 1], duration, random)
        network.world.after(random.chance(0.5) ? 0 : random.between(0, this.plan.boundMs), () => {
          if (!this.healed) this.cut(1, [0, 1], duration * random.between(0.5, 1.5), random)
        })
        break
      case 'stall':
        this.hold(link, random.chance(0.5) ? [0, 1] : [random.below(2)], 'stalls', duration, random)
        break
      case 'udp block':
        this.hold(link, random.chance(0.5) ? [0, 1] : [random.below(2)], 'blocks', duration, random)
        break
      case 'reject':
        this.breakStreams(link, random)
        this.hold(link, [0, 1], 'rejects', duration, random)
        break
      case 'break':
        this.breakStreams(link, random)
        break
      case 'lag':
        this.lag(link, duration, random)
        break
      case 'storm':
        this.storm(link, duration, random)
        break
      case 'kill':
      case 'power':
        this.patient.bringDown(node, name, this.awayMs(random))
        break
      case 'freeze':
        this.stand(node, 'freeze', duration)
        break
      case 'app stall':
        this.stand(node, 'app', random.chance(0.3) ? duration * 2 : duration)
        break
      case 'sync stall':
        this.stand(node, 'sync', random.chance(0.7) ? this.plan.interval * random.between(0.2, 3) : duration)
        break
      case 'island':
        this.island(node, random)
        break
      case 'bad memory':
        this.patient.spoil(random)
        break
      case 'ambush':
        this.layAmbush(random)
        break
    }
  }

  private primaryNode(random: Prng): number {
    for (const node of [0, 1]) if (this.patient.running(node)?.core.state.role === 'primary') return node
    return random.below(2)
  }

  private awayMs(random: Prng): number {
    return random.chance(0.4) ? random.between(60, 500) : this.plan.boundMs * random.logBetween(0.5, 30)
  }

  // ---- Links

  private note(link: number, what: string, durationMs: number): void {
    const { world } = this.network
    world.note(link, () => `-- M${link + 1} ${what} for ${durationMs.toFixed(0)} ms`)
  }

  private cut(link: number, senders: readonly number[], durationMs: number, random: Prng): void {
    const dead = random.chance(0.5)
    this.note(
      link,
      `cut${senders.length === 1 ? ` from ${'ab'[senders[0]!]}` : ''}${dead ? ', its streams for ever' : ''}`,
      durationMs,
    )
    this.last(link, durationMs, senders, 'cuts', random)
    if (dead) for (const stream of this.network.streamsOf(link)) stream.kill()
  }

  /** Both links are cut until after the hold-down, and one node comes back empty behind the cut. */
  private island(node: number, random: Prng): void {
    const holdDownMs = Math.max(...this.plan.nodes.map((one) => one.core.holdDownMs))
    const awayMs = random.between(60, this.plan.boundMs)
    const duration = awayMs + holdDownMs * random.between(0.8, 1.5)
    for (const link of [0, 1]) this.cut(link, [0, 1], duration, random)
    this.patient.bringDown(node, random.pick(['kill', 'power'] as const), awayMs)
  }

  private hold(
    link: number,
    senders: readonly number[],
    what: Exclude<Counted, 'cuts'>,
    durationMs: number,
    random: Prng,
  ): void {
    const from = senders.length === 1 ? ` from ${'ab'[senders[0]!]}` : ''
    this.note(link, `${what}${from}`, durationMs)
    this.last(link, durationMs, senders, what, random)
  }

  /** Something that counts on paths, for a while. */
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
      this.network.resume(link, Math.min(durationMs, 1_500) * random.float())
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

  private breakStreams(link: number, random: Prng): void {
    const { world } = this.network
    this.note(link, 'streams break', 0)
    this.book.harmLink(link, world.now)(world.now + this.recoveryMs)
    for (const stream of this.network.streamsOf(link)) {
      if (random.chance(0.9)) stream.break()
    }
  }

  private lag(link: number, durationMs: number, random: Prng): void {
    const paths = this.network.paths[link]!
    if (paths.some((path) => path.lag > 0)) return
    const lagMs = random.logBetween(0.1 * this.plan.interval, lagMaxMs(this.plan))
    this.note(link, `lags by ${lagMs.toFixed(0)} ms`, durationMs)
    for (const path of paths) path.lag = lagMs
    this.lasting(link, durationMs, () => {
      for (const path of paths) path.lag = 0
    })
  }

  private storm(link: number, durationMs: number, random: Prng): void {
    const share = random.between(0.3, 1)
    this.note(link, `loses ${(share * 100).toFixed(0)} % of datagrams`, durationMs)
    const path = this.network.path(link, random.below(2))
    path.storm += share
    this.lasting(link, durationMs, () => {
      path.storm -= share
    })
  }

  // ---- Nodes

  private stand(node: number, what: 'freeze' | 'app' | 'sync', durationMs: number): void {
    const process = this.patient.running(node)
    if (process === undefined) return
    const { world } = this.network
    world.note(
      node,
      () =>
        `-- ${process.name} ${what === 'freeze' ? 'frozen' : `${what} thread stands still`} for ${durationMs.toFixed(0)} ms`,
    )
    this.book.disturbed = true
    if (what !== 'app') this.book.harmNode(node, world.now)(world.now + durationMs + this.plan.boundMs)
    if (what === 'freeze') process.freeze(durationMs)
    else if (what === 'app') process.app.block(durationMs)
    else process.thread.block(durationMs)
  }

  // ---- Ambushes: a fault at the very moment a frame of some type is sent

  private layAmbush(random: Prng): void {
    const type = random.pick(AMBUSHED)
    const node = random.below(2)
    const victim = random.below(2)
    const kind = random.pick([
      'kill',
      'power',
      'freeze',
      'sync stall',
      'app stall',
      'cut',
      'break',
      'both cut',
    ] as const)
    const strike = () => {
      this.network.world.count(`ambush: ${kind}`)
      if (kind === 'kill' || kind === 'power') this.patient.bringDown(victim, kind, this.awayMs(random))
      else if (kind === 'freeze') this.stand(victim, 'freeze', this.duration(random))
      else if (kind === 'app stall') this.stand(victim, 'app', this.duration(random))
      else this.strike(kind, random)
    }
    this.ambush = { type, node, strike }
  }

  /** A frame is about to be sent. */
  handleFrame(process: SimProcess, type: number): void {
    const { ambush } = this
    if (ambush === undefined || this.healed || ambush.type !== type || ambush.node !== process.node) return
    this.ambush = undefined
    this.network.world.note(type, () => `-- ambush at frame ${type} of ${process.name}`)
    // Right after the turn that sends it: whatever was said before it has left, the rest has not been heard.
    this.network.world.after(0, ambush.strike)
  }

  /** Everything that can be mended is mended. */
  heal(): void {
    this.healed = true
    this.ambush = undefined
    for (const finish of [...this.active]) finish()
  }
}
