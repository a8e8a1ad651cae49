// The engine's decoder against bytes made by hand: each refusal by its name, and nothing changed by it.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { defineTable } from '../../src/schema/index.ts'
import { REFUSALS } from '../../src/table/index.ts'
import { allDigests, applyBatch, makeNode, readState, sameState } from '../support/tables.ts'
import {
  VECTORS,
  VECTORS_ARENA,
  VECTORS_CAPACITY,
  VECTORS_FIELDS,
  VECTORS_INDEXES,
  VECTORS_KEY,
  VECTORS_START,
} from '../support/vectors.ts'
import { Writer } from '../twins/bytes.ts'
import { apply, decode, decodeImage } from '../twins/codec.ts'
import { twinSchemaOf } from '../twins/values.ts'

const definition = defineTable({
  name: 'vectors',
  key: VECTORS_KEY,
  fields: VECTORS_FIELDS,
  indexes: VECTORS_INDEXES,
  capacity: VECTORS_CAPACITY,
  arena: VECTORS_ARENA,
})
const schema = twinSchemaOf(definition)

function started() {
  const { table } = makeNode(definition, 'secondary')
  applyBatch(table, VECTORS_START)
  assert.is(table.size, 3)
  return table
}

for (const { says, refusal, bytes, image, awaited } of VECTORS) {
  test(`${refusal === undefined ? 'accepts' : `refuses as ${refusal}`}: ${says}`, () => {
    const table = started()
    const twin = readState(schema, table)
    if (awaited !== undefined) table.setAwaited(awaited, 1, true)
    const digests = allDigests(table)
    assert.is(image === undefined ? table.stage(bytes) : table.stageImage(image, bytes), refusal)
    assert.equal([allDigests(table), table.size], [digests, 3], 'a stage changes nothing')
    if (refusal !== undefined) return

    table.commit()
    const receiver = { capacity: VECTORS_CAPACITY, awaited: (s: number) => s === awaited }
    const staged =
      image === undefined ? decode(twin, bytes, receiver) : decodeImage(twin, image, bytes, receiver)
    assert.ok('slots' in staged)
    apply(twin, staged)
    sameState(readState(schema, table), twin, 'after commit')
  })
}

test('refuses as count: more deltas than one batch may hold', () => {
  const table = started()
  const writer = new Writer()
  writer.varint(table.deltasMax + 1)
  writer.raw(new Uint8Array(table.deltasMax + 1).fill(2))
  assert.is(table.stage(writer.take()), 'count')
})

test('every refusal of the list has bytes that meet it', () => {
  const met = new Set(VECTORS.map(({ refusal }) => refusal))
  for (const name of REFUSALS) assert.ok(met.has(name), name)
})

test.run()
