// What primaries hold back, and that they do it right: nobody is picked up young unless that was asked for, a promise
// with the young ones waits for them, a handover leaves none behind.
import type { FromSync } from '../../src/core/messages.ts'
import type { HeldBack, History, Reign } from './history.ts'
import type { SimProcess } from './process.ts'
import { Violation } from './world.ts'

/** The fastest clock a machine may have. */
const CLOCK_RATE_MAX = 1.011

export class PickupChecks {
  private readonly history: History
  private readonly reignOf: (process: SimProcess) => Reign | undefined
  /** By the process that holds them, as long as it is primary. */
  private readonly held = new Map<SimProcess, Map<number, HeldBack>[]>()
  /** Everything young then may be picked up. */
  private readonly demandedAt = new Map<SimProcess, number>()
  /** What a filter throws is caught: it is told at the end of the turn. */
  private wrong: string | undefined

  constructor(history: History, reignOf: (process: SimProcess) => Reign | undefined) {
    this.history = history
    this.reignOf = reignOf
  }

  handleMessage(process: SimProcess, message: FromSync): void {
    if (message.type === 'flush') this.demandedAt.set(process, process.world.now)
    if (message.type !== 'role' || message.role === 'primary') return
    const young = this.heldBy(process).flatMap((keys) => [...keys.values()].filter(({ local }) => !local))
    if (message.reason === 'handover' && young.length > 0) {
      throw new Violation(`${process.name} hands over and leaves ${young.length} young sessions behind`)
    }
    if (young.length > 0) process.world.count('held-back sessions dropped', young.length)
    this.held.delete(process)
  }

  heldBy(process: SimProcess): readonly Map<number, HeldBack>[] {
    return this.held.get(process) ?? []
  }

  /** A reign begins with what its primary holds back already. */
  take(process: SimProcess): Map<number, HeldBack>[] {
    const held = this.held.get(process) ?? process.tables.map(() => new Map())
    this.held.set(process, held)
    return held
  }

  /** A session is due: every eighth stays local. */
  handleAsked(process: SimProcess, table: number, session: Record<string, unknown>): boolean {
    const { tables } = process.plan
    const read = tables.kinds[table]!.read(session)
    const stays = read !== undefined && read.row.value % 8 === 5
    const reign = this.reignOf(process)
    const held =
      read === undefined || reign === undefined
        ? undefined
        : this.history.decide(reign, table, read.key, stays)
    const { now } = process.world
    if (held?.version.row?.version !== read?.row.version || held === undefined) {
      this.wrong ??= `${process.name} asks about a session that is not held back: ${JSON.stringify(session)}`
    } else if ((now - held.since) * CLOCK_RATE_MAX < tables.pickupDelayMs!) {
      const demandedAt = this.demandedAt.get(process) ?? Number.NEGATIVE_INFINITY
      // A local session that was replaced has waited before.
      if (!held.again && demandedAt < held.since) {
        this.wrong ??= `${process.name} picks a session up after ${now - held.since} ms`
      }
    }
    process.world.count(stays ? 'session kept local' : 'session picked up')
    return stays
  }

  demandRight(): void {
    if (this.wrong !== undefined) throw new Violation(this.wrong)
  }

  /** replicated() is asked to take young sessions along: these. */
  demand(process: SimProcess): HeldBack[] {
    if (this.reignOf(process) === undefined) return []
    this.demandedAt.set(process, process.world.now)
    return this.heldBy(process).flatMap((keys) => [...keys.values()].filter(({ local }) => !local))
  }

  /** They were held by then, unless they ended or stay local; gives the length of the log with them. */
  demandPicked(process: SimProcess, young: readonly HeldBack[]): number {
    if (young.some((held) => held.shownAt === undefined && !held.ended && !held.local)) {
      throw new Violation(`${process.name} says held and still holds young sessions back`)
    }
    return Math.max(0, ...young.map((held) => held.shownAt ?? 0))
  }
}
