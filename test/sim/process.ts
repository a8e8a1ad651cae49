// One simulated process of a node: a sync thread with the core, an application thread with replica and tables, the
// channels between them, the two shared words. It decides nothing. What can befall it: its threads stand still, it
// freezes, it dies, its machine loses power, it closes.
import type { Action } from '../../src/core/actions.ts'
import type { FromSync, ToSync } from '../../src/core/messages.ts'
import { SHARED_WORDS, SharedMoment, SharedWord } from '../../src/core/messages.ts'
import { NodeCore } from '../../src/core/node.ts'
import type { CoreOptions } from '../../src/core/options.ts'
import { Replica } from '../../src/core/replica.ts'
import type { ReplicaEvent } from '../../src/core/replica-event.ts'
import { GATE_CLOSED, isOpen, leasedGate, type WriteGate } from '../../src/table/gate.ts'
import { AppSide } from './app-side.ts'
import { Clock } from './clock.ts'
import { mac } from './mac.ts'
import type { Network } from './network.ts'
import type { Prng } from './prng.ts'
import type { EpochStart, StateFile } from './state-file.ts'
import { SyncSide } from './sync-side.ts'
import type { SimTable, TableLoan, TablePool, TablesPlan } from './tables.ts'
import { Channel, Thread } from './thread.ts'
import type { World } from './world.ts'

/** What a process is started with. */
export interface ProcessPlan {
  readonly tables: TablesPlan
  readonly core: Omit<
    CoreOptions,
    'id' | 'peer' | 'tables' | 'epochFloor' | 'incarnation' | 'contribution' | 'random' | 'mac'
  >
  readonly flushInterval: number
  /** This machine's clock runs so much faster than the world's. */
  readonly clockRate: number
}

/** Sees all that a process does: the checkers and the application. */
export interface Witness {
  /** What the core wants done, before it is. */
  onActions(process: SimProcess, actions: readonly Action[]): void
  /** Before and after the replica takes a message. */
  onMessage(process: SimProcess, message: FromSync, isTaken: boolean): void
  /** The replica said something; its tables are as they were when it did. */
  onLocal(process: SimProcess, messages: readonly ToSync[]): void
  onEvent(process: SimProcess, event: ReplicaEvent): void
  /** The role word or the gate's deadline was stored. */
  onGate(process: SimProcess): void
  /** A table has removed a session whose time was over. */
  onExpired(process: SimProcess, table: number, session: Record<string, unknown>): void
  /** A write was accepted. */
  onWrite(process: SimProcess): void
  /** The application thread has ended a turn. */
  onTurn(process: SimProcess): void
  /** A session is due to be picked up; true: it stays local. */
  onPickup(process: SimProcess, table: number, session: Record<string, unknown>): boolean
  onGone(process: SimProcess): void
}

export interface ProcessStart {
  readonly node: 0 | 1
  /** Processes of this node so far, with this one. */
  readonly count: number
  readonly plan: ProcessPlan
  readonly epochs: EpochStart
  /** Where epochs are reserved, if anywhere. */
  readonly stateFile: StateFile | undefined
}

const TEARDOWN_MS_MAX = 40
/** Source of work: the other thread. */
const MESSAGES = -2

export class SimProcess {
  readonly node: 0 | 1
  /** For people: a1, a2, ... */
  readonly name: string
  readonly incarnation: string
  readonly world: World
  readonly plan: ProcessPlan
  readonly witness: Witness
  readonly stateFile: StateFile | undefined
  /** The sync thread. */
  readonly thread: Thread
  /** The application thread. */
  readonly app: Thread
  readonly core: NodeCore
  readonly replica: Replica
  readonly words = new Int32Array(SHARED_WORDS)
  /** The same memory. */
  readonly moments = new Float64Array(this.words.buffer)
  private readonly gate: WriteGate
  readonly toApp: Channel<FromSync>
  readonly toSync: Channel<ToSync>
  readonly startedAt: number
  /** It has not died, and its core has not said that it is done. */
  isRunning = true
  /** Up to when its memory was spoilt: infinity while it is, before the beginning if it never was. */
  spoiltTo = Number.NEGATIVE_INFINITY
  private readonly network: Network
  private readonly random: Prng
  private readonly loan: TableLoan
  private readonly monotonic: Clock
  private readonly sync: SyncSide
  private readonly application: AppSide

