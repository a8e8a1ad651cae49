// Every field type, as key and as field: what comes back, what is refused, and that a refusal changes nothing.
import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { SchemaError, ValueError } from '../../src/errors.ts'
import { bytes, defineTable, type FieldType, string, type TableDefinition } from '../../src/schema/index.ts'
import { holds } from '../support/property.ts'
import { makeNode, readState, sameState } from '../support/tables.ts'
import { badInputsFor, inputFor } from '../support/values.ts'
import { rowOf, type Values } from '../twins/table.ts'
import { fromCell, toCell, twinSchemaOf, zeroCell } from '../twins/values.ts'

const TYPES: Readonly<Record<string, FieldType>> = {
  u8: 'u8',
  u16: 'u16',
  u32: 'u32',
  i32: 'i32',
  u53: 'u53',
  f64: 'f64',
  bool: 'bool',
  'an enum': ['none', 'some', 'all'],
  'an enum of one name': ['only'],
  'an enum of 256 names': Array.from({ length: 256 }, (_, i) => `name ${i}`),
  ipv4: 'ipv4',
  ipv6: 'ipv6',
  ip: 'ip',
  'bytes(1)': bytes(1),
  'bytes(16)': bytes(16),
  'bytes(255)': bytes(255),
  'string(1)': string(1),
  'string(20)': string(20),
  'string(255)': string(255),
  blob: 'blob',
  text: 'text',
}
const isVariable = (type: FieldType) => type === 'blob' || type === 'text'

/** The type as a field between two others, so that what spills over is seen. */
const asField = (type: FieldType) =>
  defineTable({
    name: 't',
    key: { id: 'u16' },
    fields: { left: 'u8', it: type, right: 'u8' },
    capacity: 20,
    ...(isVariable(type) ? { arena: 1 << 20 } : {}),
  })
const asKey = (type: FieldType) =>
  defineTable({
    name: 't',
    key: { left: 'u8', it: type, right: 'u8' },
    fields: { value: 'u8' },
    capacity: 20,
  })

const plain = (session: object | undefined) => {
  assert.ok(session !== undefined)
  return (session as { toJSON(): Values }).toJSON()
}
const same = (definition: TableDefinition, actual: Values, expected: Values) =>
  assert.equal(rowOf(definition, actual), rowOf(definition, expected))

for (const [name, type] of Object.entries(TYPES)) {
  test(`a field of ${name} reads back what was set, through get, views, iteration and images`, () => {
    const definition = asField(type)
    const schema = twinSchemaOf(definition)
    const column = schema.fields[1]!
    const { table } = makeNode(definition, 'primary')
    holds(
      fc.property(inputFor(column), inputFor(column), (first, second) => {
        const session = { id: 7, left: 255, it: first, right: 255 }
        table.set({ id: 7 }, { left: 255, it: first, right: 255 } as never)
        same(definition, plain(table.get({ id: 7 })), session)
        same(definition, plain([...table][0]), session)
        assert.equal(rowOf(definition, session), readState(schema, table).rows.get(0))

        const view = table.get({ id: 7 }) as unknown as Values
        view.it = second
        assert.equal(toCell(column, view.it), toCell(column, second))
        same(definition, plain(table.get({ id: 7 })), { ...session, it: second })

        assert.is(table.update({ id: 7 }, { it: first } as never), true)
        same(definition, plain(table.get({ id: 7 })), session)
      }),
      200,
    )
  })

  test(`a field of ${name} reads as the kind of value it was declared with`, () => {
    const definition = asField(type)
    const column = twinSchemaOf(definition).fields[1]!
    const { table } = makeNode(definition, 'primary')
    table.set({ id: 1 })
    const zero = fromCell(column, zeroCell(column))
    assert.equal((table.get({ id: 1 }) as unknown as Values).it, zero, 'omitted fields are zero')
    assert.is((table.get({ id: 1 }) as unknown as Values).left, 0)
  })

  test(`a field of ${name} refuses what does not fit, and nothing is changed`, () => {
    const definition = asField(type)
    const schema = twinSchemaOf(definition)
    const { table } = makeNode(definition, 'primary')
    const [valid] = fc.sample(inputFor(schema.fields[1]!), 1)
    table.set({ id: 7 }, { left: 1, it: valid, right: 2 } as never)
    table.encode(1 << 20)
    const before = readState(schema, table)
    const view = table.get({ id: 7 }) as unknown as Values
    for (const bad of badInputsFor(schema.fields[1]!)) {
      const fields = { left: 9, it: bad, right: 9 } as never
      refuses(() => table.set({ id: 7 }, fields), bad)
      refuses(() => table.set({ id: 8 }, fields), bad)
      refuses(() => table.update({ id: 7 }, fields), bad)
      refuses(() => {
        view.it = bad
      }, bad)
      assert.is(table.size, 1)
      assert.is(table.has({ id: 8 }), false)
    }
    sameState(readState(schema, table), before, 'after refusals')
    assert.is(table.encode(1 << 20).length, 0)
  })

  if (isVariable(type)) {
    test(`a key cannot be of ${name}`, () => {
      assert.throws(
        () => asKey(type),
        (error: unknown) => error instanceof SchemaError && error.message.includes(`"${name}" given`),
      )
    })
    continue
  }

  test(`a key of ${name} finds its session and no other`, () => {
    const definition = asKey(type)
    const column = twinSchemaOf(definition).keys[1]!
    const { table } = makeNode(definition, 'primary')
    holds(
      fc.property(inputFor(column), inputFor(column), (first, second) => {
        const key = (it: unknown) => ({ left: 1, it, right: 2 }) as never
        const equal = toCell(column, first) === toCell(column, second)
        table.set(key(first), { value: 1 })
        assert.is(table.has(key(second)), equal)
        table.set(key(second), { value: 2 })
        assert.is(table.size, equal ? 1 : 2)
        assert.is(plain(table.get(key(first))).value, equal ? 2 : 1)
        same(definition, plain(table.get(key(second))), { ...(key(second) as Values), value: 2 })
        assert.is(table.delete(key(first)), true)
        assert.is(table.delete(key(second)), !equal)
        assert.is(table.size, 0)
      }),
      200,
    )
  })

  test(`a key of ${name} refuses what does not fit`, () => {
    const definition = asKey(type)
    const { table } = makeNode(definition, 'primary')
    for (const bad of [...badInputsFor(twinSchemaOf(definition).keys[1]!), undefined]) {
      const key = { left: 1, it: bad, right: 2 } as never
      for (const use of [table.set, table.get, table.has, table.delete])
        refuses(() => use.call(table, key, {}), bad)
      refuses(() => table.update(key, { value: 1 }), bad)
    }
    assert.is(table.size, 0)
    assert.is(table.changed, false)
  })
}

