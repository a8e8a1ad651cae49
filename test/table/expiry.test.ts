// Sessions that expire: when they do, what renews them, what a peer is told of it, and what a sweep takes.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { SessionGoneError, TableFullError, ValueError } from '../../src/errors.ts'
import { defineTable } from '../../src/schema/index.ts'
import { applyBatch, type LooseSession, leases, makeNode, sameDigests } from '../support/tables.ts'

const ROOM = 1 << 20

/** A primary and a secondary with the same time. */
function pair(definition = leases(5000), encodeBytesMax?: number) {
  const options = { date: () => 50_000, ...(encodeBytesMax === undefined ? {} : { encodeBytesMax }) }
  const primary = makeNode(definition, 'primary', options).table
  const secondary = makeNode(definition, 'secondary', options).table
  for (const table of [primary, secondary]) table.setDigestKey(new Uint8Array(16).fill(3))
  const at = (ticks: number) => {
    primary.setTime(ticks)
    secondary.setTime(ticks)
  }
  const carry = () => {
    const batch = primary.encode(ROOM).slice()
    applyBatch(secondary, batch)
    sameDigests(primary, secondary)
    return batch
  }
  at(1)
  return { primary, secondary, at, carry }
}

/** Seconds as ticks. */
const s = (seconds: number): number => 1 + 16 * seconds

test('an idle session is gone when its time is over, on both nodes and by every way', () => {
  const { primary, secondary, at, carry } = pair()
  primary.set({ id: 1 }, { value: 7 })
  carry()
  for (const table of [primary, secondary]) assert.is(table.has({ id: 1 }), true)
  at(s(3) - 1)
  for (const table of [primary, secondary]) assert.is(table.has({ id: 1 }), true)
  at(s(3) + 2)
  for (const table of [primary, secondary]) {
    assert.is(table.has({ id: 1 }), false)
    assert.is(table.get({ id: 1 }), undefined)
    assert.equal([...table], [])
    assert.is(table.size, 1, 'it holds its slot until it is swept')
  }
  for (const write of [
    () => primary.update({ id: 1 }, { value: 8 }),
    () => primary.touch({ id: 1 }),
    () => primary.delete({ id: 1 }),
  ]) {
    assert.is(write(), false)
  }
  assert.is(carry().length, 0)
  assert.is(secondary.sweep(false), false)
  assert.is(secondary.size, 1, 'a secondary ends nothing')
  assert.is(primary.sweep(false), false)
  assert.is(primary.size, 0)
  carry()
  assert.is(secondary.size, 0)
  assert.equal(primary.counts, { expired: 1, evicted: 0, refused: 0 })
})

test('writes and touch renew an idle session, reads do not', () => {
  const writes: ((table: ReturnType<typeof pair>['primary']) => unknown)[] = [
    (table) => table.set({ id: 1 }),
    (table) => table.update({ id: 1 }, { value: 2 }),
    (table) => table.touch({ id: 1 }),
    (table) => {
      ;(table.get({ id: 1 }) as unknown as LooseSession).value = 3
    },
  ]
  for (const write of writes) {
    const { primary, secondary, at, carry } = pair()
    primary.set({ id: 1 })
    carry()
    at(s(2.5))
    write(primary)
    carry()
    at(s(5))
    for (const table of [primary, secondary]) assert.is(table.has({ id: 1 }), true, String(write))
    at(s(6))
    for (const table of [primary, secondary]) assert.is(table.has({ id: 1 }), false, String(write))
  }
  const { primary, at } = pair()
  primary.set({ id: 1 })
  at(s(2.5))
  assert.is((primary.get({ id: 1 }) as unknown as LooseSession).value, 0)
  at(s(3.5))
  assert.is(primary.has({ id: 1 }), false)
})

test('a renewal within a grain sends nothing, and a later one a byte', () => {
  const { primary, at, carry } = pair(leases(10, { timeout: 300 }))
  at(1000)
  primary.set({ id: 1 }, { value: 1 })
  carry()
  at(1010)
  primary.touch({ id: 1 })
  assert.is(primary.changed, false)
  assert.is(carry().length, 0)
  primary.update({ id: 1 }, { value: 2 })
  const plain = carry().length
  at(1300)
  primary.update({ id: 1 }, { value: 3 })
  assert.is(carry().length, plain + 1)
  at(1600)
  primary.touch({ id: 1 })
  // count, head, mask, grains
  assert.is(carry().length, 4)
})

