// A journal that overflows: more changes between two flushes than before-images are kept for, drained a few at a time
// while the application goes on. Every batch must be accepted by a secondary that trusts all it holds.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { defineTable, string } from '../../src/schema/index.ts'
import { type Random, runs, seeded } from '../support/seed.ts'
import { type LooseTable, makeNode, type Node, readState, sameDigests, sameState } from '../support/tables.ts'
import { readDeltas } from '../twins/deltas.ts'
import { twinSchemaOf } from '../twins/values.ts'

const ROOM = 1 << 20

/** Sessions that may be so long that few before-images fit the smallest output of an encode. */
const table = (capacity: number) =>
  defineTable({
    name: 't',
    key: { id: 'u16' },
    fields: { value: 'u32', text: string(255), more: string(255), rest: string(255) },
    capacity,
  })

/** A table whose journal holds a handful of records. */
function small(capacity: number): { primary: Node; secondary: Node } {
  const options = { encodeBytesMax: 4096 }
  const primary = makeNode(table(capacity), 'primary', options)
  const secondary = makeNode(table(capacity), 'secondary', options)
  assert.ok(primary.table.journalMax <= 8, `journal of ${primary.table.journalMax}`)
  return { primary, secondary }
}

function accept(secondary: LooseTable, batch: Uint8Array): void {
  if (batch.length === 0) return
  assert.is(secondary.stage(batch), undefined)
  secondary.commit()
}

/** Flushes until nothing is remembered, within a bound. */
function drain(from: LooseTable, to: LooseTable): void {
  for (let flush = 0; from.changed; flush++) {
    assert.ok(flush <= from.capacity, 'a drain that does not end')
    accept(to, from.encode(ROOM))
  }
  assert.is(from.overflowed, false)
  sameDigests(from, to)
}

test('a change beyond the journal is said to have overflowed until it is sent', () => {
  const { primary } = small(60)
  let calls = 0
  primary.table.onChange = () => calls++
  for (let id = 0; id < primary.table.journalMax; id++) primary.table.set({ id })
  assert.equal([primary.table.changed, primary.table.overflowed], [true, false])
  for (let id = 0; id < 60; id++) primary.table.set({ id })
  assert.equal([primary.table.changed, primary.table.overflowed], [true, true])
  while (primary.table.changed) {
    assert.ok(primary.table.encode(ROOM).length > 0)
    assert.is(primary.table.changed, primary.table.overflowed)
  }
  assert.is(calls, 1, 'announced once until nothing was left behind')
  primary.table.set({ id: 0 }, { value: 1 })
  assert.is(calls, 2)
})

test('an encode without room takes all of the journal and leaves what had overflowed', () => {
  const { primary, secondary } = small(60)
  for (let id = 0; id < 60; id++) primary.table.set({ id })
  const schema = twinSchemaOf(table(60))
  const batch = primary.table.encode(0).slice()
  const { deltas } = readDeltas(schema, batch, { first: 0, end: 60, image: false })
  assert.equal(
    deltas.map(({ op }) => op),
    Array(primary.table.journalMax).fill('create'),
  )
  assert.equal([primary.table.changed, primary.table.overflowed], [true, true])
  accept(secondary.table, batch)
  drain(primary.table, secondary.table)
})

test('records that had overflowed leave although the journal is filled anew before every flush', () => {
  const { primary, secondary } = small(60)
  for (let id = 0; id < 60; id++) primary.table.set({ id })
  for (let flush = 0; primary.table.overflowed; flush++) {
    assert.ok(flush < 200, 'overflowed records starve')
    accept(secondary.table, primary.table.encode(ROOM))
    for (let id = 0; id < primary.table.journalMax; id++) primary.table.update({ id }, { value: flush + 1 })
  }
  drain(primary.table, secondary.table)
})

test('records that had overflowed leave although sessions come and go before every flush', () => {
  const { primary, secondary } = small(300)
  let serial = 0
  for (; serial < 300; serial++) primary.table.set({ id: serial })
  for (let flush = 0; primary.table.overflowed; flush++) {
    assert.ok(flush < 1000, 'overflowed records starve')
    accept(secondary.table, primary.table.encode(ROOM))
    assert.is(primary.table.delete({ id: serial - 300 }), true)
    primary.table.set({ id: serial++ })
  }
  drain(primary.table, secondary.table)
})

test('what does not change anything does not fill the journal', () => {
  const { primary } = small(60)
  for (let id = 0; id < 60; id++) primary.table.set({ id })
  primary.table.setTracking(true)
  const acts = [
    (id: number) => primary.table.update({ id }, {}),
    (id: number) => assert.throws(() => primary.table.update({ id }, { value: -1 })),
    (id: number) => assert.throws(() => Object.assign(primary.table.get({ id }) as object, { value: -1 })),
  ]
  for (const act of acts) {
    for (let id = 0; id < 60; id++) act(id)
    // Overflowed without changed would never be flushed: no proof would run and no image be sent any more.
    assert.equal([primary.table.changed, primary.table.overflowed], [false, false], `${act}`)
  }
})

