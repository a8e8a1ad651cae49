// A stage for golden stories: two nodes on clean links, nothing left to chance but what applications write, and a script
// that says what befalls them. What happens is told in lines that a reader can follow: epochs and lineages under short
// names, times in tenths of a second, so that a millisecond more or less makes no other story.
import { hashImages } from './content.ts'
import type { NetworkProfile } from './network.ts'
import { CLEAN_PATH } from './path.ts'
import type { Plan } from './plan.ts'
import { Prng } from './prng.ts'
import type { ProcessPlan, SimProcess } from './process.ts'
import { Simulation } from './simulation.ts'
import { SESSIONS, TablePool } from './tables.ts'

export interface StagePlan {
  /** In 'witness' there is one that never fails by itself. */
  readonly mode?: ProcessPlan['core']['mode']
  readonly capacity?: number
  /** Keys that the applications use. */
  readonly keys?: number
  /** What applications answer after a split, after 200 ms; they are not asked without. */
  readonly side?: 'self' | 'peer'
  /** When each node is started, ms. */
  readonly starts?: readonly [number, number]
}

const INTERVAL_MS = 50
const LOST = 4
const CHOICE_MS = 2_000
const SEED = 4n
const LEASE_MS = 2_000
const BOTH = [0, 1] as const

export class Stage {
  readonly simulation: Simulation
  private readonly lines: string[] = []
  private readonly random = new Prng(SEED, '/stage')
  private readonly names = new Map<string, string>()

  constructor(plan: StagePlan) {
    const tell = (line: string) => this.take(line)
    this.simulation = new Simulation(planOf(plan), this.random.split('run'), new TablePool('wasm'), tell)
  }

  get text(): string {
    return `${this.lines.join('\n')}\n`
  }

  private take(line: string): void {
    const [, time, text] = /^ *([\d.]+) {2}(.*)$/.exec(line)!
    this.lines.push(`${(Number(time) / 1000).toFixed(1).padStart(6)}  ${this.shorten(text!)}`)
  }

  /** Epochs are times and lineages random: both get names in the order in which they come. */
  private shorten(text: string): string {
    const nameOf = (what: string, letter: string) => {
      let name = this.names.get(what)
      if (name === undefined) {
        const count = [...this.names.values()].filter((other) => other.startsWith(letter)).length
        this.names.set(what, (name = `${letter}${count + 1}`))
      }
      return name
    }
    return text
      .replace(/\b18\d{11}\b/g, (epoch) => nameOf(epoch, 'E'))
      .replace(/\b[0-9a-f]{16}\b/g, (lineage) => nameOf(lineage, 'L'))
  }

  // ---- What a script says

  /** Lets time pass, ms. */
  run(durationMs: number): void {
    const { world } = this.simulation
    world.runUntil(world.now + durationMs)
  }

  /** Lets time pass until two nodes are one primary with a synced secondary, at most so long. */
  settle(mostMs = 20_000): void {
    const { world } = this.simulation
    world.runUntil(world.now + mostMs, () => this.isSettled)
    this.run(10)
  }

  private get isSettled(): boolean {
    const processes = this.simulation.processes()
    return (
      processes.some(({ replica }) => replica.isProtected) &&
      processes.some(({ replica }) => replica.isSynced)
    )
  }

  process(node: number): SimProcess {
    const process = this.simulation.running(node)
    if (process === undefined) throw new Error(`node ${'ab'[node]} does not run`)
    return process
  }

  get primary(): number {
    return BOTH.find((node) => this.simulation.running(node)?.core.state.role === 'primary') ?? 0
  }

  /** A heading. */
  say(text: string): void {
    this.lines.push('', `# ${text}`)
  }

  cut(links: readonly number[], durationMs: number, senders: readonly number[] = BOTH): void {
    for (const link of links) this.simulation.faults.links.cut(link, senders, durationMs, this.random)
  }

  kill(node: number, awayMs: number, how: 'kill' | 'power' = 'kill'): void {
    this.simulation.bringDown(node, how, awayMs)
  }

  /** The witness is away, ms. */
  loseWitness(durationMs: number): void {
    this.simulation.network.leases!.goAway(durationMs)
  }

  /** A node does not reach the witness, ms. */
  cutWitness(node: number, durationMs: number): void {
    this.simulation.network.leases!.cutOff(node as 0 | 1, durationMs)
  }

