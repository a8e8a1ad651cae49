// The application thread's core: the tables' side of replication in either role. Messages of the sync thread, changes
// of tables and time come in; messages, events and one deadline go out. Sans-io: the simulator runs it as it is.

import type { Role } from '../wire/constants.ts'
import { DIGEST_KEY_BYTES, FORWARD_TYPE_MIN, FrameType, REVERSE_TYPE_MIN } from '../wire/constants.ts'
import { parseFrame } from '../wire/frame.ts'
import { readProofResult } from '../wire/sequenced.ts'
import { NO_LINEAGE } from '../wire/status.ts'
import { type Ground, takeLead } from './base.ts'
import { Conflicts } from './conflicts.ts'
import { Feeder } from './feeder.ts'
import { Follower } from './follower.ts'
import type { FromSync, SyncStatus, ToSync } from './messages.ts'
import { Pickups } from './pickups.ts'
import type { ReplicaEvent, RoleReplicaEvent } from './replica-event.ts'
import { type ResyncProgress, Resyncs } from './resyncs.ts'
import { reportOf } from './role-report.ts'
import { Standings } from './standings.ts'
import type { Store } from './store.ts'
import { Sweeper } from './sweeper.ts'
import { TableNews } from './table-news.ts'
import { TableTime } from './table-time.ts'
import { earliest } from './timers.ts'
import { Verifications } from './verifications.ts'
import type { Alone } from './waiters.ts'
import { Waiters } from './waiters.ts'

/** Never a role word. */
const SHUT = -1

export interface ReplicaOptions {
  readonly stores: readonly Store[]
  /** `open` is the role word under which tables may be written; SHUT closes them. */
  readonly gate: { open: number }
  /** Least time between two flushes, ms. */
  readonly flushInterval: number
  /** How long what a demoted primary gives up is kept for telling, ms. Default CONFLICT_TIMEOUT_MS. */
  readonly conflictTimeoutMs?: number
  /** Uniform in [0, 1). */
  readonly random: () => number
}

export class Replica {
  role: Role = 'starting'
  epoch = 0
  private readonly stores: readonly Store[]
  private readonly gate: { open: number }
  private readonly flushInterval: number
  private readonly random: () => number
  private messages: ToSync[] = []
  private events: ReplicaEvent[] = []
  private readonly feeder: Feeder
  private readonly follower: Follower
  private readonly pickups: Pickups
  readonly conflicts: Conflicts
  private readonly verifications: Verifications
  private readonly resyncs: Resyncs
  private readonly waiters: Waiters
  private readonly sweeper: Sweeper
  private readonly news: TableNews
  private readonly time = new TableTime()
  readonly standings: Standings
  private readonly ground: Ground = { lineage: NO_LINEAGE, base: undefined }
  private peerAlive = false
  private flushToken: number | undefined
  private wasProtected = false
  private wasSynced = false
  /** Called when there is something new to do: the owner should call handleTimeout by pollTimeout(). */
  onWork: (() => void) | undefined
  /** Called when this node has its new role; the event follows among the others. */
  onRole: ((change: RoleReplicaEvent) => void) | undefined

  constructor(options: ReplicaOptions) {
    this.stores = options.stores
    this.gate = options.gate
    this.flushInterval = options.flushInterval
    this.random = options.random
    const post = (message: ToSync) => this.messages.push(message)
    this.verifications = new Verifications((token, result) =>
      this.events.push({ type: 'verified', token, result }),
    )
    this.resyncs = new Resyncs((token, done) => this.events.push({ type: 'resynced', token, done }))
    this.feeder = new Feeder(this.stores, post, this.time, this.ground, this.verifications)
    this.follower = new Follower(this.stores, post, this.time, this.ground, (event) =>
      this.events.push(event),
    )
    this.standings = new Standings(this.feeder, this.follower, this.ground, this.time)
    this.pickups = new Pickups(this.stores)
    this.conflicts = new Conflicts(this.stores, options, (news) => this.events.push(news), post)
    this.waiters = new Waiters((group, outcome) => this.events.push({ type: 'held', group, outcome }))
    this.sweeper = new Sweeper(this.stores, this.time)
    this.news = new TableNews(this.stores, this.time, post)
    this.gate.open = SHUT
    for (const store of this.stores) {
      store.setTracking(false)
      store.onChange = () => this.onWork?.()
    }
  }

