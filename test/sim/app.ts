// The application of a process: writes through its tables while it may (and sometimes when it may not), asks that what
// it wrote be held, compares, hands over, promotes, closes. All at random, all on the application thread.
import type { Alone, HeldOutcome } from '../../src/core/waiters.ts'
import { ArenaFullError, KeyTakenError, NotPrimaryError, TableFullError } from '../../src/errors.ts'
import { deadlineAfter } from '../twins/lifetime.ts'
import type { DataChecks } from './data-checks.ts'
import { Haste } from './haste.ts'
import type { HeldBack, History, Reign, Version } from './history.ts'
import { callMany, drawRows } from './many.ts'
import type { Prng } from './prng.ts'
import type { SimProcess } from './process.ts'
import { LEASES, MEMOS, PAGES } from './tables.ts'
import { Violation } from './world.ts'

/** Drawn per seed. Shares are of ticks. */
export interface AppPlan {
  /** Mean time between ticks, ms. */
  readonly tickMs: number
  /** Keys used, per table. */
  readonly keys: number
  /** Sessions a new primary without any begins with. */
  readonly fill: number
  readonly writesMax: number
  readonly burst: number
  readonly burstWrites: number
  readonly delete: number
  readonly clear: number
  readonly refused: number
  readonly replicated: number
  readonly verify: number
  readonly resync: number
  readonly handover: number
  readonly promote: number
  readonly force: number
  readonly close: number
  /** Of ticks in which something is written: by one call for many sessions. */
  readonly many: number
  /** Of ticks in which something is written: everything is deleted and written anew in another order, in one turn. */
  readonly upheaval: number
  /** Of attachments: written to as fast as it goes from the first moment. */
  readonly rush: number
}

/** What applications do by themselves; the end of a run changes it. */
export interface AppMood {
  /** Ask for changes of role, and write more at once than goes into a batch. */
  wild: boolean
  /** Do nothing at all. */
  resting: boolean
}

const TICKS = -3
const ALONE: readonly Alone[] = ['reject', 'wait', 'resolve']
const OPEN = 1
const MANY_MAX = 40

export class App {
  private readonly process: SimProcess
  private readonly plan: AppPlan
  private readonly mood: AppMood
  private readonly random: Prng
  private readonly history: History
  private readonly data: DataChecks
  /** Which other process is running. */
  private readonly peer: () => SimProcess | undefined
  /** Groups of replicated() that are not answered: the reign, and how much of its log they cover. */
  readonly groups = new Map<
    number,
    { reign: Reign | undefined; length: number; young: readonly HeldBack[] }
  >()
  /** By token, when it was asked. */
  readonly verifying = new Map<number, number>()
  readonly requests = new Map<number, string>()
  /** Tokens of resync() that are not answered. */
  readonly resyncing = new Set<number>()
  private nextRequest = 1
  readonly haste: Haste

  constructor(
    process: SimProcess,
    plan: AppPlan,
    mood: AppMood,
    random: Prng,
    history: History,
    data: DataChecks,
    peer: () => SimProcess | undefined,
  ) {
    this.process = process
    this.plan = plan
    this.mood = mood
    this.random = random
    this.history = history
    this.data = data
    this.peer = peer
    this.haste = new Haste(process, plan, mood, random, {
      writeNow: () => this.withReign((reign) => this.writeSome(reign)),
      set: (table, key) => this.withReign((reign) => this.set(reign, table, key)),
      delete: (table, key) => this.withReign((reign) => this.delete(reign, table, key)),
      clear: (table) => this.withReign((reign) => this.clear(reign, table)),
      handOver: () => this.request('handover'),
    })
    this.waitForTick()
  }

  private waitForTick(): void {
    const { process, plan, random } = this
    process.world.after(random.exponential(plan.tickMs), () => {
      if (!process.isRunning) return
      process.app.run(TICKS, () => this.tick())
      this.waitForTick()
    })
  }

  private tick(): void {
    if (!this.process.isRunning) return
    const { plan, random, mood } = this
    const reign = this.data.reignOf(this.process)
    if (mood.resting) return
    if (reign !== undefined && this.process.canWrite) this.writeSome(reign)
    else if (random.chance(plan.refused)) this.writeOne(reign)
    if (random.chance(plan.replicated)) this.replicate(reign)
    if (random.chance(plan.verify)) this.verify()
    if (mood.wild && random.chance(plan.resync)) this.resync()
    if (mood.wild) this.operate()
    this.process.takeEvents()
  }

  private operate(): void {
    const { plan, random } = this
    if (random.chance(plan.handover)) this.request('handover')
    if (random.chance(plan.promote)) this.request('promote', random.chance(plan.force))
    if (random.chance(plan.close)) this.request('close')
  }

  // ---- Writes

  private withReign(write: (reign: Reign) => void): void {
    const reign = this.data.reignOf(this.process)
    if (reign !== undefined && this.process.canWrite) write(reign)
  }

