// The replica's driver: when it flushes, what it says, and that it shows the application thread to be alive.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { FromSync, ToSync } from '../../src/core/messages.ts'
import { SHARED_WORDS, SharedWord } from '../../src/core/messages.ts'
import { Replica } from '../../src/core/replica.ts'
import type { ReplicaEvent } from '../../src/core/replica-event.ts'
import { monotonicMs } from '../../src/io/clock.ts'
import { Driver } from '../../src/io/driver.ts'
import { defineTable } from '../../src/schema/index.ts'
import { createTable } from '../../src/table/index.ts'
import { FrameType } from '../../src/wire/constants.ts'
import { until } from '../node/support.ts'

const test = suite('driver')

const definition = defineTable({ name: 't', key: { id: 'u32' }, fields: { n: 'u32' }, capacity: 2_000 })
const PRIMARY: FromSync = {
  type: 'role',
  role: 'primary',
  epoch: 10,
  lineage: '0123456789abcdef',
  reason: 'alone',
  word: 5,
  position: { epoch: 0, sequence: 0 },
  durationMs: 0,
}

/** A driven replica that leads and feeds, and everything it says. */
function start() {
  const words = new Int32Array(new SharedArrayBuffer(SHARED_WORDS * 4))
  const gate = { words, open: -1 }
  const table = createTable(definition, { gate })
  const sent: ToSync[] = []
  const events: ReplicaEvent[] = []
  const broken: unknown[] = []
  const replica = new Replica({ stores: [table], gate, flushInterval: 0, random: Math.random })
  const driver = new Driver(replica, words, 5, monotonicMs, {
    send: (messages) => sent.push(...messages),
    event: (event) => events.push(event),
    broken: (error) => broken.push(error),
  })
  words[SharedWord.ROLE] = 5
  driver.handleMessages([PRIMARY, { type: 'attach', epoch: 10, follow: 1 }])
  const frames = (type: number) =>
    sent.filter((message) => message.type === 'frame' && message.frame[4] === type).length
  return { words, table, replica, driver, sent, events, broken, frames }
}

test('messages are answered in a turn of their own, together', async () => {
  const { sent, events, frames, driver } = start()
  assert.is(sent.length, 0)
  await until('it has spoken', () => frames(FrameType.RESYNC) === 1)
  assert.is(events[0]!.type, 'role')
  driver.stop()
})

test("a run's changes leave as one batch, after the run", async () => {
  const { table, frames, driver } = start()
  await until('it feeds', () => frames(FrameType.RESYNC) === 1)
  for (let id = 0; id < 500; id++) table.set({ id }, { n: id })
  await Promise.resolve()
  assert.is(frames(FrameType.BATCH), 0)
  await until('the batch is out', () => frames(FrameType.BATCH) > 0)
  assert.is(frames(FrameType.BATCH), 1)
  driver.stop()
})

test('an idle application thread shows progress, a blocked one does not', async () => {
  const { words, driver } = start()
  const progress = () => Atomics.load(words, SharedWord.PROGRESS)
  const before = progress()
  await until('progress', () => progress() > before + 3)
  const blocked = progress()
  const end = monotonicMs() + 50
  while (monotonicMs() < end);
  assert.is(progress(), blocked)
  driver.stop()
})

test('a broken contract inside is handed up, not thrown at the application', () => {
  const { driver, broken } = start()
  driver.handleMessages([{ type: 'frame', frame: new Uint8Array(3) }])
  assert.is(broken.length, 1)
  assert.match((broken[0] as Error).message, /malformed/)
  driver.stop()
})

test('stop() says what was left and then rests', async () => {
  const { words, driver, sent, table } = start()
  driver.stop()
  const said = sent.length
  assert.ok(said > 0)
  const progress = Atomics.load(words, SharedWord.PROGRESS)
  table.set({ id: 1 })
  // Another driver's pulse tells when this one's would have come.
  const other = start()
  await until('pulses', () => Atomics.load(other.words, SharedWord.PROGRESS) > 3)
  other.driver.stop()
  assert.is(sent.length, said)
  assert.is(Atomics.load(words, SharedWord.PROGRESS), progress)
})

test.run()
