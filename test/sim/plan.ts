// What is drawn once per seed, swarm style: each seed switches on a random few of the faults, with random strength, so
// that one kind cannot always hide another (Groce et al., Swarm Testing, ISSTA 2012).
import type { AppPlan } from './app.ts'
import { type ChoicePlan, drawChoice } from './choice-checks.ts'
import type { LastCut } from './last-cut.ts'
import { drawLeaseStore, type LeaseStorePlan } from './lease-store.ts'
import type { NetworkProfile } from './network.ts'
import { drawOperator, type OperatorPlan } from './operator.ts'
import { CLEAN_PATH, type PathProfile } from './path.ts'
import type { Prng } from './prng.ts'
import type { ProcessPlan } from './process.ts'
import { LEASES, MEMOS, NOTES, PAGES, ROUTES, SESSIONS, type TablesPlan } from './tables.ts'

/** Faults with a beginning and, mostly, an end. */
export const FAULTS = [
  'cut',
  'one-way cut',
  'stall',
  'both stall',
  'break',
  'reject',
  'udp block',
  'both cut',
  'lag',
  'storm',
  'kill',
  'power',
  'freeze',
  'app stall',
  'sync stall',
  'overload',
  'bad memory',
  'island',
  'ambush',
  'phase ambush',
  'hasty handover',
  'half-filled',
] as const
export type FaultName = (typeof FAULTS)[number]

/** What lasts from the first moment to the last. */
export type Permanent = 'none' | 'one-way cut' | 'dead link' | 'udp block' | 'stalled link'

export interface Plan {
  readonly seed: bigint
  readonly interval: number
  readonly boundMs: number
  readonly network: NetworkProfile
  readonly nodes: readonly [ProcessPlan, ProcessPlan]
  readonly app: AppPlan
  readonly operator: OperatorPlan
  /** Somebody listens to what a demoted primary gives up. */
  readonly listens: boolean
  /** Whether applications choose between two sides after a split. */
  readonly choice: ChoicePlan
  /** In mode 'witness'. */
  readonly leases: LeaseStorePlan | undefined
  /** Per kind, mean time between two of it, ms. */
  readonly faults: ReadonlyMap<FaultName, number>
  readonly permanent: Permanent
  /** Of the permanent fault. */
  readonly permanentLink: number
  readonly permanentFrom: number
  /** What is cut for good once everything else was proved, and whose words get lost. */
  readonly lastCut: LastCut
  readonly lastCutFrom: 0 | 1
  /** A segment of the secondary is spoilt once everything else was proved. */
  readonly lastSpoil: boolean
  /** Mean time between two effects of a primary on the world outside, ms. */
  readonly effectMs: number
  /** The highest epoch a node has opened survives its process. */
  readonly stateFile: boolean
  /** Start of each node, ms. */
  readonly starts: readonly [number, number]
  /** Faults begin then, ms: some pairs have grown old together. */
  readonly faultyFrom: number
  /** The first of them: one of a pair that has grown old together begins anew behind a cut, with a younger history. */
  readonly islandFirst: boolean
  /** And end then. */
  readonly faultyTo: number
}

export function drawPlan(seed: bigint, random: Prng): Plan {
  const interval = random.pick([50, 50, 100, 200])
  const lost = random.pick([2, 3, 4, 4, 6])
  const boundMs = interval * lost + interval / 2
  const tables = drawTables(random.split('tables'))
  const faults = drawFaults(random.split('faults'), boundMs)
  const operator = drawOperator(random.split('operator'), boundMs)
  const third = random.split('leases')
  const leases = third.chance(0.25) ? drawLeaseStore(third, boundMs) : undefined
  const asks = drawChoice(random.split('choice'), boundMs)
  const choice = leases === undefined ? asks : { limitMs: undefined }
  const nodes = drawNodes(random.split('nodes'), {
    interval,
    lost,
    boundMs,
    tables,
    operator,
    choice,
    leases,
  })
  const starting = random.split('starts')
  const gap = starting.pick([0, 0, starting.between(0, interval), starting.between(0, 8 * boundMs)])
  const canWait = interval >= 100 && !tables.kinds.includes(NOTES)
  const faultyFrom = canWait && starting.chance(0.15) ? starting.between(11_000, 15_000) : 0
  const islandFirst = faultyFrom > 0 && starting.chance(0.8)
  const holdDownMs = Math.max(...nodes.map(({ core }) => core.holdDownMs))
  const faultyMs = Math.max(boundMs * random.between(8, 25), islandFirst ? 2 * holdDownMs : 0)
  const holding = random.split('permanent')
  const ending = random.split('last cut')
  const isHarmed = holding.chance(0.15)
  return {
    seed,
    interval,
    boundMs,
    network: drawNetwork(random.split('network'), interval),
    nodes,
    app: drawApp(random.split('app'), interval, boundMs, tables),
    operator,
    listens: random.split('listens').chance(0.7),
    choice,
    leases,
    faults,
    permanent: isHarmed
      ? holding.pick(['one-way cut', 'dead link', 'udp block', 'stalled link'] as const)
      : 'none',
    permanentLink: holding.below(2),
    permanentFrom: holding.below(2),
    lastCut: !isHarmed && ending.chance(0.2) ? ending.pick(['deaf', 'crossed'] as const) : 'none',
    lastCutFrom: ending.pick([0, 1] as const),
    lastSpoil: random.split('last spoil').chance(0.15),
    effectMs: interval * ending.pick([1, 3]),
    stateFile: starting.chance(0.5),
    starts: starting.chance(0.5) ? [0, gap] : [gap, 0],
    faultyFrom,
    islandFirst,
    faultyTo: faultyFrom + faultyMs,
  }
}

