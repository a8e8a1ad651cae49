// Two whole nodes in one process, sync and application halves with a real table each, at a jumped clock: what tests of
// hostile input lay siege to. The wire is a list of deliveries; nothing is lost, and what goes over it is remembered.
import { createHmac } from 'node:crypto'
import type { Action } from '../../src/core/actions.ts'
import type { FromSync } from '../../src/core/messages.ts'
import { NodeCore } from '../../src/core/node.ts'
import { Replica } from '../../src/core/replica.ts'
import { defineTable } from '../../src/schema/index.ts'
import { createTable } from '../../src/table/index.ts'
import type { Random } from './seed.ts'

const INTERVAL_MS = 50
/** Deliveries and turns of one settling; more would be a loop without an end. */
const STEPS_MAX = 200_000

const definition = defineTable({
  name: 'sessions',
  key: { id: 'u32' },
  fields: { count: 'u53', note: ['none', 'seen'] },
  capacity: 3_000,
})

const mac = (key: Uint8Array, bytes: Uint8Array) => createHmac('sha256', key).update(bytes).digest()

/** One node. */
export class Machine {
  readonly core: NodeCore
  readonly replica: Replica
  readonly table
  readonly words = new Int32Array(1)
  readonly gate: { words: Int32Array; open: number } = { words: this.words, open: -1 }
  /** What the core last said it refused, by name. */
  refusals: Readonly<Record<string, number>> = {}
  private progress = 0

  constructor(index: number, incarnation: number, random: Random, now: number) {
    const { gate } = this
    this.table = createTable(definition, { gate })
    const draw = () => random.u32() / 2 ** 32
    this.replica = new Replica({ stores: [this.table], gate, flushInterval: 1, random: draw })
    const { name, schemaHash, capacity, schema } = definition
    this.core = new NodeCore(
      {
        id: 'ab'[index]!,
        peer: 'ba'[index]!,
        cluster: 'siege',
        priority: 200 - index,
        mode: 'availability',
        leaseMs: 0,
        interval: INTERVAL_MS,
        lost: 4,
        holdDownMs: 1_000,
        stallTimeoutMs: 2_000,
        fastDetection: true,
        promoteUnsynced: true,
        sending: 'redundant',
        override: false,
        uptimeMarginMs: 300_000,
        tables: [{ name, schemaHash, capacity, arena: 0, deltasMax: this.table.deltasMax, schema }],
        epochFloor: 1_000,
        incarnation: incarnation.toString(16).padStart(16, '0'),
        contribution: random.bytes(32),
        random: draw,
        mac,
      },
      now,
    )
  }

  get role(): string {
    return this.core.state.role
  }

  /** The application thread shows that it lives. */
  live(now: number): void {
    this.core.handleProgress(++this.progress, now)
  }

  /** Sum of everything refused. */
  get refused(): number {
    return Object.values(this.refusals).reduce((sum, count) => sum + count, 0)
  }
}

/** Frames and datagrams as they went over the wire, newest last. */
class Tape {
  readonly frames: Uint8Array[] = []
  readonly datagrams: Uint8Array[] = []

  keep(list: Uint8Array[], bytes: Uint8Array): void {
    list.push(bytes.slice())
    if (list.length > 400) list.splice(0, 200)
  }
}

export class Pair {
  now = 1_000
  readonly machines: readonly [Machine, Machine]
  /** What each machine has sent. */
  readonly tapes = [new Tape(), new Tape()] as const
  /** Answers given while `watching`: datagrams sent, or bytes on a stranger's connection. */
  readonly strangers = new Set<number>()
  answers = 0
  private readonly links = new Map<number, number>()
  private readonly wire: (() => void)[] = []
  private streams = 0

  constructor(random: Random) {
    const machine = (index: number) => new Machine(index, 1 + random.below(2 ** 32), random, this.now)
    this.machines = [machine(0), machine(1)]
    this.settle()
    this.until(() => this.isPair)
    const [a] = this.machines
    for (let id = 0; id < 500; id++) a.table.set({ id }, { count: id })
    this.advance(200)
  }

  get isPair(): boolean {
    const [a, b] = this.machines
    return (a.replica.isProtected && b.replica.isSynced) || (b.replica.isProtected && a.replica.isSynced)
  }

  /** The node that may write, if there is one: not one whose handover is under way. */
  get primary(): Machine | undefined {
    return this.machines.find(({ replica, words, gate }) => replica.isProtected && words[0] === gate.open)
  }

  /** Time passes, in steps of a tenth of a heartbeat interval. */
  advance(ms: number): void {
    for (const end = this.now + ms; this.now < end; ) {
      this.now += INTERVAL_MS / 10
      for (const [i, machine] of this.machines.entries()) {
        machine.live(this.now)
        if (machine.core.pollTimeout() <= this.now) {
          machine.core.handleTimeout(this.now)
          this.carryOut(i)
        }
      }
      this.settle()
    }
  }

