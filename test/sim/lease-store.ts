// The third party of mode 'witness': one entry with a revision, which it never forgets and changes for one caller at a
// time. It can be slow, away, restarted (then every lease begins anew, as in etcd), and cut off from either node; it ends
// a lease late, never early. Its clock is the world's.
import type { WitnessAnswer, WitnessCall, WitnessState } from '../../src/core/witness.ts'
import type { Prng } from './prng.ts'
import type { World } from './world.ts'

/** Mean times between two of a fault, ms; infinity: none of it. */
export interface LeaseStorePlan {
  readonly leaseMs: number
  readonly awayMs: number
  readonly cutMs: number
  readonly slowMs: number
  /** Share of requests and of answers that get lost. */
  readonly loss: number
}

/** Whoever asks. */
export interface Tenant {
  readonly node: 0 | 1
  readonly holder: string
  answer(answer: WitnessAnswer): void
  news(state: WitnessState): void
}

const FREE: WitnessState = { holder: '', revision: 0 }

export function drawLeaseStore(random: Prng, boundMs: number): LeaseStorePlan {
  const fault = () => (random.chance(0.5) ? boundMs * random.logBetween(4, 30) : Number.POSITIVE_INFINITY)
  return {
    leaseMs: Math.max(100, boundMs * random.logBetween(0.8, 6)),
    awayMs: fault(),
    cutMs: fault(),
    slowMs: fault(),
    loss: random.pick([0, 0, 0.05, 0.3]),
  }
}

export class LeaseStore {
  private readonly world: World
  private readonly random: Prng
  private readonly plan: LeaseStorePlan
  private readonly tenants = new Map<0 | 1, Tenant>()
  private entry = FREE
  private endsAt = 0
  private revisions = 0
  /** It notices the end of a lease so much late. */
  private readonly lateMs: number
  private readonly latencyMs: number
  private away = 0
  private readonly cuts: [number, number] = [0, 0]
  private slow = 0
  private healed = false

  constructor(world: World, random: Prng, plan: LeaseStorePlan) {
    this.world = world
    this.random = random
    this.plan = plan
    this.latencyMs = random.logBetween(0.1, plan.leaseMs / 30)
    this.lateMs = random.between(0, plan.leaseMs / 4)
    this.faults('witness away', plan.awayMs, () => this.goAway())
    this.faults('witness cut', plan.cutMs, () => this.cutOff())
    this.faults('witness slow', plan.slowMs, () => this.slowDown())
  }

  /** A process of a node begins; the one before is not answered any more. */
  serve(tenant: Tenant): void {
    this.tenants.set(tenant.node, tenant)
  }

  /** A request, answered once: when it was, or after `timeoutMs` whatever became of it. */
  ask(tenant: Tenant, call: WitnessCall, timeoutMs: number): void {
    let isAnswered = false
    const tell = (answer: WitnessAnswer) => {
      if (isAnswered) return
      isAnswered = true
      tenant.answer(answer)
    }
    this.world.after(timeoutMs, () => tell({ call: call.call, type: 'failed', reason: 'no answer in time' }))
    if (this.away > 0 && this.random.chance(0.5)) {
      this.later(() => tell({ call: call.call, type: 'failed', reason: 'refused' }))
      return
    }
    this.carry(tenant.node, () => {
      const answer = this.execute(tenant.holder, call)
      this.carry(tenant.node, () => tell(answer))
    })
  }

  /** One way between a node and the store. */
  private carry(node: 0 | 1, arrive: () => void): void {
    if (this.cuts[node] > 0 || this.random.chance(this.healed ? 0 : this.plan.loss)) return
    this.later(() => {
      if (this.away === 0) arrive()
    })
  }

  private later(event: () => void): void {
    const slowness = this.slow > 0 ? this.random.between(0, this.plan.leaseMs) : 0
    this.world.after(this.latencyMs * this.random.between(0.5, 2) + slowness, event)
  }

  private execute(holder: string, call: WitnessCall): WitnessAnswer {
    this.expire()
    const { entry } = this
    const isOwn = (revision: number) => entry.holder === holder && entry.revision === revision
    let done = false
    if (call.type === 'acquire' && entry.revision === call.after) {
      this.change({ holder, revision: ++this.revisions })
      this.begin()
      done = true
    } else if (call.type === 'renew' && isOwn(call.revision)) {
      this.begin()
      done = true
    } else if (call.type === 'release' && isOwn(call.revision)) this.change(FREE)
    return { call: call.call, type: 'state', state: this.entry, done }
  }

  /** The lease lasts for its length from now. */
  private begin(): void {
    const endsAt = this.world.now + this.plan.leaseMs
    this.endsAt = endsAt
    this.world.at(endsAt + this.lateMs, () => this.expire())
  }

  private expire(): void {
    if (this.entry.holder === '' || this.away > 0 || this.world.now < this.endsAt + this.lateMs) return
    this.world.count('witness: lease ended')
    this.change(FREE)
  }

  private change(state: WitnessState): void {
    this.entry = state
    this.world.note(
      state.revision,
      () => `the witness: ${state.holder === '' ? 'free' : `${state.holder} #${state.revision}`}`,
    )
    for (const tenant of this.tenants.values()) this.carry(tenant.node, () => tenant.news(state))
  }

  // ---- Faults

  private faults(name: string, meanMs: number, strike: () => void): void {
    if (meanMs === Number.POSITIVE_INFINITY) return
    this.world.after(this.random.exponential(meanMs), () => {
      if (this.healed) return
      this.world.count(`fault: ${name}`)
      strike()
      this.faults(name, meanMs, strike)
    })
  }

  private durationMs(): number {
    return this.plan.leaseMs * this.random.logBetween(0.1, 6)
  }

  /** It is restarted, or its machine is away for a while; what it knew stays, and leases begin anew. */
  goAway(durationMs = this.durationMs()): void {
    this.away++
    this.world.note(0, () => '-- the witness is away')
    this.world.after(durationMs, () => {
      if (this.away > 0) this.comeBack()
    })
  }

  private comeBack(): void {
    this.away--
    if (this.away > 0) return
    this.world.note(1, () => '-- the witness is back')
    if (this.entry.holder !== '') this.begin()
  }

  cutOff(node = this.random.below(2) as 0 | 1, durationMs = this.durationMs()): void {
    this.cuts[node]++
    this.world.note(node, () => `-- the witness is cut off from ${'ab'[node]}`)
    this.world.after(durationMs, () => {
      if (this.cuts[node] > 0) this.cuts[node]--
    })
  }

  private slowDown(): void {
    this.slow++
    this.world.after(this.durationMs(), () => {
      if (this.slow > 0) this.slow--
    })
  }

  heal(): void {
    this.healed = true
    this.cuts[0] = 0
    this.cuts[1] = 0
    this.slow = 0
    while (this.away > 0) this.comeBack()
  }
}
