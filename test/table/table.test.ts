// The synchronous table, one sentence each.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { NotPrimaryError, TableFullError, ValueError } from '../../src/errors.ts'
import { allDigests, applyBatch, connections, makeNode, setRole, tiny } from '../support/tables.ts'

const ROOM = 1 << 20
const tenTiny = () => makeNode(tiny(10), 'primary')

test('a new table is empty', () => {
  const { table } = makeNode(connections(2000), 'primary')
  assert.equal([table.size, table.capacity, table.segments, table.name], [0, 2000, 2, 'connections'])
  assert.equal([...table], [])
  assert.is(table.get({ proto: 6, srcIp: '10.0.0.1', srcPort: 1, dstIp: '10.0.0.2', dstPort: 2 }), undefined)
})

test('set creates, and replaces all fields of what is there', () => {
  const { table } = makeNode(connections(10), 'primary')
  const key = { proto: 6, srcIp: '10.0.0.1', srcPort: 1024, dstIp: '192.0.2.1', dstPort: 443 }
  table.set(key, { state: 'established', packets: 3, bytes: 4096, natIp: '198.51.100.1', natPort: 4000 })
  assert.is(table.size, 1)
  table.set(key, { packets: 1 })
  assert.is(table.size, 1)
  const expected = { ...key, state: 'syn', packets: 1, bytes: 0, natIp: '0.0.0.0', natPort: 0 }
  assert.equal((table.get(key) as { toJSON(): unknown } | undefined)?.toJSON(), expected)
})

test('update changes the given fields of an existing session only', () => {
  const { table } = tenTiny()
  assert.is(table.update({ id: 1 }, { value: 5 }), false)
  assert.is(table.size, 0)
  table.set({ id: 1 }, { value: 5 })
  assert.is(table.update({ id: 1 }, {}), true)
  assert.is(table.update({ id: 1 }, { value: undefined }), true)
  assert.is(table.get({ id: 1 })?.value, 5)
  assert.is(table.update({ id: 1 }, { value: 6 }), true)
  assert.is(table.get({ id: 1 })?.value, 6)
})

test('a key may carry further properties, so a session can serve as a key', () => {
  const { table } = tenTiny()
  table.set({ id: 3, note: 'ignored' } as never, { value: 1 })
  const session = table.get({ id: 3 })
  assert.ok(session)
  assert.is(table.has(session as never), true)
  assert.is(table.delete(session as never), true)
  assert.is(table.size, 0)
})

test('delete says whether there was a session', () => {
  const { table } = tenTiny()
  table.set({ id: 1 })
  assert.is(table.delete({ id: 2 }), false)
  assert.is(table.delete({ id: 1 }), true)
  assert.is(table.delete({ id: 1 }), false)
  assert.equal([table.size, table.has({ id: 1 })], [0, false])
})

test('a session set after its delete has only what was given', () => {
  const { table } = tenTiny()
  for (let round = 0; round < 50; round++) {
    table.set({ id: 1 }, { value: 9 })
    table.delete({ id: 1 })
    table.set({ id: 1 })
    assert.is(table.get({ id: 1 })?.value, 0)
    table.delete({ id: 1 })
  }
})

test('clear drops every session, and the table can be filled again', () => {
  const { table } = tenTiny()
  for (let round = 0; round < 3; round++) {
    for (let id = 0; id < 10; id++) table.set({ id }, { value: round })
    assert.is(table.size, 10)
    table.clear()
    assert.equal([table.size, [...table].length], [0, 0])
    for (let id = 0; id < 10; id++) assert.is(table.has({ id }), false)
  }
})

test('a full table refuses a new session and changes nothing', () => {
  const { table } = tenTiny()
  for (let id = 0; id < 10; id++) table.set({ id }, { value: id })
  table.encode(ROOM)
  const digests = allDigests(table)
  for (let id = 10; id < 60; id++) {
    assert.throws(
      () => table.set({ id }, { value: 1 }),
      (error: unknown) =>
        error instanceof TableFullError && error.code === 'ERR_TABLE_FULL' && /10/.test(error.message),
    )
    assert.is(table.has({ id }), false)
  }
  assert.equal([table.size, table.changed], [10, false])
  assert.equal(allDigests(table), digests)
})

test('a full table goes on with the sessions it has, and takes a new one for each that leaves', () => {
  const { table } = tenTiny()
  for (let id = 0; id < 10; id++) table.set({ id }, { value: id })
  table.set({ id: 4 }, { value: 44 })
  assert.is(table.update({ id: 5 }, { value: 55 }), true)
  assert.equal([table.get({ id: 4 })?.value, table.get({ id: 5 })?.value], [44, 55])
  for (let id = 10; id < 250; id++) {
    assert.is(table.delete({ id: id - 10 }), true)
    table.set({ id }, { value: 1 })
    assert.is(table.size, 10)
  }
})

