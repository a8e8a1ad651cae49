// One simulated process of a node: the sync thread's core, the application thread's replica and tables, the channels
// between them, the two shared words. It drives the cores as src/io does and decides nothing. What can befall it: its
// threads stand still, it freezes, it dies, its machine loses power, it closes.
import type { Action } from '../../src/core/actions.ts'
import type { FromSync, ToSync } from '../../src/core/messages.ts'
import { SHARED_WORDS, SharedWord } from '../../src/core/messages.ts'
import { NodeCore } from '../../src/core/node.ts'
import type { CoreOptions } from '../../src/core/options.ts'
import { Replica, type ReplicaEvent } from '../../src/core/replica.ts'
import { mac } from './mac.ts'
import type { Host, Network } from './network.ts'
import type { Prng } from './prng.ts'
import type { SimTable, TableLoan, TablePool, TablesPlan } from './tables.ts'
import { Channel, Thread } from './thread.ts'
import { Violation, type World } from './world.ts'

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

/** Sees all that a process does; the checkers and the application. */
export interface Witness {
  /** The sync thread stored the role word; `role` is what it said together with it. */
  onActions(process: SimProcess, actions: readonly Action[]): void
  /** Before and after the replica takes a message. */
  onMessage(process: SimProcess, message: FromSync, isTaken: boolean): void
  /** The replica said something; its tables are as they were when it did. */
  onLocal(process: SimProcess, messages: readonly ToSync[]): void
  onEvent(process: SimProcess, event: ReplicaEvent): void
  /** The application thread has ended a turn. */
  onTurn(process: SimProcess): void
  onGone(process: SimProcess): void
}

const IMMEDIATE_MS = 0.02
/** Keeps a timer from firing a rounding error too early. */
const ROUNDING_MS = 1e-6
const TEARDOWN_MS_MAX = 40
/** Timer wakes of a thread within SPIN_MS that are taken for a loop. */
const SPIN_WAKES = 100
const SPIN_MS = 5
const TIMERS = -1
const MESSAGES = -2

export class SimProcess implements Host {
  readonly node: 0 | 1
  /** For people: a1, a2, ... */
  readonly name: string
  readonly incarnation: string
  readonly world: World
  readonly network: Network
  readonly plan: ProcessPlan
  /** The sync thread. */
  readonly thread: Thread
  readonly app: Thread
  readonly core: NodeCore
  readonly replica: Replica
  readonly words = new Int32Array(SHARED_WORDS)
  readonly startedAt: number
  readonly epochFloor: number
  /** Running: it has not died, and its core has not said that it is done. */
  isRunning = true
  listens = true
  /** Since when a whole freeze or a long stall has kept a thread from running. */
  private readonly loan: TableLoan
  private readonly witness: Witness
  private readonly toApp: Channel<FromSync>
  private readonly toSync: Channel<ToSync>
  private readonly random: Prng
  private readonly offset: number
  private deadline = Number.POSITIVE_INFINITY
  private readonly spins = { sync: { since: 0, wakes: 0 }, application: { since: 0, wakes: 0 } }

  constructor(
    network: Network,
    node: 0 | 1,
    count: number,
    plan: ProcessPlan,
    epochFloor: number,
    pool: TablePool,
    random: Prng,
    witness: Witness,
  ) {
    const { world } = network
    this.node = node
    this.name = `${'ab'[node]}${count}`
    this.world = world
    this.network = network
    this.plan = plan
    this.epochFloor = epochFloor
    this.random = random
    this.witness = witness
    this.incarnation = random.hex(16)
    this.startedAt = world.now
    this.offset = random.between(1, 1e6)
    this.thread = new Thread(world, random.split('sync'))
    this.app = new Thread(world, random.split('app'))
    this.toApp = new Channel(world, random.split('to-app'), (messages) => {
      this.app.run(MESSAGES, () => this.handleMessages(messages))
    })
    this.toSync = new Channel(world, random.split('to-sync'), (messages) => {
      this.thread.run(MESSAGES, () => {
        this.inSync((now) => {
          for (const message of messages) this.core.handleLocal(message, now)
        })
      })
    })
    this.loan = pool.take(plan.tables, this.words)
    const draws = random.split('replica')
    this.replica = new Replica({
      stores: this.loan.tables,
      gate: this.loan.gate,
      flushInterval: plan.flushInterval,
      random: () => draws.float(),
    })
    this.replica.onWork = () => this.armApp()
    this.core = this.startCore()
    network.machines[node]!.host = this
    this.settle()
    this.showProgress()
  }

  private startCore(): NodeCore {
    const { plan, random } = this
    const draws = random.split('core')
    const options: CoreOptions = {
      ...plan.core,
      id: 'ab'[this.node]!,
      peer: 'ba'[this.node]!,
      tables: this.loan.tables.map(({ name, schemaHash, capacity }) => ({ name, schemaHash, capacity })),
      epochFloor: this.epochFloor,
      incarnation: this.incarnation,
      contribution: random.bytes(32),
      random: () => draws.float(),
      mac,
    }
    return new NodeCore(options, this.clock())
  }

  get tables(): readonly SimTable[] {
    return this.loan.tables
  }

  /** The word under which the tables may be written. */
  get gateOpen(): number {
    return this.loan.gate.open
  }

  get roleWord(): number {
    return this.words[SharedWord.ROLE]!
  }

  /** A write would be accepted. */
  get canWrite(): boolean {
    return this.isRunning && this.roleWord === this.gateOpen
  }

  /** This machine's monotonic clock, ms. */
  clock(): number {
    return this.offset + (this.world.now - this.startedAt) * this.plan.clockRate
  }

