// overload.*: what a secondary that cannot keep up costs a single call on the application's thread. A primary of a
// million sessions updates random ones as fast as it can, while its secondary runs for a tenth of the time, is stopped, or
// is killed. Before each of these a second process of the same program does the same with a table of its own, without a
// node: the time without replication. Afterwards the pair must hold the same, with nothing restarted but what was killed.
import type { CallTimes } from '../lib/call-times.ts'
import type { Context, Measured } from '../lib/figure.ts'
import { type PairPlan, planPair } from '../lib/pair.ts'
import { RemoteNode } from '../lib/remote-node.ts'
import { median } from '../lib/statistics.ts'
import { tick } from '../lib/time.ts'

/** A tenth of the time. */
const SLOW_MS = { stopped: 90, running: 10 } as const

type State = 'slow' | 'stopped' | 'gone'

export async function measure({ smoke, expect, note }: Context): Promise<Record<string, Measured>> {
  const sessions = smoke ? 20_000 : 1_000_000
  const rounds = smoke ? 1 : 9
  const ms = smoke ? 300 : 3_000
  const plan = await planPair(sessions, 20)
  const primary = new RemoteNode()
  const plain = new RemoteNode()
  let secondary: RemoteNode | undefined
  const ratios: Record<State, number[]> = { slow: [], stopped: [], gone: [] }
  const times: Record<State | 'without', CallTimes[]> = { slow: [], stopped: [], gone: [], without: [] }
  const grown: number[] = []

  const states: Readonly<Record<State, () => Promise<CallTimes>>> = {
    slow: async () => {
      const measuring = primary.call('callTimes', 'node', sessions, ms)
      await slowed(secondary!, measuring)
      return measuring
    },
    stopped: async () => {
      secondary!.signal('SIGSTOP')
      const measured = await primary.call('callTimes', 'node', sessions, ms)
      secondary!.signal('SIGCONT')
      return measured
    },
    gone: async () => {
      await secondary!.end()
      const measured = await primary.call('callTimes', 'node', sessions, ms)
      secondary = await follow(plan)
      return measured
    },
  }

  try {
    await primary.call('start', plan, 'a')
    expect((await primary.call('ready')) === 'primary', 'a node that meets nobody leads')
    await primary.call('fill', sessions)
    await plain.call('fillPlain', sessions)
    secondary = await follow(plan)
    await primary.call('protecting')
    let rssBytes = 0
    for (let round = -1; round < rounds; round++) {
      for (const state of ['slow', 'stopped', 'gone'] as const) {
        const without = await plain.call('callTimes', 'plain', sessions, ms)
        const measured = await states[state]()
        await primary.call('protecting')
        const { equal } = await primary.call('verify')
        expect(equal, `both tables have the same digests after a secondary that was ${state}`)
        // The first round compiles, and brings memory to where it stays.
        if (round < 0) rssBytes = Math.max(rssBytes, measured.rssBytes)
        else {
          ratios[state].push(measured.p999Ns / without.p999Ns)
          times[state].push(measured)
          times.without.push(without)
          grown.push(Math.max(0, measured.rssBytes - rssBytes))
          note(`${state}: p99.9 ${measured.p999Ns} ns, without ${without.p999Ns} ns`)
        }
      }
    }
    const figure = (state: State): Measured => ({
      runs: ratios[state],
      detail: {
        p999_ns: median(times[state].map(({ p999Ns }) => p999Ns)),
        without_p999_ns: median(times.without.map(({ p999Ns }) => p999Ns)),
        p50_ns: median(times[state].map(({ p50Ns }) => p50Ns)),
        without_p50_ns: median(times.without.map(({ p50Ns }) => p50Ns)),
        updates_per_s: (median(times[state].map(({ calls }) => calls)) / ms) * 1000,
      },
    })
    return {
      'overload.slow.p999_ratio': figure('slow'),
      'overload.stopped.p999_ratio': figure('stopped'),
      'overload.gone.p999_ratio': figure('gone'),
      'overload.memory_bytes': { runs: grown, value: Math.max(...grown), detail: { rss_bytes: rssBytes } },
    }
  } finally {
    await Promise.all([primary.end(), plain.end(), secondary?.end()])
  }
}

async function follow(plan: PairPlan): Promise<RemoteNode> {
  const secondary = new RemoteNode()
  try {
    await secondary.call('start', plan, 'b')
    await secondary.call('ready')
    return secondary
  } catch (error) {
    await secondary.end()
    throw error
  }
}

/** Lets a process run for a tenth of the time until `done` settles, and on from then. */
async function slowed(process: RemoteNode, done: Promise<unknown>): Promise<void> {
  let isDone = false
  const end = () => {
    isDone = true
  }
  done.then(end, end)
  while (!isDone) {
    process.signal('SIGSTOP')
    await tick(SLOW_MS.stopped)
    process.signal('SIGCONT')
    await tick(SLOW_MS.running)
  }
}
