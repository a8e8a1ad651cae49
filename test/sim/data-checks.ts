// What tables may hold, and when: a secondary without awaited segments equals its primary at a flush, a promotion starts
// from exactly that, what replicated() promised is in every table that took part in the promise, and an empty or
// younger history never replaces a full, older one.
import type { Action } from '../../src/core/actions.ts'
import type { FromSync, ToSync } from '../../src/core/messages.ts'
import { AckChecks } from './ack-checks.ts'
import { contentOf, demandContent, hashImages } from './content.ts'
import {
  BATCH,
  DIFFERENCE,
  epochOf,
  IMAGE,
  OWED,
  PARTIAL,
  payloadByte,
  RESYNC,
  RESYNC_REQUEST,
  REVERSE,
  SAME,
  sequenceOf,
  typeOf,
} from './frames.ts'
import { type Content, descends, type History, type Reign, type Version, withHeld } from './history.ts'
import { LineageChecks } from './lineage-checks.ts'
import { MixChecks } from './mix-checks.ts'
import { PickupChecks } from './pickup-checks.ts'
import type { SimProcess } from './process.ts'
import { Violation } from './world.ts'

type RoleMessage = Extract<FromSync, { type: 'role' }>

/** Where what a process holds comes from. */
type Origin =
  | { readonly type: 'empty' }
  /** It wrote it itself, or began with it. */
  | { readonly type: 'own'; readonly reign: Reign }
  /** The state of a reign at a position. */
  | { readonly type: 'state'; readonly reign: Reign; readonly sequence: number }
  /** Something between two states. */
  | { readonly type: 'mix'; readonly reign: Reign }

/** What a primary's next frame speaks of. */
interface Flushed {
  length: number
  hash: number
  clean: boolean
}

export class DataChecks {
  private readonly history: History
  /** Begun with spoilt memory, and the processes that began them. */
  private readonly spoiltReigns = new WeakSet<Reign>()
  private readonly spoiltLeaders = new WeakSet<SimProcess>()
  /** Versions that no table shows, and that stand for what it may hold: their time is over. */
  private readonly unseen = new WeakSet<Version>()
  /** Secondaries that were told what they are owed. */
  private readonly byDifference = new WeakSet<SimProcess>()
  private readonly origins = new Map<SimProcess, Origin>()
  private readonly reigns = new Map<SimProcess, Reign>()
  private readonly flushed = new Map<Reign, Flushed>()
  private readonly attached = new Map<Reign, Flushed>()
  /** For whom the sync thread asked to attach. */
  private readonly askedFor = new WeakMap<object, string>()
  private readonly fed = new Map<SimProcess, string>()
  readonly lineages: LineageChecks
  private readonly mixes: MixChecks
  readonly pickups: PickupChecks
  private readonly acks = new AckChecks()
  /** Comparisons of a secondary with a flush of its primary. */
  comparisons = 0
  /** Batches that left a backlog behind, sent or applied. */
  partials = 0

  constructor(history: History) {
    this.history = history
    this.lineages = new LineageChecks(history)
    this.mixes = new MixChecks(history)
    this.pickups = new PickupChecks(history, (process) => this.reignOf(process))
  }

  originOf(process: SimProcess): Origin {
    return this.origins.get(process) ?? { type: 'empty' }
  }

  /** The reign in which a process's application may write now. */
  reignOf(process: SimProcess): Reign | undefined {
    return this.reigns.get(process)
  }

  handleGone(process: SimProcess): void {
    this.acks.handleGone(process)
    this.lineages.handleGone(process)
    this.history.release(process.incarnation)
    this.origins.delete(process)
    this.reigns.delete(process)
  }

  /** Which process's acknowledgements a primary's replica counts now. */
  followerOf(process: SimProcess): string | undefined {
    return this.fed.get(process)
  }

  /** Something a secondary holds was changed behind its back. */
  handleSpoilt(process: SimProcess): void {
    const origin = this.originOf(process)
    if (origin.type === 'empty') return
    process.isSpoilt = true
    this.history.release(process.incarnation)
    this.origins.set(process, { type: 'mix', reign: origin.reign })
  }

