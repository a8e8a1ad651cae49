// What really happened, kept apart from the code under test: every accepted write, every reign, what a reign's tables
// held at each position, and which processes hold what replicated() promised.
import type { Row } from './tables.ts'

/** One accepted write of one key. Versions of a key form a tree: each write changes what its node held. */
export interface Version {
  /** Counts up over the whole run; it is also what the session's `version` field says. */
  readonly id: number
  readonly table: number
  readonly key: number
  /** Undefined: the write deleted the session. */
  readonly row: Row | undefined
  readonly previous: Version | undefined
}

/** A session that its primary holds back: nobody else knows of it. */
export interface HeldBack {
  /** The last write. */
  version: Version
  /** When it was created, or replaced while local; of the world, ms. */
  readonly since: number
  /** It was local, replaced, and is to be asked about again. */
  readonly again: boolean
  /** The filter refused it. */
  local: boolean
  /** Length of the log with it, once it is picked up. */
  shownAt: number | undefined
  ended: boolean
}

/** What tables held: the last version of each key ever written, deletions included. */
export type Content = Map<number, Version>[]

/** Two nodes that hold, or held, everything up to the versions promised. */
export interface Promised {
  readonly holders: Set<string>
}

export interface Reign {
  readonly epoch: number
  readonly lineage: string
  readonly incarnation: string
  readonly startedAt: number
  /** What the tables held when it began. */
  readonly base: Content
  /** What they hold now. */
  readonly content: Content
  /** Without what is held back. */
  readonly shown: Content
  /** Per table, by key. */
  readonly held: Map<number, HeldBack>[]
  /** Of what is shown; what was held back counts as written when it is picked up. */
  readonly log: Version[]
  /** Something was written, shown or not. */
  isWritten: boolean
  /** Per position: length of the log when it was flushed, and what the tables' images hashed to. */
  readonly marks: Map<number, Mark>
  lastMark: number
  /** Length of the log that is promised. */
  promised: number
  promise: Promised | undefined
}

export interface Mark {
  length: number
  readonly hash: number
  /** Everything written had gone out. */
  readonly clean: boolean
}

export class History {
  readonly versions = new Map<number, Version>()
  readonly reigns = new Map<number, Reign>()
  /** By table and key: the oldest version that is good enough, and who holds it. */
  readonly owed: Map<number, { version: Version; promise: Promised }>[]
  /** By table and key. */
  readonly deletions = new Map<number, Map<number, Version[]>>()
  /** Table time at which the session that a version wrote expires, by its id; those that do not are not here. */
  private readonly deadlines = new Map<number, number>()
  private readonly promises = new Set<Promised>()
  private readonly births = new Map<string, number>()
  private nextVersion = 1
  /** Sessions ended since the last write. */
  private ends = 0
  /** A node with spoilt memory was promoted: nothing that was promised can be demanded in this run any more. */
  isVoid = false
  /** Versions promised so far. */
  promisedVersions = 0

  private readonly pickupTables: ReadonlySet<number>

  /** `pickupTables`: those that hold sessions back at first. */
  constructor(tables: number, pickupTables: ReadonlySet<number> = new Set()) {
    this.pickupTables = pickupTables
    this.owed = Array.from({ length: tables }, () => new Map())
  }

  /** When a lineage began, or begins now. */
  birthOf(lineage: string, now: number): number {
    const birth = this.births.get(lineage)
    if (birth !== undefined) return birth
    this.births.set(lineage, now)
    return now
  }

  /** `held`: what a primary goes on holding back in a later epoch. */
  begin(
    epoch: number,
    lineage: string,
    incarnation: string,
    startedAt: number,
    base: Content,
    held: Map<number, HeldBack>[] = base.map(() => new Map()),
  ): Reign {
    const reign: Reign = {
      epoch,
      lineage,
      incarnation,
      startedAt,
      base,
      content: withHeld(base, held),
      shown: base.map((keys) => new Map(keys)),
      held,
      log: [],
      isWritten: false,
      marks: new Map(),
      lastMark: 0,
      promised: 0,
      promise: undefined,
    }
    this.reigns.set(epoch, reign)
    return reign
  }

  /** A version's session expires then. */
  expire(version: Version, deadline: number): void {
    if (deadline !== 0) this.deadlines.set(version.id, deadline)
  }

  /** Whether a version wrote a session that lives at a table time. */
  lives(version: Version | undefined, ticks: number): boolean {
    if (version?.row === undefined) return false
    const deadline = this.deadlines.get(version.id)
    return deadline === undefined || deadline > ticks
  }

  /** The number the next accepted write will have. */
  get upcoming(): number {
    return this.nextVersion
  }

  /** A write was accepted in a reign. `replaces`: it was a set(). `now`: the world's time, where sessions are held back. */
  write(
    reign: Reign,
    table: number,
    key: number,
    value: number | undefined,
    replaces = true,
    now = 0,
  ): Version {
    const id = this.nextVersion++
    this.ends = 0
    return this.add(id, reign, table, key, value, replaces, now)
  }

