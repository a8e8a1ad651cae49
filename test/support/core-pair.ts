// Two nodes in memory at a jumped clock: both cores of each, real tables, two links that can be cut. No randomness but a
// seed for what the cores draw. For tests of what two nodes agree on; faults of every other kind are the simulator's.
import type { Action } from '../../src/core/actions.ts'
import type { FromSync, ToSync } from '../../src/core/messages.ts'
import { SharedWord } from '../../src/core/messages.ts'
import { NodeCore } from '../../src/core/node.ts'
import type { CoreOptions } from '../../src/core/options.ts'
import { Replica } from '../../src/core/replica.ts'
import type { ReplicaEvent } from '../../src/core/replica-event.ts'
import { hmacSha256 } from '../../src/io/mac.ts'
import { defineTable, type TableDefinition } from '../../src/schema/index.ts'
import { createTable, type Table } from '../../src/table/index.ts'
import { Chooser } from './chooser.ts'
import { Random } from './seed.ts'
import { TestWitness } from './test-witness.ts'

type RoleMessage = Extract<FromSync, { type: 'role' }>

/** Of a message from one thread to the other, ms. */
const THREAD_MS = 0.1

interface End {
  readonly node: PairNode
  readonly stream: number
}

interface Connection {
  readonly link: number
  readonly ends: readonly [End, End]
  isOpen: boolean
}

/** `leaseMs` of both nodes is the witness's. */
export type PairNodeOptions = Partial<Omit<CoreOptions, 'id' | 'peer' | 'tables' | 'random' | 'mac'>>

const definition = defineTable({ name: 't', key: { id: 'u32' }, fields: { n: 'u32' }, capacity: 3_000 })

/** One process of a node. */
export class PairNode {
  readonly id: 'a' | 'b'
  readonly core: NodeCore
  readonly replica: Replica
  readonly tables: readonly Table[]
  readonly roles: RoleMessage[] = []
  readonly events: ReplicaEvent[] = []
  readonly results: Extract<FromSync, { type: 'result' }>[] = []
  readonly chooser = new Chooser()
  readonly pair: CorePair
  private readonly gate: { readonly words: Int32Array; open: number }
  /** Until when it may act, in mode 'witness'. */
  private deadline = Number.POSITIVE_INFINITY
  isAlive = true
  /** The application thread stands still. */
  isHung = false
  private waiting: (() => void)[] = []
  private coreWake = 0
  private replicaWake = 0

  constructor(
    pair: CorePair,
    id: 'a' | 'b',
    options: PairNodeOptions,
    definitions: readonly TableDefinition[],
  ) {
    this.pair = pair
    this.id = id
    this.gate = { words: new Int32Array(32), open: -1 }
    this.tables = definitions.map((definition) => createTable(definition, { gate: this.gate, date: () => 0 }))
    const draws = pair.random
    const random = () => draws.u32() / 2 ** 32
    this.replica = new Replica({ stores: this.tables, gate: this.gate, flushInterval: 1, random })
    this.replica.onWork = () => this.waitForReplica()
    this.core = new NodeCore(
      {
        cluster: 'test',
        priority: 128,
        mode: 'availability',
        leaseMs: 0,
        interval: 50,
        lost: 4,
        holdDownMs: 1_000,
        stallTimeoutMs: 2_000,
        fastDetection: true,
        promoteUnsynced: true,
        sending: 'redundant',
        override: false,
        uptimeMarginMs: 300_000,
        epochFloor: 1_000,
        ...options,
        id,
        peer: id === 'a' ? 'b' : 'a',
        incarnation: Buffer.from(draws.bytes(8)).toString('hex'),
        contribution: draws.bytes(32),
        tables: this.tables.map(({ name, schemaHash, capacity, arenaBytes, deltasMax, schema }) => {
          return { name, schemaHash, capacity, arena: arenaBytes, deltasMax, schema }
        }),
        random,
        mac: hmacSha256,
      },
      pair.now,
    )
  }

  get table(): Table {
    return this.tables[0]!
  }

  get role() {
    return this.replica.role
  }

  get epoch(): number {
    return this.core.state.epoch
  }

  /** The last change of role. */
  get change(): RoleMessage | undefined {
    return this.roles.at(-1)
  }

  get canWrite(): boolean {
    const isOpen = this.gate.words[SharedWord.ROLE] === this.gate.open
    return this.isAlive && isOpen && this.pair.now < this.deadline
  }

  ask(message: ToSync): void {
    this.pair.after(THREAD_MS, () => this.toCore((now) => this.core.handleLocal(message, now)))
  }