function refuses(act: () => unknown, bad: unknown): void {
  try {
    act()
  } catch (error) {
    assert.instance(error, ValueError, `${String(bad)}: ${error}`)
    assert.is((error as ValueError).code, 'ERR_VALUE')
    return
  }
  assert.unreachable(
    `accepted ${typeof bad} ${JSON.stringify(bad, (_, v) => (typeof v === 'bigint' ? `${v}n` : v))}`,
  )
}

test('addresses read in their usual form', () => {
  const definition = defineTable({
    name: 't',
    key: { id: 'u8' },
    fields: { v4: 'ipv4', v6: 'ipv6', any: 'ip' },
    capacity: 4,
  })
  const { table } = makeNode(definition, 'primary')
  table.set({ id: 1 }, { v4: 0x0a000001, v6: '2001:DB8:0:0:0:0:0:1', any: '::ffff:192.0.2.1' } as never)
  const first = plain(table.get({ id: 1 }))
  assert.equal([first.v4, first.v6, first.any], ['10.0.0.1', '2001:db8::1', '192.0.2.1'])
  table.set({ id: 1 }, { v4: [255, 0, 0, 1], v6: '1:0:0:2:0:0:0:3', any: 'fe80::1' } as never)
  const second = plain(table.get({ id: 1 }))
  assert.equal([second.v4, second.v6, second.any], ['255.0.0.1', '1:0:0:2::3', 'fe80::1'])
  // RFC 5952: a single group of zeroes is not shortened, of two equal runs the first is.
  table.set({ id: 1 }, { v6: '1:0:2:3:4:5:6:7', any: '1:0:0:2:3:0:0:4' } as never)
  const third = plain(table.get({ id: 1 }))
  assert.equal([third.v6, third.any], ['1:0:2:3:4:5:6:7', '1::2:3:0:0:4'])
})

test('numbers keep the sign of zero, not-a-number and the infinities in f64 only', () => {
  const { table } = makeNode(asField('f64'), 'primary')
  for (const value of [-0, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 5e-324]) {
    table.set({ id: 1 }, { it: value } as never)
    assert.ok(Object.is((table.get({ id: 1 }) as unknown as Values).it, value), String(value))
  }
  const whole = makeNode(asField('i32'), 'primary').table
  whole.set({ id: 1 }, { it: -0 } as never)
  assert.ok(Object.is((whole.get({ id: 1 }) as unknown as Values).it, 0))
})

test('bytes read are a copy', () => {
  const { table } = makeNode(asField(bytes(3)), 'primary')
  const given = Uint8Array.of(1, 2, 3)
  table.set({ id: 1 }, { it: given } as never)
  given.fill(9)
  const read = (table.get({ id: 1 }) as unknown as Values).it as Uint8Array
  read.fill(8)
  assert.equal([...((table.get({ id: 1 }) as unknown as Values).it as Uint8Array)], [1, 2, 3])
})

test.run()
