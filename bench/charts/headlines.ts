// The figures that the README shows, in words.
import type { Figure } from '../lib/figure.ts'
import { show } from '../lib/report.ts'

type Look = (name: string) => Figure | undefined

export interface Headline {
  readonly title: string
  /** Undefined when the figure was not measured yet. */
  value(look: Look): string | undefined
  readonly measured: string
}

/** Puts the values of some figures into words; undefined if one is missing. */
const words =
  (names: readonly string[], say: (...values: readonly string[]) => string) =>
  (look: Look): string | undefined => {
    const figures = names.map(look)
    if (figures.some((figure) => figure === undefined)) return undefined
    return say(...figures.map((figure) => show(figure!.value)))
  }

export const HEADLINES: readonly Headline[] = [
  {
    title: 'killed primary -> promoted secondary',
    value: words(
      ['failover.kill.p50_ms', 'failover.kill.p99_ms'],
      (p50, p99) => `${p50} ms median, ${p99} ms p99`,
    ),
    measured: '200 kills, 20,000 sessions, 20,000 updates/s, TLS',
  },
  {
    title: 'frozen primary -> promoted secondary',
    value: words(['failover.silent.over_bound'], (bounds) => `${bounds} x the bound of 225 ms, p99`),
    measured: '50 times SIGSTOP',
  },
  {
    title: 'replicated updates, one call each',
    value: words(
      ['replicate.updates_per_s', 'replicate.vs_map'],
      (rate, ratio) => `${rate} /s, ${ratio} x a Map with msgpackr over TCP`,
    ),
    measured: 'random sessions of 1 M, TLS, both links',
  },
  {
    title: 'replicated updates, `updateMany`',
    value: words(
      ['replicate.batch.updates_per_s', 'replicate.batch.vs_map'],
      (rate, ratio) => `${rate} /s, ${ratio} x that Map`,
    ),
    measured: 'the same, 4096 sessions a call',
  },
  {
    title: 'filling an empty secondary',
    value: words(['resync.sessions_per_s'], (rate) => `${rate} sessions/s`),
    measured: '1 M sessions, updates going on, TLS',
  },
  {
    title: 'bringing back a secondary after a cut of 10 s',
    value: words(
      ['resync.difference.bytes_share'],
      (share) => `${show(Number(share) * 100)} % of the bytes of a full sync`,
    ),
    measured: '1 % of 1 M sessions changed at random places',
  },
  {
    title: '`set()` -> in the secondary’s table',
    value: words(
      ['replicate.applied.p50_ms', 'replicate.applied.p99_ms'],
      (p50, p99) => `${p50} ms median, ${p99} ms p99`,
    ),
    measured: 'idle pair, TLS',
  },
  {
    title: '`replicated()` after one write',
    value: words(['replicated.p50_ms', 'replicated.p99_ms'], (p50, p99) => `${p50} ms median, ${p99} ms p99`),
    measured: 'idle pair, TLS',
  },
  {
    title: 'cost of replication on the application’s thread',
    value: words(['plane.main_thread_share'], (share) => `${show(Number(share) * 100)} % of a core`),
    measured: '100,000 updates/s, 1 M sessions',
  },
  {
    title: 'bytes per session in memory',
    value: words(['table.bytes_per_session'], (bytes) => bytes!),
    measured: 'table of the example, 1 M sessions, all in',
  },
  {
    title: 'bytes on the wire per create / update / delete',
    value: words(
      ['wire.create.bytes', 'wire.update.bytes', 'wire.delete.bytes'],
      (create, update, remove) => `${create} / ${update} / ${remove}`,
    ),
    measured: 'batches of 4096, before TLS, per link',
  },
  {
    title: 'update of two counters, against a Map with text keys',
    value: words(
      ['table.update.vs_map', 'table.update.vs_map_prebuilt'],
      (built, ready) => `${built} x as fast; ${ready} x when the Map’s key is ready-made`,
    ),
    measured: '1 M sessions',
  },
  {
    title: 'find of a random session of 1 M',
    value: words(['table.find.misses'], (misses) => `${misses} cache misses`),
    measured: 'against a pointer chase in the same memory',
  },
  {
    title: 'the same, one of 256 in a call',
    value: words(['table.findMany.misses'], (misses) => `${misses} cache misses`),
    measured: 'against the same chase',
  },
]
