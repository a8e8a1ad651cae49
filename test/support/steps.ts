// What can happen in a World, as commands of fast-check.
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { HoldfastError, NotPrimaryError, SessionGoneError, ValueError } from '../../src/errors.ts'
import type { TableDefinition } from '../../src/schema/index.ts'
import { SEGMENT } from '../twins/deltas.ts'
import { indexesFree } from '../twins/indexes.ts'
import { keyOf, type Row, TwinState } from '../twins/schema.ts'
import { type LifeGiven, rowOf, type Values } from '../twins/table.ts'
import { givenFields, toCell, twinSchemaOf } from '../twins/values.ts'
import { batchWrites } from './batch-steps.ts'
import { badInputsFor, inputFor } from './values.ts'
import type { World } from './world.ts'

export type Step = fc.Command<object, World>

export function step(
  what: string,
  run: (world: World) => void,
  check: (world: World) => boolean = () => true,
): Step {
  return {
    check: () => true,
    run: (_, world) => {
      if (!check(world)) return
      run(world)
      world.check()
    },
    toString: () => what,
  }
}

/** The result, or the class of the error: what engine and twin must agree on. */
export function outcome(act: () => unknown): unknown {
  try {
    return act()
  } catch (error) {
    if (error instanceof HoldfastError) return error.constructor
    throw error
  }
}

export const keyText = (world: World, key: Values): string =>
  world.schema.keys.map((column) => toCell(column, key[column.name])).join('|')

function same(world: World, session: object | undefined, expected: Values | undefined): void {
  assert.is(session !== undefined, expected !== undefined)
  if (session === undefined || expected === undefined) return
  assert.equal(
    rowOf(world.definition, (session as { toJSON(): Values }).toJSON()),
    rowOf(world.definition, expected),
  )
  assert.equal(rowOf(world.definition, session as Values), rowOf(world.definition, expected))
}

export function set(world: World, key: Values, fields: Values, given?: LifeGiven): void {
  const text = keyText(world, key)
  const existed = world.twin.has(key)
  const expected = outcome(() => world.twin.set(key, fields, given))
  assert.is(
    outcome(() => world.primary.table.set(key as never, fields as never, given)),
    expected,
  )
  if (!existed) world.lives.set(text, (world.lives.get(text) ?? 0) + 1)
  // Whether a view outlives the replacement of its session is not promised.
  else remove(world.views, (held) => held.key === text)
}

export function update(world: World, key: Values, fields: Values): void {
  const expected = outcome(() => world.twin.update(key, fields))
  assert.is(
    outcome(() => world.primary.table.update(key as never, fields as never)),
    expected,
  )
}

export function assign(world: World, key: Values, field: string, value: unknown): void {
  const view = world.primary.table.get(key as never) as unknown as Values | undefined
  assert.is(view !== undefined, world.twin.has(key))
  if (view === undefined) return
  const expected = outcome(() => world.twin.update(key, { [field]: value }))
  const done = outcome(() => {
    view[field] = value
    return true
  })
  assert.is(done, expected)
}

function isOnSecondary(world: World, key: Values): boolean {
  const { state } = world.copy
  const id = state.ids.get(keyText(world, key))
  return id !== undefined && world.isLive(state.rows.get(id)!)
}

function look(world: World, key: Values): void {
  for (const { table } of [world.primary, world.secondary]) {
    const twin = table === world.primary.table ? world.twin : undefined
    const expected = twin === undefined ? isOnSecondary(world, key) : twin.has(key)
    assert.is(table.has(key as never), expected)
    if (twin !== undefined) same(world, table.get(key as never), twin.get(key))
    else assert.is(table.get(key as never) !== undefined, expected)
  }
}

function hold(world: World, key: Values): void {
  const text = keyText(world, key)
  const view = world.primary.table.get(key as never) as unknown as Values | undefined
  if (view === undefined) return
  world.views.push({ view, key: text, life: world.lives.get(text) ?? 0, era: world.era })
  if (world.views.length > 8) world.views.shift()
}

