// docs/PROTOCOL.md sections 2, 3 and 7, the TypeScript side and the WASM side say the same numbers.
import { readFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { SEGMENT_RECORDS as CORE_SEGMENT_RECORDS } from '../../src/core/store.ts'
import { bytes, defineTable, type FieldType, string } from '../../src/schema/index.ts'
import { SESSION_BYTES_MAX, VALUE_BYTES_MAX } from '../../src/schema/layout.ts'
import { createEngine, ENCODE_BYTES_MAX } from '../../src/table/engine.ts'
import { DELTAS_MAX, JOURNAL_MAX, REFUSALS, SEGMENT_RECORDS } from '../../src/table/index.ts'
import { FRAME_BYTES_MAX } from '../../src/wire/constants.ts'
import { makeNode, tiny } from '../support/tables.ts'
import { OPS, SEGMENT } from '../twins/deltas.ts'

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
const protocol = read('docs/PROTOCOL.md')

/** The cells of the table that has this header row. */
function rows(header: string): string[][] {
  const start = protocol.indexOf(`${header}\n`)
  assert.ok(start >= 0, `docs/PROTOCOL.md has a table headed ${header}`)
  const lines = protocol.slice(start).split('\n').slice(2)
  const end = lines.findIndex((line) => !line.startsWith('|'))
  return lines.slice(0, end).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  )
}

/** A constant of the WASM side, which exports functions only. */
function constant(path: string, name: string): number {
  const match = new RegExp(`export const ${name}: \\w+ = ([\\d_ <]+)\\n`).exec(read(path))
  assert.ok(match, `${path} has a constant ${name}`)
  const [value = Number.NaN, shift = 0] = match[1]!.split('<<').map(Number)
  return value * 2 ** shift
}

test('refusals are drawn in the order of their numbers', () => {
  const drawn = rows('| name | when |').map(([name]) => name)
  assert.equal(drawn, [...REFUSALS])
  const named = (name: string) =>
    name === 'occupied' ? 'OCCUPIED_SLOT' : name.toUpperCase().replace('-', '_')
  for (const [i, name] of REFUSALS.entries())
    assert.is(constant('assembly/decode.ts', named(name)), i + 1, name)
})

test('operations have the numbers they are drawn with', () => {
  const drawn = rows('| op | name | body | meaning |').map(([op, name]) => [Number(op), name])
  assert.equal(
    drawn,
    OPS.map((name, i) => [i, name]),
  )
  for (const [i, name] of OPS.entries()) assert.is(constant('assembly/encode.ts', name.toUpperCase()), i)
})

test('a segment has the records it is drawn with', () => {
  const [, drawn] = /Segment s holds record ids (\d+) s/.exec(protocol) ?? []
  const everywhere = [
    SEGMENT,
    SEGMENT_RECORDS,
    CORE_SEGMENT_RECORDS,
    constant('assembly/layout.ts', 'SEGMENT_RECORDS'),
  ]
  for (const number of everywhere) assert.is(number, Number(drawn))
  assert.is(2 ** constant('assembly/layout.ts', 'SEGMENT_SHIFT'), Number(drawn))
})

test('every type is drawn, and stored in the bytes it is drawn with', () => {
  const n = 9
  const types: Record<string, FieldType> = {
    ...{
      u8: 'u8',
      bool: 'bool',
      enum: ['a', 'b'],
      u16: 'u16',
      u32: 'u32',
      i32: 'i32',
      u53: 'u53',
      f64: 'f64',
    },
    ...{ ipv4: 'ipv4', ipv6: 'ipv6', ip: 'ip', 'bytes(n)': bytes(n), 'string(n)': string(n) },
    ...{ blob: 'blob', text: 'text' },
  }
  const drawn = rows('| type | in a record | change in an update | stored |')
  assert.equal(
    drawn.map(([name]) => name),
    Object.keys(types),
  )
  for (const [name = '', , , stored = ''] of drawn) {
    const definition = defineTable({
      name: 't',
      key: { id: 'u8' },
      fields: { it: types[name]! },
      capacity: 1,
      ...(name === 'blob' || name === 'text' ? { arena: 65_536 } : {}),
    })
    const [, one, many] = /^(1 \+ )?(\d+|n) bytes?/.exec(stored) ?? []
    const size = (one === undefined ? 0 : 1) + (many === 'n' ? n : Number(many))
    assert.is(definition.layout.values[0]?.size, size, name)
  }
})

test('the engine takes more than any engine gives, and no more than a frame can carry', () => {
  const { core } = createEngine(tiny(1), [1, 2, 3, 4], ENCODE_BYTES_MAX)
  assert.is(core.inboxBytes(), constant('assembly/layout.ts', 'INBOX_BYTES'))
  assert.is(constant('assembly/layout.ts', 'ENCODE_MAX'), ENCODE_BYTES_MAX)
  assert.ok(ENCODE_BYTES_MAX <= core.inboxBytes() && core.inboxBytes() <= FRAME_BYTES_MAX)
})

test('a table may have as many indexes as the engine has room for', () => {
  const list = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`i${i}`, ['value'] as ['value']]))
  const define = (count: number) =>
    defineTable({ name: 't', key: { id: 'u8' }, fields: { value: 'u8' }, indexes: list(count), capacity: 1 })
  const most = constant('assembly/layout.ts', 'INDEXES_MAX')
  define(most)
  assert.throws(() => define(most + 1), /indexes/)
})

test('values of variable length have the bounds they are drawn with', () => {
  const [, value, session] = /at most ([\d,]+) bytes, those of one session together at most ([\d,]+)/.exec(
    protocol,
  )!
  const number = (text = '') => Number(text.replaceAll(',', ''))
  assert.equal([number(value), number(session)], [VALUE_BYTES_MAX, SESSION_BYTES_MAX])
  const of = (name: string) =>
    constant(`assembly/${name === 'ENCODE_MAX' ? 'layout' : 'arena-sizes'}.ts`, name)
  assert.equal([of('VALUE_BYTES_MAX'), of('SESSION_BYTES_MAX')], [VALUE_BYTES_MAX, SESSION_BYTES_MAX])
  const [, units, room] = /a \/ (\d+) units, and a value of n bytes is accounted ceil\(n \/ (\d+)\)/.exec(
    protocol,
  )!
  assert.equal([Number(units), Number(room)], [of('UNIT'), of('UNIT_ROOM')])
  assert.is(Number(/at most (\d+) % of its units/.exec(protocol)?.[1]), of('LIVE_PERCENT'))
  // A journal as full as may be, the longest record that has overflowed, and room for counts fit; so does a frame.
  assert.ok(of('JOURNAL_BYTES_MAX') > of('SESSION_BYTES_MAX') + 2000)
  assert.ok(of('JOURNAL_BYTES_MAX') + of('SESSION_BYTES_MAX') + 100_000 < of('VARIABLE_BYTES'))
  assert.ok(of('ENCODE_MAX') + of('SESSION_BYTES_MAX') + 100_000 < of('VARIABLE_BYTES'))
  assert.ok(of('VARIABLE_BYTES') * 2 < FRAME_BYTES_MAX)
})

test('journal and batch are bounded by the numbers both sides know', () => {
  assert.is(constant('assembly/layout.ts', 'JOURNAL_MAX'), JOURNAL_MAX)
  const { table } = makeNode(
    defineTable({ name: 't', key: { id: 'u32' }, fields: { value: 'u8' }, capacity: 1_000_000 }),
    'primary',
  )
  assert.equal([table.journalMax, table.deltasMax], [JOURNAL_MAX, DELTAS_MAX])
})

test.run()
