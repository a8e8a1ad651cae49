// The very last act of some runs: one direction of both links is cut for good, so that one node hears the other and is
// not heard; or one direction of each, so that both are heard by datagrams and no stream can live. Simulation of
// TigerBeetle found a livelock only so (reliability of asymmetric partitions). Exactly one node must act, and go on.
import type { Plan } from './plan.ts'
import type { Simulation } from './simulation.ts'
import { Violation } from './world.ts'

export type LastCut = 'none' | 'deaf' | 'crossed'

/** Then roles have settled, and so long nothing may change; in detection bounds. */
const SETTLED_BOUNDS = 6
const STILL_BOUNDS = 20

export function demandOneUnderLastCut(simulation: Simulation): void {
  const { plan, world, network, book, roles, mood } = simulation
  // With one way left each way, chance alone may drop as many datagrams in a row as make silence.
  if (plan.lastCut === 'none' || isLossy(plan)) return
  mood.resting = false
  begin(plan, network, book)
  world.count(`for ever at the end: ${plan.lastCut}`)
  world.note(plan.lastCutFrom, () => `-- for ever: ${describeLastCut(plan)}`)
  world.runUntil(world.now + SETTLED_BOUNDS * plan.boundMs)
  const since = world.now
  demandOne(simulation)
  world.runUntil(since + STILL_BOUNDS * plan.boundMs)
  demandOne(simulation)
  if (roles.changedAt > since) {
    throw new Violation(`${describeLastCut(plan)}: roles go on changing`)
  }
}

const isLossy = ({ network }: Plan): boolean =>
  network.paths.flat().some(({ loss, corrupt }) => loss + corrupt > 0)

function begin(plan: Plan, network: Simulation['network'], book: Simulation['book']): void {
  const from = plan.lastCutFrom
  for (const link of [0, 1]) {
    book.harmLink(link, network.world.now)
    network.path(link, plan.lastCut === 'crossed' && link === 1 ? 1 - from : from).cuts++
  }
}

function describeLastCut({ lastCut, lastCutFrom }: Plan): string {
  const from = 'ab'[lastCutFrom]
  return lastCut === 'deaf'
    ? `nothing of ${from} gets through`
    : `${from} is heard on M2 only, its peer on M1 only`
}

function demandOne(simulation: Simulation): void {
  const open = simulation.processes().filter((process) => process.canWrite)
  if (open.length === 1) return
  throw new Violation(
    `${describeLastCut(simulation.plan)}: ${open.length === 0 ? 'nobody acts' : open.map(({ name }) => name).join(' and ') + ' act'}`,
  )
}
