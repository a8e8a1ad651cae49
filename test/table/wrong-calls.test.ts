// What a table says of calls that cannot be right: always a ValueError that names what was given and what is allowed.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { ValueError } from '../../src/errors.ts'
import { makeNode, tiny } from '../support/tables.ts'

// biome-ignore lint/suspicious/noExplicitAny: what the compiler would refuse is what is tried here
type Anything = any

const bare = (): object => Object.create(null)

const start = (): Anything => {
  const { table } = makeNode(tiny(10), 'primary')
  table.set({ id: 1 }, { value: 1 })
  return table
}

const WRONG: readonly [says: string, call: (table: Anything) => unknown, mentions: RegExp][] = [
  [
    'rows with an option that does not exist',
    (t) => t.rows(4, { field: ['value'] }),
    /option field.*: fields/,
  ],
  [
    'rows with fields that are no array',
    (t) => t.rows(4, { fields: 'value' }),
    /fields "value".*array of names/,
  ],
  ['rows with fields null', (t) => t.rows(4, { fields: null }), /fields null.*array of names/],
  ['rows with options null', (t) => t.rows(4, null), /rows: null given.*\{ fields \}/],
  ['rows of a capacity that is a text', (t) => t.rows('4'), /capacity "4" given.*integer/],
  ['a row of rows without any', (t) => t.rows(4).get(0, 'value'), /row 0 given.*there are 0 rows/],
  ['a batch that is a bare object', (t) => t.setMany(bare()), /an object given.*rows of this table/],
  [
    'a pair that is a bare object',
    (t) => t.setMany([bare()]),
    /table tiny: an object.*\[key, fields\].*item 0/,
  ],
  ['a pair that is a view', (t) => t.updateMany([...t]), /table tiny: an object.*\[key, fields\].*item 0/],
  ['a key that is a function', (t) => t.set(() => 1), /key a function given.*an object/],
  [
    'a field that is assigned and does not exist',
    (t) => ([...t][0].vaule = 1),
    /field vaule.*allowed: value/,
  ],
  ['a symbol that is assigned', (t) => ([...t][0][Symbol('mine')] = 1), /Symbol\(mine\).*allowed: value/],
  ['a key field that is assigned', (t) => ([...t][0].id = 2), /key field id assigned.*value fields/],
]

for (const [says, call, mentions] of WRONG) {
  test(`refuses ${says}`, () => {
    const table = start()
    assert.throws(
      () => call(table),
      (error: unknown) =>
        error instanceof ValueError && error.code === 'ERR_VALUE' && mentions.test(error.message),
    )
    assert.equal(table.get({ id: 1 }).toJSON(), { id: 1, value: 1 })
    assert.is(table.size, 1)
  })
}

test('a view is an object like others where nothing is assigned', () => {
  const view = [...start()][0]
  assert.instance(view, Object)
  assert.equal([view.then, view.foo, 'value' in view, 'foo' in view], [undefined, undefined, true, false])
  assert.is(JSON.stringify(view), '{"id":1,"value":1}')
  assert.is(`${view}`, '[object Object]')
})

test.run()