test('a value that does not fit is refused before a full table is', () => {
  const { table } = makeNode(tiny(1), 'primary')
  table.set({ id: 1 })
  assert.throws(
    () => table.set({ id: 2 }, { value: 256 }),
    (error: unknown) => error instanceof ValueError,
  )
})

test('a table with a shut gate refuses every write, and still reads', () => {
  const node = tenTiny()
  const { table } = node
  table.set({ id: 1 }, { value: 1 })
  setRole(node, 'secondary')
  const session = table.get({ id: 1 })
  assert.ok(session)
  const writes: (() => unknown)[] = [
    () => table.set({ id: 1 }, { value: 2 }),
    () => table.set({ id: 2 }),
    () => table.update({ id: 1 }, { value: 2 }),
    () => table.update({ id: 9 }, { value: 2 }),
    () => table.delete({ id: 1 }),
    () => table.delete({ id: 9 }),
    () => table.clear(),
    () => {
      ;(session as unknown as { value: unknown }).value = 2
    },
  ]
  for (const write of writes) {
    assert.throws(
      write,
      (error: unknown) => error instanceof NotPrimaryError && error.code === 'ERR_NOT_PRIMARY',
      `${write}`,
    )
  }
  assert.equal([table.size, table.get({ id: 1 })?.value, session.value, [...table].length], [1, 1, 1, 1])
})

test('a role word that changes under the application shuts the gate at once', () => {
  const { table, gate } = tenTiny()
  table.set({ id: 1 })
  gate.words[0] = 5
  assert.throws(
    () => table.set({ id: 2 }),
    (error: unknown) => error instanceof NotPrimaryError,
  )
  gate.open = 5
  table.set({ id: 2 })
  assert.is(table.size, 2)
})

test('iteration gives every session once', () => {
  const { table } = makeNode(tiny(256), 'primary')
  for (let id = 0; id < 256; id++) table.set({ id }, { value: 255 - id })
  for (let id = 0; id < 256; id += 3) table.delete({ id })
  const seen = [...table].map((session) => [Number(session.id), Number(session.value)] as const)
  assert.is(seen.length, table.size)
  assert.is(new Set(seen.map(([id]) => id)).size, table.size)
  for (const [id, value] of seen) assert.equal([id % 3 === 0, value], [false, 255 - id])
})

test('iteration over a table that is being emptied gives only what is still there', () => {
  const { table } = makeNode(tiny(256), 'primary')
  for (let id = 0; id < 256; id++) table.set({ id })
  let given = 0
  for (const session of table) {
    given++
    const id = Number(session.id)
    assert.is(table.has({ id }), true, `${id} was given after its delete`)
    table.delete({ id })
    table.delete({ id: (id + 128) % 256 })
  }
  assert.equal([given, table.size], [128, 0])
})

test('iteration that clears the table ends', () => {
  const { table } = makeNode(tiny(256), 'primary')
  for (let id = 0; id < 200; id++) table.set({ id })
  let given = 0
  for (const _ of table) {
    given++
    table.clear()
  }
  assert.is(given, 1)
})

test('iteration that adds sessions ends', () => {
  const { table } = makeNode(tiny(256), 'primary')
  table.set({ id: 0 })
  let given = 0
  for (const session of table) {
    given++
    const id = Number(session.id)
    if (id < 255) table.set({ id: id + 1 })
  }
  assert.ok(given >= 1 && given <= 256)
})

test('a secondary becomes a primary and goes on with the sessions it got', () => {
  const first = tenTiny()
  const second = makeNode(tiny(10), 'secondary')
  for (let id = 0; id < 10; id++) first.table.set({ id }, { value: id })
  applyBatch(second.table, first.table.encode(ROOM))
  setRole(first, 'secondary')
  setRole(second, 'primary')
  assert.throws(
    () => second.table.set({ id: 10 }),
    (error: unknown) => error instanceof TableFullError,
  )
  assert.is(second.table.delete({ id: 3 }), true)
  second.table.set({ id: 10 }, { value: 10 })
  applyBatch(first.table, second.table.encode(ROOM))
  assert.equal(allDigests(first.table), allDigests(second.table))
  assert.equal([first.table.has({ id: 3 }), first.table.get({ id: 10 })?.value], [false, 10])
})

test.run()
