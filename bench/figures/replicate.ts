// replicate.updates_per_s: how many updates a second go from a primary process into the tables of a secondary process,
// over TLS on both links. Every session among a million is updated once a run, by a call of its own, in random order;
// the clock runs from the first call until the secondary's table shows the last.
import type { Context, Measured } from '../lib/figure.ts'
import { withRemotePair } from '../lib/remote-pair.ts'
import { median } from '../lib/statistics.ts'

export async function measure(context: Context): Promise<Record<string, Measured>> {
  const { smoke, expect, note } = context
  const sessions = smoke ? 20_000 : 1_000_000
  const rounds = smoke ? 2 : 7
  // In small it runs among other tests on busy machines: nobody shall be suspected while nothing is measured.
  return withRemotePair(sessions, smoke ? 20 : 4, context, async ({ primary, secondary }) => {
    note(`${sessions} sessions on both nodes`)
    const rates: number[] = []
    const primaryUs: number[] = []
    const secondaryUs: number[] = []
    for (let round = -1; round < rounds; round++) {
      const packets = 5000 + round * 3
      const before = await secondary.call('cpuMs')
      const { startedMs, cpuMs, last } = await primary.call('saturate', sessions, packets, round)
      const appliedMs = await secondary.call('applied', last, packets)
      const after = await secondary.call('cpuMs')
      const right = await secondary.call('matching', sessions, packets)
      expect(right === sessions, `the secondary has every update (${right} of ${sessions})`)
      // The first round compiles.
      if (round < 0) continue
      rates.push(sessions / ((appliedMs - startedMs) / 1000))
      primaryUs.push((cpuMs * 1000) / sessions)
      secondaryUs.push(((after - before) * 1000) / sessions)
    }
    return {
      'replicate.updates_per_s': {
        runs: rates,
        detail: {
          primary_cpu_us_per_update: median(primaryUs),
          secondary_cpu_us_per_update: median(secondaryUs),
        },
      },
    }
  })
}
