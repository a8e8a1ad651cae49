// replicated.p50_ms and replicated.p99_ms: what an answer waits that shall survive: one update, then
// `await node.replicated()`, at random moments on an otherwise idle pair of processes, over TLS on both links.
// replicated.single.p50_ms: the same in turns by a pair that sends each frame on one link.
import type { Context, Measured } from '../lib/figure.ts'
import { type RemotePair, withRemotePair } from '../lib/remote-pair.ts'
import { quantile } from '../lib/statistics.ts'
import { tick } from '../lib/time.ts'

const PAUSE_MS_MAX = 5
/** The secondary is stopped for so long, a small part of what would make it suspect. */
const STOPPING_MS = 50
const STOP_MS = 100
const LOST = 20

export async function measure(context: Context): Promise<Record<string, Measured>> {
  const { smoke, expect } = context
  const sessions = 20_000
  const updates = smoke ? 50 : 2000
  const rounds = smoke ? 2 : 7
  const p50: number[] = []
  const p99: number[] = []
  const singleP50: number[] = []
  const alternate = async ({ primary, secondary }: RemotePair, single: RemotePair) => {
    for (let round = -1; round < rounds; round++) {
      const ms = await primary.call('latencies', sessions, updates, PAUSE_MS_MAX)
      const singleMs = await single.primary.call('latencies', sessions, updates, PAUSE_MS_MAX)
      // The first round compiles.
      if (round < 0) continue
      p50.push(quantile(ms, 0.5))
      p99.push(quantile(ms, 0.99))
      singleP50.push(quantile(singleMs, 0.5))
    }
    // A promise that did not wait for the secondary would be fast. Its threads stop one by one, a moment later.
    secondary.signal('SIGSTOP')
    await tick(STOPPING_MS)
    const [waited] = await Promise.all([
      primary.call('latencies', sessions, 1, 0),
      tick(STOP_MS).then(() => secondary.signal('SIGCONT')),
    ])
    expect(waited[0]! > STOP_MS * 0.8, `nothing is held by a stopped secondary (${waited[0]} ms)`)
  }
  await withRemotePair(sessions, LOST, context, (pair) =>
    withRemotePair(sessions, LOST, context, (single) => alternate(pair, single), 'single'),
  )
  return {
    'replicated.p50_ms': { runs: p50 },
    'replicated.p99_ms': { runs: p99 },
    'replicated.single.p50_ms': { runs: singleP50 },
  }
}
