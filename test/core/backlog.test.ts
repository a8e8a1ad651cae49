// What the primary's replica does with changes that do not fit into one batch, with a jumped clock.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { FLUSH_ROOM_BYTES, FLUSHES_AHEAD } from '../../src/core/feeder.ts'
import type { FromSync } from '../../src/core/messages.ts'
import { FRAME_COST_BYTES } from '../../src/core/options.ts'
import { Replica } from '../../src/core/replica.ts'
import { defineTable } from '../../src/schema/index.ts'
import { createTable } from '../../src/table/index.ts'
import { FRAME_TYPE_OFFSET, FrameType } from '../../src/wire/constants.ts'

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

test('batches that nobody acknowledges are bounded in number, and their buffers are full', () => {
  const { table, replica } = start()
  let batches = 0
  for (let now = 5_000; ; now += FLUSH_MS) {
    table.set({ id: 1 }, { n: now })
    if (replica.pollTimeout(now) === undefined) break
    replica.handleTimeout(now)
    replica.takeEvents()
    for (const message of replica.takeMessages()) {
      if (message.type !== 'frame') continue
      const { frame } = message
      assert.ok(frame.buffer.byteLength <= 2 * frame.length, 'no buffer is mostly empty')
      if (frame[FRAME_TYPE_OFFSET] === FrameType.BATCH) batches++
    }
    assert.ok(batches <= FLUSHES_AHEAD, `${batches} batches wait`)
  }
  assert.is(batches, FLUSHES_AHEAD)
  acknowledge(replica, 0)
  assert.ok(replica.pollTimeout(1e9)! <= 1e9, 'an acknowledgement lets the next go')
})

test('a backlog that nobody acknowledges is bounded by what its frames take, not by what they say', () => {
  const { table, replica } = start()
  let [frames, bytes] = [0, 0]
  for (let now = 5_000; ; now += FLUSH_MS) {
    for (let id = 0; id < 5_000; id++) table.set({ id }, { n: now })
    if (replica.pollTimeout(now) === undefined) break
    replica.handleTimeout(now)
    replica.takeEvents()
    for (const message of replica.takeMessages()) {
      if (message.type !== 'frame') continue
      bytes += message.frame.buffer.byteLength + FRAME_COST_BYTES
      frames++
    }
    assert.ok(bytes < FLUSH_ROOM_BYTES + 8_192 + FRAME_COST_BYTES, `${frames} frames wait in ${bytes} bytes`)
  }
  assert.ok(bytes > FLUSH_ROOM_BYTES / 2)
})

/** The secondary acknowledges everything made so far, with so much awaited. */
function acknowledge(replica: Replica, awaited: number): void {
  const { sequence } = replica.position
  replica.handleMessage({ type: 'ack', attach: 1, received: sequence, applied: sequence, awaited }, 5_000)
}

/** A pair that was synced, and whose backlog is half sent; who waits is told with `reject`. */
function startBacklog() {
  const started = start()
  const { table, replica, flush } = started
  replica.handleMessage({ type: 'peer', alive: true }, 0)
  acknowledge(replica, 0)
  for (let id = 0; id < 5_000; id++) table.set({ id })
  assert.equal(flush(5_000), [FrameType.PARTIAL])
  replica.takeEvents()
  const heldEvents = () => replica.takeEvents().flatMap((event) => (event.type === 'held' ? [event] : []))
  return { ...started, heldEvents }
}

test('who waits is not told that the secondary is gone while it takes a backlog', () => {
  const { replica, flush, heldEvents } = startBacklog()
  const early = replica.replicated('reject')
  acknowledge(replica, 1)
  const late = replica.replicated('reject')
  assert.is(late, early, 'both wait for the same')
  let last: number | undefined
  while (last !== FrameType.BATCH) {
    last = flush(5_000).at(-1)
    assert.equal(heldEvents(), [])
    assert.not(replica.isProtected)
    acknowledge(replica, last === FrameType.BATCH ? 0 : 1)
  }
  assert.equal(heldEvents(), [{ type: 'held', group: early, outcome: 'held' }])
  assert.ok(replica.isProtected)
})

const ends: readonly [string, (replica: Replica) => void][] = [
  ['awaits a segment as well', (replica) => acknowledge(replica, 2)],
  ['is not heard any more', (replica) => replica.handleMessage({ type: 'peer', alive: false }, 5_000)],
  ['follows no more', (replica) => replica.handleMessage({ type: 'detach' }, 5_000)],
  ['begins anew', (replica) => replica.handleMessage({ type: 'attach', epoch: 10, follow: 2 }, 5_000)],
]

for (const [what, end] of ends) {
  test(`but it is told when a secondary with a backlog ${what}`, () => {
    const { replica, heldEvents } = startBacklog()
    acknowledge(replica, 1)
    const group = replica.replicated('reject')
    assert.equal(heldEvents(), [])
    end(replica)
    assert.equal(heldEvents(), [{ type: 'held', group, outcome: 'alone' }])
  })
}

test('a segment that is awaited after a backlog is no backlog', () => {
  const { replica, flush, heldEvents } = startBacklog()
  while (flush(5_000).at(-1) !== FrameType.BATCH) acknowledge(replica, 1)
  const group = replica.replicated('reject')
  acknowledge(replica, 1)
  assert.equal(heldEvents(), [{ type: 'held', group, outcome: 'alone' }])
})

test.run()
