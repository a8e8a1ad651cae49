// time-out: 180 s
// Values of any length: what is accounted, what is refused, what a secondary makes room for, and how long a journal,
// a batch and an image may get by them.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { ArenaFullError, TableFullError, ValueError } from '../../src/errors.ts'
import { defineTable, type TableDefinition } from '../../src/schema/index.ts'
import { bytesFor } from '../../src/table/index.ts'
import { churnArena } from '../support/arena-churn.ts'
import { runs, seeded } from '../support/seed.ts'
import { applyBatch, type LooseTable, makeNode, sameDigests } from '../support/tables.ts'

const MIB = 1 << 20
const ROOM = 1 << 20
const KEPT_PERCENT = 15

const table = (capacity: number, arena: number): TableDefinition =>
  defineTable({
    name: 't',
    key: { id: 'u32' },
    fields: { count: 'u32', raw: 'blob', words: 'text' },
    capacity,
    arena,
  })

type Values = { count: number; raw: Uint8Array; words: string }
const read = (from: LooseTable, id: number): Values => from.get({ id }) as unknown as Values
const bytes = (length: number, value = 7): Uint8Array => new Uint8Array(length).fill(value)

/** Takes everything the primary remembers to the secondary; gives the number of batches. */
function drain(from: LooseTable, to: LooseTable): number {
  let batches = 0
  for (; from.changed; batches++) {
    assert.ok(batches < 10_000, 'a backlog that does not end')
    applyBatch(to, from.encode(ROOM))
  }
  sameDigests(from, to)
  assert.is(to.arena.usedBytes, from.arena.usedBytes)
  return batches
}

for (const [flushEvery, arena, writes] of [
  [4, 24 * MIB, 1500],
  [60, 24 * MIB, 1500],
  [400, 16 * MIB, 1500],
  [10, 65_536, 20_000],
] as const) {
  test(
    `an arena of ${arena} bytes at 84 % takes what its accounts allow, flushed every ${flushEvery} writes`,
    seeded((random) => {
      const result = churnArena({ random, arena, writes: runs(writes), flushEvery })
      console.log(`\n  ${JSON.stringify(result)}`)
      assert.ok(result.useMax > 0.8, 'the arena was never full')
    }),
  )
}

test('a value is accounted in units of 60 bytes, whatever is around it', () => {
  const { table: t } = makeNode(table(10, 65_536), 'primary')
  for (const [length, used] of [
    [0, 0],
    [1, 64],
    [60, 64],
    [61, 128],
    [1020, 1088],
    [1021, 1152],
  ] as const) {
    t.set({ id: 1 }, { raw: bytes(length) } as never)
    assert.is(t.arena.usedBytes, used, `${length} bytes`)
  }
  t.set({ id: 1 }, { raw: bytes(1), words: 'é' } as never)
  assert.is(t.arena.usedBytes, 128)
  t.delete({ id: 1 })
  assert.equal(t.arena, { usedBytes: 0, limitBytes: 870 * 64, bytes: 65_536 })
})

test('a write that does not fit is refused by every way to write, and changes nothing', () => {
  const { table: t } = makeNode(table(4, 65_536), 'primary')
  t.set({ id: 1 }, { count: 1, raw: bytes(50_000), words: 'kept' } as never)
  t.encode(ROOM)
  const before = t.image(0).slice()
  const view = read(t, 1)
  const isFull = (act: () => unknown) =>
    assert.throws(
      act,
      (error: unknown) =>
        error instanceof ArenaFullError && error.code === 'ERR_ARENA_FULL' && error.message.includes('65536'),
    )
  isFull(() => t.set({ id: 2 }, { count: 2, raw: bytes(9000) } as never))
  isFull(() => t.set({ id: 1 }, { count: 2, raw: bytes(60_000) } as never))
  isFull(() => t.update({ id: 1 }, { count: 2, words: 'x'.repeat(9000) } as never))
  isFull(() => {
    view.words = 'x'.repeat(9000)
  })
  assert.equal([t.size, t.has({ id: 2 }), t.changed], [1, false, false])
  assert.equal(t.image(0), before)
  t.update({ id: 1 }, { words: '', raw: bytes(10) } as never)
  t.set({ id: 2 }, { raw: bytes(50_000) } as never)
  assert.is(t.size, 2)
})

test('a full table is told apart from a full arena', () => {
  const { table: t } = makeNode(table(1, 65_536), 'primary')
  t.set({ id: 1 })
  assert.throws(
    () => t.set({ id: 2 }, { raw: bytes(60_000) } as never),
    (error: unknown) => error instanceof TableFullError,
  )
})

