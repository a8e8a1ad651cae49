// Two real nodes in network namespaces, and one fault after another. After each the pair is mended, compared, and held
// against what its clients saw (test/system/history.ts). What came of it is counted in test/system/tally.ts.
import { loadavg } from 'node:os'
import { setTimeout as wait } from 'node:timers/promises'
import { makeIdentity } from 'holdfast/testing'
import { Child } from '../node/support.ts'
import { Etcd } from '../support/etcd.ts'
import type { Random } from '../support/seed.ts'
import { type Fault, outcomeOf, type Scene } from './faults.ts'
import { Ground, NODES, type NodeName, OTHER, witnessAddress } from './ground.ts'
import { type Content, History, type Mode, type Told } from './history.ts'
import type { Summary, Tally } from './tally.ts'

const BOUND_MS = 30_000

interface Seen {
  role: string
  protected: boolean
  synced: boolean
  epoch: number
  peer: { alive: boolean } | null
  witness: { by: string | null } | null
}

/** What a campaign is about, beyond chance. */
export interface Setup {
  readonly mode: Mode
  /** Heartbeats that may be missing. */
  readonly lost: number
  /** How long starvation lasts, ms: at least, and at most. */
  readonly starvedMs: readonly [number, number]
}

const DEFAULTS: Setup = { mode: 'availability', lost: 4, starvedMs: [2_000, 4_000] }
/** The shortest that etcd grants. */
const LEASE_MS = 2_000

export class Campaign {
  readonly ground: Ground
  readonly history: History
  readonly setup: Setup
  private readonly random: Random
  private readonly children = new Map<NodeName, Child>()
  private readonly starts = { a: 0, b: 0 }
  private identities!: Record<NodeName, { cert: string; key: string }>
  private readonly tallies: Record<string, Tally> = {}
  private readonly promotionMs: number[] = []
  private readonly began = performance.now()
  private readonly load: [number, number] = [Number.POSITIVE_INFINITY, 0]
  /** Promotions after a round was judged, by reason. */
  private readonly afterwards: Record<string, number> = {}
  private etcd: Etcd | undefined

  constructor(tag: string, random: Random, setup: Partial<Setup> = {}) {
    this.setup = { ...DEFAULTS, ...setup }
    this.ground = new Ground(tag, this.setup.mode === 'witness')
    this.history = new History(this.setup.mode)
    this.random = random
  }

  async begin(): Promise<void> {
    this.ground.lay()
    this.identities = { a: await makeIdentity('a'), b: await makeIdentity('b') }
    if (this.setup.mode === 'witness') {
      const [a, b] = NODES.map((node) => `http://${witnessAddress(node)}:2379`) as [string, string]
      this.etcd = await Etcd.startThrough(this.ground.throughWitness(), [a, b])
    }
    for (const node of NODES) await this.start(node)
    if (this.setup.mode === 'manual') await this.order('a', { force: true })
    await this.untilPair()
    await this.settle()
  }

  async close(): Promise<void> {
    for (const child of this.children.values()) await child.close()
    await this.etcd?.close()
    this.ground.clear()
  }

  child(node: NodeName): Child {
    const child = this.children.get(node)
    if (child === undefined) throw new Error(`node ${node} does not run`)
    return child
  }

  /** What is to run the program of a node: `env` with variables, for example. */
  prefixOf: (node: NodeName) => readonly string[] = () => []

  private async start(node: NodeName): Promise<void> {
    const peer = OTHER[node]
    const name = `${node}${++this.starts[node]}`
    const through = [...this.ground.through(node), ...this.prefixOf(node)]
    const child = new Child(through, '../system/program.mjs')
    child.process.on('message', (message: Told | { call: number }) => {
      if ('told' in message) this.history.handle(name, message, performance.now())
    })
    this.children.set(node, child)
    await child.ask('start', {
      id: node,
      peer,
      cluster: 'system',
      priority: node === 'a' ? 200 : 100,
      links: this.ground.links(node),
      identity: { ...this.identities[node], trust: [this.identities[peer].cert] },
      ...this.modeOptions(node),
      heartbeat: { lost: this.setup.lost },
    })
  }

