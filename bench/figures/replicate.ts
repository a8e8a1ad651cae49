// replicate.updates_per_s: how many updates a second go from a primary process into the tables of a secondary process,
// over TLS on both links. Every session among a million is updated once a run, in random order, by a call of its own;
// the clock runs from the first call until the secondary's table shows the last. replicate.batch.*: the same by
// `updateMany`, 4096 a call. …vs_map: the same sessions and updates through a Map, a dirty Set and msgpackr over one TCP
// connection (bench/lib/map-program.ts), in turns.
import type { Context, Measured } from '../lib/figure.ts'
import { type MapPair, withMapPair } from '../lib/remote-map.ts'
import { type RemotePair, withRemotePair } from '../lib/remote-pair.ts'
import { median } from '../lib/statistics.ts'

/** What one run of one side gave. */
interface Run {
  readonly perSecond: number
  /** CPU of all threads, microseconds for each update. */
  readonly primaryUs: number
  readonly secondaryUs: number
}

export async function measure(context: Context): Promise<Record<string, Measured>> {
  const { smoke, note, wanted } = context
  const sessions = smoke ? 20_000 : 1_000_000
  const rounds = smoke ? 2 : 7
  const versus = wanted('replicate.vs_map') || wanted('replicate.batch.vs_map')
  // In small it runs among other tests on busy machines: nobody shall be suspected while nothing is measured.
  return withRemotePair(sessions, smoke ? 20 : 4, context, async (pair) => {
    note(`${sessions} sessions on both nodes`)
    const one: Run[] = []
    const many: Run[] = []
    const other: Run[] = []
    const alternate = async (map: MapPair | undefined) => {
      for (let round = -1; round < rounds; round++) {
        // Each time another count, or nothing would change.
        const packets = 5000 + round * 4
        const runs = {
          one: await runPair('one', pair, sessions, packets, round, context),
          many: await runPair('many', pair, sessions, packets + 1, round, context),
          other: map && (await runMap(map, sessions, packets, round, context)),
        }
        // The first round compiles.
        if (round < 0) continue
        one.push(runs.one)
        many.push(runs.many)
        if (runs.other) other.push(runs.other)
      }
    }
    if (versus) await withMapPair(sessions, alternate)
    else await alternate(undefined)
    const rates = (runs: readonly Run[]) => runs.map(({ perSecond }) => perSecond)
    const ratios = (runs: readonly Run[]) =>
      runs.map(({ perSecond }, round) => perSecond / other[round]!.perSecond)
    const measured: Record<string, Measured> = {
      'replicate.updates_per_s': { runs: rates(one), detail: cpuOf(one) },
      'replicate.batch.updates_per_s': { runs: rates(many), detail: cpuOf(many) },
    }
    if (versus) {
      const detail = { map_updates_per_s: median(rates(other)), ...cpuOf(other, 'map_') }
      measured['replicate.vs_map'] = { runs: ratios(one), detail }
      measured['replicate.batch.vs_map'] = { runs: ratios(many) }
    }
    return measured
  })
}

function cpuOf(runs: readonly Run[], prefix = ''): Record<string, number> {
  return {
    [`${prefix}primary_cpu_us_per_update`]: median(runs.map(({ primaryUs }) => primaryUs)),
    [`${prefix}secondary_cpu_us_per_update`]: median(runs.map(({ secondaryUs }) => secondaryUs)),
  }
}

async function runPair(
  how: 'one' | 'many',
  { primary, secondary }: RemotePair,
  sessions: number,
  packets: number,
  seed: number,
  { expect }: Context,
): Promise<Run> {
  const before = await secondary.call('cpuMs')
  const { startedMs, cpuMs, last } = await primary.call('saturate', how, sessions, packets, seed)
  const appliedMs = await secondary.call('applied', last, packets)
  const after = await secondary.call('cpuMs')
  const right = await secondary.call('matching', sessions, packets)
  expect(right === sessions, `the secondary has every update (${right} of ${sessions})`)
  return run(sessions, appliedMs - startedMs, cpuMs, after - before)
}

async function runMap(
  { primary, secondary }: MapPair,
  sessions: number,
  packets: number,
  seed: number,
  { expect }: Context,
): Promise<Run> {
  const before = await secondary.call('cpuMs')
  const { startedMs, appliedMs, cpuMs } = await primary.call('saturate', sessions, packets, seed)
  const after = await secondary.call('cpuMs')
  const right = await secondary.call('matching', sessions, packets)
  expect(right === sessions, `the second Map has every update (${right} of ${sessions})`)
  return run(sessions, appliedMs - startedMs, cpuMs, after - before)
}

function run(sessions: number, ms: number, primaryMs: number, secondaryMs: number): Run {
  return {
    perSecond: sessions / (ms / 1000),
    primaryUs: (primaryMs * 1000) / sessions,
    secondaryUs: (secondaryMs * 1000) / sessions,
  }
}