test('the values of one session are at most 2 MiB together', () => {
  const { table: t } = makeNode(table(4, 8 * MIB), 'primary')
  const third = defineTable({
    name: 't',
    key: { id: 'u8' },
    fields: { a: 'blob', b: 'blob', c: 'blob' },
    capacity: 4,
    arena: 8 * MIB,
  })
  t.set({ id: 1 }, { raw: bytes(MIB), words: 'x'.repeat(MIB) } as never)
  assert.is(read(t, 1).words.length, MIB)
  const other = makeNode(third, 'primary').table
  const isLong = (act: () => unknown) =>
    assert.throws(act, (error: unknown) => error instanceof ValueError && error.message.includes('2097152'))
  isLong(() => other.set({ id: 1 }, { a: bytes(MIB), b: bytes(MIB), c: bytes(1) } as never))
  other.set({ id: 1 }, { a: bytes(MIB), b: bytes(MIB) } as never)
  isLong(() => other.update({ id: 1 }, { c: bytes(1) } as never))
  assert.is(other.update({ id: 1 }, { a: bytes(0), c: bytes(1) } as never), true)
})

test('only the changed middle of a value travels', () => {
  const [from, to] = [
    makeNode(table(4, 8 * MIB), 'primary').table,
    makeNode(table(4, 8 * MIB), 'secondary').table,
  ]
  const words = 'é'.repeat(500_000)
  from.set({ id: 1 }, { words } as never)
  drain(from, to)
  from.update({ id: 1 }, { words: `${words.slice(0, 250_000)}è${words.slice(250_001)}` } as never)
  const batch = from.encode(ROOM)
  assert.ok(batch.length < 16, `${batch.length} bytes`)
  applyBatch(to, batch)
  assert.is(read(to, 1).words[250_000], 'è')
  from.update({ id: 1 }, { words } as never)
  read(from, 1).words = `${words}!`
  read(from, 1).words = words
  applyBatch(to, from.encode(ROOM))
  from.update({ id: 1 }, { words: `${words}!` } as never)
  from.update({ id: 1 }, { words } as never)
  assert.is(from.encode(ROOM).length, 0, 'a value set back is no change')
})

test('replaced values are kept for their difference as long as there is room, and freed by the flush', () => {
  const from = makeNode(table(100, MIB), 'primary').table
  const to = makeNode(table(100, MIB), 'secondary').table
  for (let id = 0; id < 80; id++) from.set({ id }, { raw: bytes(10_000) } as never)
  drain(from, to)
  // All of them anew in one run: far more than 15 % of the arena.
  for (let id = 0; id < 80; id++) from.set({ id }, { raw: bytes(10_000, 9) } as never)
  assert.is(from.overflowed, true)
  const { usedBytes, bytes: size } = from.arena
  assert.ok(usedBytes + (size * KEPT_PERCENT) / 100 < size * 1.01)
  drain(from, to)
  assert.equal(read(to, 79).raw, bytes(10_000, 9))
})

test('a backlog that does not fit beside what the secondary holds takes old values away first', () => {
  const from = makeNode(table(2000, 2 * MIB), 'primary').table
  const to = makeNode(table(2000, 2 * MIB), 'secondary').table
  for (let id = 0; id < 1000; id++) from.set({ id }, { raw: bytes(1500) } as never)
  drain(from, to)
  // The lower half shrinks to nothing at the end, the upper half grows before: sent by id, growth would come first.
  for (let id = 500; id < 1000; id++) from.set({ id }, { raw: bytes(10) } as never)
  for (let id = 0; id < 500; id++) from.set({ id }, { raw: bytes(2900) } as never)
  assert.ok(drain(from, to) > 1)
  assert.equal([read(to, 0).raw.length, read(to, 999).raw.length], [2900, 10])
})

test('a clear and a refill in one run arrive', () => {
  const from = makeNode(table(2000, 2 * MIB), 'primary').table
  const to = makeNode(table(2000, 2 * MIB), 'secondary').table
  for (let round = 0; round < 4; round++) {
    from.clear()
    for (let id = 0; id < 1000; id++) from.set({ id: id + round * 300 }, { raw: bytes(1600, round) } as never)
    drain(from, to)
    assert.equal(read(to, round * 300).raw, bytes(1600, round))
  }
})

