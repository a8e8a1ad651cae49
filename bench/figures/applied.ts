// replicate.applied.p50_ms and .p99_ms: from `set()` on the primary until the secondary's table holds it, in processes
// of their own, over TLS on both links: one set at random moments on an otherwise idle pair; in `detail` the same while
// 100,000 updates/s go on beside it.
import type { Context, Measured } from '../lib/figure.ts'
import { type RemotePair, withRemotePair } from '../lib/remote-pair.ts'
import { median, quantile } from '../lib/statistics.ts'

const PAUSE_MS_MAX = 5
const BUSY_PER_SECOND = 100_000

export async function measure(context: Context): Promise<Record<string, Measured>> {
  const { smoke } = context
  const sessions = smoke ? 20_000 : 1_000_000
  const stamps = smoke ? 30 : 1000
  const rounds = smoke ? 2 : 7
  return withRemotePair(sessions, smoke ? 20 : 4, context, async (pair) => {
    await pair.secondary.call('collectAges')
    const idle = await ages(pair, stamps, rounds, context)
    await pair.primary.call('load', sessions, smoke ? 10_000 : BUSY_PER_SECOND)
    const busy = await ages(pair, stamps, rounds, context)
    await pair.primary.call('rest')
    const each = (list: readonly number[][], q: number) => list.map((ms) => quantile(ms, q))
    return {
      'replicate.applied.p50_ms': { runs: each(idle, 0.5), detail: { busy_ms: median(each(busy, 0.5)) } },
      'replicate.applied.p99_ms': { runs: each(idle, 0.99), detail: { busy_ms: median(each(busy, 0.99)) } },
    }
  })
}

/** Ages in milliseconds, a list for each round. */
async function ages(
  { primary, secondary }: RemotePair,
  stamps: number,
  rounds: number,
  { expect }: Context,
): Promise<number[][]> {
  const lists: number[][] = []
  for (let round = -1; round < rounds; round++) {
    await primary.call('stamp', stamps, PAUSE_MS_MAX)
    const ms = await secondary.call('takeAges', stamps)
    expect(ms.length === stamps, `every stamp is seen once (${ms.length} of ${stamps})`)
    expect(Math.min(...ms) > 0, 'nothing is there before it was written')
    // The first round compiles.
    if (round >= 0) lists.push(ms)
  }
  return lists
}