  ask(node: number, what: 'handover' | 'promote' | 'close', force = false): void {
    this.process(node).app.run(0, () => this.simulation.appOf(node)?.request(what, force))
  }

  /** Says how the nodes stand, after the applications have paused for a moment. */
  show(): void {
    const { simulation } = this
    simulation.mood.resting = true
    this.run(200)
    const processes = simulation.processes()
    for (const process of processes) this.lines.push(`        ${this.shorten(describe(process))}`)
    const [one, two] = processes
    if (one !== undefined && two !== undefined) {
      const isEqual = hashImages(one) === hashImages(two)
      this.lines.push(`        ${isEqual ? 'both hold the same' : 'they differ'}`)
    }
    simulation.mood.resting = false
  }

  /** What was counted under a name so far. */
  counted(name: string): void {
    this.lines.push(`        ${name}: ${this.simulation.world.counts.get(name) ?? 0}`)
  }
}

function describe(process: SimProcess): string {
  const { core, replica, sessions, canWrite, name } = process
  const { role, epoch, lineage } = core.state
  const labels = [
    `${role} of ${epoch} in ${lineage}`,
    canWrite ? 'may write' : 'may not write',
    ...(replica.isProtected && role === 'primary' ? ['protected'] : []),
    ...(replica.isSynced ? ['synced'] : []),
    sessions > 0 ? 'with sessions' : 'empty',
  ]
  return `${name}: ${labels.join(', ')}`
}

function planOf({
  mode = 'availability',
  capacity = 1024,
  keys = 50,
  side,
  starts = [0, 20],
}: StagePlan): Plan {
  const boundMs = INTERVAL_MS * LOST + INTERVAL_MS / 2
  const path = { ...CLEAN_PATH, latency: 0.5, jitter: 0 }
  const network: NetworkProfile = {
    paths: [
      [path, path],
      [path, path],
    ],
    dialTimeoutMs: 1000,
  }
  const node: ProcessPlan = {
    tables: { kinds: [SESSIONS], capacities: [capacity], encodeBytesMax: 65_536, pickupDelayMs: undefined },
    core: {
      cluster: 'sim',
      priority: 128,
      mode,
      leaseMs: mode === 'witness' ? LEASE_MS : 0,
      interval: INTERVAL_MS,
      lost: LOST,
      holdDownMs: 3_000,
      stallTimeoutMs: 2_000,
      fastDetection: true,
      sending: 'redundant',
      promoteUnsynced: true,
      override: false,
      uptimeMarginMs: 300_000,
      switching: SWITCHING,
      choiceMs: side === undefined ? undefined : CHOICE_MS,
    },
    flushInterval: 1,
    clockRate: 1,
  }
  return {
    seed: SEED,
    interval: INTERVAL_MS,
    boundMs,
    network,
    nodes: [node, node],
    operator: { everyMs: Number.POSITIVE_INFINITY, health: 0, switching: SWITCHING },
    app: { ...QUIET_APP, keys, fill: keys },
    faults: new Map(),
    permanent: 'none',
    permanentLink: 0,
    permanentFrom: 0,
    choice: side === undefined ? { limitMs: undefined } : { limitMs: CHOICE_MS, side },
    leases: mode === 'witness' ? STEADY_WITNESS : undefined,
    lastCut: 'none',
    lastSpoil: false,
    lastCutFrom: 0,
    effectMs: 100,
    listens: true,
    stateFile: false,
    starts,
    faultyFrom: 0,
    islandFirst: false,
    faultyTo: Number.POSITIVE_INFINITY,
  }
}

const NEVER = Number.POSITIVE_INFINITY
const STEADY_WITNESS = { leaseMs: LEASE_MS, awayMs: NEVER, cutMs: NEVER, slowMs: NEVER, loss: 0 }
const SWITCHING = { holdDownMs: 1_000, windowMs: 10_000, changes: 4, longestMs: 4_000 }

const QUIET_APP: Plan['app'] = {
  tickMs: 20,
  keys: 0,
  fill: 0,
  writesMax: 3,
  burst: 0,
  burstWrites: 0,
  delete: 0.05,
  clear: 0,
  refused: 0,
  replicated: 0.2,
  verify: 0,
  resync: 0,
  handover: 0,
  promote: 0,
  force: 0,
  close: 0,
  many: 0,
  upheaval: 0,
  rush: 0,
}