  /** Advances until it holds; false: not within ten seconds. */
  until(holds: () => boolean): boolean {
    for (let turns = 0; turns < 200; turns++) {
      if (holds()) return true
      this.advance(INTERVAL_MS)
    }
    return holds()
  }

  /** Bytes reach a machine on the proven stream of a link, as if its peer had sent them. False: there is none. */
  strike(index: number, link: number, bytes: Uint8Array): boolean {
    const { core } = this.machines[index]!
    const stream = core.links[link]!.stream
    if (stream === undefined) return false
    core.handleStream(link, stream.id, bytes, this.now)
    this.carryOut(index)
    this.settle()
    return true
  }

  /** Somebody connects, says this, and goes. */
  visit(index: number, link: number, pieces: readonly Uint8Array[]): void {
    const { core } = this.machines[index]!
    const stream = ++this.streams
    this.strangers.add(stream)
    core.handleStreamOpen(link, stream, this.now)
    this.carryOut(index)
    for (const piece of pieces) {
      core.handleStream(link, stream, piece, this.now)
      this.carryOut(index)
    }
    core.handleStreamClosed(link, stream, 'ended by peer', this.now)
    this.carryOut(index)
    this.strangers.delete(stream)
    this.settle()
  }

  /** A datagram reaches a machine. Gives what it sent for it. */
  datagram(index: number, link: number, bytes: Uint8Array): readonly Action[] {
    const { core } = this.machines[index]!
    core.handleDatagram(link, bytes, this.now)
    const actions = core.takeActions()
    for (const action of actions) this.play(index, action)
    return actions
  }

  /** Everything under way arrives, everything due is done. */
  settle(): void {
    for (let steps = 0; ; steps++) {
      if (steps > STEPS_MAX) throw new Error('the pair does not come to rest')
      const delivery = this.wire.shift()
      if (delivery !== undefined) {
        delivery()
        continue
      }
      let isIdle = true
      for (const [i, { replica }] of this.machines.entries()) {
        const due = replica.pollTimeout(this.now)
        if (due === undefined || due > this.now) continue
        isIdle = false
        replica.handleTimeout(this.now)
        replica.takeEvents()
        this.handOver(i)
      }
      if (isIdle) return
    }
  }

  private handOver(index: number): void {
    const { core, replica } = this.machines[index]!
    for (const message of replica.takeMessages()) {
      core.handleLocal(message, this.now)
      this.carryOut(index)
    }
  }

  private carryOut(index: number): void {
    for (const action of this.machines[index]!.core.takeActions()) this.play(index, action)
  }

  private play(index: number, action: Action): void {
    const [self, other] = [this.machines[index]!, this.machines[1 - index]!]
    const far = 1 - index
    const deliver = (to: number, what: () => void) =>
      this.wire.push(() => {
        what()
        this.carryOut(to)
      })
    switch (action.type) {
      case 'dial': {
        const stream = ++this.streams
        this.links.set(stream, action.link)
        deliver(far, () => other.core.handleStreamOpen(action.link, stream, this.now))
        deliver(index, () => self.core.handleStreamOpen(action.link, stream, this.now))
        break
      }
      case 'send': {
        const { stream } = action
        if (this.strangers.has(stream)) this.answers++
        const link = this.links.get(stream)
        if (link === undefined) break
        const bytes = action.bytes.slice()
        this.tapes[index]!.keep(this.tapes[index]!.frames, bytes)
        deliver(far, () => other.core.handleStream(link, stream, bytes, this.now))
        deliver(index, () => self.core.handleFlushed(link, stream, bytes.length, this.now))
        break
      }
      case 'close': {
        const link = this.links.get(action.stream)
        if (link === undefined) break
        this.links.delete(action.stream)
        deliver(far, () => other.core.handleStreamClosed(link, action.stream, 'ended by peer', this.now))
        break
      }
      case 'datagram': {
        const bytes = action.bytes.slice()
        this.tapes[index]!.keep(this.tapes[index]!.datagrams, bytes)
        deliver(far, () => other.core.handleDatagram(action.link, bytes, this.now))
        break
      }
      case 'probe':
        deliver(index, () => self.core.handleProbe(action.link, false, this.now))
        break
      case 'word':
        self.words[0] = action.word
        break
      case 'post':
        this.post(index, action.message)
        break
      case 'stop':
        break
    }
  }

  private post(index: number, message: FromSync): void {
    const machine = this.machines[index]!
    if (message.type === 'status') machine.refusals = message.status.refusals
    machine.replica.handleMessage(message, this.now)
    machine.replica.takeEvents()
    this.handOver(index)
  }
}