  /** When a timer for `time` fires: as an immediate, or with the grain of a millisecond that runtimes have. */
  private worldTime(time: number): number {
    if (time <= this.clock()) return this.world.now + IMMEDIATE_MS
    return this.startedAt + (Math.ceil(time) - this.offset) / this.plan.clockRate + ROUNDING_MS
  }

  // ---- The sync thread

  private inSync(event: (now: number) => void): void {
    if (!this.isRunning) return
    const now = this.clock()
    if (now - this.deadline > this.plan.core.interval / 2) this.wake(now)
    event(now)
    this.settle()
  }

  private wake(now: number): void {
    this.core.handleProgress(this.words[SharedWord.PROGRESS]!, now)
    this.core.handleTimeout(now)
  }

  private settle(): void {
    const actions = this.core.takeActions()
    this.witness.onActions(this, actions)
    for (const action of actions) this.carryOut(action)
    if (!this.isRunning) return
    this.deadline = this.core.pollTimeout()
    this.thread.setTimer(this.worldTime(this.deadline), () => {
      this.checkSpin('sync')
      this.inSync((now) => this.wake(now))
    })
  }

  private carryOut(action: Action): void {
    if (!this.isRunning) return
    switch (action.type) {
      case 'word':
        this.words[SharedWord.ROLE] = action.word
        break
      case 'post':
        this.toApp.send(action.message)
        break
      case 'send':
        this.network.find(this, action.stream)?.write(this, action.bytes)
        break
      case 'close':
        this.network.find(this, action.stream)?.close(this)
        break
      case 'datagram':
        this.network.datagram(this, action.link, action.bytes)
        break
      case 'dial':
        this.network.dial(this, action.link)
        break
      case 'probe':
        this.network.probe(this, action.link)
        break
      case 'stop':
        this.stop()
        break
    }
  }

  private checkSpin(thread: 'sync' | 'application'): void {
    const { world, spins } = this
    const spin = spins[thread]
    if (world.now - spin.since > SPIN_MS) spins[thread] = { since: world.now, wakes: 0 }
    else if (++spin.wakes > SPIN_WAKES) {
      throw new Violation(`${this.name}: the ${thread} thread spins on its timer`)
    }
  }

  handleOpen(link: number, stream: number): void {
    this.inSync((now) => this.core.handleStreamOpen(link, stream, now))
  }

  handleDialFailed(link: number, refused: boolean, reason: string): void {
    this.inSync((now) => this.core.handleDialFailed(link, refused, reason, now))
  }

  handleBytes(link: number, stream: number, bytes: Uint8Array): void {
    this.inSync((now) => this.core.handleStream(link, stream, bytes, now))
  }

  handleFlushed(link: number, stream: number, bytes: number): void {
    this.inSync((now) => this.core.handleFlushed(link, stream, bytes, now))
  }

  handleClosed(link: number, stream: number, reason: string): void {
    this.inSync((now) => this.core.handleStreamClosed(link, stream, reason, now))
  }

  handleProbe(link: number, refused: boolean): void {
    this.inSync((now) => this.core.handleProbe(link, refused, now))
  }

  handleDatagram(link: number, bytes: Uint8Array): void {
    this.inSync((now) => this.core.handleDatagram(link, bytes, now))
  }

  // ---- The application thread

  private handleMessages(messages: readonly FromSync[]): void {
    const now = this.clock()
    for (const message of messages) {
      this.witness.onMessage(this, message, false)
      this.replica.handleMessage(message, now)
      this.witness.onMessage(this, message, true)
      this.takeEvents()
    }
    this.answer()
  }

  /** The end of a turn of the application thread. */
  private answer(): void {
    this.passOn()
    this.witness.onTurn(this)
    this.takeEvents()
    this.armApp()
  }

  takeEvents(): void {
    for (const event of this.replica.takeEvents()) this.witness.onEvent(this, event)
  }

  private armApp(): void {
    if (!this.isRunning) return
    const at = this.replica.pollTimeout(this.clock())
    this.app.setTimer(at === undefined ? Number.POSITIVE_INFINITY : this.worldTime(at), () => this.workApp())
  }

  private workApp(): void {
    if (!this.isRunning) return
    this.checkSpin('application')
    this.replica.handleTimeout(this.clock())
    this.answer()
  }

  /** What the replica wants to say goes to the sync thread. */
  private passOn(): void {
    const messages = this.replica.takeMessages()
    if (messages.length === 0) return
    this.witness.onLocal(this, messages)
    for (const message of messages) this.toSync.send(message)
  }

  /** A request of the application. */
  ask(message: ToSync): void {
    this.passOn()
    this.toSync.send(message)
  }

  private showProgress(): void {
    if (!this.isRunning) return
    this.app.run(TIMERS, () => {
      this.words[SharedWord.PROGRESS]!++
    })
    this.world.after(this.plan.core.interval, () => this.showProgress())
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
    for (const stream of this.network.streams) stream.loseWaiting(this)
    const abrupt = this.random.chance(0.5)
    this.world.after(this.random.between(0, TEARDOWN_MS_MAX), () => {
      this.listens = false
      this.network.handleGone(this, abrupt)
      this.leave()
    })
  }

  /** The whole machine stops. */
  losePower(): void {
    if (!this.isRunning) return
    this.end()
    this.listens = false
    this.network.handlePowerLost(this.node)
    this.leave()
  }

  /** The core is done. */
  private stop(): void {
    this.end()
    this.listens = false
    this.network.handleGone(this, false)
    this.leave()
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

  private leave(): void {
    const machine = this.network.machines[this.node]!
    if (machine.host === this) machine.host = undefined
  }
}
