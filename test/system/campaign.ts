// Two real nodes in network namespaces, and one fault after another. After each the pair is mended, compared, and held
// against what its clients saw (test/system/history.ts).
import { loadavg } from 'node:os'
import { setTimeout as wait } from 'node:timers/promises'
import { makeIdentity } from 'holdfast/testing'
import { Child } from '../node/support.ts'
import type { Random } from '../support/seed.ts'
import type { Fault, Scene } from './faults.ts'
import { Ground, NODES, type NodeName, OTHER } from './ground.ts'
import { type Content, History, type Told } from './history.ts'

const BOUND_MS = 30_000

interface Seen {
  role: string
  protected: boolean
  synced: boolean
  epoch: number
}

/** What a kind of fault came to. */
export interface Tally {
  rounds: number
  /** The secondary took over, as it had to. */
  failovers: number
  /** Somebody took over, and nobody was to. */
  falsePromotions: number
  /** In rounds of this kind, without the mending. */
  seconds: number
}

export interface Summary {
  readonly kinds: Readonly<Record<string, Tally>>
  readonly failovers: number
  readonly falsePromotions: number
  readonly heldWrites: number
  readonly lostWrites: number
  readonly effects: { readonly accepted: number; readonly refused: number }
  /** From the fault to the news of the promotion, ms, ascending. */
  readonly promotionMs: readonly number[]
  /** All of it, with the mending. */
  readonly hours: number
  /** Load average of the machine over a minute: least and most at the end of a round. */
  readonly load: readonly [number, number]
  readonly violations: readonly string[]
}

export class Campaign {
  readonly ground: Ground
  readonly history = new History()
  private readonly random: Random
  private readonly children = new Map<NodeName, Child>()
  private readonly starts = { a: 0, b: 0 }
  private identities!: Record<NodeName, { cert: string; key: string }>
  private readonly tallies: Record<string, Tally> = {}
  private readonly promotionMs: number[] = []
  private readonly began = performance.now()
  private readonly load: [number, number] = [Number.POSITIVE_INFINITY, 0]
  private readonly options: object

  /** `options`: of both nodes, beyond their names, links and identities. */
  constructor(tag: string, random: Random, options: object = {}) {
    this.ground = new Ground(tag)
    this.random = random
    this.options = options
  }

  async begin(): Promise<void> {
    this.ground.lay()
    this.identities = { a: await makeIdentity('a'), b: await makeIdentity('b') }
    for (const node of NODES) await this.start(node)
    await this.settle()
  }

  async close(): Promise<void> {
    for (const child of this.children.values()) await child.close()
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
      ...this.options,
    })
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

  private async untilPromoted(node: NodeName): Promise<void> {
    const bound = performance.now() + BOUND_MS
    const isHere = () => this.history.promotions.some(({ process }) => process.startsWith(node))
    while (!isHere()) {
      if (performance.now() > bound)
        throw new Error(
          `${node} was not promoted within ${BOUND_MS / 1000} s: ${JSON.stringify(await this.status(node))}`,
        )
      await wait(1)
    }
  }

  /** One fault, mended and judged. */
  async round(fault: Fault): Promise<void> {
    const primary = await this.untilPair()
    for (const node of NODES) await this.child(node).ask('work')
    await wait(50 + this.random.below(300))
    const began = performance.now()
    const scene: Scene = {
      random: this.random,
      ground: this.ground,
      primary,
      wait: (ms) => wait(ms),
      pid: (node) => this.child(node).process.pid!,
      kill: (node) => this.kill(node),
      signal: (node, signal) => this.child(node).signal(signal),
      untilPromoted: () => this.untilPromoted(OTHER[primary]),
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
    if (fault.promotes) {
      const first = promotions.find(({ process }) => process.startsWith(OTHER[primary]))
      if (first === undefined) this.history.violations.push(`${fault.name}: nobody took over`)
      else {
        tally.failovers++
        this.promotionMs.push(first.atMs - began)
      }
    } else this.demandNone(fault.name)
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

  /** Nobody writes; both nodes are compared, by themselves and here. */
  private async settle(): Promise<void> {
    const primary = await this.untilPair()
    await this.child(primary).ask('rest')
    await this.child(OTHER[primary]).ask('rest')
    const { equal } = (await this.child(primary).ask('verify')) as { equal: boolean }
    if (!equal) this.history.violations.push('verify() says that the nodes differ')
    const contents: Record<string, Content> = {}
    for (const node of NODES) contents[node] = (await this.child(node).ask('content')) as Content
    this.history.settle(contents)
  }

  summary(): Summary {
    const sum = (of: (tally: Tally) => number) =>
      Object.values(this.tallies).reduce((total, tally) => total + of(tally), 0)
    const { heldWrites, lostWrites, effects, violations } = this.history
    return {
      kinds: this.tallies,
      failovers: sum((tally) => tally.failovers),
      falsePromotions: sum((tally) => tally.falsePromotions),
      heldWrites,
      lostWrites,
      effects,
      promotionMs: [...this.promotionMs].sort((a, b) => a - b),
      hours: (performance.now() - this.began) / 3_600_000,
      load: this.load,
      violations,
    }
  }
}

/** For people. */
export function describe(summary: Summary): string {
  const { kinds, failovers, falsePromotions, heldWrites, lostWrites, effects, hours, load } = summary
  const { promotionMs, violations } = summary
  const at = (share: number) =>
    promotionMs[Math.min(promotionMs.length - 1, Math.floor(share * promotionMs.length))] ?? 0
  const quiet = Object.values(kinds).filter((kind) => kind.failovers === 0)
  const minutes = quiet.reduce((sum, { seconds }) => sum + seconds, 0) / 60
  const lines = Object.entries(kinds).map(
    ([name, { rounds, failovers: took, falsePromotions: wrong, seconds }]) =>
      `  ${name.padEnd(36)} ${String(rounds).padStart(4)} rounds ${String(took).padStart(4)} failovers ${String(wrong).padStart(3)} false ${seconds.toFixed(0).padStart(5)} s`,
  )
  return [
    ...lines,
    `${failovers} failovers in ${(hours * 60).toFixed(1)} minutes, load average ${load[0].toFixed(1)} to ${load[1].toFixed(1)}`,
    `fault to promotion: ${at(0.5).toFixed(0)} ms median, ${at(0.99).toFixed(0)} ms p99`,
    `${heldWrites} writes held by replicated(), ${lostWrites} lost`,
    `${falsePromotions} false promotions in ${minutes.toFixed(1)} minutes of faults that allow none`,
    `${effects.accepted} effects accepted by a receiver that checks tokens, ${effects.refused} of an earlier reign refused`,
    ...violations.map((violation) => `FOUND: ${violation}`),
  ].join('\n')
}