  /** What a request was answered. */
  answer(request: number): string | undefined {
    const result = this.results.find((one) => one.request === request)
    return result === undefined ? undefined : (result.error?.message ?? 'done')
  }

  /** Something happens on the sync thread. */
  toCore(event: (now: number) => void): void {
    if (!this.isAlive) return
    event(this.pair.now)
    this.settleCore()
  }

  settleCore(): void {
    for (const action of this.core.takeActions()) if (this.isAlive) this.carryOut(action)
    const wake = ++this.coreWake
    const at = this.core.pollTimeout()
    if (at === Number.POSITIVE_INFINITY) return
    this.pair.at(at, () => {
      if (wake !== this.coreWake || !this.isAlive) return
      if (!this.isHung) this.gate.words[SharedWord.PROGRESS]!++
      this.core.handleProgress(this.gate.words[SharedWord.PROGRESS]!, this.pair.now)
      this.core.handleTimeout(this.pair.now)
      this.settleCore()
    })
  }

  private carryOut(action: Action): void {
    const { pair } = this
    switch (action.type) {
      case 'word':
        this.gate.words[SharedWord.ROLE] = action.word
        break
      case 'deadline':
        this.deadline = action.at
        break
      case 'witness':
        pair.witness?.ask(pair, this, action.call)
        break
      case 'post':
        pair.after(THREAD_MS, () => this.toReplica(action.message))
        break
      case 'stop':
        pair.leave(this)
        break
      case 'send':
        pair.send(this, action.stream, action.bytes)
        break
      case 'close':
        pair.close(this, action.stream)
        break
      case 'datagram':
        pair.datagram(this, action.link, action.bytes)
        break
      case 'dial':
        pair.dial(this, action.link)
        break
      case 'probe': {
        const isRefused = !pair.other(this)?.isAlive
        if (pair.isCut[action.link]) break
        pair.after(pair.latencyMs, () =>
          this.toCore((now) => this.core.handleProbe(action.link, isRefused, now)),
        )
        break
      }
    }
  }

  private toReplica(message: FromSync): void {
    if (!this.isAlive) return
    if (message.type === 'result') this.results.push(message)
    if (this.isHung) {
      this.waiting.push(() => this.toReplica(message))
      return
    }
    if (message.type === 'role') {
      this.roles.push(message)
      for (const table of this.tables) table.bumpEra()
    }
    this.chooser.handle(message, this)
    this.replica.handleMessage(message, this.pair.now)
    this.settleReplica()
  }

  settleReplica(): void {
    for (const message of this.replica.takeMessages()) this.ask(message)
    this.events.push(...this.replica.takeEvents())
    this.waitForReplica()
  }

  private waitForReplica(): void {
    const wake = ++this.replicaWake
    const { pair } = this
    const at = this.replica.pollTimeout(pair.now)
    if (at === undefined) return
    pair.at(Math.max(at, pair.now + 0.01), () => {
      if (wake !== this.replicaWake || !this.isAlive || this.isHung) return
      this.replica.handleTimeout(pair.now)
      this.settleReplica()
    })
  }

  /** The application thread goes on. */
  wake(): void {
    this.isHung = false
    for (const work of this.waiting.splice(0)) work()
    this.settleReplica()
  }
}

export class CorePair {
  now = 1_000
  /** Of a frame from one node to the other, ms. */
  latencyMs = 0.5
  readonly isCut: [boolean, boolean] = [false, false]
  /** In mode 'witness'. */
  witness: TestWitness | undefined
  readonly random: Random
  private readonly definitions: readonly TableDefinition[]
  private readonly nodes = new Map<'a' | 'b', PairNode>()
  private readonly queue: { at: number; order: number; work: () => void }[] = []
  private connections: Connection[] = []
  private orders = 0
  private streams = 0

  constructor(definitions: readonly TableDefinition[] = [definition], seed = 1) {
    this.definitions = definitions
    this.random = new Random(seed)
  }

  /** A process of a node begins. */
  start(id: 'a' | 'b', options: PairNodeOptions = {}): PairNode {
    const node = new PairNode(this, id, options, this.definitions)
    this.nodes.set(id, node)
    node.settleCore()
    return node
  }

  other(node: PairNode): PairNode | undefined {
    return this.nodes.get(node.id === 'a' ? 'b' : 'a')
  }

