// Batch calls as steps of a history: the same sessions given as plain pairs, by add() and by columns, held against the twin.
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { HoldfastError, KeyTakenError, NotPrimaryError, TableFullError } from '../../src/errors.ts'
import type { TableDefinition } from '../../src/schema/index.ts'
import { isLong } from '../twins/schema.ts'
import { rowOf, type Values } from '../twins/table.ts'
import { fromCell, givenFields, toCell, zeroCell } from '../twins/values.ts'
import { columnsOf, putCell } from './columns.ts'
import { keyText, outcome, remove, type Step, step } from './steps.ts'
import type { World } from './world.ts'

type Pairs = readonly (readonly [Values, Values])[]

/** How the sessions are given. */
const FORMS = ['pairs', 'rows', 'columns'] as const
type Form = (typeof FORMS)[number]

/** Kept over a whole history, so that what an earlier call left in them would show. */
const kept = new WeakMap<object, { added: LooseRows; written: LooseRows }>()

interface LooseRows {
  length: number
  readonly found: Uint8Array
  add(key: Values, fields?: Values): number
  clear(): void
  read(i: number): Values
  get(i: number, name: string): unknown
}

/** The methods without their types: names and values are checked at run time. */
interface LooseBatches {
  rows(capacity: number): LooseRows
  getMany(given: unknown): unknown
  setMany(given: unknown): unknown
  updateMany(given: unknown): number
  deleteMany(given: unknown): number
}

const batchesOf = (table: World['primary']['table']) => table as unknown as LooseBatches

function rowsOf(world: World): { added: LooseRows; written: LooseRows } {
  const { table } = world.primary
  const rows = kept.get(table) ?? { added: batchesOf(table).rows(40), written: batchesOf(table).rows(40) }
  kept.set(table, rows)
  return rows
}

/** The sessions in the form asked for. Columns give every field, so the twin must be given every field too. */
function give(world: World, form: Form, pairs: Pairs): unknown {
  if (form === 'pairs') return pairs
  const { added, written } = rowsOf(world)
  if (form === 'rows') {
    added.clear()
    for (const [key, fields] of pairs) added.add(key, fields)
    return added
  }
  const { keys } = world.schema
  const columns = givenFields(world.schema)
  const arrays = columnsOf(written)
  const carried = columns.filter((column) => !isLong(column))
  for (const [row, [key, fields]] of pairs.entries()) {
    for (const column of keys) putCell(arrays, column, row, toCell(column, key[column.name]), row)
    for (const column of carried) {
      const value = fields[column.name]
      putCell(arrays, column, row, value === undefined ? zeroCell(column) : toCell(column, value), 255 - row)
    }
  }
  written.length = 0
  written.length = pairs.length
  return written
}

/** What the twin is given: columns hold zeros where a pair has nothing. */
function asGiven(world: World, form: Form, pairs: Pairs): Pairs {
  if (form !== 'columns') return pairs
  const zero: Values = Object.fromEntries(
    givenFields(world.schema)
      .filter((column) => !isLong(column))
      .map((column) => [column.name, fromCell(column, zeroCell(column))]),
  )
  const given = (fields: Values) =>
    Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
  return pairs.map(([key, fields]) => [key, { ...zero, ...given(fields) }])
}

/** The result, or the class of the error and how many rows were stored. */
function result(act: () => unknown): unknown {
  try {
    return act()
  } catch (error) {
    if (error instanceof TableFullError) return `full after ${error.stored}`
    if (error instanceof KeyTakenError) return `taken after ${error.stored}`
    if (error instanceof HoldfastError) return error.code
    throw error
  }
}

/** Without the values that batch calls do not carry. */
function carriable(world: World, pairs: Pairs): Pairs {
  const long = new Set(world.schema.fields.filter(isLong).map(({ name }) => name))
  if (long.size === 0) return pairs
  const without = (fields: Values) =>
    Object.fromEntries(Object.entries(fields).filter(([name]) => !long.has(name)))
  return pairs.map(([key, fields]) => [key, without(fields)])
}

function setMany(world: World, form: Form, all: Pairs): void {
  const pairs = carriable(world, all)
  const existed = pairs.map(([key]) => world.twin.has(key))
  const given = give(world, form, pairs)
  const twins = asGiven(world, form, pairs)
  const before = new Set(world.twin.state.ids.keys())
  assert.equal(
    result(() => batchesOf(world.primary.table).setMany(given)),
    result(() => world.twin.setMany(twins)),
  )
  for (const [i, [key]] of pairs.entries()) {
    const text = keyText(world, key)
    if (existed[i]) remove(world.views, (held) => held.key === text)
    else if (world.twin.has(key) && !before.has(text)) {
      before.add(text)
      world.lives.set(text, (world.lives.get(text) ?? 0) + 1)
    }
  }
}

function updateMany(world: World, form: Form, all: Pairs): void {
  const pairs = carriable(world, all)
  const given = give(world, form, pairs)
  const done = result(() => batchesOf(world.primary.table).updateMany(given))
  assert.is(
    done,
    result(() => world.twin.updateMany(asGiven(world, form, pairs))),
  )
  if (typeof done === 'number') checkFound(world, given, pairs, (key) => world.twin.has(key))
}

