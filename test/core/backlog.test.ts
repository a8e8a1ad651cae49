// What the primary's replica does with changes that do not fit into one batch, with a jumped clock.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { FromSync } from '../../src/core/messages.ts'
import { Replica } from '../../src/core/replica.ts'
import { defineTable } from '../../src/schema/index.ts'
import { createTable } from '../../src/table/index.ts'
import { FrameType } from '../../src/wire/constants.ts'

const FLUSH_MS = 1_000
const definition = defineTable({ name: 't', key: { id: 'u32' }, fields: { n: 'u32' }, capacity: 5_000 })
const WORD = 5
const START: readonly FromSync[] = [
  {
    type: 'role',
    role: 'primary',
    epoch: 10,
    lineage: '0123456789abcdef',
    reason: 'alone',
    word: WORD,
    position: { epoch: 0, sequence: 0 },
    durationMs: 0,
  },
  { type: 'attach', epoch: 10, follow: 1 },
]

/** A feeding replica whose batches are small; `flush` gives the types of the frames it makes at that time. */
function start() {
  const gate = { words: Int32Array.of(WORD), open: -1 }
  const table = createTable(definition, { gate, encodeBytesMax: 4_096 })
  const replica = new Replica({ stores: [table], gate, flushInterval: FLUSH_MS, random: () => 0.5 })
  for (const message of START) replica.handleMessage(message, 0)
  const flush = (now: number): number[] => {
    replica.handleTimeout(now)
    return replica.takeMessages().flatMap((message) => (message.type === 'frame' ? [message.frame[4]!] : []))
  }
  flush(0)
  replica.takeEvents()
  return { table, replica, flush }
}

test('changes wait for the flush interval', () => {
  const { table, replica, flush } = start()
  table.set({ id: 1 })
  assert.equal(flush(5_000), [FrameType.BATCH])
  table.set({ id: 2 })
  assert.is(replica.pollTimeout(5_001), 5_000 + FLUSH_MS)
  assert.equal(flush(5_001), [])
  assert.equal(flush(5_000 + FLUSH_MS), [FrameType.BATCH])
})

test('the rest of a backlog does not: the secondary holds a mix until it has come', () => {
  const { table, replica, flush } = start()
  for (let id = 0; id < 5_000; id++) table.set({ id })
  assert.equal(flush(5_000), [FrameType.PARTIAL])
  const types: number[] = []
  while (types.at(-1) !== FrameType.BATCH) {
    assert.ok(replica.pollTimeout(5_000)! <= 5_000, 'more is due at once')
    types.push(...flush(5_000))
  }
  assert.ok(types.slice(0, -1).every((type) => type === FrameType.PARTIAL))
  table.set({ id: 1 }, { n: 1 })
  assert.is(replica.pollTimeout(5_001), 5_000 + FLUSH_MS, 'then the interval counts again')
})

test.run()