/** Every view handed out shows its session if that still lives, and says so if not. */
function useViews(world: World): void {
  for (const { view, key, life, era } of world.views) {
    const id = world.twin.state.ids.get(key)
    const isLive = world.live(world.twin.state).some(([one]) => one === key)
    const lives = id !== undefined && isLive && era === world.era && life === (world.lives.get(key) ?? 0)
    if (lives) same(world, view, world.twin.values(world.twin.state.rows.get(id)!))
    else
      assert.is(
        outcome(() => view[world.schema.columns[0]!.name]),
        SessionGoneError,
      )
  }
}

function iterate(world: World): void {
  const read = (rows: Iterable<object>, copy: (row: object) => Values) =>
    [...rows].map((row) => keyOf(world.schema, rowOf(world.definition, copy(row)))).sort()
  const seen: object[] = []
  for (const session of world.primary.table) seen.push((session as unknown as { toJSON(): Values }).toJSON())
  assert.equal(
    read(seen, (row) => row as Values),
    read(world.twin, (row) => row as Values),
  )
}

function refuse(world: World, key: Values, field: string, value: unknown): void {
  const { table } = world.primary
  assert.is(
    outcome(() => table.set(key as never, { [field]: value } as never)),
    ValueError,
  )
  assert.is(
    outcome(() => table.update(key as never, { [field]: value } as never)),
    ValueError,
  )
}

function writeOnSecondary(world: World, key: Values): void {
  const { table } = world.secondary
  const writes = [() => table.set(key as never), () => table.delete(key as never), () => table.clear()]
  for (const write of writes) assert.is(outcome(write), NotPrimaryError)
}

function foreignState(world: World, sessions: readonly (readonly [id: number, Values])[]): TwinState {
  const state = new TwinState(world.schema)
  for (const [id, values] of sessions) {
    const row: Row = world.schema.columns.map((column) =>
      column.kind === 'lifetime' ? '0/0' : toCell(column, values[column.name]),
    )
    const slot = id % world.definition.capacity
    if (!state.ids.has(keyOf(world.schema, row)) && indexesFree(state, row, slot)) state.put(slot, row)
  }
  return state
}

export function remove<T>(list: T[], unwanted: (item: T) => boolean): void {
  for (let i = list.length - 1; i >= 0; i--) if (unwanted(list[i]!)) list.splice(i, 1)
}

export interface StepOptions {
  /** Keys sessions are made with; a few more than the table has free slots. */
  readonly keys: readonly Values[]
  /** How far the ids of a foreign state reach; 0: no awaiting in this history. */
  readonly awaiting: number
  /** Further steps, each as likely as any other. */
  readonly more?: (fields: fc.Arbitrary<Values>) => readonly fc.Arbitrary<Step>[]
}

/** What happens only to sessions with a deadline. */
function living(
  definition: TableDefinition,
  key: fc.Arbitrary<Values>,
  some: fc.Arbitrary<Values>,
  names: (key: Values) => string,
): fc.Arbitrary<Step>[] {
  const timeout = definition.lifetime!.timeoutTicks
  const jump = fc.oneof(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: timeout + 10 }))
  const given = fc.oneof(
    fc.integer({ min: 1, max: 200 }).map((ticks) => ({ timeout: ticks / 16 })),
    fc.constantFrom(0.07, 3600, 31_622_400, 70_000.3).map((seconds) => ({ timeout: seconds })),
    fc.integer({ min: -10, max: 10_000 }).map((ms) => ({ expiresAt: 1_000_000 + ms })),
    fc.constant({}),
  )
  const advance = jump.map((ticks) => step(`advance(${ticks})`, (w) => w.advance(ticks)))
  const touch = key.map((k) =>
    step(`touch(${names(k)})`, (w) => assert.is(w.primary.table.touch(k as never), w.twin.touch(k))),
  )
  const setFor = fc
    .tuple(key, some, given)
    .map(([k, f, g]) =>
      step(`set(${names(k)}, ${fc.stringify(f)}, ${fc.stringify(g)})`, (w) => set(w, k, f, g)),
    )
  const sweep = fc.boolean().map((patient) => step(`sweep(${patient})`, (w) => w.sweep(patient)))
  return [advance, advance, advance, touch, touch, setFor, setFor, sweep]
}

