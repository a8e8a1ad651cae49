// The application thread's side of a node: tables, replica, driver and the handle on the sync thread, wired together.
// src/node.ts is its public face.
import { clearTimeout, setImmediate, setTimeout } from 'node:timers'
import { publish } from './channels.ts'
import { Choices } from './choices.ts'
import type { FromSync, SyncStatus } from './core/messages.ts'
import { HANDOVER_TIMEOUT_MS } from './core/options.ts'
import { Replica } from './core/replica.ts'
import type { ReplicaEvent } from './core/replica-event.ts'
import type { VerifyResult } from './core/verifications.ts'
import type { Alone } from './core/waiters.ts'
import { coreOptions } from './core-options.ts'
import { StateError } from './errors.ts'
import { Emitter } from './events.ts'
import { Gated } from './gated.ts'
import { monotonicMs } from './io/clock.ts'
import { Driver } from './io/driver.ts'
import { SyncThread } from './io/sync-thread.ts'
import type { LinkFailure } from './io/thread-messages.ts'
import { type MonitorSettings, Monitors } from './monitors.ts'
import { NodeFiles } from './node-files.ts'
import type { Effect, MonitorCheck } from './options.ts'
import type { Prepared } from './prepared.ts'
import { Questions } from './questions.ts'
import { RoleChanges } from './role-changes.ts'
import type { Settings } from './settings.ts'
import { checkNewIdentity } from './settings-identity.ts'
import type { NodeStatus } from './status.ts'
import { NO_SYNC_STATUS } from './status.ts'
import { type AdminDoor, statusOf } from './status-of.ts'
import type { Table, WriteGate } from './table/index.ts'
import { GATE_CLOSED } from './table/index.ts'
import { Tellings } from './tellings.ts'
import { Traffic } from './traffic.ts'
import type { Role } from './wire/constants.ts'

/** How long the sync thread may take to end after a handover at close. */
const END_TIMEOUT_MS = 2_000
const ENDED_EVENTS = ['expired', 'evicted'] as const

export class NodeRuntime {
  /** What the application holds; given right after the constructor. */
  face: object | undefined
  /** Closed with the node. */
  admin: AdminDoor | undefined
  readonly tables: Readonly<Record<string, Table>>
  readonly emitter: Emitter = new Emitter()
  private readonly tellings: Tellings
  private readonly settings: Settings
  private readonly gate: WriteGate
  private readonly gated: Gated
  private readonly files: NodeFiles
  private readonly replica: Replica
  private readonly driver: Driver
  private readonly thread: SyncThread
  private sync: SyncStatus = NO_SYNC_STATUS
  private readonly traffic = new Traffic()
  private readonly roleChanges: RoleChanges
  private readonly monitors: Monitors
  private readonly choices: Choices
  private readonly questions: Questions
  private readonly end: Promise<void>
  private settleEnd!: () => void
  private closing: Promise<void> | undefined
  /** Closed, and everybody told. */
  private closed: Promise<void> | undefined
  private adminClosed: Promise<void> | undefined
  /** Answers of this turn, see 'result'. */
  private readonly results: Extract<FromSync, { type: 'result' }>[] = []
  private stopped = false
  private readonly abort = () => void this.close()

