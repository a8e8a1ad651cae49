// defineTable: what it refuses, by name, and what its schema hash tells apart.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { SchemaError } from '../../src/errors.ts'
import { bytes, defineTable, string, type TableDefinition } from '../../src/schema/index.ts'

const good = { name: 'sessions', key: { id: 'u32' }, fields: { value: 'u8' }, capacity: 100 } as const
const many = (count: number, type: unknown = 'u8') =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`f${i}`, type]))

function define(changes: Record<string, unknown>): TableDefinition {
  return defineTable({ ...good, ...changes } as never)
}

test('a definition keeps what it was given', () => {
  const definition = defineTable(good)
  const { name, key, fields, capacity } = definition
  assert.equal({ name, key, fields, capacity }, good)
  assert.match(definition.schemaHash, /^[0-9a-f]{16}$/)
})

test('a definition does not change with the objects it was made from', () => {
  const names = ['a', 'b']
  const fields = { kind: names, value: 'u8' }
  const definition = define({ fields })
  names.push('c')
  fields.value = 'u16'
  assert.equal(definition.fields, { kind: ['a', 'b'], value: 'u8' })
})

const itself: { self?: unknown } = {}
itself.self = itself

const REFUSED: readonly (readonly [says: string, changes: Record<string, unknown>, mentions: RegExp])[] = [
  ['no name', { name: '' }, /name/],
  ['a name that is no string', { name: 5 }, /name.*5/],
  ['a name with a space', { name: 'a b' }, /a b/],
  ['a name that begins with a digit', { name: '1a' }, /1a/],
  ['a name of 65 characters', { name: 'n'.repeat(65) }, /64/],
  ['no key', { key: undefined }, /key/],
  ['a key without fields', { key: {} }, /key/],
  ['17 key fields', { key: many(17) }, /17.*16/],
  ['54 value fields', { fields: many(54) }, /54.*53/],
  ['fields that are no object', { fields: ['u8'] }, /fields/],
  ['a type that does not exist', { fields: { value: 'u64' } }, /value.*u64/],
  ['a type that is a number', { fields: { value: 8 } }, /value.*8/],
  ['no type', { fields: { value: undefined } }, /value/],
  ['an enum without names', { fields: { kind: [] } }, /kind/],
  ['an enum of 257 names', { fields: { kind: Array.from({ length: 257 }, (_, i) => `n${i}`) } }, /256/],
  ['an enum that says a name twice', { fields: { kind: ['a', 'b', 'a'] } }, /kind/],
  ['an enum with a number', { fields: { kind: ['a', 1] } }, /kind/],
  ['bytes(0)', { fields: { raw: bytes(0) } }, /raw/],
  ['bytes(256)', { fields: { raw: bytes(256) } }, /raw.*255/],
  ['string(0)', { fields: { text: string(0) } }, /text/],
  ['string(1.5)', { fields: { text: string(1.5) } }, /text/],
  ['one name in key and fields', { fields: { id: 'u8' } }, /id/],
  ['a field that would hide a method of a view', { fields: { toJSON: 'u8' } }, /toJSON/],
  ['a field name that is no identifier', { fields: { 'a-b': 'u8' } }, /a-b/],
  ['records of more than 1000 bytes', { fields: many(4, bytes(255)) }, /1000/],
  ['indexes that are no object', { indexes: ['value'] }, /indexes.*value/],
  ['five indexes', { indexes: Object.fromEntries([1, 2, 3, 4, 5].map((i) => [`i${i}`, ['value']])) }, /5.*4/],
  ['an index name that is no identifier', { indexes: { 'a-b': ['value'] } }, /a-b/],
  ['an index that is no list', { indexes: { by: 'value' } }, /by.*value/],
  ['an index without fields', { indexes: { by: [] } }, /by/],
  ['an index of nine fields', { fields: many(9), indexes: { by: Object.keys(many(9)) } }, /8/],
  ['an index over a field that does not exist', { indexes: { by: ['nope'] } }, /nope.*value/],
  ['an index over a key field', { indexes: { by: ['id'] } }, /id.*in the key/],
  ['an index with a field twice', { indexes: { by: ['value', 'value'] } }, /value.*twice/],
  ['an index over a number', { indexes: { by: [1] } }, /by.*1/],
  ['no capacity', { capacity: undefined }, /capacity/],
  ['a capacity of 0', { capacity: 0 }, /capacity.*0/],
  ['a capacity of half a session', { capacity: 1.5 }, /capacity.*1\.5/],
  ['a capacity that is a string', { capacity: '100' }, /capacity/],
  ['a capacity above 2^26', { capacity: 2 ** 26 + 1 }, /capacity/],
  ['a pickup that is no object', { pickup: 2 }, /pickup 2.*delay, filter/],
  ['an option of pickup that does not exist', { pickup: { after: 2 } }, /pickup\.after/],
  ['a delay below 0', { pickup: { delay: -1 } }, /pickup\.delay -1.*0 to 86400/],
  ['a delay above a day', { pickup: { delay: 86_401 } }, /pickup\.delay 86401/],
  ['a delay that is no number', { pickup: { delay: '2' } }, /pickup\.delay "2"/],
  ['a timeout that is no number', { timeout: '5' }, /timeout "5".*seconds/],
  [
    'a pickup without a prototype',
    { pickup: Object.create(null, { after: { value: 1, enumerable: true } }) },
    /after/,
  ],
  ['a type that contains itself', { fields: { value: itself } }, /value: an object given.*u8/],
  ['a length that is a bigint', { fields: { value: { type: 'bytes', length: 4n } } }, /bytes\(1\)/],
  ['a capacity that is a bigint', { capacity: 10n }, /capacity 10n/],
  ['a filter that is no function', { pickup: { filter: true } }, /pickup\.filter true/],
  ['an option that does not exist', { capactiy: 5 }, /capactiy/],
]

