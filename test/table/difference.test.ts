// time-out: 120 s
// Resync by what differs, at the level of tables: both nodes of a pair write on for a while, then the records that either
// changed go whole, and nothing else. Batches go on meanwhile. The twin of the secondary is fed with the same bytes.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { ArenaFullError } from '../../src/errors.ts'
import { defineTable, string, type TableDefinition } from '../../src/schema/index.ts'
import { type Random, runs, seeded } from '../support/seed.ts'
import { type LooseTable, makeNode, readState, sameDigests, sameState, setRole } from '../support/tables.ts'
import { readList, writeList } from '../twins/lists.ts'
import { TwinStore } from '../twins/store.ts'
import { twinSchemaOf } from '../twins/values.ts'

const table = (capacity: number) =>
  defineTable({
    name: 't',
    key: { id: 'u16' },
    fields: { value: 'u32', text: string(255), more: string(255) },
    capacity,
  })

/** Values of any length, in an arena that is nearly full. */
const lengthy = (capacity: number) =>
  defineTable({
    name: 't',
    key: { id: 'u16' },
    fields: { value: 'u32', text: 'text', more: 'text' },
    capacity,
    arena: 65_536,
  })

/** Writes what it is asked to unless the arena is full. */
function unlessFull(act: () => unknown): void {
  try {
    act()
  } catch (error) {
    if (!(error instanceof ArenaFullError)) throw error
  }
}

function write(random: Random, to: LooseTable, most: number): void {
  const texts = to.arenaBytes > 0 ? LONG_TEXTS : ['', 'a', 'bcd']
  const keys = Math.floor(to.capacity * 1.2)
  for (let i = random.below(most); i > 0; i--) {
    const key = { id: random.below(keys) }
    const fields = { value: random.below(3), text: random.pick(texts) }
    if (random.chance(to.arenaBytes > 0 ? 0.2 : 0.4)) to.delete(key)
    else if (random.chance(0.5)) unlessFull(() => to.update(key, fields))
    else if (to.has(key) || to.size < to.capacity) unlessFull(() => to.set(key, fields))
  }
  if (random.chance(0.01)) to.clear()
}

/** What follows a primary: the engine and its twin. */
type Followers = readonly Pick<TwinStore, 'stage' | 'commit'>[]

function carry(from: LooseTable, to: Followers, room: number): void {
  const batch = from.encode(room).slice()
  if (batch.length === 0) return
  for (const store of to) {
    assert.is(store.stage(batch), undefined)
    store.commit()
  }
}

function drain(from: LooseTable, to: Followers): void {
  for (let flush = 0; from.changed; flush++) {
    assert.ok(flush < 3000, 'a backlog that does not end')
    carry(from, to, 1 << 20)
  }
}

const LONG_TEXTS = ['', 'a', 'é'.repeat(40), 'bcd'.repeat(700), `${'bcd'.repeat(700)}e`, '☃'.repeat(4000)]

interface Mix {
  readonly table: (capacity: number) => TableDefinition
  readonly capacity: number
  readonly encodeBytesMax: number
}

function history(random: Random, { table, capacity, encodeBytesMax }: Mix): void {
  const definition = table(capacity)
  const schema = twinSchemaOf(definition)
  let a = makeNode(definition, 'primary', { encodeBytesMax })
  let b = makeNode(definition, 'secondary', { encodeBytesMax })
  for (let i = 0; i < capacity; i += 2) a.table.set({ id: i })
  drain(a.table, [b.table])
  a.table.forgetChanges()
  for (let round = 0; round < 6; round++) {
    // A pair: b confirms some checkpoints.
    let pending = false
    for (let flush = random.below(6); flush > 0; flush--) {
      write(random, a.table, 20)
      drain(a.table, [b.table])
      if (pending && random.chance(0.5)) {
        a.table.confirm()
        pending = false
      } else if (!pending) {
        a.table.checkpoint()
        pending = true
      }
    }
    // Each for itself; a goes on to remember for a while, though nobody takes it.
    b.gate.open = b.gate.words[0]!
    b.table.setTracking('ids')
    for (let part = 0; part < 3; part++) {
      write(random, a.table, 20)
      write(random, b.table, 10)
      if (part === 0) a.table.setTracking('ids')
    }
    // b leads, a follows: what both changed is owed.
    setRole(a, 'secondary')
    b.table.setTracking(true)
    agree(random, b.table, a.table, definition)
    const twin = new TwinStore(schema, definition)
    for (const [id, row] of readState(schema, a.table).rows) twin.state.put(id, row)
    twin.oweListed(ownedBy(a.table))
    const followers = [a.table, twin]
    assert.is(a.table.awaited, b.table.owed)
    for (let flush = 0; b.table.changed; flush++) {
      assert.ok(flush < 3000, 'what is owed never ends')
      if (flush < 40) write(random, b.table, 10)
      carry(b.table, followers, random.pick([0, 1000, 3000, 1 << 20]))
    }
    drain(b.table, followers)
    assert.equal([a.table.awaited, twin.owed, b.table.owed], [0, 0, 0])
    sameDigests(b.table, a.table)
    assert.is(a.table.arena.usedBytes, b.table.arena.usedBytes)
    sameState(readState(schema, a.table), twin.state, 'the twin')
    a.table.forgetChanges()
    b.table.forgetChanges()
    const c = a
    a = b
    b = c
  }
}

/** Everything a store awaits, as one list. */
function ownedBy(store: LooseTable): Uint8Array {
  return store.list('owed', 0, store.capacity).bytes.slice()
}

