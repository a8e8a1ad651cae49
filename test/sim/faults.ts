// Brings faults about at random times, keeps book of them, and mends everything when their time is over.
import type { FaultBook } from './faultbook.ts'
import { LinkFaults } from './link-faults.ts'
import type { Network } from './network.ts'
import { PHASES, type Phase, pairName } from './phases.ts'
import { FAULTS, type FaultName, type Plan } from './plan.ts'
import type { Prng } from './prng.ts'
import type { SimProcess } from './process.ts'

/** What the faults may do to nodes. */
export interface Patient {
  running(node: number): SimProcess | undefined
  /** What the pair is going through. */
  phase(): Phase
  /** Ends the process and starts the next one so much later. */
  bringDown(node: number, how: 'kill' | 'power', awayMs: number): void
  /** Its application writes as much as it can and gives the role away. */
  handOver(node: number): void
  /** Spoils a part of what a synced secondary holds, without its noticing. */
  spoil(random: Prng): void
}

/** What an ambush waits for: frame types. */
const AMBUSHED = [1, 4, 5, 6, 7, 8, 9, 10, 32, 33, 34, 35, 36, 48]
const AMBUSHES = ['kill', 'power', 'freeze', 'sync stall', 'app stall', 'cut', 'break', 'both cut'] as const
const BOTH = [0, 1] as const
/** Faults that may wait for a phase. How long news takes depends on whether links may lag, and what is excused on memory. */
const TIMED = FAULTS.filter((name) => !['ambush', 'phase ambush', 'bad memory', 'lag'].includes(name))

export class Faults {
  private readonly plan: Plan
  private readonly network: Network
  private readonly book: FaultBook
  private readonly patient: Patient
  private readonly random: Prng
  readonly links: LinkFaults
  private healed = false
  private ambush: { type: number; node: number; strike: () => void } | undefined
  /** What waits for each phase. */
  private readonly phaseAmbushes = new Map<Phase, () => void>()

  constructor(plan: Plan, network: Network, book: FaultBook, patient: Patient, random: Prng) {
    this.plan = plan
    this.network = network
    this.book = book
    this.patient = patient
    this.random = random
    this.links = new LinkFaults(plan, network, book)
  }

  begin(): void {
    this.links.beginPermanent()
    const { world } = this.network
    if (this.plan.islandFirst) {
      const random = this.random.split('first island')
      world.after(this.plan.faultyFrom, () => this.strike('island', random))
    }
    for (const [name, mean] of this.plan.faults) {
      const random = this.random.split(name)
      world.after(this.plan.faultyFrom, () => this.wait(name, mean, random))
    }
  }

  private wait(name: FaultName, mean: number, random: Prng): void {
    this.network.world.after(random.exponential(mean), () => {
      if (this.healed) return
      this.strike(name, random)
      this.wait(name, mean, random)
    })
  }

  /** Bounds are the natural unit: what ends before one must not show, what lasts longer must. */
  private duration(random: Prng): number {
    return this.plan.boundMs * random.logBetween(0.1, 12)
  }

  private strike(name: FaultName, random: Prng): void {
    const { links, patient, plan } = this
    this.count(name)
    const link = random.below(2)
    const senders = random.chance(0.5) ? BOTH : [random.below(2)]
    const node = random.chance(0.6) ? this.primaryNode(random) : random.below(2)
    const duration = this.duration(random)
    switch (name) {
      case 'cut':
        links.cut(link, BOTH, duration, random)
        break
      case 'one-way cut':
        links.cut(link, [random.below(2)], duration, random)
        break
      case 'both cut':
        links.cut(0, BOTH, duration, random)
        this.soon(random, () => links.cut(1, BOTH, duration * random.between(0.5, 1.5), random))
        break
      case 'stall':
        links.hold(link, senders, 'stalls', duration, random)
        break
      case 'both stall':
        links.hold(0, senders, 'stalls', duration, random)
        this.soon(random, () => links.hold(1, senders, 'stalls', duration, random))
        break
      case 'udp block':
        links.hold(link, senders, 'blocks', duration, random)
        break
      case 'reject':
        links.breakStreams(link, random)
        links.hold(link, BOTH, 'rejects', duration, random)
        break
      case 'break':
        links.breakStreams(link, random)
        break
      case 'lag':
        links.lag(link, duration, random)
        break
      case 'storm':
        links.storm(link, duration, random)
        break
      case 'kill':
      case 'power':
        patient.bringDown(node, name, this.awayMs(random))
        break
      case 'freeze':
        this.stand(node, 'freeze', duration)
        break
      case 'app stall':
        this.stand(node, 'app', random.chance(0.3) ? duration * 2 : duration)
        break
      case 'sync stall':
        this.stand(node, 'sync', random.chance(0.7) ? plan.interval * random.between(0.2, 3) : duration)
        break
      case 'overload':
        this.overload(node, random)
        break
      case 'island':
        this.island(node, random)
        break
      case 'bad memory':
        patient.spoil(random)
        break
      case 'half-filled':
        this.halfFill(random)
        break
      case 'hasty handover':
        this.handOverInHaste(random)
        break
      case 'ambush':
        this.layAmbush(random)
        break
      case 'phase ambush': {
        const kind = random.pick(TIMED)
        this.phaseAmbushes.set(random.pick(PHASES), () => this.strike(kind, random))
        break
      }
    }
  }

