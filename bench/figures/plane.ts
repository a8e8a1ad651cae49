// plane.*: what replication costs the application's thread. A primary process of a million sessions makes 100,000
// updates/s of two counters, each by a call of its own; in turns with a secondary that is kept up and alone. What its
// main thread costs more with the secondary is the cost of replication: remembering changes, encoding them, passing
// them to the sync thread. The loop delay is what node:perf_hooks saw of a timer of 1 ms.
import type { Context, Measured } from '../lib/figure.ts'
import { planPair } from '../lib/pair.ts'
import { RemoteNode } from '../lib/remote-node.ts'
import { median } from '../lib/statistics.ts'

const PER_SECOND = 100_000

export async function measure({ smoke, expect, note }: Context): Promise<Record<string, Measured>> {
  const sessions = smoke ? 20_000 : 1_000_000
  const rounds = smoke ? 2 : 7
  const perSecond = smoke ? 10_000 : PER_SECOND
  const ms = smoke ? 200 : 3000
  const plan = await planPair(sessions, smoke ? 20 : 4)
  const primary = new RemoteNode()
  let secondary: RemoteNode | undefined
  try {
    await primary.call('start', plan, 'a')
    expect((await primary.call('ready')) === 'primary', 'a node that meets nobody leads')
    await primary.call('fill', sessions)
    const shares: number[] = []
    const replicating: number[] = []
    const single: number[] = []
    const delays: number[] = []
    const delaysAlone: number[] = []
    for (let round = -1; round < rounds; round++) {
      const alone = await primary.call('pace', sessions, perSecond, ms)
      expect(!alone.protected, 'nobody follows')
      secondary = new RemoteNode()
      await secondary.call('start', plan, 'b')
      expect((await secondary.call('ready')) === 'secondary', 'the other node follows')
      await primary.call('protecting')
      const followed = await primary.call('pace', sessions, perSecond, ms)
      expect(followed.protected, 'the secondary holds everything')
      const { equal } = await primary.call('verify')
      expect(equal, 'both tables have the same digests')
      await secondary.end()
      await primary.call('alone')
      // The first round compiles.
      if (round < 0) continue
      for (const { updates } of smoke ? [] : [alone, followed])
        expect(updates > (perSecond * ms * 0.99) / 1000, `the pace is kept (${updates} updates in ${ms} ms)`)
      replicating.push(followed.mainShare)
      single.push(alone.mainShare)
      shares.push(followed.mainShare - alone.mainShare)
      delays.push(followed.delayP999Ms)
      delaysAlone.push(alone.delayP999Ms)
      note(
        `round ${round + 1}: ${followed.mainShare.toFixed(3)} of a core, alone ${alone.mainShare.toFixed(3)}`,
      )
    }
    return {
      'plane.main_thread_share': {
        runs: shares,
        detail: { with: median(replicating), without: median(single), updates_per_s: perSecond },
      },
      'plane.loop_delay_p999_ms': { runs: delays, detail: { without_ms: median(delaysAlone) } },
    }
  } finally {
    await Promise.all([primary.end(), secondary?.end()])
  }
}
