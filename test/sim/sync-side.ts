// The sync thread of a simulated process: drives NodeCore as src/io does. News of the network and of the application
// thread go in with the time, actions are carried out at once, one alarm stands for the next deadline.
import type { Action } from '../../src/core/actions.ts'
import { SharedMoment, SharedWord, type ToSync } from '../../src/core/messages.ts'
import type { NodeCore } from '../../src/core/node.ts'
import { holderName, type WitnessAnswer, type WitnessState } from '../../src/core/witness.ts'
import { Alarm, type Clock } from './clock.ts'
import type { Tenant } from './lease-store.ts'
import type { Host, Network } from './network.ts'
import type { SimProcess } from './process.ts'
import type { Thread } from './thread.ts'

/** Source of work: the witness of mode 'witness'. */
const WITNESS = -3

/** Source of work: a write that is on disk. */
const DISK = -5

export class SyncSide implements Host, Tenant {
  readonly node: 0 | 1
  readonly thread: Thread
  readonly holder: string
  listens = true
  private readonly process: SimProcess
  private readonly network: Network
  private readonly core: NodeCore
  private readonly clock: Clock
  private readonly alarm: Alarm
  /** A wake later than this is told to the core before the news that came with it. */
  private readonly lateMs: number
  private deadline = Number.POSITIVE_INFINITY

  constructor(process: SimProcess, network: Network, core: NodeCore, clock: Clock) {
    this.process = process
    this.network = network
    this.core = core
    this.clock = clock
    this.node = process.node
    this.thread = process.thread
    this.lateMs = process.plan.core.interval / 2
    this.holder = holderName(core.options.id, process.incarnation)
    network.leases?.serve(this)
    this.alarm = new Alarm(clock, this.thread, `${process.name}: the sync thread`, () => {
      this.handle((now) => this.wake(now))
      return false
    })
  }

  handleLocal(messages: readonly ToSync[]): void {
    this.handle((now) => {
      for (const message of messages) this.core.handleLocal(message, now)
    })
  }

  private handle(event: (now: number) => void): void {
    if (!this.process.isRunning) return
    const now = this.clock.now()
    if (now - this.deadline > this.lateMs) this.wake(now)
    event(now)
    this.settle()
  }

  private wake(now: number): void {
    this.core.handleProgress(this.process.words[SharedWord.PROGRESS]!, now)
    this.core.handleTimeout(now)
  }

  /** Carries out what the core wants, and waits. */
  settle(): void {
    const actions = this.core.takeActions()
    this.process.witness.onActions(this.process, actions)
    for (const action of actions) {
      if (!this.process.isRunning) return
      this.carryOut(action)
    }
    if (!this.process.isRunning) return
    this.deadline = this.core.pollTimeout()
    this.alarm.set(this.deadline)
  }

  private carryOut(action: Action): void {
    switch (action.type) {
      case 'word':
        this.process.words[SharedWord.ROLE] = action.word
        this.process.witness.onGate(this.process)
        break
      case 'deadline':
        this.process.moments[SharedMoment.DEADLINE] = action.at
        this.process.witness.onGate(this.process)
        break
      case 'witness':
        this.network.leases?.ask(this, action.call, action.timeoutMs)
        break
      case 'post':
        this.process.toApp.send(action.message)
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
      case 'reserve': {
        const { epoch } = action
        const done = () =>
          this.thread.run(DISK, () => this.handle((now) => this.core.handleReserved(epoch, now)))
        this.process.stateFile?.write(epoch, () => this.process.isRunning, done)
        break
      }
      case 'stop':
        this.process.stop()
        break
    }
  }

  answer(answer: WitnessAnswer): void {
    this.thread.run(WITNESS, () => this.handle((now) => this.core.handleWitness(answer, now)))
  }

  news(state: WitnessState): void {
    this.thread.run(WITNESS, () => this.handle((now) => this.core.handleWitnessNews(state, now)))
  }

  handleOpen(link: number, stream: number): void {
    this.handle((now) => this.core.handleStreamOpen(link, stream, now))
  }

  handleDialFailed(link: number, refused: boolean, reason: string): void {
    this.handle((now) => this.core.handleDialFailed(link, refused, reason, now))
  }

  handleBytes(link: number, stream: number, bytes: Uint8Array): void {
    this.handle((now) => this.core.handleStream(link, stream, bytes, now))
  }

  handleFlushed(link: number, stream: number, bytes: number): void {
    this.handle((now) => this.core.handleFlushed(link, stream, bytes, now))
  }

  handleClosed(link: number, stream: number, reason: string): void {
    this.handle((now) => this.core.handleStreamClosed(link, stream, reason, now))
  }

  handleProbe(link: number, refused: boolean): void {
    this.handle((now) => this.core.handleProbe(link, refused, now))
  }

  handleDatagram(link: number, bytes: Uint8Array): void {
    this.handle((now) => this.core.handleDatagram(link, bytes, now))
  }
}
