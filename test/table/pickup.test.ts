// Sessions that are held back: what leaves a primary, and when. Random histories with jumps of time against the twin,
// through overflow, resync and changes of role; then the cases one by one.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { defineTable } from '../../src/schema/index.ts'
import { definitionOf, type Kind, PickupPair, ROOM } from '../support/pickup-pair.ts'
import { type Random, runs, seeded } from '../support/seed.ts'
import { applyBatch, type LooseSession, type LooseTable, makeNode } from '../support/tables.ts'

function step(random: Random, pair: PickupPair): void {
  const { kind, primary, secondary } = pair
  const id = random.below(Math.ceil(kind.capacity * 1.3))
  const fields = {
    value: random.below(kind.indexed ? kind.capacity : 5),
    secret: random.chance(0.3),
    broken: random.chance(0.1),
    ...(kind.long && { note: 'long'.repeat(random.pick([0, 1, 20, 1500])) }),
  }
  const dice = random.below(100)
  if (dice < 40) pair.set(id, fields)
  else if (dice < 50) pair.update(id, fields)
  else if (dice < 55) pair.assign(id, fields.value)
  else if (dice < 75) pair.delete(id)
  else if (dice < 84) pair.now += random.pick([0.2, 1, 7.7, 500 * kind.delay, 1000 * kind.delay, 3000])
  else if (dice < 90) pair.turn()
  else if (dice < 96) {
    if (random.chance(0.7)) pair.turn()
    pair.flush(random.pick([0, 1000, ROOM]))
  } else if (dice < 97) pair.demand()
  else {
    const segment = random.below(primary.table.segments)
    const act = random.below(8)
    if (act < 3) secondary.table.setAwaited(segment, 1, true)
    else if (act < 6) pair.answer(segment)
    else if (act < 7) pair.clear()
    else pair.exchangeRoles()
  }
}

const KINDS: readonly Kind[] = [
  { capacity: 12, delay: 2, filter: false, overflows: false, indexed: false, long: false },
  { capacity: 12, delay: 0.0625, filter: true, overflows: false, indexed: false, long: false },
  { capacity: 12, delay: 0, filter: true, overflows: false, indexed: false, long: false },
  { capacity: 12, delay: 1, filter: true, overflows: false, indexed: true, long: false },
  { capacity: 30, delay: 1, filter: false, overflows: true, indexed: true, long: false },
  { capacity: 20, delay: 1, filter: true, overflows: false, indexed: true, long: true },
  { capacity: 30, delay: 1, filter: true, overflows: true, indexed: false, long: true },
  { capacity: 40, delay: 1, filter: true, overflows: true, indexed: false, long: false },
  { capacity: 1060, delay: 2, filter: false, overflows: true, indexed: false, long: false },
]

for (const kind of KINDS) {
  const { capacity, delay, filter, overflows, indexed, long } = kind
  const what = `${capacity} sessions, delay ${delay} s${filter ? ', filter' : ''}${overflows ? ', overflow' : ''}${indexed ? ', index' : ''}${long ? ', long values' : ''}`
  test(
    `a secondary holds what was picked up and nothing else (${what})`,
    seeded((random) => {
      for (let run = 0; run < runs(capacity > 1000 ? 5 : 20); run++) {
        const pair = new PickupPair(kind)
        // Enough to fill the small journal many times.
        if (overflows) for (let id = 0; id < capacity; id++) if (random.chance(0.8)) pair.set(id, {})
        for (let i = 0; i < 400; i++) step(random, pair)
        pair.settle()
        pair.now += 5000
        pair.turn()
        pair.settle()
        for (const [id] of pair.createdAt) assert.is(pair.primary.table.has({ id }), true)
        if (overflows) assert.ok(pair.overflows > 0, 'no overflow in this history')
      }
    }),
  )
}

const simple = (delay: number) =>
  definitionOf({ capacity: 100, delay, filter: false, overflows: false, indexed: false, long: false })

/** Turns and flushes at times, and what each sent. */
function sendAt(table: LooseTable, now: number): Uint8Array {
  for (let at = table.pickupDeadline(now); at !== undefined && at <= now; at = table.pickupDeadline(now)) {
    table.pickUp(now)
  }
  return table.encode(ROOM).slice()
}

test('a session created and deleted within the delay costs no byte', () => {
  const { table } = makeNode(simple(2), 'primary')
  let bytes = 0
  for (let i = 0; i < 10_000; i++) {
    const now = i
    table.set({ id: i % 60_000 }, { value: 1 })
    const view = table.get({ id: i }) as LooseSession
    view.value = 7
    if (i >= 90) assert.is(table.delete({ id: i - 90 }), true)
    bytes += sendAt(table, now).length
  }
  assert.equal([bytes, table.size, table.held], [0, 90, 90])
})

test('a session is replicated once it has lived for the delay, with what it holds then', () => {
  const { table } = makeNode(simple(2), 'primary')
  const secondary = makeNode(simple(2), 'secondary').table
  table.set({ id: 1 }, { value: 1 })
  assert.is(sendAt(table, 100.5).length, 0)
  assert.is(table.pickupDeadline(100.5), 2101)
  table.update({ id: 1 }, { value: 2 })
  assert.is(sendAt(table, 2100.9).length, 0)
  applyBatch(secondary, sendAt(table, 2101))
  assert.is((secondary.get({ id: 1 }) as LooseSession).value, 2)
  assert.equal([table.held, table.pickupDeadline(2101)], [0, undefined])
})

