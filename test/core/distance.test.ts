// Two nodes with a long way between them, under steady writes: as many batches as may be are always on their way, and
// what goes on between batches goes on all the same.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { defineTable } from '../../src/schema/index.ts'
import { CorePair, type PairNode } from '../support/core-pair.ts'

const LATENCY_MS = 25
const SESSIONS = 60_000

/** A primary that holds so many sessions, `timeout` seconds each. */
function startFull(timeout: number | undefined): { pair: CorePair; a: PairNode } {
  const rest = timeout === undefined ? {} : { timeout }
  const definition = defineTable({
    name: 't',
    key: { id: 'u32' },
    fields: { n: 'u32' },
    capacity: SESSIONS,
    ...rest,
  })
  const pair = new CorePair([definition])
  pair.latencyMs = LATENCY_MS
  const a = pair.start('a', { priority: 200 })
  pair.until('a leads', () => a.role === 'primary' && a.canWrite)
  for (let id = 0; id < SESSIONS; id++) a.table.set({ id }, { n: id })
  return { pair, a }
}

/** One session after another is written, each millisecond. */
function keepWriting(pair: CorePair, a: PairNode): void {
  let n = 0
  const write = () => {
    a.table.set({ id: n % 100 }, { n: n++ })
    a.settleReplica()
    pair.after(1, write)
  }
  write()
}

test('an empty secondary is filled', () => {
  const { pair, a } = startFull(undefined)
  keepWriting(pair, a)
  const b = pair.start('b', { priority: 100 })
  pair.until('b follows', () => b.role === 'secondary')
  pair.until('b is synced', () => b.replica.isSynced, 1_000)
})

test('a proof of everything comes to its end,', () => {
  const { pair, a } = startFull(undefined)
  const b = pair.start('b', { priority: 100 })
  pair.until('a is protected', () => a.replica.isProtected)
  keepWriting(pair, a)
  pair.run(500)
  a.replica.verify()
  a.settleReplica()
  const proof = () => a.events.find((event) => event.type === 'verified')
  pair.until('the proof is over', () => proof() !== undefined, 1_000)
  assert.is(proof()?.result?.equal, true)
  assert.ok(b.replica.isSynced)
})

test('sessions that expire all at once leave the pair synced', () => {
  const { pair, a } = startFull(5)
  const b = pair.start('b', { priority: 100 })
  pair.until('a is protected', () => a.replica.isProtected)
  keepWriting(pair, a)
  a.events.length = 0
  pair.until('they are gone', () => b.table.size === 100, 10_000)
  assert.equal(
    a.events.filter(({ type }) => type === 'synced'),
    [],
    'the journal never overflowed',
  )
})

test.run()