test('a secondary short of room drops what awaited segments hold, and says the segment was touched', () => {
  const from = makeNode(table(2048, MIB), 'primary').table
  const to = makeNode(table(2048, MIB), 'secondary').table
  const foreign = makeNode(table(2048, MIB), 'primary').table
  for (let id = 0; id < 2048; id++) foreign.set({ id: 10_000 + id }, { raw: bytes(350) } as never)
  drain(foreign, to)
  for (let id = 0; id < 2048; id++) from.set({ id }, { raw: bytes(id < 1024 ? 700 : 1) } as never)
  from.setTracking(true)
  to.setAwaited(0, 2, true)
  for (const segment of [0, 1]) {
    assert.is(to.stageImage(segment, from.image(segment)), undefined)
    if (segment === 0) assert.is(to.isTouched(1), true)
    to.commit()
    to.setAwaited(segment, 1, false)
  }
  sameDigests(from, to)
})

test('a batch beyond the arena is refused by name and leaves the arena as it was', () => {
  const from = makeNode(table(10, 8 * MIB), 'primary').table
  const to = makeNode(table(10, MIB), 'secondary').table
  from.set({ id: 1 }, { raw: bytes(900_000) } as never)
  drain(from, to)
  from.set({ id: 2 }, { words: 'x'.repeat(300_000) } as never)
  from.set({ id: 3 }, { words: 'x' } as never)
  assert.is(to.stage(from.encode(ROOM)), 'arena')
  to.commit()
  assert.equal([to.size, to.arena.usedBytes], [1, 15_000 * 64])
})

test('what was staged and not committed gives its room back', () => {
  const from = makeNode(table(10, MIB), 'primary').table
  const to = makeNode(table(10, MIB), 'secondary')
  from.set({ id: 1 }, { raw: bytes(800_000) } as never)
  const batch = from.encode(ROOM).slice()
  for (let i = 0; i < 10; i++) assert.is(to.table.stage(batch), undefined)
  // A node that becomes primary writes; the batch that was never committed is in nobody's way.
  to.gate.open = to.gate.words[0]!
  to.table.set({ id: 5 }, { raw: bytes(800_000) } as never)
  to.table.commit()
  assert.equal([to.table.size, to.table.has({ id: 5 })], [1, true])
})

test('an update staged before its value changed is bent to what is there', () => {
  const from = makeNode(table(10, MIB), 'primary').table
  const to = makeNode(table(10, MIB), 'secondary')
  from.set({ id: 1 }, { count: 1, raw: bytes(5000), words: 'old' } as never)
  applyBatch(to.table, from.encode(ROOM))
  from.update({ id: 1 }, { words: 'new' } as never)
  const batch = from.encode(ROOM).slice()
  assert.is(to.table.stage(batch), undefined)
  to.table.reset()
  to.table.commit()
  assert.equal([to.table.size, to.table.arena.usedBytes], [0, 0])
})

test('an image longer than a frame travels in parts, and deltas for what has come are applied between them', () => {
  const from = makeNode(table(1500, 32 * MIB), 'primary').table
  const to = makeNode(table(1500, 32 * MIB), 'secondary').table
  for (let id = 0; id < 1000; id++) from.set({ id }, { raw: bytes(20_000) } as never)
  from.setTracking(true)
  to.setAwaited(0, 2, true)
  let parts = 0
  for (let first = 0; first < 1024; parts++) {
    const { deltas, end } = from.imagePart(0, first)
    assert.ok(deltas.length < 300_000 && end > first)
    assert.is(to.stageImagePart(0, first, end, deltas), undefined)
    to.commit()
    to.setBrought(0, end)
    first = end
    // Known, not yet known, and gone: what came already follows, the rest is in a later part.
    from.update({ id: parts }, { words: `part ${parts}` } as never)
    from.update({ id: 900 }, { count: parts } as never)
    from.delete({ id: 500 + parts })
    applyBatch(to, from.encode(ROOM))
    assert.is(to.isAwaited(0), true)
  }
  assert.ok(parts > 50)
  to.setAwaited(0, 2, false)
  sameDigests(from, to)
  assert.throws(() => from.image(0), /too long/)
})

test('the memory of a table counts its arena', () => {
  const without = defineTable({ name: 't', key: { id: 'u32' }, fields: {}, capacity: 10 })
  const [small, large] = [table(10, MIB), table(10, 65 * MIB)].map((each) => bytesFor(each))
  assert.ok(small! > bytesFor(without) + MIB)
  assert.ok(Math.abs(large! - small! - 65 * MIB * (1 + 12 / 1024)) < 2 * MIB)
})

test.run()