  private modeOptions(node: NodeName): object {
    const { mode } = this.setup
    if (mode !== 'witness') return { mode }
    return { mode, etcd: { endpoints: [`http://${witnessAddress(node)}:2379`], lease: LEASE_MS } }
  }

  /** An operator says that this node is to lead. */
  private async order(node: NodeName, how: { force?: boolean } = {}): Promise<void> {
    this.history.order(`${node}${this.starts[node]}`)
    await this.child(node).ask('promote', how)
  }

  private async kill(node: NodeName): Promise<void> {
    const child = this.child(node)
    this.children.delete(node)
    const silent = child.process.connected
      ? new Promise((resolve) => child.process.once('disconnect', resolve))
      : undefined
    await child.close()
    // What it told before it died is read to the end.
    await silent
  }

  async status(node: NodeName): Promise<Seen> {
    return (await this.child(node).ask('status')) as Seen
  }

  /** Who leads a pair in which everything is held twice. */
  async untilPair(): Promise<NodeName> {
    const bound = performance.now() + BOUND_MS
    for (;;) {
      const [a, b] = [await this.status('a'), await this.status('b')]
      if (a.protected && b.role === 'secondary' && b.synced) return 'a'
      if (b.protected && a.role === 'secondary' && a.synced) return 'b'
      if (performance.now() > bound) {
        throw new Error(`no pair within ${BOUND_MS / 1000} s: ${JSON.stringify([a, b])}`)
      }
      await wait(5)
    }
  }

  private async until(what: string, node: NodeName, holds: () => boolean | Promise<boolean>): Promise<void> {
    const bound = performance.now() + BOUND_MS
    while (!(await holds())) {
      if (performance.now() > bound)
        throw new Error(
          `not within ${BOUND_MS / 1000} s: ${what}; ${JSON.stringify(await this.status(node))}`,
        )
      await wait(1)
    }
  }

  /** As Scene.untilPromoted says. */
  private async takeOver(fault: Fault, node: NodeName): Promise<void> {
    const { mode, lost } = this.setup
    // What a takeover would have taken, and half as much again.
    const longMs = 1.5 * (50 * (lost + 0.5) + (mode === 'witness' ? LEASE_MS + 500 : 0))
    if (outcomeOf(fault, mode) !== 'takeover') return wait(longMs + this.random.below(500))
    if (mode === 'manual') {
      await this.until(
        `${node} misses its peer`,
        node,
        async () => (await this.status(node)).peer?.alive === false,
      )
      await wait(longMs)
      this.demandNone(`${fault.name}, before an operator's word`)
      await this.order(node)
    }
    const isHere = () => this.history.promotions.some(({ process }) => process.startsWith(node))
    await this.until(`${node} is promoted`, node, isHere)
  }

  /** One fault, mended and judged. */
  async round(fault: Fault): Promise<void> {
    const primary = await this.untilPair()
    for (const node of NODES) await this.child(node).ask('work')
    await wait(50 + this.random.below(300))
    const began = performance.now()
    const [least, most] = this.setup.starvedMs
    const scene: Scene = {
      random: this.random,
      ground: this.ground,
      primary,
      starvedMs: least + this.random.below(most - least + 1),
      wait: (ms) => wait(ms),
      pid: (node) => this.child(node).process.pid!,
      kill: (node) => this.kill(node),
      signal: (node, signal) => this.child(node).signal(signal),
      untilPromoted: () => this.takeOver(fault, OTHER[primary]),
      killWitness: () => this.etcd!.kill(),
      startWitness: () => this.etcd!.begin(),
      signalWitness: (signal) => this.etcd!.signal(signal),
      untilBond: (node) =>
        this.until(
          `${node} acts by its peer's word`,
          node,
          async () => (await this.status(node)).witness?.by === 'bond',
        ),
    }
    this.demandNone('between two faults')
    await fault.inflict(scene)
    const seconds = (performance.now() - began) / 1000
    await this.mend()
    this.judge(fault, primary, began, seconds)
    await this.settle()
  }