test('tracking that is turned off and on forgets what had overflowed', () => {
  const { primary } = small(60)
  for (let id = 0; id < 60; id++) primary.table.set({ id })
  primary.table.setTracking(true)
  assert.equal(
    [primary.table.changed, primary.table.overflowed, primary.table.encode(ROOM).length],
    [false, false, 0],
  )
  for (let id = 0; id < 60; id++) primary.table.set({ id }, { value: 2 })
  assert.is(primary.table.overflowed, true)
  primary.table.setTracking(false)
  assert.equal([primary.table.changed, primary.table.overflowed], [false, false])
})

test('a full journal of the real size and a clear of the whole table arrive', () => {
  const primary = makeNode(table(60_000), 'primary').table
  const secondary = makeNode(table(60_000), 'secondary').table
  for (let round = 0; round < 2; round++) {
    for (let id = 0; id < 60_000; id++) primary.set({ id }, { value: id, text: 'x' })
    assert.ok(primary.journalMax < 60_000 && primary.overflowed)
    drain(primary, secondary)
    primary.clear()
    drain(primary, secondary)
    assert.is(secondary.size, 0)
  }
})

interface Mix {
  /** Whether sessions are deleted, so that keys move between record ids. */
  readonly moves: boolean
  readonly capacity: number
}

function write(random: Random, table: LooseTable, { moves, capacity }: Mix): void {
  const keys = Math.floor(capacity * 1.2)
  for (let i = random.below(30); i > 0; i--) {
    const key = { id: random.below(keys) }
    const fields = { value: random.below(3), text: random.pick(['', 'a', 'bcd']) }
    if (moves && random.chance(0.4)) table.delete(key)
    else if (random.chance(0.5)) table.update(key, fields)
    else if (table.has(key) || table.size < capacity) table.set(key, fields)
  }
  if (moves && random.chance(0.02)) table.clear()
}

for (const mix of [
  { moves: false, capacity: 60 },
  { moves: true, capacity: 20 },
  { moves: true, capacity: 60 },
  { moves: true, capacity: 1100 },
]) {
  const { moves, capacity } = mix
  test(
    `every batch of an overflowing journal is accepted (${capacity} sessions, keys ${moves ? 'move' : 'stay'})`,
    seeded((random) => {
      for (let run = 0; run < runs(40); run++) {
        const { primary, secondary } = small(capacity)
        if (capacity > 1000) {
          for (let id = 0; id < capacity; id++) primary.table.set({ id })
          drain(primary.table, secondary.table)
        }
        for (let flush = 0; flush < 60; flush++) {
          write(random, primary.table, mix)
          accept(secondary.table, primary.table.encode(random.pick([0, 1000, 2000, ROOM])))
          if (!primary.table.changed) sameDigests(primary.table, secondary.table)
        }
        drain(primary.table, secondary.table)
        const schema = twinSchemaOf(table(capacity))
        sameState(readState(schema, secondary.table), readState(schema, primary.table), 'after the drain')
      }
    }),
  )
}

function answer(from: LooseTable, to: LooseTable, segment: number): void {
  for (let flush = 0; from.changed; flush++) {
    assert.ok(flush <= from.capacity, 'a backlog that does not end')
    accept(to, from.encode(ROOM))
  }
  if (!to.isAwaited(segment)) return
  assert.is(to.stageImage(segment, from.image(segment)), undefined)
  to.commit()
  to.setAwaited(segment, 1, false)
}

test(
  'a secondary that is resynced while the journal overflows accepts every batch and image',
  seeded((random) => {
    const mix = { moves: true, capacity: 1100 }
    for (let run = 0; run < runs(40); run++) {
      const { primary, secondary } = small(mix.capacity)
      const to = secondary.table
      for (let id = 0; id < mix.capacity; id++) primary.table.set({ id })
      primary.table.setTracking(true)
      to.setAwaited(0, to.segments, true)
      for (let flush = 0; flush < 60; flush++) {
        write(random, primary.table, mix)
        accept(to, primary.table.encode(random.pick([0, 1000, 2000, ROOM])))
        const segment = random.below(2)
        if (random.chance(0.05)) to.setAwaited(segment, 1, true)
        // An image is taken when nothing is left behind, never in the midst of a backlog.
        if (random.chance(0.1)) answer(primary.table, to, segment)
      }
      for (const segment of random.shuffle([0, 1])) answer(primary.table, to, segment)
      drain(primary.table, to)
    }
  }),
)

test.run()
