// resync.sessions_per_s: how fast a fresh secondary is filled while its primary is written. A primary process holds a
// million sessions and goes on updating them; a secondary process starts empty, and the clock runs from the moment it
// follows until it holds everything. resync.heartbeat_gap_p99: the longest silence between two heartbeats meanwhile.
import type { Context, Measured } from '../lib/figure.ts'
import { planPair } from '../lib/pair.ts'
import { RemoteNode } from '../lib/remote-node.ts'
import { median, quantile } from '../lib/statistics.ts'

const UPDATES_PER_S = 20_000

export async function measure(context: Context): Promise<Record<string, Measured>> {
  const { smoke, expect, note } = context
  const sessions = smoke ? 20_000 : 1_000_000
  const rounds = smoke ? 2 : 9
  const plan = await planPair(sessions, smoke ? 20 : 4)
  const primary = new RemoteNode()
  const rates: number[] = []
  const startedRates: number[] = []
  const bytes: number[] = []
  const gaps: number[] = []
  try {
    await primary.call('start', plan, 'a')
    await primary.call('ready')
    await primary.call('fill', sessions)
    note(`${sessions} sessions on the primary`)
    await primary.call('load', sessions, smoke ? 1000 : UPDATES_PER_S)
    // The first round compiles.
    for (let round = -1; round < rounds; round++) {
      const secondary = new RemoteNode()
      try {
        const sentBefore = await primary.call('bytesSent')
        const { sinceStartMs, sinceFollowedMs, gapsMs } = await secondary.call('join', plan, 'b')
        await primary.call('protecting')
        const primaryGaps = await primary.call('gapsMs')
        const { equal } = await primary.call('verify')
        expect(equal, 'both tables have the same digests')
        expect((await secondary.call('sessions')) === sessions, 'the secondary has every session')
        if (round < 0) continue
        rates.push(sessions / (sinceFollowedMs / 1000))
        startedRates.push(sessions / (sinceStartMs / 1000))
        bytes.push(((await primary.call('bytesSent')) - sentBefore) / sessions)
        gaps.push(...[...gapsMs, ...primaryGaps].map((ms) => ms / plan.heartbeat.interval))
      } finally {
        await secondary.end()
      }
    }
  } finally {
    await primary.end()
  }
  return {
    'resync.sessions_per_s': {
      runs: rates,
      detail: { from_process_start_per_s: median(startedRates), both_links_bytes: median(bytes) },
    },
    'resync.heartbeat_gap_p99': { runs: gaps, value: quantile(gaps, 0.99) },
  }
}