  /** By itself, and by what the pair is going through. */
  private count(name: FaultName): void {
    const { world } = this.network
    world.count(`fault: ${name}`)
    world.count(pairName(name, this.patient.phase()))
  }

  /** At once, or within a bound. */
  private soon(random: Prng, strike: () => void): void {
    const delay = random.chance(0.5) ? 0 : random.between(0, this.plan.boundMs)
    this.network.world.after(delay, () => {
      if (!this.healed) strike()
    })
  }

  private primaryNode(random: Prng): number {
    for (const node of [0, 1]) if (this.patient.running(node)?.core.state.role === 'primary') return node
    return random.below(2)
  }

  private awayMs(random: Prng): number {
    return random.chance(0.4) ? random.between(60, 500) : this.plan.boundMs * random.logBetween(0.5, 30)
  }

  /**
   * Both machines are overloaded: the sync thread of one hardly gets to beat, that of the other wakes late again and
   * again, each time for less than would make anybody suspect.
   */
  private overload(node: number, random: Prng): void {
    const { interval, boundMs } = this.plan
    this.stutter(node, 2 + random.below(4), () => random.between(0.3, 0.95) * boundMs, random)
    this.stutter(1 - node, 3 + random.below(20), () => random.between(0.4, 1.5) * interval, random)
  }

  /** A sync thread that stands still `times` times in a row, with next to nothing between. */
  private stutter(node: number, times: number, durationMs: () => number, random: Prng): void {
    if (times === 0 || this.healed) return
    const duration = durationMs()
    this.stand(node, 'sync', duration)
    const pause = random.chance(0.5) ? random.between(0.01, 1) : random.between(0, this.plan.interval)
    this.network.world.after(duration + pause, () => this.stutter(node, times - 1, durationMs, random))
  }

  /**
   * Both links are cut until after the hold-down, and one node comes back empty behind the cut; or both do, at the same
   * moment, so that nothing but their places tells their epochs apart.
   */
  private island(node: number, random: Prng): void {
    const holdDownMs = Math.max(...this.plan.nodes.map((one) => one.core.holdDownMs))
    const awayMs = random.between(60, this.plan.boundMs)
    const duration = awayMs + holdDownMs * random.between(0.8, 1.5)
    for (const link of BOTH) this.links.cut(link, BOTH, duration, random)
    this.patient.bringDown(node, random.pick(['kill', 'power'] as const), awayMs)
    if (random.chance(0.3)) this.patient.bringDown(1 - node, 'kill', awayMs)
  }

  /** A secondary that came back empty loses its primary while it is being filled. */
  private halfFill(random: Prng): void {
    const primary = this.primaryNode(random)
    this.patient.bringDown(1 - primary, 'kill', random.between(60, 500))
    const how = random.pick(['kill', 'power'] as const)
    this.phaseAmbushes.set('full resync', () => {
      const afterMs = random.logBetween(0.3, this.plan.interval)
      this.network.world.after(afterMs, () => {
        if (!this.healed) this.patient.bringDown(primary, how, this.awayMs(random))
      })
    })
  }

  /**
   * A handover in the midst of writes, with one link standing still, or crawling, since a moment before: what is said of
   * the role overtakes what was written.
   */
  private handOverInHaste(random: Prng): void {
    const { interval, boundMs } = this.plan
    const duration = random.logBetween(interval / 10, 2 * boundMs)
    const senders = random.chance(0.5) ? BOTH : [random.below(2)]
    this.links.hold(random.below(2), senders, 'stalls', duration, random)
    this.network.world.after(random.between(0, interval / 2), () => {
      if (!this.healed) this.patient.handOver(this.primaryNode(random))
    })
  }

  /** A thread stands still, or both. */
  private stand(node: number, what: 'freeze' | 'app' | 'sync', durationMs: number): void {
    const process = this.patient.running(node)
    if (process === undefined) return
    const { world } = this.network
    const state = what === 'freeze' ? 'frozen' : `${what} thread stands still`
    world.note(node, () => `-- ${process.name} ${state} for ${durationMs.toFixed(0)} ms`)
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
    const kind = random.pick(AMBUSHES)
    const strike = () => {
      this.network.world.count(`ambush: ${kind}`)
      if (kind === 'kill' || kind === 'power' || kind === 'freeze' || kind === 'app stall') this.count(kind)
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

  get awaitsPhase(): boolean {
    return this.phaseAmbushes.size > 0
  }

  /** The pair is in a phase, in the midst of a turn. */
  handlePhase(phase: Phase): void {
    const strike = this.phaseAmbushes.get(phase)
    if (this.healed || strike === undefined) return
    this.phaseAmbushes.delete(phase)
    this.network.world.note(0, () => `-- ambush in phase ${phase}`)
    this.network.world.after(0, () => {
      if (!this.healed) strike()
    })
  }

  /** Everything that can be mended is mended. */
  heal(): void {
    this.healed = true
    this.ambush = undefined
    this.phaseAmbushes.clear()
    this.links.heal()
  }
}
