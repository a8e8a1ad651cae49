// failover.kill.*: how long after `kill -9` of the primary's process the secondary has taken over: from the signal to
// the `role` event of the node in this process. 20,000 sessions, 20,000 updates/s going on. After each kill every
// session must be there with counters that belong together; then a new process joins, is filled and made primary.
import { FailoverPair } from '../lib/failover.ts'
import type { Context, Measured } from '../lib/figure.ts'
import { median, quantile } from '../lib/statistics.ts'

export async function measure({ smoke, wanted, expect, note }: Context): Promise<Record<string, Measured>> {
  const sessions = smoke ? 2000 : 20_000
  const kills = smoke ? 2 : 200
  const heavyKills = smoke ? 1 : 7
  const ballastMib = smoke ? 64 : 1024
  // In small it runs among other tests on busy machines: only death shall be seen, never silence.
  const pair = await FailoverPair.start(sessions, smoke ? 20 : 4, expect)
  try {
    const ms: number[] = []
    // A process that takes longer to die than silence takes to be noticed is lost by silence, and counts as it is.
    let bySilence = 0
    const kill = async () => {
      const promotion = await pair.lose('SIGKILL')
      if (promotion.reason === 'peer-silent') bySilence++
      else expect(promotion.reason === 'peer-died', `promoted for a loss, not as ${promotion.reason}`)
      await pair.restart()
      return promotion.ms
    }
    for (let n = 1; n <= kills; n++) {
      ms.push(await kill())
      if (n % 25 === 0) note(`${n} of ${kills} kills, median ${median(ms).toFixed(1)} ms`)
    }
    const detail = { p90_ms: quantile(ms, 0.9), max_ms: Math.max(...ms), seen_by_silence: bySilence }
    const perGib: number[] = []
    for (let n = 0; wanted('failover.kill.ms_per_gib') && n < heavyKills; n++) {
      await pair.ballast(ballastMib)
      perGib.push(((await kill()) - median(ms)) / (ballastMib / 1024))
    }
    return {
      'failover.kill.p50_ms': { runs: ms, detail },
      'failover.kill.p99_ms': { runs: ms, value: quantile(ms, 0.99) },
      'failover.kill.ms_per_gib': { runs: perGib },
    }
  } finally {
    await pair.end()
  }
}