for (const [says, changes, mentions] of REFUSED) {
  test(`refuses ${says}`, () => {
    assert.throws(
      () => define(changes),
      (error: unknown) =>
        error instanceof SchemaError && error.code === 'ERR_SCHEMA' && mentions.test(error.message),
    )
  })
}

test('a definition may be at every limit', () => {
  define({ name: 'n'.repeat(64), key: many(16), capacity: 1 })
  define({ fields: many(53), capacity: 2 ** 26 })
  define({ fields: {} })
  define({ indexes: {} })
  define({
    fields: { kind: Array.from({ length: 256 }, (_, i) => `n${i}`), raw: bytes(255), text: string(255) },
  })
})

test('the schema hash tells names, types, lengths, enum names and order apart, and nothing else', () => {
  const shapes: Record<string, unknown>[] = [
    {},
    { fields: { valu: 'u8' } },
    { fields: { value: 'u16' } },
    { fields: { value: 'bool' } },
    { fields: { value: bytes(4) } },
    { fields: { value: bytes(5) } },
    { fields: { value: string(4) } },
    { fields: { value: ['a', 'b'] } },
    { fields: { value: ['b', 'a'] } },
    { fields: { value: ['a', 'b', 'c'] } },
    { fields: { value: ['a,b'] } },
    { fields: { value: 'u8', more: 'u8' } },
    { fields: { more: 'u8', value: 'u8' } },
    { fields: {} },
    { key: { id: 'u32', value: 'u8' }, fields: {} },
    { key: { id: 'i32' } },
    { key: { key: 'u32' } },
    { key: { id: 'u32', more: 'u8' } },
    { indexes: { by: ['value'] } },
    { indexes: { other: ['value'] } },
    { fields: { value: 'u8', more: 'u8' }, indexes: { by: ['value', 'more'] } },
    { fields: { value: 'u8', more: 'u8' }, indexes: { by: ['value'], other: ['more'] } },
    { key: { more: 'u8', id: 'u32' } },
  ]
  const hashes = shapes.map((shape) => define(shape).schemaHash)
  assert.is(new Set(hashes).size, shapes.length)
  for (const same of [{ name: 'other' }, { capacity: 7 }, { indexes: {} }])
    assert.is(define(same).schemaHash, hashes[0])
})

test.run()