  // ---- What the node shows

  /** Primary: the secondary holds everything but the batches in flight. */
  get isProtected(): boolean {
    return this.role === 'primary' && this.peerAlive && this.feeder.isProtecting
  }

  /** Secondary: the tables are one state of a living primary. */
  get isSynced(): boolean {
    return this.role === 'secondary' && this.peerAlive && this.follower.isSynced
  }

  lag(now: number): { batches: number; ms: number } {
    return this.role === 'primary' ? this.feeder.lag(now) : { batches: 0, ms: 0 }
  }

  /** What is still to come before the pair is synced; undefined when it is, or there is no pair. */
  get progress(): ResyncProgress | undefined {
    return this.peerAlive ? this.half.progress : undefined
  }

  private get half(): Feeder | Follower {
    return this.role === 'primary' ? this.feeder : this.follower
  }

  get position(): { epoch: number; sequence: number } {
    return {
      epoch: this.epoch,
      sequence: this.role === 'primary' ? this.feeder.sequence : this.follower.applied,
    }
  }

  // ---- Requests of the application

  /**
   * Everything written so far is to be held by the secondary, and what is young too if `withYoung`. Gives the group
   * whose `held` event answers.
   */
  replicated(alone: Alone, withYoung = false): number {
    if (withYoung && this.role === 'primary') this.pickups.demand()
    const group = this.waiters.join(alone, this.isComplete ? this.feeder.sequence : undefined)
    if (this.role !== 'primary') this.waiters.handleEnded(this.role === 'stopped' ? 'closed' : 'not-primary')
    else if (this.isAlone) this.waiters.handleAlone()
    this.considerHeld()
    this.onWork?.()
    return group
  }

  /** Proves that both nodes hold the same. Undefined as result: it cannot be finished. */
  verify(): number {
    const token = this.verifications.nextToken()
    if (this.role === 'primary' && this.isHolding) this.verifications.begin(token)
    else if (this.isSynced) {
      this.verifications.handleAsked(token)
      this.follower.askVerify(token)
    } else this.events.push({ type: 'verified', token, result: undefined })
    this.onWork?.()
    return token
  }

  /** Everything written, or demanded, so far is in frames. */
  private get isComplete(): boolean {
    return this.feeder.isClean && !this.pickups.isDemanded
  }

  /** Everything is to be compared, whatever is known. The `resynced` event of the token says when that is done. */
  resync(now: number): number {
    const { isRunning } = this.resyncs
    const token = this.resyncs.join()
    if (!this.peerAlive || this.half.attach === 0) this.resyncs.handleParted()
    else if (!isRunning) {
      this.abandonVerifications()
      if (this.role === 'primary') this.feeder.compareAll(this.drawKey(), now)
      else this.follower.askResync(now)
    }
    this.afterwards()
    return token
  }

  /** There is no secondary that will hold what is written soon: none lives, or it awaits more than a backlog. */
  private get isAlone(): boolean {
    return !this.peerAlive || !this.feeder.isAbreast
  }

  /** There is a living secondary that awaits nothing. */
  private get isHolding(): boolean {
    return this.peerAlive && this.feeder.isSynced
  }

  // ---- Messages of the sync thread

