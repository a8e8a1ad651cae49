// How long single calls take, as a distribution. The clock of Node counts nanoseconds and a look at it costs some forty,
// a tenth of a call: each call is timed for itself, and what the clock costs is in all of them alike. Times are counted
// in bins, so that measuring needs no memory that grows.
import { tick } from './time.ts'

const BIN_NS = 10
const BINS = 200_000
/** Calls between two turns of the event loop. */
const CALLS_PER_TURN = 256
/** How often the memory of the process is looked at. */
const MEMORY_EVERY_MS = 20

export interface CallTimes {
  readonly calls: number
  readonly p50Ns: number
  readonly p999Ns: number
  readonly maxNs: number
  /** The most that the process had. */
  readonly rssBytes: number
}

/** Calls `call` as fast as it goes for so long, after `prepare`, which is not timed, with turns of the event loop between. */
export async function timeCalls(ms: number, prepare: () => void, call: () => void): Promise<CallTimes> {
  const bins = new Uint32Array(BINS)
  let calls = 0
  let maxNs = 0
  let rssBytes = 0
  let memoryAt = 0
  const end = performance.now() + ms
  for (let now = 0; now < end; now = performance.now()) {
    if (now >= memoryAt) {
      rssBytes = Math.max(rssBytes, process.memoryUsage.rss())
      memoryAt = now + MEMORY_EVERY_MS
    }
    for (let n = 0; n < CALLS_PER_TURN; n++) {
      prepare()
      const began = performance.now()
      call()
      const ns = (performance.now() - began) * 1e6
      bins[Math.min(BINS - 1, Math.floor(ns / BIN_NS))]!++
      if (ns > maxNs) maxNs = ns
    }
    calls += CALLS_PER_TURN
    await tick(0)
  }
  return {
    calls,
    p50Ns: quantileNs(bins, calls, 0.5),
    p999Ns: quantileNs(bins, calls, 0.999),
    maxNs,
    rssBytes,
  }
}

/** The upper end of the bin below which the share `q` of the calls lies. */
function quantileNs(bins: Uint32Array, calls: number, q: number): number {
  let below = 0
  let bin = 0
  for (; bin < BINS - 1; bin++) {
    below += bins[bin]!
    if (below >= calls * q) break
  }
  return (bin + 1) * BIN_NS
}
