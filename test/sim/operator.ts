// What operators and monitors do to a simulated node: its health comes and goes, it is put into maintenance and taken out
// again, a forced promotion is undone. And what must hold of it: a primary gives its role away by choice only for a reason
// that was there, never by choice in manual mode, and never to a node that wants it less.
import type { SwitchingOptions } from '../../src/core/damping.ts'
import type { FromSync } from '../../src/core/messages.ts'
import type { AppMood } from './app.ts'
import type { Prng } from './prng.ts'
import type { SimProcess } from './process.ts'
import { Violation } from './world.ts'

/** Drawn per seed. */
export interface OperatorPlan {
  /** Mean time between two acts on one node, ms; infinity: there are none. */
  readonly everyMs: number
  /** Of acts: a monitor fails or recovers; the rest are maintenance and force. */
  readonly health: number
  readonly switching: SwitchingOptions
}

export function drawOperator(random: Prng, boundMs: number): OperatorPlan {
  const holdDownMs = boundMs * random.pick([0, 1, 4, 8])
  return {
    everyMs: random.chance(0.4) ? boundMs * random.logBetween(1, 10) : Number.POSITIVE_INFINITY,
    health: random.pick([0.3, 0.7, 1]),
    switching: {
      holdDownMs,
      windowMs: boundMs * random.pick([5, 50]),
      changes: random.pick([1, 2, 4]),
      longestMs: holdDownMs * random.pick([1, 4]),
    },
  }
}

/** What a node wanted, and since when. */
interface Wish {
  readonly at: number
  readonly failed: number
  readonly maintenance: boolean
}

/** How long a wish may be news: its way to the sync thread, to the peer, and a handover that is called off last, ms. */
const NEWS_MS = 6_000
const REQUEST = 1_000_000

export class Operator {
  private readonly process: SimProcess
  private readonly plan: OperatorPlan
  private readonly mood: AppMood
  private readonly random: Prng
  private wishes: Wish[]
  private request = REQUEST

  constructor(process: SimProcess, plan: OperatorPlan, mood: AppMood, random: Prng) {
    this.process = process
    this.plan = plan
    this.mood = mood
    this.random = random
    this.wishes = [{ at: process.world.now, failed: 0, maintenance: false }]
    if (plan.everyMs < Number.POSITIVE_INFINITY) this.wait()
  }

  private wait(): void {
    this.process.world.after(this.random.exponential(this.plan.everyMs), () => {
      if (!this.process.isRunning) return
      this.act()
      if (this.mood.wild) this.wait()
    })
  }

  private get wish(): Wish {
    return this.wishes.at(-1)!
  }

  private act(): void {
    const { random, plan, process } = this
    if (!this.mood.wild) return
    if (random.chance(plan.health)) this.want({ failed: random.pick([0, 0, 1, 3]) })
    else if (random.chance(0.7)) this.want({ maintenance: random.chance(0.5) })
    else {
      process.world.count('force undone')
      process.ask({ type: 'unforce', request: this.request++ })
    }
  }

  /** Everything is mended: nobody is ill and nobody is worked on. */
  rest(): void {
    this.want({ failed: 0, maintenance: false })
  }

  private want(change: { failed?: number; maintenance?: boolean }): void {
    const { process } = this
    const before = this.wish
    const next = { ...before, ...change, at: process.world.now }
    this.wishes = [...this.wishes.filter(({ at }) => at > next.at - 4 * NEWS_MS), before, next].slice(-200)
    if (next.failed !== before.failed) {
      process.world.count('monitors changed')
      process.world.note(next.failed, () => `${process.name}: ${next.failed} of its monitors fail`)
      process.ask({ type: 'health', failed: next.failed })
    }
    if (next.maintenance === before.maintenance) return
    process.world.count('maintenance')
    process.world.note(1, () => `${process.name} maintenance(${next.maintenance})`)
    process.ask({ type: 'maintenance', request: this.request++, on: next.maintenance })
  }

  /** The answers to its own requests are nobody else's. */
  isOwn(request: number): boolean {
    return request >= REQUEST
  }

  /** What the node wanted at some time lately. */
  lately(): readonly Wish[] {
    const since = this.process.world.now - NEWS_MS
    const last = this.wishes.findLastIndex(({ at }) => at <= since)
    return this.wishes.slice(Math.max(0, last))
  }
}

/** A primary gives its role away, at this very moment: by choice only if there was a reason lately. */
export function demandChoice(
  process: SimProcess,
  message: Extract<FromSync, { type: 'role' }>,
  own: Operator | undefined,
  taker: Operator | undefined,
): void {
  const { reason, role } = message
  if (role !== 'secondary' || own === undefined || taker === undefined) return
  if (reason !== 'maintenance' && reason !== 'health' && reason !== 'override') return
  const { core } = process.plan
  if (reason !== 'maintenance' && core.mode === 'manual')
    throw new Violation(`${process.name} gave the role away (${reason}) in manual mode`)
  const hadReason = own.lately().some((before) =>
    taker.lately().some((theirs) => {
      if (reason === 'maintenance') return before.maintenance && !theirs.maintenance
      if (before.maintenance !== theirs.maintenance) return false
      return reason === 'health' ? before.failed > theirs.failed : before.failed === theirs.failed
    }),
  )
  if (!hadReason) throw new Violation(`${process.name} gave the role away (${reason}) without such a reason`)
}