  /**
   * A session was removed because its time was over, perhaps within a write whose number is given already: it is counted
   * between that and the one before.
   */
  end(reign: Reign, table: number, key: number): void {
    this.add(this.nextVersion - 1 + ++this.ends / 2 ** 20, reign, table, key, undefined, false, 0)
  }

  private add(
    id: number,
    reign: Reign,
    table: number,
    key: number,
    value: number | undefined,
    replaces: boolean,
    now: number,
  ): Version {
    const row = value === undefined ? undefined : { version: id, value }
    const previous = reign.content[table]!.get(key)
    const version: Version = { id, table, key, row, previous }
    this.versions.set(id, version)
    reign.content[table]!.set(key, version)
    reign.isWritten = true
    if (!this.holdBack(reign, version, replaces, now)) show(reign, version)
    if (row === undefined) this.rememberDeletion(version)
    return version
  }

  /** Whether the write concerns nobody but its primary. */
  private holdBack(reign: Reign, version: Version, replaces: boolean, since: number): boolean {
    const { table, key, row, previous } = version
    if (!this.pickupTables.has(table)) return false
    const keys = reign.held[table]!
    const held = keys.get(key)
    if (held === undefined && (row === undefined || previous?.row !== undefined)) return false
    if (held !== undefined && row !== undefined && !(held.local && replaces)) {
      held.version = version
      return true
    }
    if (held !== undefined) held.ended = true
    if (row === undefined) keys.delete(key)
    else
      keys.set(key, {
        version,
        since,
        again: held !== undefined,
        local: false,
        shownAt: undefined,
        ended: false,
      })
    return true
  }

  /** The filter was asked about a session; undefined: nothing is known of its being held back. */
  decide(reign: Reign, table: number, key: number, stays: boolean): HeldBack | undefined {
    const held = reign.held[table]!.get(key)
    if (held === undefined || held.local) return undefined
    if (stays) held.local = true
    else {
      reign.held[table]!.delete(key)
      show(reign, held.version)
      held.shownAt = reign.log.length
    }
    return held
  }

  private rememberDeletion(version: Version): void {
    let keys = this.deletions.get(version.table)
    if (keys === undefined) this.deletions.set(version.table, (keys = new Map()))
    const deletions = keys.get(version.key)
    if (deletions === undefined) keys.set(version.key, [version])
    else deletions.push(version)
  }

  /** What a reign's tables held when its log had this length. */
  contentAt(reign: Reign, length: number): Content {
    if (length === reign.log.length) return reign.shown.map((keys) => new Map(keys))
    const content = reign.base.map((keys) => new Map(keys))
    for (const version of reign.log.slice(0, length)) content[version.table]!.set(version.key, version)
    return content
  }

  /** replicated() said that everything up to this length of the log is held by both. */
  promise(reign: Reign, length: number, holders: readonly string[]): void {
    const isFirst = reign.promise === undefined
    if (isFirst || !holders.every((holder) => reign.promise!.holders.has(holder))) {
      // Another secondary: what it holds it holds in full.
      reign.promise = { holders: new Set(holders) }
      this.promises.add(reign.promise)
      for (const [table, keys] of this.contentAt(reign, Math.max(reign.promised, length)).entries()) {
        for (const version of keys.values()) this.owe(table, version, reign.promise)
      }
    }
    for (let i = reign.promised; i < length; i++) {
      const version = reign.log[i]!
      this.owe(version.table, version, reign.promise!)
      this.promisedVersions++
    }
    reign.promised = Math.max(reign.promised, length)
  }

  private owe(table: number, version: Version, promise: Promised): void {
    this.owed[table]!.set(version.key, { version, promise })
  }

  /** A node holds all that another holds. */
  share(from: string, to: string): void {
    for (const { holders } of this.promises) if (holders.has(from)) holders.add(to)
  }

  /** A node holds nothing any more. */
  release(incarnation: string): void {
    for (const promise of this.promises) {
      promise.holders.delete(incarnation)
      if (promise.holders.size === 0) this.promises.delete(promise)
    }
  }
}

function show(reign: Reign, version: Version): void {
  reign.shown[version.table]!.set(version.key, version)
  reign.log.push(version)
}

/** All that a primary's tables hold. */
export function withHeld(shown: Content, held: readonly ReadonlyMap<number, HeldBack>[]): Content {
  return shown.map((keys, table) => {
    const all = new Map(keys)
    for (const [key, { version }] of held[table] ?? []) all.set(key, version)
    return all
  })
}

/** Whether `version` is `old` or was written on top of it. */
export function descends(version: Version | undefined, old: Version): boolean {
  let at = version
  while (at !== undefined && at.id > old.id) at = at.previous
  return at === old
}
