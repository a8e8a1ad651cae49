// Near the end of some runs, when nothing else can repair it, a segment of the synced secondary is spoilt: the continuous
// proof must find it within a round through all tables, and have it repaired.
import { hashImages } from './content.ts'
import type { Simulation } from './simulation.ts'
import { Violation } from './world.ts'

/** Of the continuous proof: between two segments, and bytes of long values that count as one more. */
const PROOF_MS = 50
const SEGMENT_BYTES = 131_072

/** `isWhole`: one primary, and a secondary that says synced and is. */
export function demandRepair(simulation: Simulation, isWhole: () => boolean): void {
  const { plan, world } = simulation
  if (!plan.lastSpoil) return
  simulation.spoil(simulation.lastRandom)
  const spoilt = simulation.processes().find((process) => process.isSpoilt)
  if (spoilt === undefined) return
  let steps = 0
  for (const { segments, arenaBytes } of spoilt.tables)
    steps += 1 + segments * (1 + Math.floor(arenaBytes / SEGMENT_BYTES))
  const limitMs = 2 * steps * PROOF_MS + 4 * plan.boundMs + 500
  // What was held back may just be on its way.
  const isRepaired = () => isWhole() && new Set(simulation.processes().map(hashImages)).size === 1
  world.runUntil(world.now + limitMs, isRepaired)
  if (!isRepaired())
    throw new Violation(`${spoilt.name}: what was spoilt is not repaired after ${limitMs.toFixed(0)} ms`)
  world.count('segment repaired at the end')
}