test('a fixed session is moved by set alone', () => {
  const { primary, at } = pair(leases(10, { timeout: 3, expiry: 'fixed' }))
  primary.set({ id: 1 })
  at(s(2))
  assert.is(primary.touch({ id: 1 }), true)
  primary.update({ id: 1 }, { value: 1 })
  at(s(3.5))
  assert.is(primary.has({ id: 1 }), false)
  primary.set({ id: 2 })
  at(s(5))
  primary.set({ id: 2 })
  at(s(7.5))
  assert.is(primary.has({ id: 2 }), true)
})

test("a session's own timeout goes with it, on both nodes", () => {
  const { primary, secondary, at, carry } = pair()
  primary.set({ id: 1 }, {}, { timeout: 100 })
  carry()
  at(s(90))
  primary.update({ id: 1 }, { value: 1 })
  carry()
  at(s(185))
  for (const table of [primary, secondary]) assert.is(table.has({ id: 1 }), true)
  at(s(200))
  for (const table of [primary, secondary]) assert.is(table.has({ id: 1 }), false)
  primary.set({ id: 2 }, {}, { timeout: 100 })
  primary.set({ id: 2 })
  at(s(204))
  assert.is(primary.has({ id: 2 }), false, "a set without a timeout gives the table's")
})

test('a session ends at the time it was given, whatever is written', () => {
  const { primary, secondary, at, carry } = pair()
  primary.set({ id: 1 }, {}, { expiresAt: 60_000 })
  carry()
  at(s(9))
  primary.update({ id: 1 }, { value: 1 })
  primary.touch({ id: 1 })
  carry()
  for (const table of [primary, secondary]) assert.is(table.has({ id: 1 }), true)
  at(s(10))
  for (const table of [primary, secondary]) assert.is(table.has({ id: 1 }), false)
  primary.set({ id: 2 }, {}, { expiresAt: 0 })
  assert.is(primary.has({ id: 2 }), false, 'a time that has passed')
})

test('sets on an expired session begin another one', () => {
  const { primary, secondary, at, carry } = pair()
  primary.set({ id: 1 }, { value: 5, count: 9 })
  const view = primary.get({ id: 1 }) as unknown as LooseSession
  carry()
  at(s(4))
  assert.throws(
    () => view.value,
    (error: unknown) => error instanceof SessionGoneError,
  )
  assert.throws(
    () => {
      view.value = 1
    },
    (error: unknown) => error instanceof SessionGoneError,
  )
  primary.set({ id: 1 }, { value: 6 })
  assert.throws(
    () => view.value,
    (error: unknown) => error instanceof SessionGoneError,
  )
  carry()
  const session = secondary.get({ id: 1 }) as unknown as LooseSession
  assert.equal(session.toJSON(), { id: 1, value: 6, count: 0, text: '' })
  assert.is(primary.counts.expired, 1)
})

test('a lifetime that is set back sends nothing', () => {
  const { primary, at, carry } = pair(leases(10, { timeout: 300 }))
  at(1000)
  primary.set({ id: 1 }, { value: 1 })
  carry()
  primary.set({ id: 1 }, { value: 1 }, { timeout: 9 })
  primary.set({ id: 1 }, { value: 1 })
  assert.is(carry().length, 0)
})

test('wrong options are refused, and nothing is changed', () => {
  const { primary } = pair()
  const wrong = [0, -1, 0.01, Number.NaN, 1e9, '3', null].map((timeout) => ({ timeout }))
  const all = [
    ...wrong,
    { expiresAt: Number.NaN },
    { expiresAt: '1' },
    { timeout: 1, expiresAt: 5 },
    { ttl: 1 },
    7,
  ]
  for (const options of all) {
    assert.throws(
      () => primary.set({ id: 1 }, {}, options as never),
      (error: unknown) => error instanceof ValueError,
    )
  }
  assert.is(primary.size, 0)
  primary.set({ id: 1 })
  const plain = makeNode(
    defineTable({ name: 'p', key: { id: 'u8' }, fields: {}, capacity: 1 }),
    'primary',
  ).table
  assert.throws(() => plain.set({ id: 1 }, {}, { timeout: 5 }), /neither timeout nor expiry/)
  plain.set({ id: 1 }, {}, {})
  assert.is(plain.touch({ id: 1 }), true)
  assert.is(plain.sweepDue, 2 ** 32 - 1)
})