  private writeSome(reign: Reign): void {
    const { plan, random, process, mood } = this
    if (process.sessions === 0 && plan.fill > 0 && mood.wild) {
      for (let i = 0; i < plan.fill; i++) this.set(reign, random.below(process.tables.length), i)
      return
    }
    if (this.haste.isDue) this.haste.upheave()
    else if (random.chance(plan.many)) this.writeMany(reign)
    else this.writeRows(reign)
  }

  private writeRows(reign: Reign): void {
    const { plan, random, mood } = this
    const count = mood.wild && random.chance(plan.burst) ? plan.burstWrites : 1 + random.below(plan.writesMax)
    for (let i = 0; i < count; i++) this.writeOne(reign)
  }

  private writeOne(reign: Reign | undefined): void {
    const { plan, random, process, mood } = this
    const table = random.below(process.tables.length)
    const key = random.below(plan.keys)
    const draw = random.float()
    if (draw < plan.delete) this.delete(reign, table, key)
    else if (mood.wild && draw < plan.delete + plan.clear) this.clear(reign, table)
    else if (draw < 0.6) this.update(reign, table, key)
    else this.set(reign, table, key)
  }

  private writeMany(reign: Reign): void {
    const { process, random, plan } = this
    const table = random.below(process.tables.length)
    const kind = process.plan.tables.kinds[table]!
    if (kind === MEMOS || kind === PAGES || kind === LEASES) return // rows carry no values of any length, and leases are their own check
    const keys = Array.from({ length: 1 + random.below(MANY_MAX) }, () => random.below(plan.keys))
    const name = random.pick(['setMany', 'updateMany', 'deleteMany'] as const)
    process.world.count(name)
    const rows = drawRows(keys, kind, name, { reign, table, history: this.history, random })
    this.attempt(name, () => {
      const stored = callMany(name, rows, process.tables[table]!, process.name)
      for (const { key, value, isWrite } of rows.slice(0, stored.rows)) {
        if (isWrite) this.history.write(reign, table, key, value, name === 'setMany', process.world.now)
      }
      const refused = rows[stored.rows]
      if (refused === undefined) return
      const isTaken = this.isTaken(stored.error, reign, table, refused.key, refused.value ?? 0)
      if (isTaken) return
      if (!(stored.error instanceof TableFullError)) throw stored.error
      process.world.count('table full')
    })
  }

  /** Does a write; false if it was refused. Whether it may be is asked of the words, not of the table. */
  private attempt(what: string, write: () => void): boolean {
    const { process } = this
    const allowed = process.canWrite
    // Refusals are many, and most of what one costs is its stack.
    const { stackTraceLimit } = Error
    if (!allowed) Error.stackTraceLimit = 0
    try {
      write()
    } catch (error) {
      if (!(error instanceof NotPrimaryError)) throw error
      process.world.count('write refused')
      if (allowed) throw new Violation(`${process.name} refuses to ${what} though its gate is open`)
      return false
    } finally {
      Error.stackTraceLimit = stackTraceLimit
    }
    if (!allowed || (process.roleWord & 3) !== OPEN) {
      throw new Violation(`${process.name} accepts to ${what} though its role word is shut`)
    }
    if (process.core.state.role !== 'primary') {
      throw new Violation(`${process.name} accepts to ${what} as ${process.core.state.role}`)
    }
    const reign = this.data.reignOf(process)
    if (reign?.epoch !== process.core.state.epoch) {
      throw new Violation(
        `${process.name} accepts to ${what} in epoch ${reign?.epoch}, in the midst of ${process.core.state.epoch}`,
      )
    }
    process.witness.onWrite(process)
    return true
  }

  private set(reign: Reign | undefined, table: number, key: number): void {
    const { process, history, random } = this
    const kind = process.plan.tables.kinds[table]!
    const store = process.tables[table]!
    const value = random.below(60_000)
    const fields = kind.fields({ version: history.upcoming, value }, true)
    const accepted = this.attempt('set', () => {
      try {
        store.set(kind.key(key), fields)
      } catch (error) {
        if (this.isTaken(error, reign, table, key, value)) return
        if (error instanceof ArenaFullError) {
          process.world.count('arena full')
          return
        }
        if (!(error instanceof TableFullError)) throw error
        if (store.size < store.capacity)
          throw new Violation(`${process.name}: full with ${store.size} sessions`)
        process.world.count('table full')
        return
      }
      this.note(history.write(reign!, table, key, value, true, process.world.now))
    })
    if (accepted) process.world.count('write')
  }

  private update(reign: Reign | undefined, table: number, key: number): void {
    const { process, history, random } = this
    const kind = process.plan.tables.kinds[table]!
    this.attempt('update', () => {
      const known = this.lives(reign, table, key) ? reign!.content[table]!.get(key)!.row : undefined
      const whole = random.chance(0.5)
      const value = whole || known === undefined ? random.below(60_000) : known.value
      const fields = kind.fields({ version: history.upcoming, value }, whole)
      let found = false
      try {
        found = process.tables[table]!.update(kind.key(key), fields)
      } catch (error) {
        if (this.isTaken(error, reign, table, key, value)) return
        if (!(error instanceof ArenaFullError)) throw error
        process.world.count('arena full')
        return
      }
      if (found !== (known !== undefined)) {
        throw new Violation(`${process.name}: update of key ${key} says ${found}, against what was written`)
      }
      if (found) this.note(history.write(reign!, table, key, value, false))
    })
  }

