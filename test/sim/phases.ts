// What a pair of nodes is going through at a moment, by what both cores say: faults are counted by it, so that a run
// shows which fault has hit which phase of the protocol how often.
import { inside } from './inside.ts'
import type { SimProcess } from './process.ts'

export const PHASES = [
  /** Neither node runs. */
  'nobody',
  /** One node runs, and is no primary. */
  'waiting',
  /** One node runs, as primary. */
  'alone',
  /** Nobody leads, and one is still starting. */
  'starting',
  /** Nobody leads. */
  'election',
  /** Both lead. */
  'split',
  /** A primary has begun to give its reign away. */
  'handover',
  /** A primary that may not write, for another cause. */
  'fenced',
  /** A reign has begun, and nobody follows it yet. */
  'promotion',
  /** The two do not hear each other, or do not follow. */
  'apart',
  'full resync',
  'difference',
  /** Older changes are on their way to a secondary that awaits nothing else. */
  'backlog',
  'synced',
] as const
export type Phase = (typeof PHASES)[number]

/** `changedAt`: when a role last changed. */
export function phaseOf(processes: readonly SimProcess[], changedAt: number): Phase {
  const [one, two] = processes
  if (one === undefined) return 'nobody'
  const leading = processes.filter(({ core }) => core.state.role === 'primary')
  if (two === undefined) return leading.length > 0 ? 'alone' : 'waiting'
  if (leading.length > 1) return 'split'
  const [primary] = leading
  if (primary === undefined) {
    return processes.some(({ core }) => core.state.role === 'starting') ? 'starting' : 'election'
  }
  if (inside(primary.core).isHandingOver) return 'handover'
  if (!primary.core.state.open) return 'fenced'
  const { replica, tables, world, core } = primary
  if (replica.isProtected) return 'synced'
  const mode = replica.progress?.mode
  if (mode === 'difference') return 'difference'
  if (mode === 'full') return 'full resync'
  if (core.peer.alive && tables.some((table) => table.overflowed)) return 'backlog'
  return world.now - changedAt < core.boundMs ? 'promotion' : 'apart'
}

/** The name a fault in a phase is counted under. */
export const pairName = (fault: string, phase: string): string => `${fault} @ ${phase}`

/** Lines of a table of all faults and phases, from counts by pairName. */
export function pairTable(faults: readonly string[], counts: Readonly<Record<string, number>>): string[] {
  const width = Math.max(...faults.map((fault) => fault.length))
  const cells = (fault: string) => PHASES.map((phase) => counts[pairName(fault, phase)] ?? 0)
  const widths = PHASES.map((phase, i) =>
    Math.max(phase.length, ...faults.map((fault) => `${cells(fault)[i]}`.length)),
  )
  const line = (name: string, texts: readonly string[]) =>
    `  ${name.padEnd(width)}  ${texts.map((text, i) => text.padStart(widths[i]!)).join('  ')}`
  return [line('', PHASES), ...faults.map((fault) => line(fault, cells(fault).map(String)))]
}

/** Pairs that were hit less often than that. */
export function rarePairs(
  faults: readonly string[],
  counts: Readonly<Record<string, number>>,
  least: number,
): string[] {
  return faults.flatMap((fault) =>
    PHASES.map((phase) => pairName(fault, phase)).filter((name) => (counts[name] ?? 0) < least),
  )
}
