// Runs one seed: a time of faults, then everything is mended, and from then on the two nodes have a stated time to
// become one primary and one synced secondary that hold the same, and must stay so.
import { prefersPeer } from '../../src/core/election.ts'
import { HELLO_TIMEOUT_MS } from '../../src/core/options.ts'
import { demandContent, hashImages } from './content.ts'
import { demandOneUnderLastCut } from './last-cut.ts'
import { demandRepair } from './last-spoil.ts'
import { describePlan, drawPlan, type Plan } from './plan.ts'
import { Prng } from './prng.ts'
import type { SimProcess } from './process.ts'
import { Simulation } from './simulation.ts'
import { type StoreKind, TablePool } from './tables.ts'
import { Violation } from './world.ts'

export interface RunOptions {
  readonly store: StoreKind
  /** Gets the story, a line at a time. */
  readonly tell?: (line: string) => void
}

export interface RunResult {
  readonly seed: bigint
  /** What was found, if anything. */
  readonly finding: string | undefined
  readonly simulatedMs: number
  readonly events: number
  readonly traceHash: string
  /** From the mending of everything to one primary and a synced secondary, ms. */
  readonly convergedMs: number
  /** The same, as a share of what is allowed. */
  readonly convergedShare: number
  readonly counts: Readonly<Record<string, number>>
}

/** How long nothing may change after agreement, in detection bounds. */
const STILL_BOUNDS = 5
/** Longest wait between two dials, and of a handover, ms. */
const REDIAL_MS = 1_000
const HANDOVER_MS = 5_000

/** How long the nodes may take to agree and to be equal once everything works, ms. */
export function convergenceBoundMs(plan: Plan): number {
  const holdDownMs = Math.max(...plan.nodes.map((node) => node.core.holdDownMs))
  const { override, mode } = plan.nodes[0].core
  // A handover that was called off is tried again after twice its time, and flaps have to be sat out.
  const choosingMs =
    override && mode !== 'manual' ? 3 * HANDOVER_MS + 2 * plan.operator.switching.longestMs : 0
  // The last lease runs out, a new process waits for another, a grant that cannot be used is waited on.
  const leasesMs = 5 * (plan.leases?.leaseMs ?? 0)
  // The other side is heard, the application asked, the role offered in vain.
  const { limitMs } = plan.choice
  const sidesMs = limitMs === undefined ? 0 : limitMs + HANDOVER_MS
  return (
    choosingMs +
    sidesMs +
    leasesMs +
    holdDownMs +
    HANDOVER_MS +
    REDIAL_MS +
    plan.network.dialTimeoutMs +
    20 * plan.boundMs
  )
}

export function runSeed(seed: bigint, options: RunOptions): RunResult {
  const random = new Prng(seed)
  const plan = drawPlan(seed, random.split('plan'))
  options.tell?.(describePlan(plan))
  const simulation = new Simulation(plan, random.split('run'), new TablePool(options.store), options.tell)
  const { world } = simulation
  let finding: string | undefined
  let convergedMs = 0
  try {
    world.runUntil(plan.faultyTo)
    convergedMs = settle(simulation)
  } catch (error) {
    finding = error instanceof Violation ? error.message : `${(error as Error).stack ?? error}`
    options.tell?.(`${world.now.toFixed(3).padStart(11)}  FOUND: ${finding}`)
  }
  if (finding === undefined) for (const process of simulation.processes()) process.kill()
  world.count('writes promised', simulation.history.promisedVersions)
  world.count('states compared', simulation.data.comparisons)
  return {
    seed,
    finding,
    simulatedMs: world.now,
    events: world.events,
    traceHash: world.traceHash,
    convergedMs,
    convergedShare: convergedMs / convergenceBoundMs(plan),
    counts: Object.fromEntries(world.counts),
  }
}