function drawTables(random: Prng): TablesPlan {
  const others = random.pick([[], [], [], [ROUTES], [MEMOS], [LEASES]] as const)
  const first = random.chance(0.02) ? [NOTES] : [SESSIONS, ...others]
  const kinds = random.chance(0.1) ? [...first, PAGES] : first
  return {
    kinds,
    capacities: kinds.map((kind) => random.pick([100, 1024 * kind.segmentsMax, 1024 * kind.segmentsMax])),
    encodeBytesMax: random.pick([4096, 65_536]),
    pickupDelayMs: random.chance(0.25) ? random.pick([0, 60, 500, 2_000]) : undefined,
  }
}

interface Common {
  readonly interval: number
  readonly lost: number
  readonly boundMs: number
  readonly tables: TablesPlan
  readonly operator: OperatorPlan
  readonly choice: ChoicePlan
  readonly leases: LeaseStorePlan | undefined
}

function drawNodes(random: Prng, common: Common): readonly [ProcessPlan, ProcessPlan] {
  const { interval, lost, boundMs, tables, operator, choice, leases } = common
  const alone = random.chance(0.1) ? 'manual' : 'availability'
  const mode = leases === undefined ? alone : 'witness'
  const holdDownMs = Math.max(boundMs * random.between(2, 8), 3000)
  const stallTimeoutMs = boundMs * random.between(1.2, 6)
  const fastDetection = random.chance(0.8)
  const sending = random.pick(['redundant', 'redundant', 'single'] as const)
  const promoteUnsynced = random.chance(0.75)
  const override = random.chance(0.2)
  const uptimeMarginMs = random.pick([0, 1000, 300_000])
  const flushInterval = random.pick([0, 1, 5, 20])
  const node = (): ProcessPlan => ({
    tables,
    core: {
      cluster: 'sim',
      priority: random.pick([100, 128, 200]),
      mode,
      leaseMs: leases?.leaseMs ?? 0,
      interval,
      lost,
      holdDownMs,
      stallTimeoutMs,
      fastDetection,
      sending,
      promoteUnsynced,
      override,
      uptimeMarginMs,
      switching: operator.switching,
      choiceMs: choice.limitMs,
    },
    flushInterval,
    clockRate: random.chance(0.3) ? random.between(0.99, 1.01) : 1,
  })
  return [node(), node()]
}

function drawNetwork(random: Prng, interval: number): NetworkProfile {
  const lossy = random.chance(0.5)
  const path = (): PathProfile => {
    const latency = random.logBetween(0.05, interval / 10)
    return {
      ...CLEAN_PATH,
      latency,
      jitter: random.pick([0, latency, interval / 10]),
      loss: lossy ? random.pick([0, 0.01, 0.1, 0.3]) : 0,
      duplicate: lossy ? random.pick([0, 0.1, 0.5]) : 0,
      reorder: lossy ? random.pick([0, 0.1, 0.3]) : 0,
      corrupt: lossy ? random.pick([0, 0, 0.05]) : 0,
      replay: lossy ? random.pick([0, 0, 0.1]) : 0,
      fragment: random.pick([0, 0.1, 0.5]),
      bandwidth: random.pick([100_000, 100_000, 1000]),
    }
  }
  return {
    paths: [
      [path(), path()],
      [path(), path()],
    ],
    dialTimeoutMs: random.pick([500, 1000, 3000]),
  }
}

