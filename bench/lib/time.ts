// Clock and timers of the benches.
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises'

/** Milliseconds of the machine's monotonic clock, the same in every process. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6
}

/** So long, or the next turn of the event loop for 0. */
export async function tick(ms: number): Promise<void> {
  await (ms > 0 ? pause(ms) : nextTurn())
}

/** Rejects when the promise has not settled in time: no bench hangs. */
export async function within<T>(ms: number, what: string, promise: Promise<T>): Promise<T> {
  const given = new AbortController()
  const late = pause(ms, undefined, { signal: given.signal }).then(() => {
    throw new Error(`${what}: not within ${ms} ms`)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    given.abort()
    late.catch(() => {})
  }
}

/** Waits until `holds`, looking every two milliseconds, for a bounded time. */
export async function until(ms: number, what: string, holds: () => boolean): Promise<void> {
  const end = performance.now() + ms
  while (!holds()) {
    if (performance.now() > end) throw new Error(`${what}: not within ${ms} ms`)
    await tick(2)
  }
}