  /** replicated() says that the secondary it feeds holds this length of the log: it must have had it, complete. */
  demandHeld(process: SimProcess, peer: SimProcess | undefined, reign: Reign, length: number): void {
    if (peer === undefined || peer.incarnation !== this.fed.get(process)) return
    const taken = this.acks.takenBy(peer, reign.epoch)
    if (taken === undefined) return
    this.coverUnsaid(process)
    const mark = reign.marks.get(taken.received)
    if (taken.wasComplete && mark !== undefined && mark.length >= length) return
    throw new Violation(
      `${process.name} says held up to ${length}, ${peer.name} has ${mark?.length}${taken.wasComplete ? '' : ', incomplete'}`,
    )
  }

  // ---- The primary's side

  handleActions(process: SimProcess, actions: readonly Action[]): void {
    this.acks.handleActions(process, actions)
    for (const action of actions) {
      if (action.type === 'post' && action.message.type === 'attach') {
        this.askedFor.set(action.message, process.core.peer.incarnation)
      }
    }
  }

  handleMessage(process: SimProcess, message: FromSync, isTaken: boolean): void {
    if (message.type === 'role' || message.type === 'detach') this.fed.delete(process)
    if (!isTaken) this.pickups.handleMessage(process, message)
    if (message.type === 'role') {
      if (!isTaken) this.reigns.delete(process)
      else if (message.role === 'primary') this.handlePromotion(process, message)
    } else if (message.type === 'attach' && isTaken) {
      this.fed.set(process, this.askedFor.get(message) ?? '')
      this.rememberAttach(process)
    }
    if (message.type === 'frame') {
      const type = typeOf(message.frame)
      if (type === RESYNC_REQUEST && isTaken) this.rememberAttach(process)
      else if (type < REVERSE && process.replica.role === 'secondary') {
        if (!isTaken) this.beforeFrame(process, message.frame)
        else this.afterFrame(process, message.frame)
      }
    }
  }

  private snapshot(process: SimProcess, reign: Reign): Flushed {
    const clean = process.tables.every((table) => !table.changed)
    return { length: reign.log.length, hash: hashImages(process), clean }
  }

  /** The RESYNC that follows speaks of the tables as they are now. */
  rememberAttach(process: SimProcess): void {
    const reign = this.reigns.get(process)
    if (reign !== undefined) this.attached.set(reign, { ...this.snapshot(process, reign), clean: true })
  }

  /** Frames leave the replica: remember what the tables held at each position. Whether an attachment begins. */
  handleLocal(process: SimProcess, messages: readonly ToSync[]): boolean {
    let begins = false
    for (const message of messages) {
      if (message.type !== 'frame') continue
      const type = typeOf(message.frame)
      if (type >= REVERSE) continue
      const reign = this.history.reigns.get(epochOf(message.frame))
      if (reign?.incarnation !== process.incarnation) {
        throw new Violation(`${process.name} sends a frame of epoch ${epochOf(message.frame)}, not its own`)
      }
      if (type === RESYNC) this.flushed.set(reign, this.attached.get(reign) ?? this.snapshot(process, reign))
      else if (type === BATCH || type === PARTIAL) this.flushed.set(reign, this.snapshot(process, reign))
      if (type === PARTIAL) this.partials++
      if (type === DIFFERENCE) {
        process.world.count(payloadByte(message.frame, 0) === 1 ? 'resync by difference' : 'offer declined')
      }
      if (type === RESYNC) {
        process.world.count('resync')
        begins = true
      }
      const state = this.flushed.get(reign)
      if (state === undefined) throw new Violation(`${process.name} sends a frame before any RESYNC`)
      if (message.sequence !== reign.lastMark + 1) {
        throw new Violation(`${process.name} numbers a frame ${message.sequence} after ${reign.lastMark}`)
      }
      reign.lastMark = message.sequence
      reign.marks.set(message.sequence, state)
    }
    return begins
  }

  /** Writes that cancel each other are flushed without a frame: the last position covers them too. */
  handleTurn(process: SimProcess): void {
    this.pickups.demandRight()
    this.coverUnsaid(process)
  }

  /** What was written since the last flush and changes nothing for the peer: it cancels out, or is held back. */
  private coverUnsaid(process: SimProcess): void {
    const reign = this.reigns.get(process)
    const state = reign === undefined ? undefined : this.flushed.get(reign)
    if (reign === undefined || state === undefined || !this.fed.has(process)) return
    if (state.clean && process.tables.every((table) => !table.changed)) state.length = reign.log.length
  }

