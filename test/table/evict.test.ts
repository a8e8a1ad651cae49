// A full table that makes room: which session goes, what the peer and the application hear of it, what is counted.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { SchemaError, SessionGoneError, TableFullError, ValueError } from '../../src/errors.ts'
import { defineTable } from '../../src/schema/index.ts'
import { Random, seed } from '../support/seed.ts'
import {
  applyBatch,
  indexed,
  type LooseSession,
  type LooseTable,
  makeNode,
  sameDigests,
} from '../support/tables.ts'

const evicting = (capacity: number, options: object = {}) =>
  defineTable({
    name: 'evicting',
    key: { id: 'u32' },
    fields: { value: 'u32' },
    capacity,
    onFull: 'evict',
    ...options,
  })

const primaryOf = (definition: ReturnType<typeof evicting>): LooseTable =>
  makeNode(definition, 'primary').table

test('the session idle longest goes, and the new one is there', () => {
  const table = primaryOf(evicting(8))
  for (let id = 0; id < 8; id++) {
    table.setTime(10 + id)
    table.set({ id })
  }
  table.setTime(30)
  table.update({ id: 0 }, { value: 1 })
  table.touch({ id: 1 })
  const third = table.get({ id: 2 }) as unknown as LooseSession
  third.value = 5
  const view = table.get({ id: 3 }) as unknown as LooseSession
  table.set({ id: 100 })
  assert.is(table.has({ id: 3 }), false)
  assert.throws(
    () => view.value,
    (error: unknown) => error instanceof SessionGoneError,
  )
  for (const id of [0, 1, 2, 4, 5, 6, 7, 100]) assert.ok(table.has({ id }), `${id}`)
  assert.equal([table.size, table.counts], [8, { expired: 0, evicted: 1, refused: 0 }])
  third.value = 6
  assert.is(third.value, 6)
})

test('what is read is not written, and what expired goes first', () => {
  const table = primaryOf(evicting(4, { timeout: 10 }))
  for (let id = 0; id < 4; id++) {
    table.setTime(10 + id)
    table.set({ id }, {}, id === 3 ? { timeout: 1 } : undefined)
  }
  table.setTime(50)
  assert.is((table.get({ id: 0 }) as unknown as LooseSession).value, 0)
  table.set({ id: 4 })
  assert.equal([table.has({ id: 0 }), table.counts], [true, { expired: 1, evicted: 0, refused: 0 }])
  table.set({ id: 5 })
  assert.equal([table.has({ id: 0 }), table.counts], [false, { expired: 1, evicted: 1, refused: 0 }])
})

test('the peer and whoever listens hear of it', () => {
  const definition = evicting(50)
  const [primary, secondary] = [primaryOf(definition), makeNode(definition, 'secondary').table]
  for (const table of [primary, secondary]) table.setDigestKey(new Uint8Array(16).fill(9))
  const told: unknown[] = []
  primary.listen(['evicted'], (cause, session) => told.push(cause, session))
  primary.set({ id: 0 }, { value: 7 })
  primary.setTime(5)
  for (let id = 1; id < 50; id++) primary.set({ id })
  while (primary.changed) applyBatch(secondary, primary.encode(1 << 20))
  primary.set({ id: 50 })
  assert.equal(told, ['evicted', { id: 0, value: 7 }])
  applyBatch(secondary, primary.encode(1 << 20))
  sameDigests(primary, secondary)
  assert.equal([secondary.has({ id: 0 }), secondary.has({ id: 50 })], [false, true])
})

test('batch calls evict as single calls do, and tell of every session', () => {
  const table = primaryOf(evicting(1000))
  const told = new Set<unknown>()
  table.listen(['evicted'], (_, session) => told.add(session.id))
  const pairs = (from: number) =>
    Array.from({ length: 1000 }, (_, i) => [{ id: from + i }, { value: i }] as const)
  table.setMany(pairs(0) as never)
  table.setTime(100)
  assert.equal(table.setMany(pairs(1000) as never), { created: 1000, replaced: 0 })
  assert.equal([table.size, told.size, table.counts.evicted], [1000, 1000, 1000])
  for (let id = 0; id < 1000; id++) assert.ok(told.has(id) !== table.has({ id }), `${id}`)
})

test('a batch of sessions with a lifetime of their own', () => {
  const table = primaryOf(evicting(10, { timeout: 1 }))
  table.setMany([[{ id: 1 }], [{ id: 2 }]] as never, { timeout: 100 })
  table.set({ id: 3 })
  table.setTime(200)
  assert.equal(
    [1, 2, 3].map((id) => table.has({ id })),
    [true, true, false],
  )
  assert.throws(
    () => table.setMany([[{ id: 1 }]] as never, { timeout: -1 }),
    (error: unknown) => error instanceof ValueError,
  )
})

