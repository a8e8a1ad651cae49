// bench/results/peers.json: what the last run over all peers gave.
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Machine } from '../lib/results.ts'

export const PEERS_FILE = fileURLToPath(new URL('../results/peers.json', import.meta.url))

export interface PeerFigure {
  /** Median of the runs. */
  readonly value: number
  readonly runs: readonly number[]
}

export interface PeerResult {
  readonly title: string
  readonly version: string
  readonly sessions: number
  readonly updates_per_round: number
  readonly setup: string
  readonly more: string
  readonly less: string
  readonly bytes_counted_as: string
  readonly figures: Readonly<Record<PeerFigureName, PeerFigure>>
}

export type PeerFigureName =
  | 'updates_per_s'
  | 'bytes_per_update'
  | 'primary_cpu_us_per_update'
  | 'secondary_cpu_us_per_update'
  | 'resync_ms'
  | 'resync_sessions_per_s'
  | 'resync_bytes_per_session'

export interface PeerResults {
  readonly machine: Machine
  readonly runtime: string
  readonly commit: string
  readonly date: string
  /** Load average of the machine over the minute before. */
  readonly load: number
  readonly peers: Readonly<Record<string, PeerResult>>
  /** Peers that were not measured, and why. */
  readonly skipped: Readonly<Record<string, string>>
}

export function readPeerResults(file: string): PeerResults {
  return JSON.parse(readFileSync(file, 'utf8')) as PeerResults
}

/** Lists of numbers stay on one line. */
export function writePeerResults(file: string, results: PeerResults): void {
  const text = JSON.stringify(results, null, 2).replace(/\[[\s\d.,eE+-]*\]/g, (list) =>
    list.replace(/\s+/g, ' ').replace('[ ', '[').replace(' ]', ']'),
  )
  writeFileSync(`${file}.tmp`, `${text}\n`)
  renameSync(`${file}.tmp`, file)
}
