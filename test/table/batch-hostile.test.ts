// Columns full of anything: a batch call refuses what does not fit, whole, and what it takes is a table whose batches and
// images a peer accepts.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { TableFullError, ValueError } from '../../src/errors.ts'
import { columnsOf, elementsOf, type LooseColumns, putCell } from '../support/columns.ts'
import { type Random, runs, seeded } from '../support/seed.ts'
import {
  allDigests,
  applyBatch,
  everything,
  makeNode,
  readState,
  sameDigests,
  sameState,
} from '../support/tables.ts'
import { randomCell } from '../support/values.ts'
import { type Column, keyOf, type Row } from '../twins/schema.ts'
import { twinSchemaOf } from '../twins/values.ts'

const ROOM = 1 << 20
const CAPACITY = 200
const ROWS = 70

interface LooseRows {
  length: number
  readonly found: Uint8Array
}

interface LooseBatches {
  rows(capacity: number): LooseRows
  getMany(rows: LooseRows): number
  setMany(rows: LooseRows): { created: number; replaced: number }
  updateMany(rows: LooseRows): number
  deleteMany(rows: LooseRows): number
}

const definition = everything(CAPACITY)
const schema = twinSchemaOf(definition)

/** Random bytes over all memory of a column. */
function scramble(random: Random, columns: LooseColumns, column: Column): void {
  const array = columns[column.name]!
  const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
  bytes.set(random.bytes(bytes.length))
}

/** Cells that fit, in all rows; gives them. */
function fillWell(random: Random, columns: LooseColumns): Row[] {
  return Array.from({ length: ROWS }, (_, row) =>
    schema.columns.map((column) => {
      const cell = randomCell(random, column)
      putCell(columns, column, row, cell, random.below(256))
      return cell
    }),
  )
}

test(
  'columns of random bytes are refused, or taken as a table that a peer accepts',
  seeded((random) => {
    let taken = 0
    let refused = 0
    for (let run = 0; run < runs(150); run++) {
      const primary = makeNode(definition, 'primary')
      const secondary = makeNode(definition, 'secondary')
      const table = primary.table as unknown as LooseBatches
      const rows = table.rows(ROWS)
      const columns = columnsOf(rows)
      rows.length = ROWS
      for (let call = 0; call < 8; call++) {
        fillWell(random, columns)
        for (const column of schema.columns) if (random.chance(0.08)) scramble(random, columns, column)
        const before = allDigests(primary.table)
        try {
          table[random.pick(['setMany', 'updateMany', 'deleteMany', 'setMany'] as const)](rows)
          taken++
        } catch (error) {
          // A table that fills up keeps what came before.
          if (!(error instanceof TableFullError)) {
            assert.instance(error, ValueError)
            assert.equal(allDigests(primary.table), before)
            refused++
          }
        }
        applyBatch(secondary.table, primary.table.encode(ROOM))
        sameDigests(primary.table, secondary.table)
        readState(schema, primary.table)
      }
    }
    assert.ok(taken > 0 && refused > 0, `${taken} taken, ${refused} refused`)
  }),
)

test(
  'columns that fit hold what the record then holds, whatever lies after a text',
  seeded((random) => {
    for (let run = 0; run < runs(60); run++) {
      const primary = makeNode(definition, 'primary')
      const table = primary.table as unknown as LooseBatches
      const rows = table.rows(ROWS)
      const columns = columnsOf(rows)
      rows.length = ROWS
      const expected = new Map(fillWell(random, columns).map((row) => [keyOf(schema, row), row]))
      const { created } = table.setMany(rows)
      assert.is(created, expected.size)
      const state = readState(schema, primary.table)
      assert.equal(
        new Map([...state.rows.values()].map((row) => [keyOf(schema, row), row] as const).sort()),
        new Map([...expected].sort()),
      )
      // Read into columns that hold something else, they are the same again.
      for (const column of schema.fields) scramble(random, columns, column)
      assert.is(table.getMany(rows), ROWS)
      table.updateMany(rows)
      sameState(readState(schema, primary.table), state, 'read and written back')
    }
  }),
)

test('a garbled key column never finds or deletes another session', () => {
  const primary = makeNode(definition, 'primary')
  const table = primary.table as unknown as LooseBatches
  const rows = table.rows(1)
  const columns = columnsOf(rows)
  rows.length = 1
  for (const column of schema.columns) columns[column.name]!.fill(0)
  table.setMany(rows)
  const label = schema.keys.find(({ name }) => name === 'label')!
  for (let at = 1; at < elementsOf(label); at++) columns.label![at] = 97
  assert.is(table.getMany(rows), 1, 'bytes after an empty text are no part of it')
  columns.label![0] = 1
  assert.is(table.getMany(rows), 0)
  assert.is(table.deleteMany(rows), 0)
  columns.label![0] = 255
  assert.throws(
    () => table.deleteMany(rows),
    (error: unknown) => error instanceof ValueError,
  )
  assert.is(primary.table.size, 1)
})

test.run()
