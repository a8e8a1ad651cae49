// Sums over many runs.
import type { RunResult } from './run.ts'

export interface Finding {
  /** As text: it may have 64 bits. */
  readonly seed: string
  readonly finding: string
}

export interface Tally {
  seeds: number
  simulatedMs: number
  events: number
  /** Of the slowest run. */
  convergedShare: number
  readonly counts: Record<string, number>
  readonly findings: Finding[]
}

export function emptyTally(): Tally {
  return { seeds: 0, simulatedMs: 0, events: 0, convergedShare: 0, counts: {}, findings: [] }
}

export function addRun(tally: Tally, result: RunResult): void {
  const findings = result.finding === undefined ? [] : [{ seed: `${result.seed}`, finding: result.finding }]
  tallyInto(tally, { ...result, seeds: 1, findings })
}

export function tallyInto(tally: Tally, more: Readonly<Tally>): void {
  tally.seeds += more.seeds
  tally.simulatedMs += more.simulatedMs
  tally.events += more.events
  tally.convergedShare = Math.max(tally.convergedShare, more.convergedShare)
  for (const [name, count] of Object.entries(more.counts)) {
    tally.counts[name] = (tally.counts[name] ?? 0) + count
  }
  tally.findings.push(...more.findings)
}