  private handlePromotion(process: SimProcess, message: RoleMessage): void {
    const { epoch, lineage, reason } = message
    const origin = this.originOf(process)
    process.world.count(`promoted with: ${origin.type}`)
    const isUnsynced = origin.type === 'mix' && !process.isSpoilt
    if (isUnsynced && !process.plan.core.promoteUnsynced && reason !== 'operator') {
      throw new Violation(`${process.name} became primary (${reason}) unsynced, against promoteUnsynced`)
    }
    if (isUnsynced && message.lineage === origin.reign.lineage) {
      throw new Violation(`${process.name} leads on a lineage of which it holds a part only (${reason})`)
    }
    const base = this.baseOf(process, origin)
    const isSpoilt = process.isSpoilt
    if (isSpoilt) this.history.isVoid = true
    process.isSpoilt = false
    this.demandPromised(process, base)
    const held = this.pickups.take(process)
    const reign = this.history.begin(epoch, lineage, process.incarnation, process.world.now, base, held)
    if (isSpoilt) {
      this.spoiltReigns.add(reign)
      this.spoiltLeaders.add(process)
    }
    this.reigns.set(process, reign)
    this.origins.set(process, { type: 'own', reign })
  }

  /** What the tables hold at a promotion: exactly a known state, or a mix of known writes. */
  private baseOf(process: SimProcess, origin: Origin): Content {
    const content = this.knownContent(process, origin)
    if (content !== undefined) {
      const held = withHeld(content, this.pickups.heldBy(process))
      demandContent(process, this.history, held, 'at its promotion')
      return content
    }
    return contentOf(process, this.history)
  }

  private knownContent(process: SimProcess, origin: Origin): Content | undefined {
    if (origin.type === 'empty') return process.plan.tables.kinds.map(() => new Map())
    if (origin.type === 'own') return this.history.contentAt(origin.reign, origin.reign.log.length)
    if (origin.type === 'mix') return undefined
    const mark = origin.reign.marks.get(origin.sequence)!
    return mark.clean ? this.history.contentAt(origin.reign, mark.length) : undefined
  }

  // ---- The secondary's side

  private beforeFrame(process: SimProcess, frame: Uint8Array): void {
    if (typeOf(frame) !== RESYNC) return
    const reign = this.history.reigns.get(epochOf(frame))
    if (reign === undefined)
      throw new Violation(`${process.name} follows epoch ${epochOf(frame)}, never opened`)
    const origin = this.originOf(process)
    if (origin.type !== 'empty' && origin.reign.lineage !== reign.lineage) {
      const { sessions, world } = process
      world.count('lineage replaced')
      world.note(sessions, () => `${process.name} with ${sessions} sessions joins another lineage`)
      if (sessions > 0 && origin.type !== 'mix') {
        this.lineages.handleReplaced(process, origin.reign.lineage, reign)
      }
      this.history.release(process.incarnation)
    }
    this.origins.set(process, { type: 'mix', reign })
  }