test('the clock may pass 2^32 ms', () => {
  const { table } = makeNode(simple(2), 'primary')
  const start = 2 ** 32 - 1000
  table.set({ id: 1 })
  assert.is(sendAt(table, start).length, 0)
  assert.is(table.pickupDeadline(start), start + 2000)
  assert.is(sendAt(table, start + 1999).length, 0)
  assert.ok(sendAt(table, start + 2000).length > 0)
})

test('a young session in the slot of one that was replicated: the deletion goes, the young one later', () => {
  const { table } = makeNode(simple(2), 'primary')
  const secondary = makeNode(simple(2), 'secondary').table
  table.set({ id: 1 })
  sendAt(table, 0)
  applyBatch(secondary, sendAt(table, 2000))
  for (const id of [2, 1]) {
    table.delete({ id: table.has({ id: 1 }) ? 1 : 2 })
    table.set({ id })
    applyBatch(secondary, sendAt(table, 3000))
    assert.is(secondary.size, 0)
    applyBatch(secondary, sendAt(table, 6000))
    assert.equal([secondary.size, secondary.has({ id })], [1, true])
  }
})

test('a filter is asked once, with plain values, and again when the session is replaced', () => {
  const asked: unknown[] = []
  const definition = defineTable({
    name: 'asked',
    key: { id: 'u8' },
    fields: { kind: ['keep', 'share'], n: 'u8' },
    capacity: 10,
    pickup: {
      delay: 1,
      filter: (session) => {
        asked.push({ ...session })
        return session.kind === 'share'
      },
    },
  })
  const { table } = makeNode(definition, 'primary')
  table.set({ id: 1 }, { kind: 'keep', n: 1 })
  sendAt(table, 0)
  assert.is(sendAt(table, 1000).length, 0)
  for (const now of [2000, 3000]) {
    table.update({ id: 1 }, { kind: 'share' })
    assert.is(sendAt(table, now).length, 0)
  }
  assert.equal(asked, [{ id: 1, kind: 'keep', n: 1 }])
  table.set({ id: 1 }, { kind: 'share', n: 2 })
  assert.ok(sendAt(table, 3000).length > 0)
  assert.is(asked.length, 2)
  table.set({ id: 1 }, { kind: 'keep', n: 3 })
  assert.ok(sendAt(table, 9000).length > 0)
  assert.is(asked.length, 2, 'a replicated session is not asked about')
})

test('a filter is shown values of any length', () => {
  const asked: unknown[] = []
  const definition = defineTable({
    name: 'long',
    key: { id: 'u8' },
    fields: { note: 'text', raw: 'blob' },
    capacity: 10,
    arena: 2 ** 20,
    pickup: { filter: ({ note, raw }) => asked.push([note, [...raw]]) > 1 },
  })
  const { table } = makeNode(definition, 'primary')
  const secondary = makeNode(definition, 'secondary').table
  const note = 'é'.repeat(5_000)
  table.set({ id: 1 }, { note, raw: Uint8Array.of(1, 2) })
  assert.is(sendAt(table, 0).length, 0)
  table.set({ id: 1 }, { note, raw: Uint8Array.of(3) })
  applyBatch(secondary, sendAt(table, 0))
  assert.equal(asked, [
    [note, [1, 2]],
    [note, [3]],
  ])
  assert.is((secondary.get({ id: 1 }) as LooseSession).note, note)
})

test('a filter that throws is told, and its session is replicated', () => {
  const { table } = makeNode(
    definitionOf({ capacity: 10, delay: 0, filter: true, overflows: false, indexed: false, long: false }),
    'primary',
  )
  const errors: unknown[] = []
  table.onPickupError = (error) => errors.push(error)
  table.set({ id: 1 }, { broken: true })
  assert.ok(sendAt(table, 0).length > 0)
  assert.equal(errors.map(String), ['Error: a filter that fails'])
})

test('a filter may delete, replace and create sessions of its table', () => {
  let table: LooseTable
  const definition = defineTable({
    name: 'meddling',
    key: { id: 'u8' },
    fields: { n: 'u8' },
    capacity: 10,
    pickup: {
      filter: ({ id }) => {
        if (id === 1) table.delete({ id })
        if (id === 2) {
          table.delete({ id })
          table.set({ id: 3 })
        }
        if (id === 4) table.set({ id }, { n: 9 })
        return true
      },
    },
  })
  const node = makeNode(definition, 'primary')
  table = node.table
  const secondary = makeNode(definition, 'secondary').table
  for (const id of [1, 2, 4]) table.set({ id }, { n: 1 })
  applyBatch(secondary, sendAt(table, 0))
  const sessions = ([...secondary] as LooseSession[]).map(({ id, n }) => `${id}: ${n}`)
  assert.equal(sessions.sort(), ['3: 0', '4: 9'])
})

test('the first write after a turn is told, on a primary without a secondary too', () => {
  const { table } = makeNode(simple(2), 'primary')
  let told = 0
  table.onChange = () => told++
  table.setTracking(false)
  table.set({ id: 1 })
  table.set({ id: 2 })
  assert.is(told, 1)
  table.pickUp(0)
  table.set({ id: 3 })
  assert.is(told, 2)
  for (const now of [1, 5000]) table.pickUp(now)
  assert.equal([table.held, table.changed], [0, false])
})

test('a table without pickup holds nothing back and asks for no turn', () => {
  const definition = defineTable({
    name: 't',
    key: { id: 'u8' },
    fields: {},
    capacity: 10,
    pickup: { delay: 0 },
  })
  const { table } = makeNode(definition, 'primary')
  table.set({ id: 1 })
  table.demandPickup()
  assert.equal(
    [table.held, table.pickupDemanded, table.pickupDeadline(0), table.dropHeld()],
    [0, false, undefined, true],
  )
  assert.ok(table.encode(ROOM).length > 0)
})

test.run()
