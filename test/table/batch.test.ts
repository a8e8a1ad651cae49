// Batch calls, one sentence each. That they equal as many single calls, whatever the history, is in model.test.ts.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { NotPrimaryError, TableFullError, ValueError } from '../../src/errors.ts'
import { defineTable, string } from '../../src/schema/index.ts'
import { createTable, openGate } from '../../src/table/index.ts'
import { allDigests, applyBatch, makeNode, readState, sameDigests, sameState } from '../support/tables.ts'
import { twinSchemaOf } from '../twins/values.ts'

const ROOM = 1 << 20

const define = (capacity: number) =>
  defineTable({
    name: 'flows',
    key: { id: 'u32', zone: string(4) },
    fields: { state: ['new', 'open', 'shut'], packets: 'u53', note: string(6), on: 'bool', mark: 'i32' },
    capacity,
  })

function flows(capacity: number) {
  const gate = openGate()
  const table = createTable(define(capacity), { gate })
  table.setTracking(true)
  return { table, gate }
}

const keyOf = (id: number) => ({ id, zone: `z${id % 7}` })
const range = (count: number) => Array.from({ length: count }, (_, i) => i)

function thrown(act: () => unknown): unknown {
  try {
    act()
  } catch (error) {
    return error
  }
  return undefined
}

function refuses(act: () => unknown, pattern: RegExp): void {
  const error = thrown(act)
  assert.instance(error, ValueError, String(error))
  assert.match((error as ValueError).message, pattern)
}

test('pairs create and replace; what is created and what is replaced is counted', () => {
  const { table } = flows(5000)
  const pairs = range(3000).map((id) => [keyOf(id), { packets: id, state: 'open' }] as const)
  assert.equal(table.setMany(pairs), { created: 3000, replaced: 0 })
  assert.equal(table.setMany(pairs.slice(0, 10).concat([[keyOf(4000), { packets: 1, state: 'open' }]])), {
    created: 1,
    replaced: 10,
  })
  assert.is(table.size, 3001)
  for (const id of [0, 1023, 1024, 2999]) assert.is(table.get(keyOf(id))?.packets, id)
  assert.equal(table.setMany([]), { created: 0, replaced: 0 })
})

test('a Map is an iterable of pairs, and pairs may come without fields', () => {
  const { table } = flows(10)
  assert.equal(table.setMany(new Map([[keyOf(1), { packets: 5 }]])), { created: 1, replaced: 0 })
  assert.equal(table.setMany([[keyOf(1)]]), { created: 0, replaced: 1 })
  assert.is(table.get(keyOf(1))?.packets, 0)
})

test('a key that comes twice is met twice, in order', () => {
  const { table } = flows(10)
  const result = table.setMany([
    [keyOf(1), { packets: 1, note: 'first' }],
    [keyOf(1), { packets: 2 }],
  ])
  assert.equal(result, { created: 1, replaced: 1 })
  assert.equal([table.get(keyOf(1))?.packets, table.get(keyOf(1))?.note], [2, ''])
  assert.is(
    table.updateMany([
      [keyOf(1), { packets: 3 }],
      [keyOf(1), { note: 'last' }],
    ]),
    2,
  )
  assert.equal([table.get(keyOf(1))?.packets, table.get(keyOf(1))?.note], [3, 'last'])
  assert.is(table.deleteMany([keyOf(1), keyOf(1)]), 1)
})

test('views come in the order of the keys, undefined where there is no session', () => {
  const { table } = flows(3000)
  table.setMany(range(2500).map((id) => [keyOf(2 * id), { packets: id }] as const))
  const views = table.getMany(range(5000).map(keyOf))
  assert.is(views.length, 5000)
  for (const [id, view] of views.entries()) assert.is(view?.packets, id % 2 ? undefined : id / 2)
  views[8]!.packets = 77
  assert.is(table.get(keyOf(8))?.packets, 77)
  assert.equal(table.getMany([]), [])
})