/** Mends everything and demands what must then come true. Gives the time it took. */
function settle(simulation: Simulation): number {
  const { world, plan } = simulation
  simulation.heal()
  const healedAt = world.now
  const limitMs = convergenceBoundMs(plan)
  const byOperator = plan.nodes[0].core.mode === 'manual' || !plan.nodes[0].core.promoteUnsynced
  if (byOperator) {
    world.runUntil(healedAt + limitMs, () => pairOf(simulation) !== undefined)
    if (pairOf(simulation) === undefined) promoteByHand(simulation)
  }
  const convergedMs = awaitAgreement(simulation, limitMs)
  world.note(0, () => `-- in agreement after ${convergedMs.toFixed(0)} ms`)
  keepStill(simulation)
  demandEqual(simulation)
  simulation.sinks.demandAccepted(pairOf(simulation)!.primary)
  demandRepair(simulation, () => pairOf(simulation) !== undefined)
  demandOneUnderLastCut(simulation)
  return convergedMs
}

/** Agreement counts once it has lasted for as long as news of an old fault can take. */
function awaitAgreement(simulation: Simulation, limitMs: number): number {
  const { world, roles, newsMs } = simulation
  const from = world.now
  const isAgreed = () => {
    const pair = pairOf(simulation)
    return !isOperated(simulation) && isCurrent(pair, newsMs) && !isRestless(pair)
  }
  while (world.now < from + limitMs) {
    world.runUntil(from + limitMs, isAgreed)
    const since = world.now
    world.runUntil(since + newsMs, () => roles.changedAt > since)
    if (roles.changedAt <= since && isAgreed()) return since - from
  }
  throw new Violation(`${limitMs.toFixed(0)} ms after everything was mended: ${describe(simulation)}`)
}

/** What the secondary has not applied is young: no batches of the time of faults are still under way. */
function isCurrent(pair: Pair | undefined, newsMs: number): boolean {
  return pair !== undefined && pair.primary.replica.lag(pair.primary.clock()).ms < newsMs
}

/** The primary would rather have its secondary lead, and may choose: it will, when its hold-down is over. */
function isRestless(pair: Pair | undefined): boolean {
  if (pair === undefined) return false
  const { core, plan } = pair.primary
  const { status } = core.peer
  if (status === undefined || plan.core.mode === 'manual' || core.state.forced) return false
  return prefersPeer(core.statusAt(pair.primary.clock()), status, plan.core) !== undefined
}

/** Somebody's request is not answered yet, and may still change roles. */
function isOperated(simulation: Simulation): boolean {
  return [0, 1].some((node) => (simulation.appOf(node)?.requests.size ?? 0) > 0)
}

interface Pair {
  readonly primary: SimProcess
  readonly secondary: SimProcess
}

/** One acting primary with a synced secondary that both say so; undefined otherwise. */
function pairOf(simulation: Simulation): Pair | undefined {
  const [one, two] = [simulation.running(0), simulation.running(1)]
  if (one === undefined || two === undefined) return undefined
  for (const [primary, secondary] of [
    [one, two],
    [two, one],
  ] as const) {
    const agreed = primary.core.state.role === 'primary' && secondary.core.state.role === 'secondary'
    if (!agreed || !primary.canWrite || secondary.canWrite || secondary.isSpoilt) continue
    if (primary.replica.isProtected && secondary.replica.isSynced) return { primary, secondary }
  }
  return undefined
}

function describe(simulation: Simulation): string {
  const nodes = [0, 1].map((node) => {
    const process = simulation.running(node)
    if (process === undefined) return `${'ab'[node]} is away`
    const { role, epoch, complete } = process.core.state
    const gate = process.canWrite ? 'open' : 'shut'
    const labels = `${process.replica.isProtected ? ', protected' : ''}${process.replica.isSynced ? ', synced' : ''}`
    return `${process.name} is ${role} of epoch ${epoch}, gate ${gate}, ${complete ? 'complete' : 'incomplete'}${labels}`
  })
  return nodes.join('; ')
}

/** The operator's way out where nodes may not decide alone: the better copy is promoted. */
function promoteByHand(simulation: Simulation): void {
  const { world } = simulation
  const processes = simulation.processes()
  if (processes.some((process) => process.core.state.role === 'primary')) return
  const rank = ({ core: { state } }: SimProcess) => (state.complete ? 1e15 : 0) + state.epoch
  const best = processes.sort((a, b) => rank(b) - rank(a))[0]
  if (best === undefined) return
  world.count('promoted by hand')
  best.app.run(0, () => simulation.appOf(best.node)?.request('promote', true))
}

