// Session ids as keys: text of up to 255 bytes, over several lines of a record.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { ValueError } from '../../src/errors.ts'
import { defineTable, string } from '../../src/schema/index.ts'
import { runs, seeded } from '../support/seed.ts'
import { applyBatch, makeNode, sameDigests } from '../support/tables.ts'

const web = (capacity: number) =>
  defineTable({ name: 'web', key: { id: string(255) }, fields: { n: 'u32' }, capacity })
const ROOM = 1 << 20

test('keys that differ in one byte anywhere are different sessions', () => {
  const { table } = makeNode(web(1000), 'primary')
  const base = 'k'.repeat(255)
  const ids = Array.from({ length: 255 }, (_, i) => `${base.slice(0, i)}x${base.slice(i + 1)}`)
  // Beginnings of each other, which differ only in their length.
  const prefixes = Array.from({ length: 255 }, (_, i) => base.slice(0, i))
  const all = [...new Set([...ids, ...prefixes, base, '☃'.repeat(85), '☃'.repeat(84)])]
  for (const [n, id] of all.entries()) table.set({ id }, { n })
  assert.is(table.size, all.length)
  for (const [n, id] of all.entries()) assert.is(table.get({ id })?.n, n, id)
  assert.is(table.has({ id: 'k'.repeat(254) + 'y' }), false)
  for (const id of ids) assert.is(table.delete({ id }), true)
  for (const id of ids) assert.is(table.has({ id }), false)
  for (const id of prefixes) assert.is(table.has({ id }), true)
})

test('a key of more than 255 bytes is refused', () => {
  const { table } = makeNode(web(10), 'primary')
  for (const id of ['x'.repeat(256), '☃'.repeat(86)]) {
    assert.throws(
      () => table.set({ id }),
      (error: unknown) => error instanceof ValueError,
    )
  }
  assert.is(table.size, 0)
})

test(
  'long keys come and go on both nodes, singly and many at once',
  seeded((random) => {
    const [from, to] = [makeNode(web(500), 'primary').table, makeNode(web(500), 'secondary').table]
    const map = new Map<string, number>()
    const stem = Array.from({ length: 4 }, () => 'abcdefghijklmnop'.repeat(15))
    for (let round = 0; round < runs(60); round++) {
      for (let i = 0; i < 100; i++) {
        const id = random.pick(stem).slice(random.below(100)) + random.below(300)
        if (random.chance(0.4)) assert.is(from.delete({ id }), map.delete(id))
        else if (map.has(id) || map.size < 500) {
          const n = random.u32()
          map.set(id, n)
          if (random.chance(0.5)) from.set({ id }, { n })
          else from.setMany([[{ id }, { n }]])
        }
      }
      applyBatch(to, from.encode(ROOM))
      sameDigests(from, to)
    }
    assert.is(to.size, map.size)
    const views = to.getMany([...map.keys()].map((id) => ({ id })))
    assert.equal(
      views.map((view) => view?.n),
      [...map.values()],
    )
  }),
)

test.run()