  at(at: number, work: () => void): void {
    const entry = { at: Math.max(at, this.now), order: this.orders++, work }
    let low = 0
    let high = this.queue.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.queue[middle]!.at <= entry.at) low = middle + 1
      else high = middle
    }
    this.queue.splice(low, 0, entry)
  }

  after(ms: number, work: () => void): void {
    this.at(this.now + ms, work)
  }

  /** Lets time pass, or stops as soon as something holds; whether it does. */
  run(ms: number, holds: () => boolean = () => false): boolean {
    const until = this.now + ms
    while (!holds()) {
      const next = this.queue[0]
      if (next === undefined || next.at > until) {
        this.now = until
        return holds()
      }
      this.queue.shift()
      this.now = next.at
      next.work()
    }
    return true
  }

  /** Lets time pass until it holds; throws when it does not in that time. */
  until(what: string, holds: () => boolean, ms = 30_000): void {
    if (!this.run(ms, holds)) throw new Error(`not within ${ms} ms: ${what}`)
  }

  cut(...links: number[]): void {
    for (const link of links.length > 0 ? links : [0, 1]) this.isCut[link as 0 | 1] = true
  }

  mend(): void {
    this.isCut[0] = false
    this.isCut[1] = false
  }

  /** Its streams end and its ports refuse. */
  readonly kill = (node: PairNode) => this.leave(node)

  leave(node: PairNode): void {
    node.isAlive = false
    for (const connection of this.connections) {
      const end = connection.ends.find((one) => one.node !== node)!
      if (connection.ends.some((one) => one.node === node)) this.end(connection, end)
    }
  }

  // ---- What the cores want

  dial(node: PairNode, link: number): void {
    this.after(this.latencyMs, () => {
      const other = this.other(node)
      if (this.isCut[link] || !other?.isAlive) {
        const isRefused = !this.isCut[link]
        node.toCore((now) => node.core.handleDialFailed(link, isRefused, 'no answer', now))
        return
      }
      const ends = [node, other].map((one): End => ({ node: one, stream: ++this.streams })) as [End, End]
      this.connections.push({ link, ends, isOpen: true })
      for (const end of ends) end.node.toCore((now) => end.node.core.handleStreamOpen(link, end.stream, now))
    })
  }

  private find(node: PairNode, stream: number): Connection | undefined {
    return this.connections.find(({ ends }) => ends.some((end) => end.node === node && end.stream === stream))
  }

  send(node: PairNode, stream: number, bytes: Uint8Array): void {
    const connection = this.find(node, stream)
    if (connection === undefined) return
    const { link, ends } = connection
    const to = ends.find((end) => end.node !== node)!
    const copy = bytes.slice()
    this.after(this.latencyMs, () => {
      node.toCore((now) => node.core.handleFlushed(link, stream, copy.length, now))
      // What a cut swallows is not sent again: the stream is dead from then on, and both ends find it silent.
      if (this.isCut[link]) connection.isOpen = false
      if (!connection.isOpen) return
      to.node.toCore((now) => to.node.core.handleStream(link, to.stream, copy, now))
    })
  }

  close(node: PairNode, stream: number): void {
    const connection = this.find(node, stream)
    if (connection !== undefined) this.end(connection, connection.ends.find((end) => end.node !== node)!)
  }

  /** Ends a connection; the end given hears of it, unless the link is cut. */
  private end(connection: Connection, told: End): void {
    this.connections = this.connections.filter((one) => one !== connection)
    this.after(this.latencyMs, () => {
      connection.isOpen = false
      if (this.isCut[connection.link]) return
      const { node, stream } = told
      node.toCore((now) => node.core.handleStreamClosed(connection.link, stream, 'ended', now))
    })
  }

  datagram(node: PairNode, link: number, bytes: Uint8Array): void {
    const copy = bytes.slice()
    this.after(this.latencyMs, () => {
      if (this.isCut[link]) return
      const other = this.other(node)
      other?.toCore((now) => other.core.handleDatagram(link, copy, now))
    })
  }
}

/** A pair in which a is primary and b holds everything. */
export function startPair(
  options: { a?: PairNodeOptions; b?: PairNodeOptions; tables?: readonly TableDefinition[] } = {},
): { pair: CorePair; a: PairNode; b: PairNode } {
  const pair = new CorePair(options.tables)
  if (options.a?.leaseMs) pair.witness = new TestWitness(options.a.leaseMs)
  const a = pair.start('a', { priority: 200, ...options.a })
  const b = pair.start('b', { priority: 100, ...options.b })
  pair.until('a is protected and b is synced', () => a.replica.isProtected && b.replica.isSynced)
  return { pair, a, b }
}