  handleMessage(message: FromSync, now: number): void {
    this.handleTime(now)
    switch (message.type) {
      case 'role':
        this.handleRole(message, now)
        break
      case 'status':
        this.hearTime(message.status, now)
        this.standings.handleStatus(message.status, now)
        break
      case 'attach':
        if (this.role !== 'primary' || message.epoch !== this.epoch) break
        this.abandonVerifications()
        this.feeder.attachTo(message.follow, this.drawKey(), now)
        this.waiters.handleAttached()
        break
      case 'common':
        this.news.speak(message.tables)
        break
      case 'detach':
        this.feeder.detach()
        this.follower.detach()
        this.abandonVerifications()
        this.resyncs.handleParted()
        break
      case 'frame':
        this.handleFrame(message.frame, now)
        break
      case 'ack':
        this.feeder.handleAck(message.attach, message, now)
        break
      case 'peer':
        this.peerAlive = message.alive
        if (message.alive) break
        this.tellAbandoned(this.verifications.giveUp())
        this.resyncs.handleParted()
        break
      case 'flush':
        this.gate.open = SHUT
        this.flushToken = message.token
        if (this.role === 'primary') this.pickups.demand()
        break
      case 'resume':
        this.flushToken = undefined
        if (this.role === 'primary') this.gate.open = message.word
        break
    }
    this.handleTime(now)
    this.afterwards()
  }

  private handleRole(message: Extract<FromSync, { type: 'role' }>, now: number): void {
    this.gate.open = SHUT
    this.flushToken = undefined
    this.abandonVerifications()
    this.resyncs.handleParted()
    // Two primaries met and this one goes on in a later epoch: what waits goes on waiting, for a secondary of that.
    if (this.role === 'primary' && message.role === 'primary') this.waiters.handleAttached()
    else this.waiters.handleEnded(message.role === 'stopped' ? 'closed' : 'not-primary')
    const { attach, appliedAt } = this.follower
    const ageMs = this.role === 'secondary' && attach !== 0 ? Math.max(0, now - appliedAt) : null
    const report = reportOf(this.stores, message.position, ageMs)
    this.standings.handleRole(message.role)
    const led = this.role === 'primary' ? this.epoch : undefined
    this.role = message.role
    this.epoch = message.epoch
    this.follower.detach()
    if (message.role === 'primary') {
      this.pickups.dropRest()
      takeLead(this.stores, this.ground, message)
      this.news.lead(now)
      this.feeder.begin(message.epoch)
      this.gate.open = message.word
    } else {
      this.feeder.end()
      if (message.role === 'secondary') this.pickups.beginDropping()
    }
    this.conflicts.handleRole(message, led, attach === 0, now)
    const { type, role, epoch, reason, by = null, maintenance = false, durationMs } = message
    const change = { type, role, epoch, reason, by, maintenance, durationMs, report }
    this.onRole?.(change)
    this.events.push(change)
  }

  private handleFrame(bytes: Uint8Array, now: number): void {
    const frame = parseFrame(bytes)
    if (typeof frame === 'string') throw new Error(`the sync thread let a frame pass that is ${frame}`)
    if (frame.type === FrameType.PROOF_RESULT) {
      const result = readProofResult(frame.payload)
      if (result !== undefined) this.verifications.handleResult(result)
    }
    const isForward = frame.type >= FORWARD_TYPE_MIN && frame.type < REVERSE_TYPE_MIN
    // Another attachment begins: what was asked in the one before is not answered any more.
    const begins = frame.type === FrameType.RESYNC || frame.type === FrameType.RESYNC_REQUEST
    if (begins) this.abandonVerifications()
    if (isForward && this.role === 'secondary') {
      this.conflicts.handleFrame(frame, now)
      this.follower.handleFrame(frame, now)
      this.epoch = frame.epoch
      this.standings.handleFrame(frame.epoch)
    } else if (!isForward && this.role === 'primary' && frame.epoch === this.epoch) {
      const fits = this.feeder.handleFrame(frame, () => this.drawKey(), now)
      if (!fits) this.messages.push({ type: 'refused', name: 'malformed' })
    }
  }

  /** After anything that may have changed what is held. */
  private afterwards(): void {
    if (this.resyncs.isRunning && !this.half.isComparingAll) this.resyncs.handleDone()
    if (this.role === 'primary') {
      if (this.isAlone) this.waiters.handleAlone()
      this.considerHeld()
    }
    const isProtected = this.isProtected
    if (isProtected !== this.wasProtected) {
      this.wasProtected = isProtected
      this.messages.push({ type: 'protected', value: isProtected })
    }
    const isSynced = this.isSynced || isProtected
    if (isSynced !== this.wasSynced) {
      this.wasSynced = isSynced
      this.events.push({ type: 'synced', synced: isSynced })
    }
    this.onWork?.()
  }

