// What a node gives up when it ceases to be primary: after a split, the sessions it changed that its secondary had not
// confirmed, each with the version of the node that stays; at any demotion, sessions that pickup had kept from the peer.
// Copied before anything of the other node can take their place (nothing does until this node has said its digests or
// its list of changes), told once this node is synced and so holds the other version. Bounded in number, bytes and time;
// the rest is counted. Sans-io.
import { ByteReader } from '../wire/bytes.ts'
import type { Reason, Role } from '../wire/constants.ts'
import { FrameType } from '../wire/constants.ts'
import type { Frame } from '../wire/frame.ts'
import { readResync } from '../wire/sequenced.ts'
import type { ToSync } from './messages.ts'
import type { SessionCopy, Store } from './store.ts'

/** Sessions, and bytes of their values, that are kept for telling. */
export const CONFLICTS_MAX = 65_536
export const CONFLICT_BYTES_MAX = 16_777_216
/** How long they are kept, ms, unless the node is told otherwise. */
export const CONFLICT_TIMEOUT_MS = 10_000
/** Sessions copied, or looked up, per slice. */
const SLICE_SESSIONS = 256
/** Records in one list of what changed. */
const LIST_RECORDS = 8_192
/** An object with its properties, beside what its texts and bytes take. */
const COPY_BYTES = 200

/** Versions of one session that two nodes hold, or held. */
export interface Conflict {
  /** Name of the table. */
  readonly table: string
  /**
   * Key and fields as this node held them, `blob` and `text` included. Null: it held none, because it had deleted it, or
   * because it never had it and the other node created it in a slot that both used. A session that was deleted and whose
   * slot this node used for another is not told.
   */
  readonly mine: SessionCopy | null
  /** The same of the node that stays; null: it holds none. */
  readonly theirs: SessionCopy | null
  /** The other node never had the session: `pickup` had held it back. */
  readonly unreplicated: boolean
}

export interface ConflictNews {
  readonly type: 'conflict'
  /** 'split': two primaries met and this one gave way. 'demotion': it ceased to be primary in another way. */
  readonly cause: 'split' | 'demotion'
  /** The reign this node led. */
  readonly epoch: number
  readonly conflicts: readonly Conflict[]
  /** Told so far, with these. */
  readonly told: number
  /** With `done`: records given up that could not be told, for want of room, time, or somebody who listens; at most. */
  readonly untold: number
  /** Nothing of this demotion will follow. */
  readonly done: boolean
}

interface Entry {
  readonly table: number
  /** Record id; -1: not in its slot any more. */
  readonly id: number
  mine: SessionCopy | undefined
}

interface Report {
  readonly cause: 'split' | 'demotion'
  readonly epoch: number
  /** Not longer than this; an attachment makes it sooner. */
  until: number
  readonly entries: Entry[]
  /** Entries copied, and looked up. */
  copied: number
  seen: number
  bytes: number
  told: number
  untold: number
}

export class Conflicts {
  private readonly stores: readonly Store[]
  private readonly timeoutMs: number
  private readonly emit: (news: ConflictNews) => void
  private readonly post: (message: ToSync) => void
  private report: Report | undefined
  private listens = false

  constructor(
    stores: readonly Store[],
    options: { readonly conflictTimeoutMs?: number },
    emit: (news: ConflictNews) => void,
    post: (message: ToSync) => void,
  ) {
    this.stores = stores
    this.timeoutMs = options.conflictTimeoutMs ?? CONFLICT_TIMEOUT_MS
    this.emit = emit
    this.post = post
  }

  /** Whether anybody wants to be told: sessions are copied only then. */
  set wanted(on: boolean) {
    this.listens = on
    for (const [table, store] of this.stores.entries()) {
      store.onDropped = on ? (session) => this.addDropped(table, session) : undefined
    }
  }

  /**
   * The role has changed. `led`: the reign that this node led; undefined: none. `untouched`: nothing of another node has
   * taken the place of what it held.
   */
  handleRole(
    { role, reason }: { readonly role: Role; readonly reason: Reason },
    led: number | undefined,
    untouched: boolean,
    now: number,
  ): void {
    if (role !== 'secondary') this.end(untouched)
    else if (led !== undefined) this.begin(reason, led, now)
  }

  private begin(reason: Reason, epoch: number, now: number): void {
    this.finish(this.report?.entries.length ?? 0)
    // Two primaries have met, or a later reign began without this one's consent.
    const isSplit = reason === 'later-epoch' || reason === 'older-lineage' || reason === 'chosen'
    const cause = isSplit ? 'split' : 'demotion'
    const report: Report = {
      cause,
      epoch,
      // The side that stays may take as long to choose (src/core/choice.ts) before it feeds this one.
      until: now + 2 * this.timeoutMs,
      entries: [],
      copied: 0,
      seen: 0,
      bytes: 0,
      told: 0,
      untold: 0,
    }
    this.report = report
    if (cause !== 'split') return
    const changed = this.changedCount
    this.post({ type: 'changed', epoch, changed })
    if (this.listens) for (const table of this.stores.keys()) this.list(table, report)
    report.untold = Math.max(0, changed - report.entries.length)
  }

