// scale.*: one table of ten million sessions, then four of them, 40 million in all: filled by batch calls, used at
// random, given whole to an empty secondary, and kept by it when the primary's process is killed.
import type { Context, Measured } from '../lib/figure.ts'
import { planPair } from '../lib/pair.ts'
import { RemoteProcess } from '../lib/remote-process.ts'
import type { ScaleMethods } from '../lib/scale-process.ts'
import { monotonicMs } from '../lib/time.ts'

class RemoteScaleNode extends RemoteProcess<ScaleMethods> {
  constructor() {
    super('scale-process.js')
  }
}

interface Scale {
  readonly fillPerSecond: number
  readonly updateNs: number
  readonly syncPerSecond: number
  readonly gap: number
  readonly promotionMs: number
}

const UPDATES = 1_000_000

export async function measure(context: Context): Promise<Record<string, Measured>> {
  const sessions = context.smoke ? 5_000 : 10_000_000
  const one = await scale(1, sessions, context)
  const four = await scale(4, sessions, context)
  const both = (of: (scale: Scale) => number): Measured => ({
    runs: [of(one), of(four)],
    value: of(four),
    detail: { one_table: of(one) },
  })
  return {
    'scale.fill.sessions_per_s': both(({ fillPerSecond }) => fillPerSecond),
    'scale.update_ns': both(({ updateNs }) => updateNs),
    'scale.resync.sessions_per_s': both(({ syncPerSecond }) => syncPerSecond),
    'scale.resync.heartbeat_gap': both(({ gap }) => gap),
    'scale.failover.kill_ms': both(({ promotionMs }) => promotionMs),
  }
}

async function scale(tables: number, sessions: number, { smoke, expect, note }: Context): Promise<Scale> {
  const plan = await planPair(sessions, smoke ? 20 : 4)
  const all = tables * sessions
  const primary = new RemoteScaleNode()
  const secondary = new RemoteScaleNode()
  try {
    await primary.call('start', plan, 'a', tables)
    const fillMs = await primary.call('fill', sessions)
    expect((await primary.call('sessions')) === all, 'every session is in')
    note(`${tables} x ${sessions}: filled in ${(fillMs / 1000).toFixed(1)} s`)
    const updateNs = await primary.call('use', sessions, smoke ? 1000 : UPDATES)
    const { syncedMs, gapMs } = await secondary.call('start', plan, 'b', tables)
    await primary.call('protecting')
    const gaps = [gapMs, await primary.call('gapMs')]
    expect((await secondary.call('sessions')) === all, 'the secondary holds every session')
    expect((await primary.call('verify')).equal, 'both nodes have the same digests')
    note(`${tables} x ${sessions}: the secondary was filled in ${(syncedMs / 1000).toFixed(1)} s`)
    const killedMs = monotonicMs()
    primary.signal('SIGKILL')
    const { atMs, reason } = await secondary.call('promoted')
    expect(reason.startsWith('peer-'), `promoted for a loss, not as ${reason}`)
    const step = smoke ? 1 : 97
    const looked = tables * Math.ceil(sessions / step)
    expect((await secondary.call('whole', sessions, step)) === looked, 'sessions are as they were')
    note(`${tables} x ${sessions}: promoted after ${(atMs - killedMs).toFixed(0)} ms (${reason})`)
    return {
      fillPerSecond: all / (fillMs / 1000),
      updateNs,
      syncPerSecond: all / (syncedMs / 1000),
      gap: Math.max(...gaps) / plan.heartbeat.interval,
      promotionMs: atMs - killedMs,
    }
  } catch (error) {
    const told = await Promise.allSettled([primary.call('story'), secondary.call('story')])
    const [a, b] = told.map((each) => (each.status === 'fulfilled' ? each.value : 'gone'))
    throw new Error(`pair failed\n  a\n    ${a}\n  b\n    ${b}`, { cause: error })
  } finally {
    await Promise.all([primary.end(), secondary.end()])
  }
}