/** Random histories of a World, up to `most` steps long. */
export function histories(
  definition: TableDefinition,
  { keys, awaiting, more = () => [] }: StepOptions,
  most: number,
): fc.Arbitrary<Iterable<Step>> {
  const key = fc.constantFrom(...keys)
  const schema = twinSchemaOf(definition)
  const keyColumns = schema.keys
  const fields = givenFields(schema)
  const all = Object.fromEntries(fields.map((column) => [column.name, inputFor(column)]))
  const some = fc.record(all, { requiredKeys: [] })
  const single = fc
    .constantFrom(...fields)
    .chain((column) => fc.tuple(fc.constant(column.name), inputFor(column)))
  const bad = fc.constantFrom(
    ...fields.flatMap((column) => badInputsFor(column).map((value) => [column.name, value] as const)),
  )
  const text = fc.stringify
  const names = (k: Values) => keyColumns.map((column) => text(k[column.name])).join('/')

  const writing = [
    fc.tuple(key, some).map(([k, f]) => step(`set(${names(k)}, ${text(f)})`, (w) => set(w, k, f))),
    fc.tuple(key, some).map(([k, f]) => step(`set(${names(k)}, ${text(f)})`, (w) => set(w, k, f))),
    fc.tuple(key, some).map(([k, f]) => step(`update(${names(k)}, ${text(f)})`, (w) => update(w, k, f))),
    fc
      .tuple(key, single)
      .map(([k, [n, v]]) => step(`get(${names(k)}).${n} = ${text(v)}`, (w) => assign(w, k, n, v))),
    key.map((k) =>
      step(`delete(${names(k)})`, (w) => assert.is(w.primary.table.delete(k as never), w.twin.delete(k))),
    ),
    key.map((k) =>
      step(`delete(${names(k)})`, (w) => assert.is(w.primary.table.delete(k as never), w.twin.delete(k))),
    ),
    fc.constant(step('flush()', (w) => w.flush())),
    fc.constant(step('flush()', (w) => w.flush())),
    key.map((k) => step(`look(${names(k)})`, (w) => look(w, k))),
    key.map((k) => step(`hold(${names(k)})`, (w) => hold(w, k))),
    fc.constant(step('useViews()', useViews)),
    fc.constant(step('iterate()', iterate)),
    fc
      .tuple(key, bad)
      .map(([k, [n, v]]) => step(`refuse(${names(k)}, ${n}: ${text(v)})`, (w) => refuse(w, k, n, v))),
    key.map((k) => step(`writeOnSecondary(${names(k)})`, (w) => writeOnSecondary(w, k))),
    fc.constant(
      step('clear()', (w) => {
        w.primary.table.clear()
        w.twin.clear()
      }),
    ),
    fc.constant(step('exchangeRoles()', (w) => w.exchangeRoles())),
    ...more(some),
  ]
  writing.push(...batchWrites(definition, key, some, bad))
  if (definition.lifetime !== undefined) writing.push(...living(definition, key, some, names))
  if (awaiting === 0) return fc.commands(writing, { maxCommands: most })

  const segment = fc.nat(Math.ceil(definition.capacity / SEGMENT) - 1)
  const values = fc.record({ ...Object.fromEntries(keyColumns.map((c) => [c.name, inputFor(c)])), ...all })
  const session = fc.oneof(
    values,
    fc.tuple(key, values).map(([k, v]) => ({ ...v, ...k })),
  )
  const foreign = fc.array(fc.tuple(fc.nat(awaiting - 1), session), { maxLength: 30 })
  const syncing = [
    segment.map((s) => step(`await(${s})`, (w) => w.awaitSegments(s, 1))),
    segment.map((s) => step(`image(${s})`, (w) => w.answer(s, true))),
    segment.map((s) => step(`image(${s})`, (w) => w.answer(s, true))),
    segment.map((s) => step(`answer(${s})`, (w) => w.answer(s, false))),
    fc.constant(step('resync()', (w) => w.awaitSegments(0, w.primary.table.segments))),
    foreign.map((f) => step(`replace(${text(f)})`, (w) => w.replaceSecondary(foreignState(w, f)))),
  ]
  return fc.commands([...writing, ...syncing, ...writing.slice(0, 8)], { maxCommands: most })
}