/** Lists both ways, while batches go on that the secondary ignores. */
function agree(random: Random, from: LooseTable, to: LooseTable, { capacity }: { capacity: number }): void {
  to.setAwaited(0, to.segments, true)
  to.setListing(true)
  const disturb = () => {
    if (random.chance(0.5)) write(random, from, 5)
    if (from.changed && random.chance(0.5)) carry(from, [to], 1000)
  }
  const say = (one: LooseTable, what: 'owed' | 'changed', other: LooseTable) => {
    let at: number | undefined = 0
    while (at !== undefined) {
      disturb()
      const list = one.list(what, at, 1 + random.below(20))
      const bytes = list.bytes.slice()
      const ids = readList(bytes, capacity) as number[]
      assert.equal([...writeList(ids)], [...bytes], 'the list as the twin writes it')
      assert.is(other.oweListed(bytes), undefined)
      at = list.next
    }
  }
  to.oweChanged()
  say(to, 'changed', from)
  from.oweChanged()
  from.setListing(true)
  say(from, 'owed', to)
  from.setListing(false)
  to.setListing(false)
  to.setAwaited(0, to.segments, false)
}

for (const mix of [
  { table, capacity: 40, encodeBytesMax: 65_536 },
  { table, capacity: 40, encodeBytesMax: 4_096 },
  { table, capacity: 1500, encodeBytesMax: 4_096 },
  { table: lengthy, capacity: 40, encodeBytesMax: 983_040 },
  { table: lengthy, capacity: 60, encodeBytesMax: 4_096 },
]) {
  test(
    `what two nodes changed apart goes whole, and makes them equal (${mix.capacity} sessions, ${mix.encodeBytesMax} B${mix.table === lengthy ? ', an arena' : ''})`,
    seeded((random) => {
      for (let run = 0; run < runs(mix.capacity > 100 ? 6 : 40); run++) history(random, mix)
    }),
  )
}

test('what a batch was not written with for good is not owed', () => {
  const definition = table(40)
  const from = makeNode(definition, 'primary', { encodeBytesMax: 4096 }).table
  const to = makeNode(definition, 'secondary').table
  for (let id = 0; id < 40; id += 2) from.set({ id })
  drain(from, [to])
  for (const store of [from, to]) store.setListing(true)
  // More sessions come than the journal remembers, one of the rest goes, and no byte is left for it: no key goes either.
  for (let id = 1; id < 40; id += 2) from.set({ id })
  from.delete({ id: 39 })
  assert.ok(from.overflowed)
  carry(from, [to], 0)
  assert.is(from.owed, to.owed)
})

test('a record that changes while it is owed goes whole at once, and no delta of it is trusted before', () => {
  const definition = table(2000)
  const from = makeNode(definition, 'primary').table
  const to = makeNode(definition, 'secondary').table
  for (let id = 0; id < 2000; id++) from.set({ id })
  drain(from, [to])
  for (let id = 0; id < 2000; id++) from.update({ id }, { value: 1 })
  drain(from, [{ stage: () => undefined, commit: () => undefined }])
  from.oweChanged()
  to.oweListed(ownedBy(from))
  assert.equal([from.owed, to.awaited], [2000, 2000])
  from.setListing(false)
  from.update({ id: 1999 }, { value: 2 })
  carry(from, [to], 0)
  assert.equal([from.owed, to.awaited, to.get({ id: 1999 })?.value], [1999, 1999, 2])
  drain(from, [to])
  sameDigests(from, to)
})

test('every change is noted, by itself, with the journal and without, and forgotten when it is confirmed', () => {
  const { table: one } = makeNode(table(100), 'primary', { encodeBytesMax: 4096 })
  const changed = () => readList(one.list('changed', 0, 100).bytes.slice(), 100)
  const acts = [
    () => one.set({ id: 1 }),
    () => one.update({ id: 1 }, { value: 1 }),
    () => Object.assign(one.get({ id: 1 }) as object, { value: 2 }),
    () => one.delete({ id: 1 }),
  ]
  for (const how of [true, 'ids'] as const) {
    one.setTracking(how)
    for (const act of acts) {
      one.forgetChanges()
      act()
      one.setTracking(how)
      assert.equal(changed(), [0], `${act}`)
    }
  }
  one.setTracking(true)
  one.forgetChanges()
  for (let id = 0; id < 100; id++) one.set({ id })
  one.setTracking(false)
  assert.is((changed() as number[]).length, 100, 'the journal and what had overflowed')
  one.checkpoint()
  one.setTracking('ids')
  one.update({ id: 50 }, { value: 7 })
  one.confirm()
  assert.equal(changed(), [50], 'since the checkpoint')
})

test(
  'lists that nobody should send get the twin’s verdict and owe nothing outside the table',
  seeded((random) => {
    const { table: one } = makeNode(table(1100), 'secondary')
    for (let attempt = 0; attempt < runs(20_000); attempt++) {
      const ids = [...new Set(Array.from({ length: random.below(8) }, () => random.below(1100)))].sort(
        (x, y) => x - y,
      )
      let bytes = writeList(ids)
      if (random.chance(0.7)) bytes[random.below(bytes.length)] = random.below(256)
      if (random.chance(0.3)) bytes = bytes.slice(0, random.below(bytes.length + 1))
      if (random.chance(0.2)) bytes = Uint8Array.of(...bytes, random.below(256))
      const expected = readList(bytes, 1100)
      one.forgetOwed()
      assert.is(one.oweListed(bytes), typeof expected === 'string' ? expected : undefined)
      if (typeof expected !== 'string') assert.is(one.owed, new Set(expected).size)
      assert.ok(one.owed <= 1100)
    }
  }),
)

test.run()