  private considerHeld(): void {
    if (this.role !== 'primary' || !this.isHolding) return
    if (this.waiters.hasUnsent && this.isComplete) this.waiters.handleFlushed(this.feeder.sequence)
    this.waiters.handleHeld(this.feeder.ack!.received)
  }

  private abandonVerifications(): void {
    this.tellAbandoned(this.verifications.reset())
  }

  private tellAbandoned(tokens: readonly number[]): void {
    for (const token of tokens) this.events.push({ type: 'verified', token, result: undefined })
  }

  // ---- Time

  /** When handleTimeout is to be called; undefined when there is nothing to wait for. */
  pollTimeout(now: number): number | undefined {
    if (this.messages.length > 0 || this.events.length > 0 || this.isClearing) return now
    if (this.role === 'secondary')
      return earliest(this.follower.workDeadline(now), this.conflicts.deadline(now, this.isSynced))
    if (this.role !== 'primary') return undefined
    const flush = this.feeder.flushDeadline(this.flushToken === undefined ? this.flushInterval : 0)
    // A handover waits for the last flush: nothing is written after it.
    const sweep = this.flushToken === undefined ? this.sweeper.deadline(now) : undefined
    return earliest(flush, this.feeder.workDeadline(now), this.pickups.deadline(now), sweep)
  }

  /** What the tables hold is to be dropped, or copied, before a primary is asked for its own. */
  private get isClearing(): boolean {
    return this.pickups.isDropping || this.conflicts.isCopying
  }

  /** Gives the tables the time. To be called several times a second while the thread is awake. */
  handleTime(now: number): void {
    if (this.news.handleTime(now)) this.onWork?.()
  }

  /** A followed primary's time, from its heartbeat: good when no batch has come for long. */
  private hearTime(status: SyncStatus, now: number): void {
    if (this.role !== 'secondary' || this.follower.attach === 0) return
    if (status.tableTime !== 0 && status.epoch === this.epoch) this.time.hear(status.tableTime, now)
  }

  /** Flushes when due, does one slice of comparing and one of sweeping, and says what is to be said. */
  handleTimeout(now: number): void {
    this.handleTime(now)
    if (this.role === 'primary') {
      // Before the flush, which takes it along: a frame speaks of the tables as they are when it leaves.
      if (this.flushToken === undefined) this.sweeper.work(now, this.feeder.canWait(now))
      this.pickups.work(now)
      const due = this.feeder.flushDeadline(this.flushToken === undefined ? this.flushInterval : 0)
      if (due !== undefined && now >= due) this.feeder.flush(now)
      const work = this.feeder.workDeadline(now)
      if (work !== undefined && now >= work) this.feeder.work(now)
      if (this.flushToken !== undefined && this.isComplete) {
        this.messages.push({ type: 'flushed', token: this.flushToken, sequence: this.feeder.sequence })
        this.flushToken = undefined
      }
    } else if (this.role === 'secondary') {
      this.pickups.drop()
      this.conflicts.work(now, this.isSynced && !this.pickups.isDropping)
      const due = this.isClearing ? undefined : this.follower.workDeadline(now)
      if (due !== undefined && now >= due) this.follower.work(now)
      this.follower.reportApplied()
    }
    this.afterwards()
  }

  takeMessages(): ToSync[] {
    if (this.role === 'secondary') this.follower.reportApplied()
    this.news.saySessions()
    if (this.role === 'primary') this.news.sayTime()
    return this.messages.splice(0)
  }

  takeEvents(): ReplicaEvent[] {
    return this.events.splice(0)
  }

  private drawKey(): Uint8Array {
    return Uint8Array.from({ length: DIGEST_KEY_BYTES }, () => Math.floor(this.random() * 256))
  }
}
