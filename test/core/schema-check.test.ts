// Which schemas of two builds go together, and how a difference is told.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { matchSchemas } from '../../src/core/schema-check.ts'
import { bytes, defineTable, string } from '../../src/schema/index.ts'
import { ByteReader, ByteWriter } from '../../src/wire/bytes.ts'
import { readSchema, writeSchema } from '../../src/wire/schema.ts'

const test = suite('schemas')
type Options = Parameters<typeof defineTable>[0]
const base = {
  name: 't',
  key: { id: 'u32', name: string(4) },
  fields: { port: 'u16', state: ['new', 'open'], raw: bytes(3) },
  indexes: { port: ['port'] },
  capacity: 10,
} as unknown as Options
const schema = (changes: object = {}) => defineTable({ ...base, ...changes } as Options).schema
const fields = (more: object) => ({ fields: { ...base.fields, ...more } })

test('a description comes back as it was said, whatever its names', () => {
  const long = schema({
    fields: { ['x'.repeat(200)]: 'u8', a: ['é'.repeat(400)] },
    indexes: {},
    timeout: 300,
  })
  for (const one of [schema(), long]) {
    const written = writeSchema(new ByteWriter(), one).finish()
    const reader = new ByteReader(written)
    assert.equal(readSchema(reader), one)
    assert.ok(reader.done)
    for (let cut = 0; cut < written.length; cut++) {
      assert.is(readSchema(new ByteReader(written.subarray(0, cut))), undefined)
    }
  }
  assert.is(long.lifetime, '4800 idle')
})

test('equal schemas go together, and fields after all others may be on one side only', () => {
  assert.equal(matchSchemas('t', schema(), schema()), { common: 3 })
  const more = schema(fields({ later: 'u8', last: 'f64' }))
  assert.equal(matchSchemas('t', schema(), more), { common: 3 })
  assert.equal(matchSchemas('t', more, schema()), { common: 3 })
})

const DIFFERENT: [string, object, RegExp][] = [
  [
    'another type',
    { fields: { port: 'u32', state: ['new', 'open'], raw: bytes(3) }, indexes: { port: ['port'] } },
    /^table t: field port is u16 on 'a', u32 on 'b'$/,
  ],
  [
    'other names of an enum',
    { fields: { port: 'u16', state: ['new', 'shut'], raw: bytes(3) } },
    /field state is enum\(2\) [0-9a-f]{16} on 'a', enum\(2\) [0-9a-f]{16} on 'b'/,
  ],
  [
    'another length',
    { fields: { port: 'u16', state: ['new', 'open'], raw: bytes(4) } },
    /field raw is bytes\(3\) on 'a', bytes\(4\) on 'b'/,
  ],
  [
    'a field in between',
    { fields: { port: 'u16', more: 'u8', state: ['new', 'open'], raw: bytes(3) } },
    /field 2 is state on 'a', more on 'b'/,
  ],
  [
    'another order',
    { fields: { state: ['new', 'open'], port: 'u16', raw: bytes(3) } },
    /field 1 is port on 'a', state on 'b'/,
  ],
  [
    'a key field more',
    { key: { id: 'u32', name: string(4), zone: 'u8' } },
    /the key has 2 fields on 'a', 3 on 'b'/,
  ],
  ['another key field', { key: { id: 'u16', name: string(4) } }, /key field id is u32 on 'a', u16 on 'b'/],
  ['no index', { indexes: {} }, /indexes are port\(port\) on 'a', none on 'b'/],
  ['another lifetime', { timeout: 10 }, /timeout and expiry \(ticks\) are none on 'a', 160 idle on 'b'/],
  [
    'a text appended',
    { ...fields({ note: 'text' }), arena: 65_536 },
    /field note is text and only on 'b'; a blob or text cannot be appended/,
  ],
]

for (const [what, changes, message] of DIFFERENT) {
  test(`${what}: named on both sides`, () => {
    const there = schema(changes)
    const match = matchSchemas('t', schema(), there, "on 'a'", "on 'b'")
    assert.match('difference' in match ? match.difference : '', message)
    assert.ok('difference' in matchSchemas('t', there, schema()))
  })
}

test.run()