function deleteMany(world: World, form: Form, keys: readonly Values[]): void {
  const pairs = keys.map((key) => [key, {}] as const)
  // Not of the ids: a session that has expired lies there and is not found.
  const there = new Set(keys.filter((key) => world.twin.has(key)).map((key) => keyText(world, key)))
  const given = give(world, form, pairs)
  const deleted = batchesOf(world.primary.table).deleteMany(form === 'pairs' ? keys : given)
  assert.is(deleted, world.twin.deleteMany(keys))
  checkFound(world, given, pairs, (key) => there.delete(keyText(world, key)))
}

function checkFound(world: World, given: unknown, pairs: Pairs, expected: (key: Values) => boolean): void {
  if (given !== pairs) {
    const found = [...(given as LooseRows).found.subarray(0, pairs.length)]
    assert.equal(
      found,
      pairs.map(([key]) => (expected(key) ? 1 : 0)),
    )
  }
  // Sessions that have expired lie in their slots until they are swept, which the two do when it suits them.
  if (world.definition.lifetime === undefined) assert.is(world.primary.table.size, world.twin.size)
}

function getMany(world: World, form: Form, keys: readonly Values[]): void {
  const { definition, twin } = world
  const expected = keys.map((key) => twin.get(key))
  const given = give(
    world,
    form,
    keys.map((key) => [key, {}]),
  )
  if (form === 'pairs') {
    const views = batchesOf(world.primary.table).getMany(keys) as ({ toJSON(): Values } | undefined)[]
    assert.equal(
      views.map((view) => view && rowOf(definition, view.toJSON())),
      expected.map((values) => values && rowOf(definition, values)),
    )
    return
  }
  const rows = given as LooseRows
  assert.is(batchesOf(world.primary.table).getMany(rows), expected.filter(Boolean).length)
  checkFound(
    world,
    given,
    keys.map((key) => [key, {}] as const),
    (key) => twin.has(key),
  )
  const zeros = givenFields(world.schema).map(zeroCell)
  for (const [i, key] of keys.entries()) {
    const cells = world.schema.keys.map((column) => toCell(column, key[column.name]))
    const values = expected[i]
    const long = world.schema.fields.filter(isLong).map((column) => {
      return [column.name, values?.[column.name] ?? fromCell(column, '')]
    })
    const read = { ...rows.read(i), ...Object.fromEntries(long) }
    assert.equal(rowOf(definition, read), values ? rowOf(definition, values) : [...cells, ...zeros])
  }
  // Written back as they were read, they change nothing.
  assert.is(batchesOf(world.primary.table).updateMany(rows), expected.filter(Boolean).length)
  const pairs = keys.flatMap((key) => {
    const values = twin.get(key)
    return values ? [[key, values] as const] : []
  })
  twin.updateMany(pairs)
}

/** One pair that does not fit: nothing is written, wherever it stands. */
function refuseMany(world: World, pairs: Pairs, at: number, bad: readonly [string, unknown]): void {
  const spoilt = pairs.map((pair, i) => (i === at % pairs.length ? [pair[0], { [bad[0]]: bad[1] }] : pair))
  const { table } = world.primary
  assert.is(
    result(() => batchesOf(table).setMany(spoilt)),
    'ERR_VALUE',
  )
  assert.is(
    result(() => batchesOf(table).updateMany(spoilt)),
    'ERR_VALUE',
  )
}

function writeOnSecondary(world: World, pairs: Pairs): void {
  const table = batchesOf(world.secondary.table)
  for (const act of [
    () => table.setMany(pairs),
    () => table.updateMany(pairs),
    () => table.deleteMany(pairs.map(([key]) => key)),
    () => table.setMany([]),
  ]) {
    assert.is(outcome(act), NotPrimaryError)
  }
}

/** Steps of batch calls over the keys of a history. */
export function batchWrites(
  { name }: TableDefinition,
  key: fc.Arbitrary<Values>,
  fields: fc.Arbitrary<Values>,
  bad: fc.Arbitrary<readonly [string, unknown]>,
): fc.Arbitrary<Step>[] {
  const form = fc.constantFrom(...FORMS)
  const pairs = fc.array(fc.tuple(key, fields), { maxLength: 10 })
  const some = fc.array(fc.tuple(key, fields), { minLength: 1, maxLength: 5 })
  const keys = fc.array(key, { maxLength: 10 })
  const text = (what: unknown) => `${name} ${fc.stringify(what)}`
  return [
    fc.tuple(form, pairs).map(([f, p]) => step(`setMany(${f} ${text(p)})`, (w) => setMany(w, f, p))),
    fc.tuple(form, pairs).map(([f, p]) => step(`updateMany(${f} ${text(p)})`, (w) => updateMany(w, f, p))),
    fc.tuple(form, keys).map(([f, k]) => step(`deleteMany(${f} ${text(k)})`, (w) => deleteMany(w, f, k))),
    fc.tuple(form, keys).map(([f, k]) => step(`getMany(${f} ${text(k)})`, (w) => getMany(w, f, k))),
    fc
      .tuple(some, fc.nat(4), bad)
      .map(([p, at, b]) => step(`refuseMany(${text(p)}, ${at}, ${text(b)})`, (w) => refuseMany(w, p, at, b))),
    some.map((p) => step(`writeManyOnSecondary(${text(p)})`, (w) => writeOnSecondary(w, p))),
  ]
}