  /** Which records changed, before a comparison forgets it. */
  private list(table: number, report: Report): void {
    const store = this.stores[table]!
    let from: number | undefined = 0
    while (from !== undefined && report.entries.length < CONFLICTS_MAX) {
      const most = Math.min(LIST_RECORDS, CONFLICTS_MAX - report.entries.length)
      const { bytes, next } = store.list('changed', from, most)
      const reader = new ByteReader(bytes)
      let id = -1
      for (let left = reader.varint(); left > 0; left--) {
        id += reader.varint() + 1
        report.entries.push({ table, id, mine: undefined })
      }
      from = next
    }
  }

  /** A session that was held back is about to be dropped. */
  private addDropped(table: number, mine: SessionCopy): void {
    const { report } = this
    if (report === undefined) return
    if (report.entries.length >= CONFLICTS_MAX || report.bytes >= CONFLICT_BYTES_MAX) report.untold++
    else {
      report.bytes += bytesOf(mine)
      // Copied already, so it stands before those that are not.
      report.entries.splice(report.copied++, 0, { table, id: -1, mine })
    }
  }

  /** Records this node has changed since the last state that it knows the other to have had, at most. */
  get changedCount(): number {
    return this.stores.reduce((sum, store) => sum + store.changedCount, 0)
  }

  /** Something this node held in its slot is to be copied before it is replaced. */
  get isCopying(): boolean {
    return this.report !== undefined && this.report.copied < this.report.entries.length
  }

  /** A frame is about to be applied. A primary of smaller tables that attaches has what is beyond them emptied at once. */
  handleFrame({ type, payload }: Frame, now: number): void {
    if (type !== FrameType.RESYNC || this.report === undefined) return
    this.report.until = Math.min(this.report.until, now + this.timeoutMs)
    const capacities = readResync(payload)?.capacities ?? []
    const isLarger = this.stores.some(({ capacity }, table) => capacity > (capacities[table] ?? 0))
    while (isLarger && this.isCopying) this.copy()
  }

  private copy(): void {
    const report = this.report!
    const end = Math.min(report.copied + SLICE_SESSIONS, report.entries.length)
    for (; report.copied < end; report.copied++) {
      if (report.bytes >= CONFLICT_BYTES_MAX) {
        report.untold += report.entries.length - report.copied
        report.entries.length = report.copied
        return
      }
      const entry = report.entries[report.copied]!
      entry.mine = this.stores[entry.table]!.sessionAt(entry.id)
      report.bytes += entry.mine === undefined ? 0 : bytesOf(entry.mine)
    }
  }

  /** When `work` has something to do; undefined: never, as things stand. */
  deadline(now: number, isSynced: boolean): number | undefined {
    if (this.report === undefined) return undefined
    return this.isCopying || isSynced ? now : this.report.until
  }

  /** One slice of copying, or of telling once this node holds what the other does. */
  work(now: number, isSynced: boolean): void {
    const { report } = this
    if (report === undefined) return
    if (this.isCopying) this.copy()
    else if (isSynced) this.tell(report)
    else if (now >= report.until) this.finish(report.entries.length - report.seen)
  }

  private tell(report: Report): void {
    const end = Math.min(report.seen + SLICE_SESSIONS, report.entries.length)
    const conflicts: Conflict[] = []
    for (; report.seen < end; report.seen++) {
      const { table, id, mine } = report.entries[report.seen]!
      const store = this.stores[table]!
      const theirs = mine === undefined ? store.sessionAt(id) : store.sessionLike(mine)
      if (isSame(mine, theirs)) continue
      const both = { mine: mine ?? null, theirs: theirs ?? null }
      conflicts.push({ table: store.name, ...both, unreplicated: id < 0 })
    }
    report.told += conflicts.length
    if (report.seen === report.entries.length) this.finish(0, conflicts)
    else if (conflicts.length > 0) this.say(report, conflicts, false)
  }

  /** This node leads again, or ends. */
  private end(untouched: boolean): void {
    const { report } = this
    if (report === undefined) return
    if (!untouched) this.finish(report.entries.length - report.seen)
    else {
      report.untold = 0
      this.finish(report.entries.filter(({ id }) => id < 0).length)
    }
  }

  private finish(left: number, conflicts: readonly Conflict[] = []): void {
    const { report } = this
    if (report === undefined) return
    report.untold += left
    this.report = undefined
    // A demotion that gave nothing up is nothing to tell of.
    if (report.cause === 'split' || report.told + report.untold > 0) this.say(report, conflicts, true)
  }

  private say(report: Report, conflicts: readonly Conflict[], done: boolean): void {
    const { cause, epoch, told, untold } = report
    this.emit({ type: 'conflict', cause, epoch, conflicts, told, untold: done ? untold : 0, done })
  }
}

function bytesOf(session: SessionCopy): number {
  let bytes = COPY_BYTES
  for (const value of Object.values(session)) {
    if (typeof value === 'string') bytes += 2 * value.length
    else if (value instanceof Uint8Array) bytes += value.length
  }
  return bytes
}

function isSame(one: SessionCopy | undefined, other: SessionCopy | undefined): boolean {
  if (one === undefined || other === undefined) return one === other
  return Object.keys(one).every((name) => isEqual(one[name], other[name]))
}

function isEqual(one: unknown, other: unknown): boolean {
  if (!(one instanceof Uint8Array) || !(other instanceof Uint8Array)) return Object.is(one, other)
  return one.length === other.length && one.every((byte, i) => byte === other[i])
}
