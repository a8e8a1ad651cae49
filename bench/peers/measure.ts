// One run over all peers, in plain Node: each is started and filled once; then the rounds of updates go round all of
// them, then the rounds of filling an empty copy. So whatever the machine does meanwhile, it does to all.
import { median } from '../lib/statistics.ts'
import { PEERS } from './list.ts'
import type { Peer, ResyncRun, Running, UpdateRun } from './peer.ts'
import type { PeerResult } from './results.ts'

export type MeasureMessage =
  | { readonly type: 'note'; readonly text: string }
  | { readonly type: 'results'; readonly results: Readonly<Record<string, PeerResult>> }

interface Sizes {
  readonly sessions: number
  readonly updates: number
  readonly rounds: number
  readonly resyncs: number
}

const [size = '', ...names] = process.argv.slice(2)
const sizes: Sizes =
  size === 'smoke'
    ? { sessions: 20_000, updates: 20_000, rounds: 1, resyncs: 1 }
    : { sessions: 1_000_000, updates: 1_000_000, rounds: 5, resyncs: 5 }

function send(message: MeasureMessage): void {
  if (process.send) process.send(message)
  else console.log(message.type === 'note' ? message.text : message.results)
}
const note = (text: string) => send({ type: 'note', text })

/** What one peer did. */
interface Lane {
  readonly peer: Peer
  readonly running: Running
  readonly updates: UpdateRun[]
  readonly resyncs: ResyncRun[]
}

const least = (wanted: number, most: number | undefined) => Math.min(wanted, most ?? wanted)

async function measure(): Promise<void> {
  const lanes: Lane[] = []
  try {
    for (const peer of PEERS.filter(({ name }) => names.includes(name))) {
      note(`${peer.title}: filled with ${least(sizes.sessions, peer.sessionsMax)} sessions ...`)
      const running = await peer.start(least(sizes.sessions, peer.sessionsMax))
      lanes.push({ peer, running, updates: [], resyncs: [] })
    }
    for (let round = -1; round < sizes.rounds; round++) {
      for (const { peer, running, updates } of lanes) {
        const result = await running.update(
          least(Math.min(sizes.updates, running.sessions), peer.updatesMax),
          round,
        )
        note(
          `${peer.title}: ${Math.round((result.updates * 1000) / result.ms).toLocaleString('en-US')} updates/s`,
        )
        // The first round compiles, and warms caches.
        if (round >= 0) updates.push(result)
      }
    }
    for (let round = 0; round < sizes.resyncs; round++) {
      for (const { peer, running, resyncs } of lanes) {
        const result = await running.resync()
        resyncs.push(result)
        note(`${peer.title}: an empty copy filled in ${(result.ms / 1000).toFixed(2)} s`)
      }
    }
    send({
      type: 'results',
      results: Object.fromEntries(lanes.map((lane) => [lane.peer.name, toResult(lane)])),
    })
  } finally {
    for (const { running } of lanes) await running.end()
  }
}

function toResult({ peer, running, updates, resyncs }: Lane): PeerResult {
  const each = <Run>(runs: readonly Run[], value: (run: Run) => number) => {
    const values = runs.map((run) => Number(value(run).toPrecision(4)))
    return { value: median(values), runs: values }
  }
  const { title, setup, more, less, bytes } = peer
  return {
    title,
    version: running.version,
    sessions: running.sessions,
    updates_per_round: updates[0]!.updates,
    setup,
    more,
    less,
    bytes_counted_as: bytes,
    figures: {
      updates_per_s: each(updates, (run) => (run.updates * 1000) / run.ms),
      bytes_per_update: each(updates, (run) => run.bytes / run.updates),
      primary_cpu_us_per_update: each(updates, (run) => (run.primaryMs * 1000) / run.updates),
      secondary_cpu_us_per_update: each(updates, (run) => (run.secondaryMs * 1000) / run.updates),
      resync_ms: each(resyncs, (run) => run.ms),
      resync_sessions_per_s: each(resyncs, (run) => (run.sessions * 1000) / run.transferMs),
      resync_bytes_per_session: each(resyncs, (run) => run.bytes / run.sessions),
    },
  }
}

// The parent may end first. An orderly exit in any case, for it takes what was started along.
const orphaned = () => process.exit(1)
process.on('disconnect', orphaned)
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, orphaned)
await measure()
process.off('disconnect', orphaned)
process.disconnect?.()
