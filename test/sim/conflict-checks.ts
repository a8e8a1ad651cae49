// What a demoted primary tells of what it gave up: only what it really held, with what the other node really holds, and
// after a split everything it had written that no acknowledgement covers.
import type { ConflictNews } from '../../src/core/conflicts.ts'
import type { FromSync } from '../../src/core/messages.ts'
import type { DataChecks } from './data-checks.ts'
import type { History, Reign, Version } from './history.ts'
import type { SimProcess } from './process.ts'
import { Violation } from './world.ts'

/** A second. */
const SOON_TICKS = 16

interface Given {
  readonly reign: Reign
  readonly isSplit: boolean
  /** By table and key: what it held, where it wrote it itself. */
  readonly written: Map<number, Version>[]
  /** The same, of what no acknowledgement covers. */
  readonly owed: Map<number, Version>[]
  /** By table, keys told of. */
  readonly told: Set<number>[]
}

export class ConflictChecks {
  private readonly data: DataChecks
  private readonly history: History
  private readonly acked = new WeakMap<Reign, number>()
  private readonly given = new WeakMap<SimProcess, Given>()

  constructor(data: DataChecks, history: History) {
    this.data = data
    this.history = history
  }

  /** Before the replica takes a message. */
  handleMessage(process: SimProcess, message: FromSync): void {
    const reign = this.data.reignOf(process)
    if (reign === undefined) return
    if (message.type === 'ack') {
      const length = reign.marks.get(message.received)?.length ?? 0
      this.acked.set(reign, Math.max(this.acked.get(reign) ?? 0, length))
    }
    if (message.type !== 'role' || message.role !== 'secondary') return
    const isSplit = ['later-epoch', 'older-lineage', 'chosen'].includes(message.reason)
    const from = this.acked.get(reign) ?? 0
    const written = reign.content.map(() => new Map<number, Version>())
    const owed = reign.content.map(() => new Map<number, Version>())
    for (const [table, keys] of reign.content.entries()) {
      for (const [key, version] of keys) {
        if (version === reign.base[table]!.get(key)) continue
        written[table]!.set(key, version)
        // Whose time is over before it is copied is not told; the other node's table time may be an earlier one.
        const lives = this.history.lives(version, process.tables[table]!.ticks + SOON_TICKS)
        if (lives && reign.log.lastIndexOf(version) >= from) owed[table]!.set(key, version)
      }
    }
    this.given.set(process, { reign, isSplit, written, owed, told: owed.map(() => new Set()) })
  }

  handleNews(process: SimProcess, news: ConflictNews): void {
    const given = this.given.get(process)
    process.world.count(`conflicts: ${news.cause}`)
    if (given === undefined || given.reign.epoch !== news.epoch)
      throw new Violation(
        `${process.name} tells of conflicts of epoch ${news.epoch}, which it did not lead last`,
      )
    for (const conflict of news.conflicts) this.check(process, given, conflict)
    if (news.done) this.finish(process, given, news)
  }

  private check(process: SimProcess, given: Given, conflict: ConflictNews['conflicts'][number]): void {
    const { world, plan, tables } = process
    world.count(`conflict: ${conflict.unreplicated ? 'held back' : 'changed'}`)
    const table = plan.tables.kinds.findIndex(({ name }) => name === conflict.table)
    const kind = plan.tables.kinds[table]!
    const { mine, theirs } = conflict
    if (theirs !== null && !process.isSpoilt) {
      const key = kind.read(theirs)!.key
      const held = tables[table]!.sessionLike(kind.key(key))
      if (JSON.stringify(held) !== JSON.stringify(theirs))
        throw new Violation(
          `${process.name} tells of a version of ${conflict.table} ${key} that nobody holds`,
        )
    }
    if (mine === null) return
    const read = kind.read(mine)
    const version = read === undefined ? undefined : given.written[table]!.get(read.key)
    if (read === undefined || version?.row?.version !== read.row.version) {
      // What an earlier reign of its own wrote may be unconfirmed still.
      const held = read === undefined ? undefined : given.reign.content[table]!.get(read.key)
      if (held?.row === undefined || held.row.version !== read?.row.version)
        throw new Violation(`${process.name} tells of a version of ${conflict.table} that it did not hold`)
      return
    }
    given.told[table]!.add(read.key)
  }

  /** Whatever it had written and lost was told. */
  private finish(process: SimProcess, given: Given, news: ConflictNews): void {
    if (news.untold > 0) process.world.count('conflicts not told', news.untold)
    if (!given.isSplit || news.untold > 0 || process.isSpoilt || !process.replica.isSynced) return
    for (const [table, keys] of given.owed.entries()) {
      const kind = process.plan.tables.kinds[table]!
      const store = process.tables[table]!
      for (const [key, version] of keys) {
        if (!this.history.lives(version, store.ticks) || given.told[table]!.has(key)) continue
        const held = store.sessionLike(kind.key(key))
        const row = held === undefined ? undefined : kind.read(held)?.row
        if (row?.version === version.row?.version) continue
        throw new Violation(
          `${process.name} gave up write ${version.id} of ${kind.name} key ${key} and did not tell of it`,
        )
      }
    }
  }
}
