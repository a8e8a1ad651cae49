// table.call_ms_max: the longest single call while ten million sessions are inserted one by one. The machine interrupts
// any of them, but not the same one each time: the same insertion is made five times, and what counts of a call is the
// shortest of its five times. What the table does itself, memory touched for the first time, bitmaps, buckets that
// overflow, is the same each time and stays.

import type { Context, Measured } from '../lib/figure.ts'
import { createConnections } from '../lib/replicas.ts'
import { fieldsOf, keyOf } from '../lib/sessions.ts'
import { quantile } from '../lib/statistics.ts'

const RUNS = 5

export async function measure({ smoke, expect, note }: Context): Promise<Record<string, Measured>> {
  const sessions = smoke ? 20_000 : 10_000_000
  const shortest = new Float32Array(sessions).fill(Number.POSITIVE_INFINITY)
  const longest: number[] = []
  const seconds: number[] = []
  for (let run = 0; run < RUNS; run++) {
    note(`${sessions} insertions, run ${run + 1} of ${RUNS}`)
    globalThis.gc?.()
    const { most, took } = insert(sessions, shortest, expect)
    longest.push(most)
    seconds.push(took)
  }
  let most = 0
  let sum = 0
  for (const ms of shortest) {
    most = Math.max(most, ms)
    sum += ms
  }
  return {
    'table.call_ms_max': {
      runs: longest,
      value: most,
      detail: {
        mean_ns: (sum / sessions) * 1e6,
        p99_9_ns: quantile([...shortest.subarray(sessions - Math.min(sessions, 1_000_000))], 0.999) * 1e6,
        random_get_ns: randomGets(sessions, expect),
        insert_s: Math.min(...seconds),
      },
    },
  }
}

/** Inserts every session into a new table; gives the longest call and the seconds of all. */
function insert(sessions: number, shortest: Float32Array, expect: Context['expect']) {
  const table = createConnections(sessions)
  let most = 0
  const first = performance.now()
  for (let i = 0; i < sessions; i++) {
    const key = keyOf(i)
    const fields = fieldsOf(i)
    const began = performance.now()
    table.set(key, fields)
    const ms = performance.now() - began
    if (ms < shortest[i]!) shortest[i] = ms
    if (ms > most) most = ms
  }
  const took = (performance.now() - first) / 1000
  expect(table.size === sessions, 'every session is inserted')
  return { most, took }
}

/** Nanoseconds of `table.get(key).packets` of random sessions. */
function randomGets(sessions: number, expect: Context['expect']): number {
  const table = createConnections(sessions)
  const rows = table.rows(1024)
  for (let i = 0; i < sessions; ) {
    rows.clear()
    for (const end = Math.min(sessions, i + 1024); i < end; i++) rows.add(keyOf(i), fieldsOf(i))
    table.setMany(rows)
  }
  expect(table.size === sessions, 'every session is inserted by setMany')
  const steps = Math.min(sessions, 1_000_000)
  let right = 0
  const began = performance.now()
  for (let step = 0; step < steps; step++) {
    const i = Math.imul(step, 0x9e3779b1) >>> 0
    if (table.get(keyOf(i % sessions))!.packets === fieldsOf(i % sessions).packets) right++
  }
  const ns = ((performance.now() - began) / steps) * 1e6
  expect(right === steps, 'get shows what was set')
  return ns
}