test('rows carry the fields they were made for, and give only what add() was given', () => {
  const { table } = flows(10)
  table.set(keyOf(1), { packets: 1, note: 'stays', mark: -5 })
  const rows = table.rows(4, { fields: ['packets', 'note'] })
  assert.is(rows.add(keyOf(1), { packets: 9 }), 0)
  assert.is(rows.add(keyOf(2), { note: 'none' }), 1)
  assert.is(rows.add(keyOf(1)), 2)
  assert.is(table.updateMany(rows), 2)
  assert.equal([...rows.found.subarray(0, 3)], [1, 0, 1])
  assert.equal(
    [table.get(keyOf(1))?.packets, table.get(keyOf(1))?.note, table.get(keyOf(1))?.mark],
    [9, 'stays', -5],
  )
  refuses(() => rows.add(keyOf(3), { mark: 1 } as never), /field mark given; allowed: packets, note/)
  refuses(() => rows.add(keyOf(3), { id: 1 } as never), /field id given; allowed: packets, note/)
  refuses(() => rows.add(keyOf(3), { packets: -1 }), /packets: -1 given/)
  assert.is(rows.length, 3)
  rows.add(keyOf(3))
  refuses(() => rows.add(keyOf(4)), /allowed: 4 rows/)
  rows.clear()
  assert.equal([rows.length, rows.capacity], [0, 4])
  assert.is(table.updateMany(rows), 0)
})

test('rows read back what was found, zeros where nothing was, and can be written back changed', () => {
  const { table } = flows(10)
  table.set(keyOf(1), { packets: 7, state: 'shut', note: 'é', on: true, mark: -1 })
  const rows = table.rows(3)
  rows.add(keyOf(1))
  rows.add(keyOf(2), { packets: 3, note: 'gone' })
  assert.is(table.getMany(rows), 1)
  assert.equal(rows.read(0), { ...keyOf(1), state: 'shut', packets: 7, note: 'é', on: true, mark: -1 })
  assert.equal(rows.read(1), { ...keyOf(2), state: 'new', packets: 0, note: '', on: false, mark: 0 })
  assert.equal([rows.get(0, 'zone'), rows.get(0, 'state'), rows.get(1, 'packets')], ['z1', 'shut', 0])
  rows.columns.packets[0]! += 5
  assert.is(table.updateMany(rows), 1)
  assert.is(table.get(keyOf(1))?.packets, 12)
  assert.is(table.get(keyOf(1))?.note, 'é')
  refuses(() => rows.read(2), /row 2 given; allowed: an integer from 0 to 1/)
  refuses(() => rows.get(0, 'nothing' as never), /field nothing given/)
})

test('columns are typed arrays; a greater length gives every field of the new rows', () => {
  const { table } = flows(10)
  const rows = table.rows(5, { fields: ['packets', 'state'] })
  const { id, zone, packets, state } = rows.columns
  id.set([1, 2, 3])
  for (const row of [0, 1, 2]) zone.set([2, 122, 49 + row, 9, 9], 5 * row)
  packets.set([10, 20, 30])
  state.set([0, 1, 2])
  rows.length = 3
  assert.equal(table.setMany(rows), { created: 3, replaced: 0 })
  assert.equal([...rows.found.subarray(0, 3)], [0, 0, 0])
  assert.equal(table.get({ id: 2, zone: 'z2' })?.toJSON(), {
    ...{ id: 2, zone: 'z2', state: 'open', packets: 20, note: '', on: false, mark: 0 },
  })
  rows.length = 1
  assert.is(table.deleteMany(rows), 1)
  for (const length of [-1, 6, 1.5, Number.NaN]) {
    refuses(() => {
      rows.length = length
    }, /length .* given; allowed: an integer from 0 to 5/)
  }
})

test('what a column may hold but its field may not is refused by row and column, and nothing is changed', () => {
  const { table } = flows(5000)
  table.setMany(range(3000).map((id) => [keyOf(id), { packets: 1 }] as const))
  table.encode(ROOM)
  const schema = twinSchemaOf(define(1))
  const before = readState(schema, table as never)
  const rows = table.rows(3000)
  for (const id of range(3000)) rows.add(keyOf(id), { packets: 2 })
  rows.length = 0
  rows.length = 3000
  const { columns } = rows
  const spoil: [string, Record<number, number>, RegExp][] = [
    ['packets', { 2500: 1.5 }, /row 2500: column packets: 1.5 given; allowed: an integer/],
    ['packets', { 2500: -1, 7: Number.NaN }, /row 7: column packets: NaN/],
    ['packets', { 0: 2 ** 53 }, /row 0: column packets: 9007199254740992/],
    ['packets', { 2999: Number.NEGATIVE_INFINITY }, /row 2999: column packets: -Infinity/],
    ['state', { 1024: 3 }, /row 1024: column state: 3 given; allowed: below 3/],
    ['on', { 1023: 2 }, /row 1023: column on: 2 given; allowed: below 2/],
    ['note', { [7 * 2048]: 7 }, /row 2048: column note: length 7 given; allowed: a length of at most 6/],
    ['note', { [7 * 2048]: 1, [7 * 2048 + 1]: 0xff }, /row 2048: column note/],
    ['zone', { [5 * 2050]: 5 }, /row 2050: column zone: length 5/],
  ]
  for (const [name, values, pattern] of spoil) {
    const column = (columns as unknown as Record<string, Float64Array>)[name]!
    const was = column.slice()
    for (const [at, value] of Object.entries(values)) column[Number(at)] = value
    refuses(() => table.setMany(rows), pattern)
    refuses(() => table.updateMany(rows), pattern)
    if (name === 'zone') {
      refuses(() => table.deleteMany(rows), pattern)
      refuses(() => table.getMany(rows), pattern)
    }
    column.set(was)
  }
  assert.is(table.changed, false)
  sameState(readState(schema, table as never), before, 'after refusals')
  assert.is(table.updateMany(rows), 3000)
})