/** With nothing in the way, no role changes, and what is synced stays so but for the moments a backlog takes. */
function keepStill(simulation: Simulation): void {
  const { world, plan, roles, data } = simulation
  const since = world.now
  const { partials } = data
  world.runUntil(since + STILL_BOUNDS * plan.boundMs)
  // A backlog may just have begun: nothing of it has been sent yet.
  const isBackedUp = simulation.processes().some(({ tables }) => tables.some((table) => table.overflowed))
  if (data.partials > partials || isBackedUp)
    world.runUntil(world.now + plan.boundMs, () => pairOf(simulation) !== undefined)
  if (roles.changedAt > since) {
    throw new Violation(
      `a role changed ${(roles.changedAt - since).toFixed(0)} ms after agreement, without a cause`,
    )
  }
  const pair = pairOf(simulation)
  if (pair === undefined) throw new Violation(`agreement did not last: ${describe(simulation)}`)
}

/** Nothing is written any more: both hold the same, all of it, and say so. */
function demandEqual(simulation: Simulation): void {
  const { world, plan, data, mood } = simulation
  mood.resting = true
  const apps = [simulation.appOf(0)!, simulation.appOf(1)!]
  const patienceMs = 4 * plan.boundMs + 500
  const isAnswered = () =>
    apps.every(
      (app) => app.groups.size + app.requests.size + app.verifying.size + app.resyncing.size === 0,
    ) &&
    simulation.processes().every((process) => process.replica.lag(process.clock()).batches === 0) &&
    simulation.processes().every((process) => process.tables.every((table) => !table.changed))
  world.runUntil(world.now + patienceMs, isAnswered)
  for (const app of apps) app.verify()
  world.runUntil(world.now + patienceMs, isAnswered)
  const pair = pairOf(simulation)
  if (pair === undefined) throw new Violation(`agreement did not last: ${describe(simulation)}`)
  const { primary, secondary } = pair
  const { content, shown } = data.reignOf(primary)!
  demandContent(primary, simulation.history, content, 'at the end')
  demandContent(secondary, simulation.history, shown, 'at the end')
  if (hashImages(primary) !== hashImages(secondary)) {
    throw new Violation('at the end both hold the same sessions under different record ids')
  }
  data.demandPromised(primary, content, [secondary.incarnation])
  demandLinks(simulation)
  for (const app of apps) {
    if (app.groups.size > 0)
      throw new Violation(`replicated() was never answered (${app.groups.size} groups)`)
    if (app.requests.size > 0) throw new Violation(`never answered: ${[...app.requests.values()].join(', ')}`)
    if (app.verifying.size > 0) throw new Violation('verify() was never answered')
    if (app.resyncing.size > 0) throw new Violation('resync() was never answered')
  }
}

/** Every link that can be up comes up, once a connect or a hello that was lost in a fault has timed out. */
function demandLinks(simulation: Simulation): void {
  const { world, plan } = simulation
  const lostMs = Math.max(plan.network.dialTimeoutMs, HELLO_TIMEOUT_MS) + REDIAL_MS + 2 * plan.boundMs
  const limit = Math.max(world.now, simulation.healedAt + lostMs)
  if (downLink(simulation) !== undefined) world.runUntil(limit, () => downLink(simulation) === undefined)
  const down = downLink(simulation)
  if (down !== undefined) throw new Violation(`at the end ${down}`)
}

function downLink(simulation: Simulation): string | undefined {
  const { plan } = simulation
  for (const process of simulation.processes()) {
    for (const link of process.core.links) {
      if (plan.permanent !== 'none' && plan.permanentLink === link.index) continue
      if (link.stream !== undefined && link.hears(process.clock(), plan.boundMs)) continue
      return `M${link.index + 1} of ${process.name} is down: ${link.lastReason}`
    }
  }
  return undefined
}