  private async mend(): Promise<void> {
    this.ground.mend()
    for (const node of NODES) {
      const child = this.children.get(node)
      if (child === undefined) await this.start(node)
      else child.signal('SIGCONT')
    }
    await this.untilPair()
  }

  private judge(fault: Fault, primary: NodeName, began: number, seconds: number): void {
    const tally = this.tallyOf(fault.name)
    tally.rounds++
    tally.seconds += seconds
    const { promotions } = this.history
    const outcome = outcomeOf(fault, this.setup.mode)
    if (outcome === 'takeover') {
      const first = promotions.find(({ process }) => process.startsWith(OTHER[primary]))
      if (first === undefined) this.history.violations.push(`${fault.name}: nobody took over`)
      else {
        tally.failovers++
        this.promotionMs.push(first.atMs - began)
      }
    } else if (outcome === 'none') this.demandNone(fault.name)
    const [now] = loadavg()
    this.load[0] = Math.min(this.load[0], now!)
    this.load[1] = Math.max(this.load[1], now!)
  }

  private tallyOf(name: string): Tally {
    this.tallies[name] ??= { rounds: 0, failovers: 0, falsePromotions: 0, seconds: 0 }
    return this.tallies[name]
  }

  private demandNone(when: string): void {
    const { promotions, violations } = this.history
    if (promotions.length === 0) return
    this.tallyOf(when).falsePromotions += promotions.length
    violations.push(`${when}: promoted falsely: ${this.tell()}`)
  }

  private tell(): string {
    return this.history.promotions
      .map(({ process, epoch, reason }) => `${process} to ${epoch} (${reason})`)
      .join(', ')
  }

  /**
   * Nobody writes; both nodes are compared, by themselves and here. A role that changes meanwhile, as when a witness
   * comes back for one node before the other, is no fault of theirs, and is counted by its reason.
   */
  private async settle(): Promise<void> {
    const before = this.history.promotions.length
    let equal: boolean | undefined
    await this.until('a pair that can be compared', 'a', async () => {
      const primary = await this.untilPair()
      equal = await this.compare(primary).catch((error: Error) => {
        if (!/NotPrimaryError|VerifyError/.test(error.message)) throw error
        return undefined
      })
      return equal !== undefined
    })
    if (equal !== true) this.history.violations.push('verify() says that the nodes differ')
    for (const { reason } of this.history.promotions.slice(before))
      this.afterwards[reason] = (this.afterwards[reason] ?? 0) + 1
    const contents: Record<string, Content> = {}
    for (const node of NODES) contents[node] = (await this.child(node).ask('content')) as Content
    this.history.settle(contents)
  }

  private async compare(primary: NodeName): Promise<boolean> {
    await this.child(primary).ask('rest')
    await this.child(OTHER[primary]).ask('rest')
    const { equal } = (await this.child(primary).ask('verify')) as { equal: boolean }
    return equal
  }

  summary(): Summary {
    const sum = (of: (tally: Tally) => number) =>
      Object.values(this.tallies).reduce((total, tally) => total + of(tally), 0)
    const { heldWrites, lostWrites, effects, violations } = this.history
    return {
      mode: this.setup.mode,
      lost: this.setup.lost,
      kinds: this.tallies,
      failovers: sum((tally) => tally.failovers),
      falsePromotions: sum((tally) => tally.falsePromotions),
      heldWrites,
      lostWrites,
      effects,
      promotionMs: [...this.promotionMs].sort((a, b) => a - b),
      hours: (performance.now() - this.began) / 3_600_000,
      load: this.load,
      afterwards: this.afterwards,
      violations,
    }
  }
}
