// replicate.single.updates_per_s, .vs_redundant: what sending each frame on both links costs. Two pairs that differ in
// `sending` only make the same updates in turns, a call each, as in replicate.updates_per_s.
import type { Context, Measured } from '../lib/figure.ts'
import { type RemotePair, withRemotePair } from '../lib/remote-pair.ts'
import { median } from '../lib/statistics.ts'

interface Run {
  readonly perSecond: number
  readonly bytes: number
  /** CPU of all threads of the first process, microseconds for each update. */
  readonly cpuUs: number
}

export async function measure(context: Context): Promise<Record<string, Measured>> {
  const { smoke } = context
  const sessions = smoke ? 20_000 : 1_000_000
  const rounds = smoke ? 2 : 7
  const lost = smoke ? 20 : 4
  const both: Run[] = []
  const one: Run[] = []
  const alternate = async (redundant: RemotePair, single: RemotePair) => {
    for (let round = -1; round < rounds; round++) {
      const runs = [
        await run(redundant, sessions, round, context),
        await run(single, sessions, round, context),
      ] as const
      // The first round compiles.
      if (round < 0) continue
      both.push(runs[0])
      one.push(runs[1])
    }
  }
  await withRemotePair(sessions, lost, context, (redundant) =>
    withRemotePair(sessions, lost, context, (single) => alternate(redundant, single), 'single'),
  )
  return {
    'replicate.single.updates_per_s': { runs: one.map(({ perSecond }) => perSecond) },
    'replicate.single.vs_redundant': {
      runs: one.map(({ perSecond }, round) => perSecond / both[round]!.perSecond),
      detail: {
        single_updates_per_s: median(one.map(({ perSecond }) => perSecond)),
        redundant_updates_per_s: median(both.map(({ perSecond }) => perSecond)),
        single_bytes_per_update: median(one.map(({ bytes }) => bytes)),
        redundant_bytes_per_update: median(both.map(({ bytes }) => bytes)),
        single_cpu_us_per_update: median(one.map(({ cpuUs }) => cpuUs)),
        redundant_cpu_us_per_update: median(both.map(({ cpuUs }) => cpuUs)),
      },
    },
  }
}

async function run(
  { primary, secondary }: RemotePair,
  sessions: number,
  round: number,
  { expect }: Context,
): Promise<Run> {
  const packets = 7000 + round
  const before = await primary.call('bytesSent')
  const { startedMs, cpuMs, last } = await primary.call('saturate', 'one', sessions, packets, round)
  const appliedMs = await secondary.call('applied', last, packets)
  const bytes = (await primary.call('bytesSent')) - before
  const right = await secondary.call('matching', sessions, packets)
  expect(right === sessions, `the secondary has every update (${right} of ${sessions})`)
  return {
    perSecond: sessions / ((appliedMs - startedMs) / 1000),
    bytes: bytes / sessions,
    cpuUs: (cpuMs * 1000) / sessions,
  }
}