test('a value is refused only in rows that give it', () => {
  const { table } = flows(10)
  const rows = table.rows(2)
  rows.columns.packets.fill(Number.NaN)
  rows.columns.note.fill(255)
  rows.add(keyOf(1), { mark: 1 })
  rows.add(keyOf(2), { mark: 2 })
  assert.equal(table.setMany(rows), { created: 2, replaced: 0 })
  assert.equal(
    [table.get(keyOf(2))?.packets, table.get(keyOf(2))?.note, table.get(keyOf(2))?.mark],
    [0, '', 2],
  )
})

test('one pair that does not fit changes nothing, however many come before it', () => {
  const { table } = flows(5000)
  const pairs = range(3000).map((id) => [keyOf(id), { packets: id === 2999 ? 0.5 : id }] as const)
  refuses(() => table.setMany(pairs), /packets: 0.5 given.*\(item 2999\)/)
  assert.equal([table.size, table.changed], [0, false])
  refuses(() => table.setMany([[keyOf(1), {}], 5 as never]), /5 given; allowed: \[key, fields\] \(item 1\)/)
  refuses(() => table.deleteMany([keyOf(1), 'x' as never]), /key "x" given.*item 1/)
  refuses(() => table.updateMany(7 as never), /7 given; allowed: rows of this table, or an iterable/)
  assert.is(table.size, 0)
})

test('a table that fills up keeps the rows before the one without room, and says how many', () => {
  const { table } = flows(2000)
  table.set(keyOf(5))
  const pairs = range(3000).map((id) => [keyOf(id), { packets: 1 }] as const)
  const rows = table.rows(3000)
  for (const [key, fields] of pairs) rows.add(key, fields)
  for (const given of [pairs, rows]) {
    const error = thrown(() => table.setMany(given))
    assert.instance(error, TableFullError)
    assert.equal([(error as TableFullError).stored, table.size], [2000, 2000])
    assert.equal([table.has(keyOf(1999)), table.has(keyOf(2000))], [true, false])
    assert.is(table.changed, true)
    table.encode(ROOM)
    table.deleteMany(range(3000).map(keyOf))
    table.set(keyOf(5))
  }
  const single = thrown(() => {
    for (const [key, fields] of pairs) table.set(key, fields)
  })
  assert.is((single as TableFullError).stored, 0)
})

test('a change is announced once per call, and not at all if nothing was there to change', () => {
  const { table } = flows(5000)
  let announced = 0
  table.onChange = () => announced++
  table.updateMany(range(2000).map((id) => [keyOf(id), { packets: 1 }] as const))
  table.deleteMany(range(2000).map(keyOf))
  table.getMany(range(2000).map(keyOf))
  assert.equal([announced, table.changed], [0, false])
  table.setMany(range(3000).map((id) => [keyOf(id), {}] as const))
  assert.equal([announced, table.changed], [1, true])
  while (table.changed) table.encode(ROOM)
  table.updateMany(range(3000).map((id) => [keyOf(id), {}] as const))
  assert.equal([announced, table.changed], [1, false])
})

test('more changes than the journal holds reach the secondary all the same', () => {
  const definition = define(40_000)
  const primary = makeNode(definition, 'primary')
  const secondary = makeNode(definition, 'secondary')
  const table = primary.table as unknown as ReturnType<typeof flows>['table']
  const drain = () => {
    for (let flush = 0; table.changed; flush++) {
      assert.ok(flush < 100, 'a drain that does not end')
      applyBatch(secondary.table, table.encode(ROOM))
    }
    sameDigests(primary.table, secondary.table)
  }
  const ids = range(40_000)
  table.setMany(ids.map((id) => [keyOf(id), { packets: id }] as const))
  assert.is(table.overflowed, true)
  drain()
  const rows = table.rows(40_000, { fields: ['packets'] })
  for (const id of ids) rows.add(keyOf(id), { packets: 2 * id })
  table.updateMany(rows)
  assert.is(table.overflowed, true)
  table.deleteMany(ids.filter((id) => id % 3 === 0).map(keyOf))
  drain()
  assert.is(secondary.table.size, ids.filter((id) => id % 3).length)
})

