// failover.silent.over_bound: how long a primary that falls silent with open sockets (SIGSTOP) stays in office, in
// units of the bound after which it is suspected (interval x lost + interval / 2), 99th percentile. The clock runs from
// the stop; the last sign of life was at most 5 ms before it, since updates go on.
import { FailoverPair } from '../lib/failover.ts'
import type { Context, Measured } from '../lib/figure.ts'
import { boundMs } from '../lib/pair.ts'
import { median, quantile } from '../lib/statistics.ts'

export async function measure({ smoke, expect, note }: Context): Promise<Record<string, Measured>> {
  const sessions = smoke ? 2000 : 20_000
  const stops = smoke ? 2 : 50
  // In small it runs among other tests on busy machines.
  const pair = await FailoverPair.start(sessions, smoke ? 8 : 4, expect)
  try {
    const ms: number[] = []
    for (let n = 1; n <= stops; n++) {
      const promotion = await pair.lose('SIGSTOP')
      expect(promotion.reason === 'peer-silent', `the reason is the peer's silence, not ${promotion.reason}`)
      expect(promotion.ms > boundMs(pair.plan) * 0.75, 'nobody is promoted before the bound')
      ms.push(promotion.ms)
      await pair.wake()
      if (n % 10 === 0) note(`${n} of ${stops} stops, median ${median(ms).toFixed(0)} ms`)
    }
    const runs = ms.map((value) => value / boundMs(pair.plan))
    return {
      'failover.silent.over_bound': {
        runs,
        value: quantile(runs, 0.99),
        detail: { bound_ms: boundMs(pair.plan), p50_ms: median(ms), p99_ms: quantile(ms, 0.99) },
      },
    }
  } finally {
    await pair.end()
  }
}
