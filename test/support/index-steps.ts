// What can happen in a World whose table has further unique keys: looking up, taking what is taken, exchanging keys and
// handing them on within one flush.
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import type { TableDefinition } from '../../src/schema/index.ts'
import { indexKeyOf, indexValues } from '../twins/indexes.ts'
import { type Row, type TwinIndex, toHex } from '../twins/schema.ts'
import { rowOf, type Values } from '../twins/table.ts'
import { toCell, twinSchemaOf, zeroCell } from '../twins/values.ts'
import { assign, outcome, type Step, set, step, update } from './steps.ts'
import { byOf } from './tables.ts'
import type { World } from './world.ts'

/** A session's fields of an index; undefined if there is no such session. */
function valuesOf(world: World, index: TwinIndex, key: Values): Values | undefined {
  const session = world.twin.get(key)
  if (session === undefined) return undefined
  return indexValues(world.schema, index, rowOf(world.definition, session))
}

function zeros(world: World, index: TwinIndex): Values {
  const row: Row = world.schema.columns.map(zeroCell)
  return indexValues(world.schema, index, row)
}

/** Looks for the index key of a session on both nodes. */
function lookUp(world: World, index: TwinIndex, key: Values): void {
  const values = valuesOf(world, index, key) ?? zeros(world, index)
  const expected = world.twin.lookUp(index, values)
  const found = byOf(world.primary.table, index.name).get(values)
  assert.is(byOf(world.primary.table, index.name).has(values), expected !== undefined)
  assert.is(found !== undefined, expected !== undefined)
  if (found !== undefined && expected !== undefined) {
    assert.equal(rowOf(world.definition, found.toJSON()), rowOf(world.definition, expected))
  }
  const there = [...world.copy.state.rows.values()].some((row) => {
    if (!world.isLive(row)) return false
    const wanted = index.fields.map((i) => world.schema.fields[i]!.name)
    const held = indexValues(world.schema, index, row)
    return indexKeyOf(world.schema, index, row) && wanted.every((name) => sameInput(held[name], values[name]))
  })
  assert.is(byOf(world.secondary.table, index.name).has(values), there)
}

const sameInput = (a: unknown, b: unknown): boolean =>
  a instanceof Uint8Array && b instanceof Uint8Array ? toHex(a) === toHex(b) : a === b

/** One session gets the index key of another: refused, and nothing is changed. */
function steal(world: World, index: TwinIndex, from: Values, to: Values, how: number): void {
  const values = valuesOf(world, index, from)
  if (values === undefined) return
  if (how === 0) set(world, to, values)
  else if (how === 1) update(world, to, values)
  else for (const [name, value] of Object.entries(values)) assign(world, to, name, value)
}

/** Two sessions exchange their index keys, by way of none. */
function exchange(world: World, index: TwinIndex, one: Values, other: Values): void {
  const [first, second] = [valuesOf(world, index, one), valuesOf(world, index, other)]
  if (first === undefined || second === undefined) return
  update(world, one, zeros(world, index))
  update(world, other, first)
  update(world, one, second)
}

/** A session ends and another, old or new, takes over its index key at once. */
function inherit(world: World, index: TwinIndex, from: Values, to: Values): void {
  const values = valuesOf(world, index, from)
  if (values === undefined) return
  assert.is(world.primary.table.delete(from as never), world.twin.delete(from))
  set(world, to, values)
}

/** Changes a session found by its index key. */
function updateBy(world: World, index: TwinIndex, key: Values, fields: Values): void {
  const values = valuesOf(world, index, key) ?? zeros(world, index)
  const session = world.twin.lookUp(index, values)
  const expected = outcome(() => session !== undefined && world.twin.update(session, fields))
  assert.is(
    outcome(() => byOf(world.primary.table, index.name).update(values, fields)),
    expected,
  )
}

function deleteBy(world: World, index: TwinIndex, key: Values): void {
  const values = valuesOf(world, index, key) ?? zeros(world, index)
  const session = world.twin.lookUp(index, values)
  assert.is(
    byOf(world.primary.table, index.name).delete(values),
    session !== undefined && world.twin.delete(session),
  )
}

/** Steps for a table with indexes, among these keys. `some` makes fields as an application would give them. */
export function indexSteps(
  definition: TableDefinition,
  keys: readonly Values[],
  some: fc.Arbitrary<Values>,
): fc.Arbitrary<Step>[] {
  const schema = twinSchemaOf(definition)
  const key = fc.constantFrom(...keys)
  const index = fc.constantFrom(...schema.indexes)
  const name = (k: Values) => schema.keys.map((column) => toCell(column, k[column.name])).join('/')
  const one = fc.tuple(index, key)
  const two = fc.tuple(index, key, key)
  const pair = (i: TwinIndex, a: Values, b: Values) => `${i.name}, ${name(a)}, ${name(b)}`
  return [
    one.map(([i, k]) => step(`lookUp(${i.name}, ${name(k)})`, (w) => lookUp(w, i, k))),
    fc
      .tuple(index, key, key, fc.nat(2))
      .map(([i, a, b, how]) => step(`steal(${pair(i, a, b)}, ${how})`, (w) => steal(w, i, a, b, how))),
    two.map(([i, a, b]) => step(`exchange(${pair(i, a, b)})`, (w) => exchange(w, i, a, b))),
    two.map(([i, a, b]) => step(`exchange(${pair(i, a, b)})`, (w) => exchange(w, i, a, b))),
    two.map(([i, a, b]) => step(`inherit(${pair(i, a, b)})`, (w) => inherit(w, i, a, b))),
    fc
      .tuple(index, key, some)
      .map(([i, k, f]) =>
        step(`updateBy(${i.name}, ${name(k)}, ${fc.stringify(f)})`, (w) => updateBy(w, i, k, f)),
      ),
    one.map(([i, k]) => step(`deleteBy(${i.name}, ${name(k)})`, (w) => deleteBy(w, i, k))),
  ]
}