  private afterFrame(process: SimProcess, frame: Uint8Array): void {
    this.acks.handleApplied(process, frame)
    if (typeOf(frame) === RESYNC) this.byDifference.delete(process)
    if (typeOf(frame) === OWED && payloadByte(frame, 1) === 1) this.byDifference.add(process)
    if (typeOf(frame) === PARTIAL) this.partials++
    const origin = this.originOf(process)
    const sequence = sequenceOf(frame)
    const isSynced = process.tables.every((table) => table.awaited === 0)
    const reign = this.history.reigns.get(epochOf(frame))
    if (origin.type === 'empty' || origin.type === 'own' || reign === undefined || origin.reign !== reign)
      return
    if (process.replica.isSynced && !isSynced) throw new Violation(`${process.name} says synced and awaits`)
    if (!isSynced) {
      this.origins.set(process, { type: 'mix', reign })
      if (!this.spoiltReigns.has(reign)) this.mixes.sample(process)
      return
    }
    const mark = reign.marks.get(sequence)
    if (mark === undefined) throw new Violation(`${process.name} took frame ${sequence}, which nobody made`)
    if (process.replica.isSynced && !mark.clean) {
      throw new Violation(
        `${process.name} says synced at ${sequence}, while its primary has older changes unsent`,
      )
    }
    if (process.isSpoilt) {
      if (!mark.clean || hashImages(process) !== mark.hash) return
      process.isSpoilt = false
      process.world.count('segment repaired')
      process.world.note(sequence, () => `${process.name} is repaired`)
    }
    const type = typeOf(frame)
    if (mark.clean && (origin.type === 'mix' || type === BATCH || type === IMAGE || type === SAME)) {
      this.comparisons++
      if (hashImages(process) !== mark.hash) {
        // What was spoilt is in nobody's list of changes: after a resync by difference only the proof finds it.
        if (this.spoiltReigns.has(reign) || this.spoiltLeaders.has(process)) {
          process.isSpoilt = true
          return
        }
        throw new Violation(
          `${process.name} awaits nothing at position ${reign.epoch}/${sequence} and differs from what its primary held there`,
        )
      }
    }
    this.origins.set(process, mark.clean ? { type: 'state', reign, sequence } : { type: 'mix', reign })
    if (origin.type === 'mix' && mark.clean) {
      const how = this.byDifference.delete(process) ? 'synced by difference' : 'synced in full'
      process.world.count(how)
      process.world.note(sequence, () => `${process.name} ${how}`)
    }
    if (origin.type === 'mix' && mark.clean) this.history.share(reign.incarnation, process.incarnation)
  }

  // ---- What was promised

  /** Every process that took part in a promise must have kept it. Completes `content` with what it may stand for. */
  demandPromised(process: SimProcess, content: Content, others: readonly string[] = []): void {
    if (this.history.isVoid) return
    for (const [table, keys] of this.history.owed.entries()) {
      for (const [key, { version, promise }] of keys) {
        const holds = [process.incarnation, ...others].some((one) => promise.holders.has(one))
        if (!holds) continue
        const seen = content[table]!.get(key) ?? this.deletionOf(version)
        const held = seen ?? this.expired(process, version)
        if (seen === undefined && held !== undefined) this.unseen.add(held)
        if (held === undefined || !descends(held, version)) {
          const kind = process.plan.tables.kinds[table]!.name
          throw new Violation(
            `${process.name} lost write ${version.id} of ${kind} key ${key}, which replicated() had promised; it has ${held === undefined ? 'nothing' : `write ${held.id}`}`,
          )
        }
        content[table]!.set(key, held)
      }
    }
  }

  /** The version itself, if it is not seen because its time is over. */
  private expired(process: SimProcess, version: Version): Version | undefined {
    if (version.row === undefined) return undefined
    return this.history.lives(version, process.tables[version.table]!.ticks) ? undefined : version
  }

  /** A table removed a session whose time was over. */
  handleExpired(process: SimProcess, table: number, session: Record<string, unknown>): void {
    const reign = this.reigns.get(process)
    const found = process.plan.tables.kinds[table]!.read(session)
    if (reign === undefined || found === undefined) {
      throw new Violation(`${process.name} ends a session that it may not, or that is none`)
    }
    process.world.count('session expired')
    const version = reign.content[table]!.get(found.key)
    // A mix of states may hold sessions that had expired when it was promoted: nobody has seen them.
    if (version?.row === undefined) return
    // Taken for what is there because its time was over: it may be a later one whose time is over, too.
    if (version.row.version !== found.row.version && this.unseen.has(version)) {
      this.history.end(reign, table, found.key)
      return
    }
    if (version.row.version !== found.row.version) {
      throw new Violation(
        `${process.name} ends write ${found.row.version} of key ${found.key}, which write ${version.id} replaced`,
      )
    }
    if (this.history.lives(version, process.tables[table]!.ticks)) {
      throw new Violation(`${process.name} ends key ${found.key} before its time`)
    }
    this.history.end(reign, table, found.key)
  }

  /** A later deletion of the key, which would explain that it is absent. */
  private deletionOf(version: Version): Version | undefined {
    return this.history.deletions
      .get(version.table)
      ?.get(version.key)
      ?.find((deletion) => descends(deletion, version))
  }
}