test('a shut gate refuses each batch write once, before what is given is read; reads go on', () => {
  const { table, gate } = flows(10)
  table.set(keyOf(1), { packets: 4 })
  const rows = table.rows(1)
  rows.add(keyOf(1), { packets: 5 })
  gate.words[0] = 9
  const unread = {
    [Symbol.iterator]: (): Iterator<never> => assert.unreachable('was read') as never,
  }
  for (const given of [rows, unread]) {
    for (const write of ['setMany', 'updateMany', 'deleteMany'] as const) {
      assert.instance(
        thrown(() => table[write](given)),
        NotPrimaryError,
      )
    }
  }
  assert.is(table.getMany(rows), 1)
  assert.is(rows.get(0, 'packets'), 4)
})

test('a node that loses its role while an iterable is read writes nothing', () => {
  const { table, gate } = flows(10)
  function* pairs() {
    yield [keyOf(1), {}] as const
    gate.words[0] = 9
    yield [keyOf(2), {}] as const
  }
  assert.instance(
    thrown(() => table.setMany(pairs())),
    NotPrimaryError,
  )
  assert.is(table.size, 0)
})

test('an iterable may use the table while it is read, and may throw', () => {
  const { table } = flows(5000)
  function* inner(first: number) {
    for (let id = first; id < first + 1500; id++) yield [keyOf(id), { packets: id }] as const
  }
  function* outer() {
    for (let id = 0; id < 1100; id++) {
      if (id % 1000 === 500) table.setMany(inner(2000))
      if (id === 700) assert.is(table.getMany([keyOf(2000)])[0]?.packets, 2000)
      yield [keyOf(id), { packets: id }] as const
    }
  }
  assert.equal(table.setMany(outer()), { created: 1100, replaced: 0 })
  assert.is(table.size, 2600)
  for (const id of [0, 499, 500, 1099, 2000, 3499]) assert.is(table.get(keyOf(id))?.packets, id)
  const digests = allDigests(table as never)
  function* broken() {
    yield [keyOf(1), { packets: 999 }] as const
    throw new RangeError('mine')
  }
  assert.instance(
    thrown(() => table.setMany(broken())),
    RangeError,
  )
  assert.equal(allDigests(table as never), digests)
  assert.equal(table.setMany(inner(0)), { created: 400, replaced: 1100 })
})

test('rows serve any table of their definition and no other', () => {
  const definition = define(10)
  const [one, two] = [0, 1].map(() => createTable(definition, { gate: openGate() }))
  const rows = one!.rows(2)
  rows.add(keyOf(1), { packets: 3 })
  assert.equal(
    [one!.setMany(rows), two!.setMany(rows)],
    [
      { created: 1, replaced: 0 },
      { created: 1, replaced: 0 },
    ],
  )
  refuses(() => flows(10).table.setMany(rows), /rows of another table/)
  for (const capacity of [0, -1, 1.5, 2 ** 21]) refuses(() => one!.rows(capacity), /rows of capacity/)
  refuses(() => one!.rows(1, { fields: ['id' as never] }), /field id given; allowed: state, packets/)
})

test('rows whose columns were transferred away are refused', () => {
  const { table } = flows(10)
  const rows = table.rows(4)
  rows.add(keyOf(1), { packets: 3 })
  structuredClone(rows.columns.id.buffer, { transfer: [rows.columns.id.buffer as ArrayBuffer] })
  for (const use of ['setMany', 'updateMany', 'deleteMany', 'getMany'] as const) {
    refuses(() => table[use](rows), /columns were transferred/)
  }
  assert.is(table.size, 0)
})

test('long records and a single row work like any other', () => {
  const definition = defineTable({
    name: 'long',
    key: { name: string(255), id: 'u8' },
    fields: { a: string(255), b: string(255), c: 'u16' },
    capacity: 300,
  })
  const table = createTable(definition, { gate: openGate() })
  const keys = range(300).map((id) => ({ name: 'n'.repeat(id % 256), id: id % 251 }))
  assert.is(table.setMany(keys.map((key, id) => [key, { a: `a${id}`, c: id }] as const)).created, 300)
  const rows = table.rows(300)
  for (const key of keys) rows.add(key)
  assert.is(table.getMany(rows), 300)
  for (const id of range(300)) assert.equal([rows.get(id, 'a'), rows.get(id, 'c')], [`a${id}`, id])
  assert.is(table.deleteMany([keys[7]!]), 1)
  assert.is(table.size, 299)
})

test.run()
