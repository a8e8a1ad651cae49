// Table time: one clock for two nodes that goes on over a change of primary and never goes back, but at a RESYNC.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { FromSync, ToSync } from '../../src/core/messages.ts'
import { Replica } from '../../src/core/replica.ts'
import { TableTime, TICKS_MAX } from '../../src/core/table-time.ts'
import { NO_SYNC_STATUS } from '../../src/status.ts'
import { createTable, openGate } from '../../src/table/index.ts'
import { tiny } from '../support/tables.ts'
import { TwinStore } from '../twins/store.ts'
import { twinSchemaOf } from '../twins/values.ts'

test('it begins at 1 and counts sixteenths of a second', () => {
  const time = new TableTime()
  assert.is(time.read(5_000), 1)
  assert.is(time.read(5_062), 1)
  assert.is(time.read(5_062.5), 2)
  assert.is(time.read(6_000), 17)
  assert.is(time.read(5_500), 17, 'never back')
})

test('what is heard goes on by the own clock, and one that is ahead waits', () => {
  const time = new TableTime()
  time.read(0)
  time.hear(1_000, 100)
  assert.is(time.read(1_100), 1_016)
  time.hear(1_008, 1_100)
  assert.is(time.read(1_100), 1_016)
  assert.is(time.read(1_600), 1_016)
  assert.is(time.read(1_662.5), 1_017)
})

test('a RESYNC sets it, even back; a leader goes on from where it is', () => {
  const time = new TableTime()
  time.adopt(2 ** 20, 0)
  time.adopt(50, 10)
  assert.is(time.read(1_010), 66)
  time.hear(10, 1_010)
  assert.is(time.read(1_500), 66)
  time.lead(1_500)
  assert.is(time.read(2_500), 82)
})

test('it ends at the last tick a u32 holds', () => {
  const time = new TableTime()
  time.adopt(TICKS_MAX - 1, 0)
  assert.is(time.read(1e9), TICKS_MAX)
})

function start() {
  const definition = tiny(10)
  const store = new TwinStore(twinSchemaOf(definition), definition)
  return {
    store,
    replica: new Replica({ stores: [store], gate: { open: -1 }, flushInterval: 0, random: Math.random }),
  }
}

function role(replica: Replica, name: 'primary' | 'secondary', epoch: number, now: number): void {
  const position = { epoch: 0, sequence: 0 }
  const rest = { lineage: '0123456789abcdef', reason: 'alone', word: 1, position, durationMs: 0 } as const
  replica.handleMessage({ type: 'role', role: name, epoch, ...rest }, now)
}

const framesOf = (messages: ToSync[]): FromSync[] =>
  messages.flatMap((message) =>
    message.type === 'frame' ? [{ type: 'frame' as const, frame: message.frame }] : [],
  )

test('the secondary has the time of the primary, and keeps it when promoted', () => {
  const [a, b] = [start(), start()]
  role(a.replica, 'primary', 10, 0)
  a.replica.handleTime(100_000)
  assert.is(a.store.time, 1_601)
  // Its clock began elsewhere.
  role(b.replica, 'secondary', 10, 7)
  assert.is(b.store.time, 1)
  a.replica.handleMessage({ type: 'attach', epoch: 10, follow: 1 }, 100_000)
  for (const message of framesOf(a.replica.takeMessages())) b.replica.handleMessage(message, 1_007)
  assert.is(b.store.time, 1_601)
  b.replica.handleTime(2_007)
  assert.is(b.store.time, 1_617)
  const heard = { ...NO_SYNC_STATUS, epoch: 10, tableTime: 1_700 }
  b.replica.handleMessage({ type: 'status', status: heard }, 2_007)
  assert.is(b.store.time, 1_700)
  b.replica.handleMessage({ type: 'status', status: { ...heard, epoch: 12, tableTime: 9_999 } }, 2_007)
  role(b.replica, 'primary', 11, 3_007)
  assert.is(b.store.time, 1_716)
  b.replica.handleMessage({ type: 'status', status: { ...heard, epoch: 11, tableTime: 9_999 } }, 3_007)
  assert.is(b.store.time, 1_716, 'a primary hears nobody')
})

test('a primary says its time for the heartbeats every second', () => {
  const { replica } = start()
  const said = () => replica.takeMessages().filter((message) => message.type === 'time')
  role(replica, 'primary', 10, 0)
  replica.handleTime(1_000)
  assert.equal(said(), [{ type: 'time', ticks: 17 }])
  replica.handleTime(1_900)
  assert.equal(said(), [])
  replica.handleTime(2_000)
  assert.equal(said(), [{ type: 'time', ticks: 33 }])
})

test('the number of sessions is said with the time, also when nobody is fed', () => {
  const table = createTable(tiny(10), { gate: openGate() })
  const replica = new Replica({
    stores: [table],
    gate: { open: -1 },
    flushInterval: 0,
    random: Math.random,
  })
  role(replica, 'primary', 2, 0)
  replica.takeMessages()
  replica.handleTime(100)
  for (const id of [1, 2, 3]) table.set({ id }, {})
  let worked = 0
  replica.onWork = () => worked++
  replica.handleTime(200)
  assert.is(worked, 1)
  assert.is(replica.pollTimeout(200), 200)
  const said = replica.takeMessages().filter(({ type }) => type === 'sessions')
  assert.equal(said, [{ type: 'sessions', sessions: 3 }])
  replica.handleTime(300)
  assert.is(worked, 1)
})

test.run()
