// The receiving side of a table: what a stage promises, what an awaited segment ignores and what touches it.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { InvariantError } from '../../src/errors.ts'
import { bytes, defineTable } from '../../src/schema/index.ts'
import { applyBatch, connections, makeNode, tiny } from '../support/tables.ts'
import { toHex } from '../twins/schema.ts'

test('an awaited segment ignores deltas and takes images', () => {
  const { table } = makeNode(tiny(10), 'secondary')
  assert.equal([table.awaited, table.isAwaited(0)], [0, false])
  table.setAwaited(0, 1, true)
  assert.equal([table.awaited, table.isAwaited(0)], [1, true])
  applyBatch(table, Uint8Array.of(1, 0, 1, 7))
  assert.is(table.size, 0)
  assert.is(table.stageImage(0, Uint8Array.of(1, 0, 2, 8)), undefined)
  table.commit()
  assert.equal([table.size, table.has({ id: 2 })], [1, true])
  table.setAwaited(0, 1, false)
  assert.equal([table.awaited, table.isAwaited(0)], [0, false])
  applyBatch(table, Uint8Array.of(1, 4, 1, 7))
  assert.is(table.size, 2)
})

test('awaiting is counted by segment, however often it is said', () => {
  const { table } = makeNode(connections(10_000), 'secondary')
  assert.is(table.segments, 10)
  table.setAwaited(0, 10, true)
  table.setAwaited(3, 4, true)
  assert.is(table.awaited, 10)
  table.setAwaited(3, 4, false)
  table.setAwaited(3, 1, false)
  assert.equal(
    [table.awaited, table.isAwaited(2), table.isAwaited(3), table.isAwaited(7)],
    [6, true, false, true],
  )
  table.setAwaited(9, 1, false)
  assert.is(table.awaited, 5)
})

/** Record id 1100 holds the key 9; its segment is awaited. */
function withAwaitedHolder() {
  const definition = defineTable({ name: 't', key: { id: 'u16' }, fields: { raw: bytes(2) }, capacity: 2048 })
  const { table } = makeNode(definition, 'secondary')
  assert.is(table.stageImage(1, Uint8Array.of(1, 0xb0, 2, 9, 0, 1, 1)), undefined)
  table.commit()
  assert.equal([table.size, table.has({ id: 9 })], [1, true])
  table.setAwaited(1, 1, true)
  return table
}

test('an awaited segment that loses a key to another id is touched until it is awaited anew', () => {
  const table = withAwaitedHolder()
  assert.is(table.isTouched(1), false)
  assert.is(table.stage(Uint8Array.of(1, 0, 9, 0, 2, 2)), undefined)
  assert.equal([table.isTouched(1), table.size], [false, 1], 'staged is not applied')
  table.commit()
  assert.equal([table.isTouched(1), table.isTouched(0), table.size], [true, false, 1])
  assert.equal((table.get({ id: 9 }) as unknown as { raw: Uint8Array }).raw, Uint8Array.of(2, 2))
  assert.is(toHex(table.image(1)), '00')
  table.setAwaited(1, 1, true)
  assert.is(table.isTouched(1), false)
})

test('an image that takes a key from another awaited segment touches it', () => {
  const table = withAwaitedHolder()
  assert.is(table.stageImage(0, Uint8Array.of(1, 8, 9, 0, 3, 3)), undefined)
  table.commit()
  assert.equal([table.isTouched(1), table.isTouched(0), table.size], [true, false, 1])
})

test('a later stage replaces an earlier one', () => {
  const { table } = makeNode(tiny(10), 'secondary')
  assert.is(table.stage(Uint8Array.of(1, 0, 1, 7)), undefined)
  assert.is(table.stage(Uint8Array.of(1, 4, 2, 7)), undefined)
  table.commit()
  assert.equal([table.size, table.has({ id: 1 }), table.has({ id: 2 })], [1, false, true])
})

test('a refused stage leaves nothing to commit', () => {
  const refused = [Uint8Array.of(1, 2), new Uint8Array(4 << 20)]
  for (const bytes of refused) {
    const { table } = makeNode(tiny(10), 'secondary')
    assert.is(table.stage(Uint8Array.of(1, 0, 1, 7)), undefined)
    assert.type(table.stage(bytes), 'string')
    try {
      table.commit()
    } catch (error) {
      assert.instance(error, InvariantError)
    }
    assert.is(table.size, 0)
  }
})

test('bytes longer than any frame are refused', () => {
  const { table } = makeNode(tiny(10), 'secondary')
  const long = new Uint8Array(4 << 20)
  assert.type(table.stage(long), 'string')
  assert.type(table.stageImage(0, long), 'string')
  long.fill(0xff)
  assert.type(table.stage(long), 'string')
  assert.is(table.size, 0)
})

test('an image of a segment that does not exist is refused', () => {
  const { table } = makeNode(tiny(10), 'secondary')
  for (const segment of [1, 2, 1 << 22, 2 ** 32, -1]) {
    assert.is(table.stageImage(segment, Uint8Array.of(1, 0, 1, 7)), 'id', `segment ${segment}`)
  }
  assert.is(table.size, 0)
})

test.run()
