// Every figure by name, with its target and the group that measures it. Names are a contract: they stand in README,
// docs and latest.json, and are never reused for something else.
import { spawnSync } from 'node:child_process'
import type { FigureSpec } from './figure.ts'

export const CATALOGUE: readonly FigureSpec[] = [
  { name: 'table.find.misses', unit: 'misses', target: { atMost: 2.5 }, group: 'find' },
  { name: 'table.findMany.misses', unit: 'misses', target: { atMost: 0.6 }, group: 'find' },
  { name: 'table.update.vs_map', unit: 'x', target: { atLeast: 4 }, group: 'update' },
  { name: 'table.update.vs_map_prebuilt', unit: 'x', target: { atLeast: 1.5 }, group: 'update' },
  { name: 'table.updateMany.vs_update', unit: 'x', target: undefined, group: 'update-many' },
  { name: 'table.call_ms_max', unit: 'ms', target: { atMost: 2 }, group: 'call' },
  { name: 'table.gc.major_count', unit: 'collections', target: { atMost: 0 }, group: 'gc' },
  { name: 'table.gc.max_ms', unit: 'ms', target: undefined, group: 'gc' },
  { name: 'map.gc.major_count', unit: 'collections', target: undefined, group: 'gc' },
  { name: 'map.gc.max_ms', unit: 'ms', target: undefined, group: 'gc' },
  { name: 'table.bytes_per_session', unit: 'B', target: { atMost: 100 }, group: 'memory' },
  { name: 'wire.create.bytes', unit: 'B', target: { atMost: 34 }, group: 'wire' },
  { name: 'wire.update.bytes', unit: 'B', target: { atMost: 6 }, group: 'wire' },
  { name: 'wire.delete.bytes', unit: 'B', target: { atMost: 3 }, group: 'wire' },
  { name: 'codec.encode_ns', unit: 'ns', target: undefined, group: 'codec' },
  { name: 'codec.apply_ns', unit: 'ns', target: undefined, group: 'codec' },
  { name: 'codec.encode_hot_ns', unit: 'ns', target: undefined, group: 'codec' },
  { name: 'codec.apply_hot_ns', unit: 'ns', target: undefined, group: 'codec' },
  { name: 'replicate.updates_per_s', unit: '/s', target: undefined, group: 'replicate' },
  { name: 'replicate.vs_map', unit: 'x', target: { atLeast: 8 }, group: 'replicate' },
  {
    name: 'replicate.batch.updates_per_s',
    unit: '/s',
    target: undefined,
    group: 'replicate',
  },
  { name: 'replicate.batch.vs_map', unit: 'x', target: { atLeast: 20 }, group: 'replicate' },
  { name: 'replicate.single.updates_per_s', unit: '/s', target: undefined, group: 'sending' },
  { name: 'replicate.single.vs_redundant', unit: 'x', target: undefined, group: 'sending' },
  { name: 'replicate.applied.p50_ms', unit: 'ms', target: undefined, group: 'applied' },
  { name: 'replicate.applied.p99_ms', unit: 'ms', target: undefined, group: 'applied' },
  { name: 'plane.main_thread_share', unit: 'cores', target: { atMost: 0.1 }, group: 'plane' },
  { name: 'plane.loop_delay_p999_ms', unit: 'ms', target: undefined, group: 'plane' },
  { name: 'overload.slow.p999_ratio', unit: 'x', target: { atMost: 1.5 }, group: 'overload' },
  { name: 'overload.stopped.p999_ratio', unit: 'x', target: { atMost: 1.5 }, group: 'overload' },
  { name: 'overload.gone.p999_ratio', unit: 'x', target: { atMost: 1.5 }, group: 'overload' },
  { name: 'overload.memory_bytes', unit: 'B', target: undefined, group: 'overload' },
  { name: 'resync.sessions_per_s', unit: '/s', target: { atLeast: 1_500_000 }, group: 'resync' },
  { name: 'resync.heartbeat_gap_p99', unit: 'intervals', target: { atMost: 2 }, group: 'resync' },
  {
    name: 'resync.difference.bytes_share',
    unit: 'of a full sync',
    target: { atMost: 0.025 },
    group: 'difference',
  },
  { name: 'scale.fill.sessions_per_s', unit: '/s', target: undefined, group: 'scale' },
  { name: 'scale.update_ns', unit: 'ns', target: undefined, group: 'scale' },
  { name: 'scale.resync.sessions_per_s', unit: '/s', target: undefined, group: 'scale' },
  { name: 'scale.resync.heartbeat_gap', unit: 'intervals', target: undefined, group: 'scale' },
  { name: 'scale.failover.kill_ms', unit: 'ms', target: undefined, group: 'scale' },
  { name: 'replicated.p50_ms', unit: 'ms', target: undefined, group: 'latency' },
  { name: 'replicated.p99_ms', unit: 'ms', target: undefined, group: 'latency' },
  { name: 'replicated.single.p50_ms', unit: 'ms', target: undefined, group: 'latency' },
  { name: 'failover.kill.p50_ms', unit: 'ms', target: { atMost: 10 }, group: 'kill' },
  { name: 'failover.kill.p99_ms', unit: 'ms', target: { atMost: 30 }, group: 'kill' },
  { name: 'failover.kill.ms_per_gib', unit: 'ms/GiB', target: undefined, group: 'kill' },
  { name: 'failover.silent.over_bound', unit: 'bounds', target: { atMost: 1.25 }, group: 'silent' },
  {
    name: 'failover.false_promotions',
    unit: 'promotions',
    target: { atMost: 0 },
    group: 'faults',
    needs: 'namespaces',
  },
  {
    name: 'failover.lost_after_replicated',
    unit: 'writes',
    target: { atMost: 0 },
    group: 'faults',
    needs: 'namespaces',
  },
]

/** What a figure needs and this machine has not; undefined where it can be measured. */
export function lacking({ needs }: FigureSpec): string | undefined {
  if (needs === undefined) return undefined
  if (process.getuid?.() !== 0) return 'network namespaces need root'
  const tool = ['ip', 'nft'].find((name) => spawnSync(name, ['-V']).error !== undefined)
  return tool && `network namespaces need ${tool}`
}

/**
 * The figures asked for: all of them without a word, else those a word names, or begins if it names none.
 *
 * @throws Error for a word that matches nothing.
 */
export function select(words: readonly string[]): readonly FigureSpec[] {
  if (words.length === 0) return CATALOGUE
  const chosen = new Set<FigureSpec>()
  for (const word of words) {
    const exact = CATALOGUE.filter(({ name }) => name === word)
    const found = exact.length > 0 ? exact : CATALOGUE.filter(({ name }) => name.startsWith(word))
    if (found.length === 0) throw new Error(`--only ${word}: no figure has this name or begins so`)
    for (const spec of found) chosen.add(spec)
  }
  return CATALOGUE.filter((spec) => chosen.has(spec))
}