test('what the table ended is told with its values, to those who listen', () => {
  const { primary, at } = pair(leases(1000, { timeout: 3 }))
  primary.set({ id: 1 })
  at(s(4))
  primary.sweep(false)
  const told: unknown[] = []
  primary.listen(['expired'], (cause, session) => told.push([cause, session]))
  primary.set({ id: 1 }, { value: 3 })
  primary.set({ id: 2 }, { value: 4, text: 'é' })
  at(s(8))
  primary.set({ id: 1 }, { value: 5 })
  assert.equal(told, [['expired', { id: 1, value: 3, count: 0, text: '' }]])
  primary.sweep(false)
  assert.equal(told[1], ['expired', { id: 2, value: 4, count: 0, text: 'é' }])
  primary.listen([], () => assert.unreachable())
  at(s(12))
  primary.sweep(false)
  assert.is(primary.counts.expired, 4)
})

/** Ids above a byte. */
const many = (capacity: number, options: object = { timeout: 3 }) =>
  defineTable({ name: 'many', key: { id: 'u32' }, fields: { value: 'u8' }, capacity, ...options })

test('more expire in one run than are copied aside, and none is missed', () => {
  const { primary, at } = pair(many(1000) as never)
  const told: unknown[] = []
  primary.listen(['expired'], (_, session) => told.push(session.id))
  for (let id = 0; id < 1000; id++) primary.set({ id })
  at(s(4))
  for (let id = 0; id < 700; id++) primary.set({ id })
  primary.setTime(s(4))
  while (primary.sweep(false));
  assert.equal(told.length, 1000)
  assert.equal(new Set(told).size, 1000)
})

test('a sweep leaves half of the journal to the application while the stream has room', () => {
  const { primary, secondary, at, carry } = pair(many(5000) as never)
  for (let id = 0; id < 5000; id++) primary.set({ id })
  while (primary.changed) carry()
  at(s(4))
  let flushes = 0
  while (primary.sweepDue <= s(4)) {
    for (let slice = 0; slice < 10; slice++) primary.sweep(true)
    assert.is(primary.overflowed, false)
    carry()
    flushes++
  }
  assert.ok(flushes > 1)
  assert.equal([primary.size, secondary.size], [0, 0])
})

test('a segment is not looked through before its earliest deadline', () => {
  const { primary, at } = pair(many(3000, { timeout: 1000 }) as never)
  for (let id = 0; id < 3000; id++) primary.set({ id })
  primary.set({ id: 2_500 }, {}, { timeout: 2 })
  assert.ok(primary.sweepDue <= s(2.2))
  at(s(2.2))
  assert.is(primary.sweep(false), false)
  assert.is(primary.size, 2999)
  assert.ok(primary.sweepDue > s(999))
})

test('a full table makes room of what has expired, and refuses when nothing has', () => {
  const { primary, at } = pair(many(100) as never)
  for (let id = 0; id < 100; id++) primary.set({ id })
  assert.throws(
    () => primary.set({ id: 100 }),
    (error: unknown) => error instanceof TableFullError,
  )
  at(s(4))
  primary.set({ id: 100 })
  assert.ok(primary.has({ id: 100 }))
  assert.is(primary.counts.refused, 1)
})

test('clear() and reset() forget deadlines', () => {
  const { primary, at } = pair()
  primary.set({ id: 1 })
  primary.clear()
  assert.is(primary.sweepDue, 2 ** 32 - 1)
  primary.set({ id: 2 })
  at(s(9))
  primary.reset()
  assert.is(primary.sweepDue, 2 ** 32 - 1)
  assert.is(primary.counts.expired, 0)
})

test('time that ends leaves sessions alone', () => {
  const { primary, at } = pair(leases(10, { timeout: 300 }))
  at(2 ** 32 - 20)
  primary.set({ id: 1 })
  primary.set({ id: 2 }, {}, { expiresAt: 1e15 })
  primary.set({ id: 3 }, {}, { timeout: 31_622_400 })
  for (const id of [1, 2, 3]) assert.is(primary.touch({ id }), true)
})

test('a date counts from the reading of table time, however long ago that was, unless the clock was set', () => {
  let date = 50_000
  const { table } = makeNode(leases(10), 'primary', { date: () => date })
  table.setTime(1)
  date += 400 // The thread stood still: table time has not been read anew.
  table.set({ id: 1 }, {}, { expiresAt: date + 500 })
  table.setTime(1 + 14)
  assert.is(table.has({ id: 1 }), true, '875 ms after the reading')
  table.setTime(1 + 15)
  assert.is(table.has({ id: 1 }), false, '937 ms after it')
  for (const [time, step] of [
    [100, 3_600_000],
    [200, -3_600_000],
  ] as const) {
    table.setTime(time)
    date += step
    table.set({ id: 2 }, {}, { expiresAt: date + 500 })
    table.setTime(time + 7)
    assert.is(table.has({ id: 2 }), true)
    table.setTime(time + 8)
    assert.is(table.has({ id: 2 }), false, 'the step is no part of it')
  }
})

test.run()