  constructor(network: Network, start: ProcessStart, pool: TablePool, random: Prng, witness: Witness) {
    const { world } = network
    const { node, plan } = start
    this.node = node
    this.name = `${'ab'[node]}${start.count}`
    this.world = world
    this.plan = plan
    this.witness = witness
    this.network = network
    this.random = random
    this.incarnation = random.hex(16)
    this.startedAt = world.now
    this.monotonic = new Clock(world, random.between(1, 1e6), plan.clockRate)
    // The alarm of src/io/sync-loop.ts reads the sockets first, where the runtime lets it: what is judged there must not
    // depend on it once the thread was late.
    this.thread = new Thread(world, random.split('sync'), plan.core.interval / 2)
    this.app = new Thread(world, random.split('app'))
    const deadline = this.moments.subarray(SharedMoment.DEADLINE)
    this.gate =
      plan.core.leaseMs > 0
        ? leasedGate(this.words, deadline, () => this.clock())
        : { words: this.words, open: GATE_CLOSED }
    this.loan = pool.take(
      plan.tables,
      this.gate,
      (table, session) => witness.onPickup(this, table, session),
      (table, session) => witness.onExpired(this, table, session),
    )
    this.toApp = new Channel(world, random.split('to-app'), (messages) => {
      this.app.run(MESSAGES, () => this.application.handleMessages(messages))
    })
    this.toSync = new Channel(world, random.split('to-sync'), (messages) => {
      this.thread.run(MESSAGES, () => this.sync.handleLocal(messages))
    })
    this.replica = this.makeReplica()
    this.stateFile = start.stateFile
    this.core = this.makeCore(start.epochs)
    this.application = new AppSide(this, this.replica, this.monotonic)
    this.sync = new SyncSide(this, network, this.core, this.monotonic)
    network.machines[node].host = this.sync
    this.sync.settle()
  }

  private makeReplica(): Replica {
    const draws = this.random.split('replica')
    return new Replica({
      stores: this.loan.tables,
      gate: this.loan.gate,
      flushInterval: this.plan.flushInterval,
      random: () => draws.float(),
    })
  }

  private makeCore(epochs: EpochStart): NodeCore {
    const draws = this.random.split('core')
    const options: CoreOptions = {
      ...this.plan.core,
      id: 'ab'[this.node]!,
      peer: 'ba'[this.node]!,
      tables: this.loan.tables.map(({ name, schemaHash, capacity, arenaBytes, deltasMax, schema }) => {
        return { name, schemaHash, capacity, arena: arenaBytes, deltasMax, schema }
      }),
      ...epochs,
      incarnation: this.incarnation,
      contribution: this.random.bytes(32),
      random: () => draws.float(),
      mac,
    }
    return new NodeCore(options, this.clock())
  }

  get tables(): readonly SimTable[] {
    return this.loan.tables
  }

  get sessions(): number {
    return this.tables.reduce((sum, table) => sum + table.size, 0)
  }

  get roleWord(): number {
    return this.words[SharedWord.ROLE]!
  }

  /** Its content was spoilt behind its back, and the spoilt part has not been repaired. */
  get isSpoilt(): boolean {
    return this.spoiltTo === Number.POSITIVE_INFINITY
  }

  set isSpoilt(is: boolean) {
    if (is) this.spoiltTo = Number.POSITIVE_INFINITY
    else if (this.isSpoilt) this.spoiltTo = this.world.now
  }

  /** A write would be accepted. */
  get canWrite(): boolean {
    return this.isRunning && isOpen(this.gate)
  }

  /** This machine's monotonic clock, ms. */
  clock(): number {
    return this.monotonic.now()
  }

  /** The application asks its node for something. */
  ask(message: ToSync): void {
    this.application.ask(message)
  }

  /** What the node has to tell its application. */
  takeEvents(): void {
    this.application.takeEvents()
  }

  isHost(host: object): boolean {
    return host === this.sync
  }

  // ---- What befalls it

  /** SIGSTOP, and SIGCONT so much later. */
  freeze(durationMs: number): void {
    this.thread.block(durationMs)
    this.app.block(durationMs)
  }

  /** Both threads run again. */
  thaw(): void {
    this.thread.release()
    this.app.release()
  }

  /** Killed: the kernel tears it down in a moment, and until then its ports accept. */
  kill(): void {
    if (!this.isRunning) return
    this.end()
    for (const stream of this.network.streams) stream.loseWaiting(this.sync)
    const abrupt = this.random.chance(0.5)
    this.world.after(this.random.between(0, TEARDOWN_MS_MAX), () => this.leave(abrupt))
  }

  /** The whole machine stops. */
  losePower(): void {
    if (!this.isRunning) return
    this.end()
    this.network.handlePowerLost(this.node)
    this.leave(true)
  }

  /** The core is done: everything it said still goes out. */
  stop(): void {
    this.end()
    this.leave(false)
  }

  private end(): void {
    this.isRunning = false
    this.thread.end()
    this.app.end()
    this.toApp.close()
    this.toSync.close()
    this.witness.onGone(this)
    this.loan.giveBack()
  }

  private leave(abrupt: boolean): void {
    this.sync.listens = false
    this.network.handleGone(this.sync, abrupt)
    const machine = this.network.machines[this.node]
    if (machine.host === this.sync) machine.host = undefined
  }
}
