// What an application does at the worst moment: it writes as fast as it can to a secondary that is just being compared,
// writes everything, or a part, anew in another order within one turn, hands over in the midst of writes.
import type { AppMood, AppPlan } from './app.ts'
import type { Prng } from './prng.ts'
import type { SimProcess } from './process.ts'

/** The writes of an application, as far as they are needed here. */
export interface Pen {
  /** As much as in an ordinary turn, if it may write at all. */
  writeNow(): void
  set(table: number, key: number): void
  delete(table: number, key: number): void
  clear(table: number): void
  handOver(): void
}

/** Source of work. */
const TURNS = -3
const UPHEAVAL_KEYS = 250
const HANDOVER_TURNS = 5
/** Turns of a rush, and the mean time between two, ms. */
const RUSH = { turns: 40, everyMs: 0.5 } as const

export class Haste {
  private readonly process: SimProcess
  private readonly plan: AppPlan
  private readonly mood: AppMood
  private readonly random: Prng
  private readonly pen: Pen

  constructor(process: SimProcess, plan: AppPlan, mood: AppMood, random: Prng, pen: Pen) {
    this.process = process
    this.plan = plan
    this.mood = mood
    this.random = random
    this.pen = pen
  }

  /** An attachment begins: what is compared and sent changes all the while. */
  rush(): void {
    if (this.random.chance(this.plan.rush)) this.turn(RUSH.turns)
  }

  private turn(left: number): void {
    const { process, mood, random } = this
    if (left === 0 || !mood.wild || !process.isRunning) return
    process.app.run(TURNS, () => this.pen.writeNow())
    process.world.after(random.exponential(RUSH.everyMs), () => this.turn(left - 1))
  }

  /** Whether it is time for an upheaval. */
  get isDue(): boolean {
    return this.mood.wild && this.random.chance(this.plan.upheaval)
  }

  /** Keys move to other slots, and keys of indexes to other sessions, all in one turn. */
  upheave(): void {
    const { random, process, plan, pen } = this
    const table = random.below(process.tables.length)
    const known = random.shuffle(Array.from({ length: Math.min(plan.keys, UPHEAVAL_KEYS) }, (_, key) => key))
    // Few enough that nodes which were apart meanwhile are brought up by difference, or all there are.
    const isWhole = random.chance(0.5)
    const keys = isWhole ? known : known.slice(0, 1 + random.below(Math.ceil(known.length / 4)))
    process.world.count('upheaval')
    if (isWhole && random.chance(0.5)) pen.clear(table)
    else for (const key of keys) pen.delete(table, key)
    for (const key of random.shuffle(keys)) pen.set(table, key)
  }

  /** The node is given away in the midst of writes. */
  handOver(): void {
    if (!this.mood.wild) return
    for (let i = 0; i < HANDOVER_TURNS; i++) this.pen.writeNow()
    this.pen.handOver()
  }
}