  constructor(settings: Settings, prepared: Prepared) {
    const { words, gate, entries, state } = prepared
    this.settings = settings
    this.tellings = new Tellings(settings.logger, this.emitter)
    this.gate = gate
    this.questions = new Questions(settings.id, settings.peer)
    this.end = new Promise((resolve) => {
      this.settleEnd = resolve
    })
    this.gated = new Gated(settings.id, this.gate, () => this.epoch, settings.interval)
    this.tables = Object.fromEntries(entries.map(({ property, table }) => [property, table]))
    const stores = entries.map(({ table }) => table)
    for (const store of stores) {
      store.onPickupError = (error) => this.tellings.thrown(error)
      store.meter.begin()
    }
    this.emitter.onThrown = (error) => this.tellings.error(error)
    this.emitter.onEvent = (name, event) => publish(name, settings.id, this.face, event)
    this.emitter.onListeners = () => {
      this.listenToTables(stores)
      this.replica.conflicts.wanted = this.emitter.has('conflict')
    }
    this.monitors = new Monitors(
      (failed) => this.thread.send([{ type: 'health', failed }]),
      (event) => this.tellings.monitor(event),
    )
    this.roleChanges = new RoleChanges(
      settings,
      (event) => {
        this.emitter.emit('role', event)
        this.considerReady()
      },
      (error) => this.tellings.error(error),
    )
    this.choices = new Choices(
      settings.onConflict,
      settings.conflictTimeoutMs,
      (message) => this.thread.send([message]),
      (error) => this.tellings.error(error),
    )
    this.replica = new Replica({
      stores,
      gate: this.gate,
      flushInterval: settings.flushIntervalMs,
      conflictTimeoutMs: settings.conflictTimeoutMs,
      random: Math.random,
    })
    this.replica.onRole = (change) => this.roleChanges.note(change)
    this.files = new NodeFiles(prepared, settings, this.replica, (error) => this.tellings.error(error))
    this.driver = new Driver(this.replica, words, settings.interval, monotonicMs, {
      send: (messages) => {
        this.traffic.handleSent(messages)
        this.thread.send(messages)
      },
      event: (event) => this.handleEvent(event),
      broken: (error) => this.thread.fail(error),
    })
    this.thread = new SyncThread(
      {
        core: coreOptions(settings, stores, prepared),
        words: words.buffer as SharedArrayBuffer,
        links: settings.links,
        identity: settings.identity,
        state: state && { directory: state.directory, owner: state.owner },
        witness: settings.witness,
      },
      {
        messages: (messages) => this.handleMessages(messages),
        alarm: (failure) => this.tellings.alarm(failure),
        stateFailed: (message) => this.tellings.error(new StateError(message)),
        ended: (error) => this.handleEnd(error),
      },
    )
  }

  /** Tables copy the sessions they end only for events somebody listens to. */
  private listenToTables(tables: readonly Table[]): void {
    const causes = ENDED_EVENTS.filter((name) => this.emitter.has(name))
    for (const table of tables) {
      table.listen(causes, (cause, session) => this.emitter.emit(cause, { table: table.name, session }))
    }
  }

  async start(): Promise<void> {
    const { signal } = this.settings
    let failures: LinkFailure[]
    try {
      failures = await this.thread.started()
    } catch (error) {
      await this.end
      throw error
    }
    // Told in a later turn, when whoever awaits the node has had time to listen.
    setImmediate(() => {
      for (const failure of failures) this.tellings.alarm(failure)
      this.files.tell()
    })
    signal?.addEventListener('abort', this.abort)
    if (signal?.aborted) {
      await this.close()
      throw signal.reason
    }
  }

  // ---- What the node shows

  get id(): string {
    return this.settings.id
  }

  get role(): Role {
    return this.replica.role
  }

  get epoch(): number {
    return this.replica.epoch
  }

  status(): NodeStatus {
    const { replica, sync, settings, roleChanges, tables, gate, monitors, files, traffic, admin } = this
    return statusOf({ replica, sync, settings, roleChanges, tables, gate, monitors, files, traffic, admin })
  }

  // ---- What the application asks for

  replicated(alone: Alone, withYoung: boolean): Promise<{ held: boolean }> {
    return this.questions.held(alone, () => this.replica.replicated(alone, withYoung))
  }

  verify(): Promise<VerifyResult> {
    return this.questions.proof(() => this.replica.verify())
  }

  resync(): Promise<void> {
    return this.questions.resync(() => this.replica.resync(monotonicMs()))
  }

  runGated<Value>(effect: Effect<Value>): Promise<Value> {
    return this.questions.unlessEnded(() => this.gated.run(effect))
  }

  ready(): Promise<void> {
    return this.questions.ready(this.isReady)
  }

  private get isReady(): boolean {
    return this.replica.role === 'primary' || this.replica.isSynced
  }

  handover(): Promise<void> {
    return this.questions.handover((request) => this.thread.send([{ type: 'handover', request }]))
  }

  /** `force` false, said of a primary, undoes what true has done. */
  promote(force: boolean | undefined): Promise<void> {
    const isUndone = force === false && this.role === 'primary'
    return this.questions.request((request) =>
      this.thread.send([
        isUndone ? { type: 'unforce', request } : { type: 'promote', request, force: force === true },
      ]),
    )
  }

  maintenance(on: boolean): Promise<void> {
    return this.questions.request((request) => this.thread.send([{ type: 'maintenance', request, on }]))
  }

