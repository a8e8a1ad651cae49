// The largest of everything: records, images, batches, schemas. What a definition allows must travel.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { bytes, defineTable, type FieldType, string } from '../../src/schema/index.ts'
import { applyBatch, makeNode, type Node, readState, sameDigests, sameState } from '../support/tables.ts'
import { twinSchemaOf } from '../twins/values.ts'

const ROOM = 1 << 20
/** Longest section or image an engine takes. */
const TAKEN_BYTES_MAX = 1_048_576

/** Records of 1000 bytes on the wire, the most a definition may have. */
const largest = (capacity: number) =>
  defineTable({
    name: 'largest',
    key: { id: 'u32', name: string(200) },
    fields: { a: bytes(255), b: bytes(255), c: string(255), d: 'u53', e: 'f64', f: bytes(12) },
    capacity,
  })

function fill({ table }: Node, count: number, round: number): void {
  for (let i = 0; i < count; i++) {
    const key = { id: 0xffffffff - i, name: `${round}`.padEnd(200, 'k') }
    const fields = { a: new Uint8Array(255).fill(i), b: new Uint8Array(255).fill(round), c: 'c'.repeat(255) }
    table.set(key as never, { ...fields, d: Number.MAX_SAFE_INTEGER, e: -i, f: new Uint8Array(12) } as never)
  }
}

test('a segment full of the largest records has an image that is taken', () => {
  const node = makeNode(largest(1024), 'primary')
  const other = makeNode(largest(1024), 'secondary')
  assert.is(largest(1).layout.wireMax, 1000)
  fill(node, 1024, 1)
  const image = node.table.image(0)
  assert.ok(image.length > 1_000_000 && image.length <= TAKEN_BYTES_MAX, `${image.length} bytes`)
  assert.is(other.table.stageImage(0, image), undefined)
  other.table.commit()
  sameDigests(node.table, other.table)
})

test('batches of the largest records arrive, however many changed', () => {
  const node = makeNode(largest(3000), 'primary')
  const other = makeNode(largest(3000), 'secondary')
  for (let round = 0; round < 3; round++) {
    node.table.clear()
    fill(node, 3000, round)
    for (let flush = 0; node.table.changed; flush++) {
      assert.ok(flush < 100)
      const batch = node.table.encode(ROOM)
      assert.ok(batch.length <= TAKEN_BYTES_MAX, `${batch.length} bytes`)
      applyBatch(other.table, batch)
    }
    sameDigests(node.table, other.table)
  }
})

test('a table takes 16 key fields and 53 value fields, each on its own', () => {
  const kinds: FieldType[] = [
    'u8',
    'u53',
    'bool',
    'ipv6',
    'u16',
    ['x', 'y'],
    'i32',
    string(1),
    'f64',
    'ip',
    bytes(3),
  ]
  const shape = (prefix: string, count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`${prefix}${i}`, kinds[i % kinds.length]!]))
  const definition = defineTable({ name: 'wide', key: shape('k', 16), fields: shape('v', 53), capacity: 60 })
  const schema = twinSchemaOf(definition)
  const node = makeNode(definition, 'primary')
  const other = makeNode(definition, 'secondary')
  const key = (i: number) => valuesOf(schema.keys, i)
  for (let i = 0; i < 20; i++) node.table.set(key(i) as never, {})
  applyBatch(other.table, node.table.encode(ROOM))
  for (let i = 0; i < 53; i++) {
    // Every field alone, so that a mask of each bit is sent.
    assert.is(node.table.update(key(3) as never, valuesOf([schema.fields[i]!], 1) as never), true)
    const batch = node.table.encode(ROOM)
    assert.ok(batch.length > 0, `field ${i}`)
    applyBatch(other.table, batch)
  }
  sameState(readState(schema, other.table), readState(schema, node.table), 'after single fields')
  node.table.update(key(4) as never, valuesOf(schema.fields, 1) as never)
  applyBatch(other.table, node.table.encode(ROOM))
  sameDigests(node.table, other.table)
  for (let i = 0; i < 20; i++) assert.is(other.table.has(key(i) as never), true)
})

/** Values that are not zero and differ with `i` where the type has room. */
function valuesOf(columns: ReturnType<typeof twinSchemaOf>['columns'], i: number): Record<string, unknown> {
  const value = (kind: string): unknown => {
    if (kind === 'bool') return true
    if (kind === 'enum') return 'y'
    if (kind === 'string') return String.fromCharCode(97 + i)
    if (kind === 'bytes') return Uint8Array.of(1, 2, i)
    if (kind === 'ip' || kind === 'ipv6') return `2001:db8::${i + 1}`
    return i + 1
  }
  return Object.fromEntries(columns.map(({ name, kind }) => [name, value(kind)]))
}

test('a table without value fields keeps its keys', () => {
  const definition = defineTable({ name: 'set', key: { id: 'u16' }, fields: {}, capacity: 2000 })
  const node = makeNode(definition, 'primary')
  const other = makeNode(definition, 'secondary')
  for (let id = 0; id < 2000; id++) node.table.set({ id })
  while (node.table.changed) applyBatch(other.table, node.table.encode(ROOM))
  sameDigests(node.table, other.table)
  assert.is(node.table.update({ id: 5 }, {}), true)
  assert.is(node.table.encode(ROOM).length, 0)
  node.table.delete({ id: 5 })
  applyBatch(other.table, node.table.encode(ROOM))
  assert.equal([other.table.size, other.table.has({ id: 5 })], [1999, false])
})

test('a table whose capacity is no multiple of a segment uses every slot', () => {
  for (const capacity of [1, 1023, 1024, 1025, 2048, 2049]) {
    const definition = defineTable({ name: 't', key: { id: 'u16' }, fields: { v: 'u8' }, capacity })
    const node = makeNode(definition, 'primary')
    const other = makeNode(definition, 'secondary')
    for (let id = 0; id < capacity; id++) node.table.set({ id }, { v: 1 })
    assert.throws(() => node.table.set({ id: capacity }))
    const last = Math.ceil(capacity / 1024) - 1
    assert.is(node.table.segments, last + 1)
    for (let segment = last; segment >= 0; segment--) {
      assert.is(other.table.stageImage(segment, node.table.image(segment)), undefined)
      other.table.commit()
    }
    sameDigests(node.table, other.table)
  }
})

test.run()