function drawFaults(random: Prng, boundMs: number): Map<FaultName, number> {
  const faults = new Map<FaultName, number>()
  if (random.chance(0.05)) return faults
  const share = random.pick([0.1, 0.25, 0.5])
  for (const name of FAULTS) {
    // What is excused after bad memory hides much else.
    if (random.chance(name === 'bad memory' ? share / 4 : share)) {
      // One for each phase wants to be laid.
      const least = name === 'phase ambush' ? 0.3 : 2
      faults.set(name, boundMs * random.logBetween(least, 25))
    }
  }
  return faults
}

function drawApp(random: Prng, interval: number, boundMs: number, tables: TablesPlan): AppPlan {
  const busy = random.pick([0.2, 0.5, 1, 1, 3])
  const tickMs = tables.kinds.includes(NOTES) ? interval / 6 : interval / busy
  const perTick = tickMs / boundMs
  const acts = random.chance(0.5)
  const big = random.chance(0.1)
  // Long sessions, many at once: the bounds of memory come into reach.
  const heavy = tables.kinds.includes(NOTES)
  const keys = heavy ? 150 : big ? 3500 : random.pick([5, 30, 200])
  const room = Math.min(...tables.capacities)
  return {
    tickMs,
    keys,
    fill: random.chance(0.7) ? Math.min(keys, big ? 3000 : 150, room) : 0,
    writesMax: random.pick([1, 3, 10]),
    burst: heavy ? 0.8 : random.pick([0, 0, 0.02]),
    burstWrites: heavy ? 100 : random.pick([50, 300]),
    delete: random.pick([0.05, 0.2]),
    clear: random.pick([0, 0, 0.002]),
    refused: 0.1,
    replicated: random.pick([0.1, 0.5]),
    verify: random.pick([0, 0.02]),
    resync: perTick * random.pick([0, 0, 0.1]),
    handover: acts ? perTick * random.pick([0, 0.05, 0.2]) : 0,
    promote: acts ? perTick * random.pick([0, 0.03]) : 0,
    force: random.pick([0, 0.2]),
    close: acts ? perTick * random.pick([0, 0.03]) : 0,
    many: random.pick([0, 0, 0.1, 0.5]),
    upheaval: heavy ? 0 : random.pick([0, 0, 0.01, 0.05]),
    rush: random.pick([0, 0.3, 1]),
  }
}

/** The drawn options that matter to a reader of a story. */
export function describePlan(plan: Plan): string {
  const [{ core, tables, flushInterval }] = plan.nodes
  const {
    mode,
    interval,
    lost,
    holdDownMs,
    stallTimeoutMs,
    fastDetection,
    promoteUnsynced,
    override,
    sending,
  } = core
  const what = {
    mode,
    interval,
    lost,
    boundMs: plan.boundMs,
    holdDownMs: Math.round(holdDownMs),
    stallTimeoutMs: Math.round(stallTimeoutMs),
    fastDetection,
    sending,
    promoteUnsynced,
    override,
    uptimeMarginMs: core.uptimeMarginMs,
    flushInterval,
    priorities: plan.nodes.map((node) => node.core.priority),
    clockRates: plan.nodes.map((node) => Number(node.clockRate.toFixed(4))),
    capacities: tables.capacities,
    encodeBytesMax: tables.encodeBytesMax,
    pickupDelayMs: tables.pickupDelayMs,
    choiceMs: plan.choice.limitMs,
    leases: plan.leases,
    dialTimeoutMs: plan.network.dialTimeoutMs,
    stateFile: plan.stateFile,
    permanent:
      plan.permanent === 'none'
        ? 'none'
        : `${plan.permanent}, M${plan.permanentLink + 1} from ${'ab'[plan.permanentFrom]}`,
    lastCut: plan.lastCut === 'none' ? 'none' : `${plan.lastCut} from ${'ab'[plan.lastCutFrom]}`,
    loss: plan.network.paths.flat().map((path) => path.loss),
    latency: plan.network.paths.flat().map((path) => Number(path.latency.toFixed(2))),
    faults: Object.fromEntries([...plan.faults].map(([name, mean]) => [name, Math.round(mean)])),
    app: plan.app,
    operator: plan.operator,
  }
  return JSON.stringify(what)
}