  reloadIdentity(given: unknown): Promise<void> {
    const identity = checkNewIdentity(this.settings.identity, given)
    return this.questions.request((request) => this.thread.renew({ type: 'identity', request, identity }))
  }

  monitor(name: string, check: MonitorCheck, settings: MonitorSettings): () => void {
    this.questions.demandOpen()
    return this.monitors.add(name, check, settings)
  }

  close(): Promise<void> {
    this.closing ??= this.leave()
    // A hook that waits for its own end would wait until its bound.
    if (this.roleChanges.isWithinHook) return this.closing
    this.closed ??= this.closing.then(() => this.roleChanges.told).then(() => this.adminClosed)
    return this.closed
  }

  private async leave(): Promise<void> {
    if (!this.stopped) {
      this.thread.expectEnd()
      this.thread.send([{ type: 'close', request: 0 }])
      const late = setTimeout(() => void this.thread.terminate(), HANDOVER_TIMEOUT_MS + END_TIMEOUT_MS)
      await this.end
      clearTimeout(late)
    }
  }

  // ---- What the sync thread says

  private handleMessages(messages: readonly FromSync[]): void {
    if (this.stopped) return
    this.traffic.handleReceived(messages)
    this.driver.handleMessages(messages)
    this.gated.check()
    for (const message of messages) {
      switch (message.type) {
        case 'role':
          // Views of an earlier reign must not show, or write, what the new one holds.
          for (const table of Object.values(this.tables)) table.bumpEra()
          break
        case 'status':
          this.sync = message.status
          break
        case 'link':
          this.tellings.link(message.link, message.up, message.reason)
          break
        case 'witness':
          this.tellings.witness(message.reachable, message.reason)
          break
        case 'split':
          this.tellings.split(message)
          break
        case 'choose':
          void this.choices.handleQuestion(message, this.replica.conflicts.changedCount)
          break
        case 'choice-over':
          this.choices.handleOver(message)
          break
        case 'peer':
          this.tellings.peer(this.settings.peer, message.alive)
          break
        case 'result':
          // After the events of this turn, so that a role is told before the request that changed it is answered.
          this.results.push(message)
          setImmediate(() => this.settleResults())
          break
      }
    }
  }

  private settleResults(): void {
    for (const result of this.results.splice(0)) this.questions.settleRequest(result)
  }

  private handleEnd(error: Error | undefined): void {
    if (this.stopped) return
    this.gate.open = GATE_CLOSED
    if (this.replica.role !== 'stopped') {
      const { epoch, position } = this.replica
      const reason = error === undefined ? 'closed' : 'sync-thread'
      const { lineage } = this.sync
      this.handleMessages([
        { type: 'role', role: 'stopped', epoch, lineage, reason, word: GATE_CLOSED, position, durationMs: 0 },
      ])
    }
    this.stopped = true
    this.gated.check()
    this.monitors.stop()
    this.choices.stop()
    this.questions.end(error)
    this.driver.stop()
    this.settleResults()
    this.questions.rejectRest()
    this.sync = { ...NO_SYNC_STATUS, lineage: this.sync.lineage, refusals: this.sync.refusals }
    this.settings.signal?.removeEventListener('abort', this.abort)
    if (error !== undefined) this.tellings.error(error)
    // The last role is told through it, too.
    this.adminClosed = this.roleChanges.told.then(() => this.admin?.close())
    void this.files.end().then(this.settleEnd)
  }

  // ---- What the replica says

  private handleEvent(event: ReplicaEvent): void {
    switch (event.type) {
      case 'role':
        this.roleChanges.tellNext()
        if (event.role === 'secondary' && event.reason === 'handover') this.questions.noteHandedOver()
        break
      case 'held':
        this.questions.settleHeld(event.group, event.outcome)
        break
      case 'verified':
        this.questions.settleProof(event.token, event.result)
        break
      case 'resynced':
        this.questions.settleResync(event.token, event.done)
        break
      case 'synced':
        this.tellings.synced(event.synced, this.replica.role)
        this.considerReady()
        break
      case 'conflict':
        this.tellings.conflict(event)
        break
      case 'unsynced':
      case 'poison':
        this.tellings.follower(event)
        break
    }
  }

  private considerReady(): void {
    if (this.isReady) this.questions.settleReady()
  }
}