test('expired sessions that stand in the way of a batch are told, however many', () => {
  const table = primaryOf(evicting(5000, { timeout: 1, onFull: 'reject' }))
  let told = 0
  table.listen(['expired'], () => told++)
  const pairs = Array.from({ length: 5000 }, (_, id) => [{ id }, { value: 1 }] as const)
  table.setMany(pairs as never)
  table.setTime(200)
  assert.equal(table.setMany(pairs as never), { created: 5000, replaced: 0 })
  assert.equal([told, table.size], [5000, 5000])
  const keys = pairs.map(([key]) => key)
  assert.is((table.getMany(keys as never) as unknown as unknown[]).filter(Boolean).length, 5000)
})

test('nothing is evicted for a session that is refused', () => {
  const table = makeNode({ ...indexed(4), onFull: 'evict' }, 'primary').table
  for (let id = 1; id <= 4; id++) table.set({ id }, { label: `l${id}` })
  assert.throws(() => table.set({ id: 9 }, { label: 'l2' }))
  assert.equal([table.size, table.counts.evicted], [4, 0])
})

test('a table that rejects counts what it refused', () => {
  const table = primaryOf(evicting(2, { onFull: 'reject' }))
  table.set({ id: 1 })
  table.set({ id: 2 })
  for (let i = 0; i < 3; i++)
    assert.throws(
      () => table.set({ id: 3 }),
      (error: unknown) => error instanceof TableFullError,
    )
  assert.equal(table.counts, { expired: 0, evicted: 0, refused: 3 })
  assert.throws(
    () => evicting(2, { onFull: 'drop' }),
    (error: unknown) => error instanceof SchemaError,
  )
})

test('it evicts among the oldest: nine of ten from the oldest tenth, under random writes', () => {
  const random = new Random(seed)
  const capacity = 20_000
  const table = primaryOf(evicting(capacity))
  const used = new Map<number, number>()
  const write = (id: number, tick: number) => {
    table.setTime(tick)
    table.set({ id })
    used.delete(id)
    used.set(id, tick)
  }
  for (let id = 0; id < capacity; id++) write(id, id + 1)
  let next = capacity
  let tick = capacity
  const ids = [...used.keys()]
  for (let i = 0; i < capacity; i++) {
    const id = ids[random.below(ids.length)]!
    if (used.has(id)) write(id, ++tick)
  }
  const gone: unknown[] = []
  table.listen(['evicted'], (_, session) => gone.push(session.id))
  let amongOldest = 0
  const evictions = 2000
  for (let i = 0; i < evictions; i++) {
    const limit = Math.floor(capacity / 10)
    const order = i % 100 === 0 ? [...used.keys()] : undefined
    const oldest = order === undefined ? undefined : new Set(order.slice(0, limit))
    write(next++, ++tick)
    const id = gone.pop() as number
    if (oldest?.has(id)) amongOldest++
    used.delete(id)
  }
  assert.ok(amongOldest >= 18, `${amongOldest} of 20 looked at were among the oldest tenth`)
})

test('all that one batch ends is told in order, also to a listener that writes, at the same cost each', () => {
  const batch = (rows: number) => {
    const table = primaryOf(evicting(100))
    const told: unknown[] = []
    table.listen(['evicted'], (_cause, { id }) => {
      told.push(id)
      if (told.length === 1) table.set({ id: 1_000_000 })
    })
    const packed = table.rows(rows)
    packed.length = rows
    for (let id = 0; id < rows; id++) (packed.columns as { id: Uint32Array }).id[id] = id
    const before = process.cpuUsage().user
    table.setMany(packed)
    const us = process.cpuUsage().user - before
    assert.is(told.length, rows - 100 + 1)
    assert.is(new Set(told).size, told.length, 'each once')
    return us
  }
  const least = (rows: number) => Math.min(batch(rows), batch(rows), batch(rows))
  const [few, many] = [least(20_000), least(200_000)]
  assert.ok(many < few * 30, `${few} us for 20,000, ${many} us for 200,000`)
})

test('what makes room costs no more in a large table whose sessions have deadlines, none of them come', () => {
  const capacity = 3_000_000
  const cost = (options: object) => {
    const table = primaryOf(evicting(capacity, options))
    const rows = table.rows(4_096)
    rows.length = rows.capacity
    const { id } = rows.columns as { id: Uint32Array }
    for (let first = 0; first < capacity; first += id.length) {
      for (let i = 0; i < id.length; i++) id[i] = first + i
      table.setMany(rows)
    }
    let least = Number.POSITIVE_INFINITY
    for (let run = 0; run < 5; run++) {
      const before = process.cpuUsage().user
      for (let i = 0; i < 10_000; i++) table.set({ id: 1e9 + run * 10_000 + i })
      least = Math.min(least, process.cpuUsage().user - before)
    }
    return least
  }
  const [without, with_] = [cost({}), cost({ timeout: 60 })]
  assert.ok(with_ < without * 2, `${with_} us for 10,000 with a timeout, ${without} without`)
})

test.run()