  /** Whether a write was refused because of an index, and rightly: another session has the key it would have given. */
  private isTaken(
    error: unknown,
    reign: Reign | undefined,
    table: number,
    key: number,
    value: number,
  ): boolean {
    if (!(error instanceof KeyTakenError)) return false
    const { process, history } = this
    const { indexes } = process.plan.tables.kinds[table]!
    const { ticks } = process.tables[table]!
    const others = [...(reign?.content[table]?.values() ?? [])].filter(
      (version) => version.key !== key && history.lives(version, ticks),
    )
    for (const fieldsOf of Object.values(indexes)) {
      const wanted = JSON.stringify(fieldsOf({ version: history.upcoming, value }))
      const holder = others.find(({ row }) => row !== undefined && JSON.stringify(fieldsOf(row)) === wanted)
      if (wanted === undefined || holder === undefined) continue
      process.world.count('index key taken')
      return true
    }
    throw new Violation(`${process.name}: ${error.message}, against what was written`)
  }

  private lives(reign: Reign | undefined, table: number, key: number): boolean {
    return this.history.lives(reign?.content[table]?.get(key), this.process.tables[table]!.ticks)
  }

  /** A write of a table whose sessions expire begins the session's time anew. */
  private note(version: Version): void {
    const { tables, plan } = this.process
    const { timeoutTicks } = plan.tables.kinds[version.table]!
    if (timeoutTicks === undefined) return
    this.history.expire(version, deadlineAfter(tables[version.table]!.ticks, timeoutTicks))
  }

  private delete(reign: Reign | undefined, table: number, key: number): void {
    const { process, history } = this
    const kind = process.plan.tables.kinds[table]!
    this.attempt('delete', () => {
      const found = process.tables[table]!.delete(kind.key(key))
      if (found !== this.lives(reign, table, key)) {
        throw new Violation(`${process.name}: delete of key ${key} says ${found}, against what was written`)
      }
      if (found) history.write(reign!, table, key, undefined)
    })
  }

  private clear(reign: Reign | undefined, table: number): void {
    this.attempt('clear', () => {
      this.process.tables[table]!.clear()
      for (const version of [...reign!.content[table]!.values()]) {
        if (version.row !== undefined) this.history.write(reign!, table, version.key, undefined)
      }
    })
  }

  // ---- Questions and requests

  private replicate(reign: Reign | undefined): void {
    const { process } = this
    const withYoung = this.random.chance(0.2)
    const young = withYoung ? this.data.pickups.demand(process) : []
    const group = process.replica.replicated(this.random.pick(ALONE), withYoung)
    const asked = this.groups.get(group)
    // Callers between two flushes share a group: what it covers grows with them. A later reign began with what an earlier
    // one had shown.
    const before = (asked?.young ?? []).filter((held) => asked?.reign === reign || held.shownAt === undefined)
    this.groups.set(group, {
      reign,
      length: reign?.log.length ?? 0,
      young: [...before, ...young],
    })
    this.process.world.count('replicated()')
  }

  handleHeld(group: number, outcome: HeldOutcome): void {
    const { process } = this
    const asked = this.groups.get(group)
    if (asked === undefined) throw new Violation(`${process.name} answers replicated() ${group} twice`)
    this.groups.delete(group)
    process.world.count(`replicated(): ${outcome}`)
    if (outcome !== 'held') return
    const reign = this.data.reignOf(process)
    if (reign === undefined || asked.reign?.incarnation !== reign.incarnation) {
      throw new Violation(`${process.name} says held outside the reign in which it was asked`)
    }
    // A primary that moved to a later epoch began it with everything it had been asked for before.
    const length =
      asked.reign === reign ? Math.max(asked.length, this.data.pickups.demandPicked(process, asked.young)) : 0
    const holders = [process.incarnation]
    const peer = this.peer()
    if (peer !== undefined && peer.incarnation === this.data.followerOf(process))
      holders.push(peer.incarnation)
    this.data.demandHeld(process, peer, reign, length)
    this.history.promise(reign, length, holders)
  }

  verify(): number {
    const token = this.process.replica.verify()
    this.verifying.set(token, this.process.world.now)
    return token
  }

  /** Some that ask while one runs wait for the same. */
  private resync(): void {
    const { process, data } = this
    process.world.count('resync()')
    this.resyncing.add(process.replica.resync(process.clock()))
    data.rememberAttach(process)
  }

  request(type: 'handover' | 'promote' | 'close', force = false): number {
    const { process } = this
    const request = this.nextRequest++
    process.world.count(`${type}()`)
    process.world.note(request, () => `${process.name} ${type}()${force ? ' by force' : ''}`)
    this.requests.set(request, type)
    if (type === 'promote') process.ask({ type, request, force })
    else process.ask({ type, request })
    return request
  }
}
