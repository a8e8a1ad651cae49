// time-out: 300 s
// Random histories of a table and its secondary, held step by step against the twin: content, size, bytes of every
// batch, digests; through changes of role and, in the second half, through awaited segments and images.
import fc from 'fast-check'
import { test } from 'uvu'
import { defineTable, string, type TableDefinition } from '../../src/schema/index.ts'
import { indexSteps } from '../support/index-steps.ts'
import { holds } from '../support/property.ts'
import { Random, seed } from '../support/seed.ts'
import { histories } from '../support/steps.ts'
import { connections, everything, indexed, leases, lengthy, tiny } from '../support/tables.ts'
import { randomCell } from '../support/values.ts'
import { World } from '../support/world.ts'
import { indexesFree, withoutIndexKeys } from '../twins/indexes.ts'
import { keyOf, type Row, TwinState } from '../twins/schema.ts'
import type { Values } from '../twins/table.ts'
import { fromCell, twinSchemaOf } from '../twins/values.ts'

const random = new Random(seed)

/** Different random rows of a table: keys and start states are made of them. */
function rowsOf(definition: TableDefinition, count: number): Row[] {
  const schema = twinSchemaOf(definition)
  const rows = new Map<string, Row>()
  for (let tries = 0; rows.size < count && tries < 50 * count; tries++) {
    const row = schema.columns.map((column) =>
      column.kind === 'f64' ? '00'.repeat(8) : randomCell(random, column),
    )
    rows.set(keyOf(schema, row), row)
  }
  return [...rows.values()]
}

function keysOf(definition: TableDefinition, rows: readonly Row[]): Values[] {
  const { keys } = twinSchemaOf(definition)
  return rows.map((row) =>
    Object.fromEntries(keys.map((column, i) => [column.name, fromCell(column, row[i]!)])),
  )
}

interface History {
  readonly what: string
  readonly definition: TableDefinition
  /** Keys the history uses. */
  readonly keys: number
  /** Record ids that hold a session at the start. */
  readonly start: readonly number[]
  readonly awaiting: number
  readonly steps: number
  readonly runs: number
}

function property({ definition, keys, start, awaiting, steps, runs }: History): void {
  const rows = rowsOf(definition, start.length + keys)
  const state = new TwinState(twinSchemaOf(definition))
  // The first half of the keys in use has a session, wherever there is room; the rest of the start only fills slots.
  const order = [...rows.slice(keys / 2), ...rows.slice(0, keys / 2)]
  for (const [i, id] of random.shuffle([...start]).entries()) {
    const row = order[i]!
    const free = i < keys && indexesFree(state, row, id)
    state.put(id, free ? row : withoutIndexKeys(state.schema, row))
  }
  const used = keysOf(definition, [...order.slice(0, keys / 2), ...order.slice(-keys / 2)])
  const more = (fields: fc.Arbitrary<Values>) =>
    state.schema.indexes.length === 0 ? [] : indexSteps(definition, used, fields)
  const options = { keys: used, awaiting, more }
  holds(
    fc.property(histories(definition, options, steps), (commands) => {
      const world = new World(definition, state)
      fc.modelRun(() => ({ model: {}, real: world }), commands)
      world.settle()
    }),
    runs,
  )
}

const range = (first: number, end: number) => Array.from({ length: end - first }, (_, i) => first + i)
const mover = defineTable({
  name: 'mover',
  key: { id: 'u16' },
  fields: { value: 'u16', text: string(3) },
  capacity: 2100,
})

const HISTORIES: readonly History[] = [
  {
    what: 'the smallest table, often full',
    definition: tiny(9),
    ...{ keys: 14, start: [], awaiting: 0, steps: 200, runs: 500 },
  },
  {
    what: 'a table of every type',
    definition: everything(12),
    ...{ keys: 16, start: [0, 3, 4], awaiting: 0, steps: 200, runs: 300 },
  },
  {
    what: 'connections all over three segments',
    definition: connections(2100),
    ...{ keys: 20, start: [0, 1, 7, 1023, 1024, 1025, 2047, 2048, 2099], awaiting: 0, steps: 200, runs: 300 },
  },
  {
    what: 'a table with further unique keys',
    definition: indexed(12),
    ...{ keys: 14, start: [0, 3, 4, 5], awaiting: 0, steps: 200, runs: 200 },
  },
  {
    what: 'a secondary of one segment that is resynced',
    definition: everything(12),
    ...{ keys: 16, start: [0, 3, 4], awaiting: 12, steps: 100, runs: 300 },
  },
  {
    what: 'values of any length, in an arena that is often full',
    definition: lengthy(12, 65_536),
    ...{ keys: 16, start: [0, 3, 4], awaiting: 0, steps: 200, runs: 150 },
  },
  {
    what: 'values of any length on a secondary that is resynced',
    definition: lengthy(1100),
    ...{ keys: 16, start: [0, 3, 4, 1030], awaiting: 1100, steps: 100, runs: 150 },
  },
  {
    what: 'a secondary of three segments that is resynced while keys move between them',
    definition: mover,
    ...{ keys: 24, start: [...range(0, 1019), ...range(1024, 2044), ...range(2048, 2096)], awaiting: 2100 },
    ...{ steps: 100, runs: 150 },
  },
  {
    what: 'a secondary with further unique keys that is resynced',
    definition: indexed(12),
    ...{ keys: 16, start: [0, 3, 4], awaiting: 12, steps: 100, runs: 200 },
  },
  {
    what: 'a secondary of three segments that is resynced while further keys move between them',
    definition: indexed(2100),
    ...{ keys: 24, start: [...range(0, 1019), ...range(1024, 2044), ...range(2048, 2096)], awaiting: 2100 },
    ...{ steps: 100, runs: 40 },
  },
  {
    what: 'sessions that expire and leave their further unique keys to others',
    definition: indexed(9, { timeout: 3 }),
    ...{ keys: 14, start: [], awaiting: 0, steps: 200, runs: 300 },
  },
  {
    what: 'sessions with further unique keys that expire while segments are resynced',
    definition: indexed(1100, { timeout: 20 }),
    ...{ keys: 14, start: [0, 3, 4, 1023, 1024], awaiting: 1100, steps: 150, runs: 100 },
  },
  {
    what: 'sessions that expire when idle, in a table often full',
    definition: leases(9),
    ...{ keys: 14, start: [], awaiting: 0, steps: 200, runs: 500 },
  },
  {
    what: 'sessions that expire at a time fixed when they were set',
    definition: leases(9, { timeout: 3, expiry: 'fixed' }),
    ...{ keys: 14, start: [], awaiting: 0, steps: 200, runs: 150 },
  },
  {
    what: 'sessions that expire only if they are told to, while segments are resynced',
    definition: leases(1100, { expiry: 'idle' }),
    ...{ keys: 14, start: [0, 3, 4, 1023, 1024], awaiting: 1100, steps: 150, runs: 150 },
  },
  {
    what: 'sessions that expire when idle, while segments are resynced',
    definition: leases(1100, { timeout: 20 }),
    ...{ keys: 14, start: [0, 3, 4, 1023, 1024], awaiting: 1100, steps: 150, runs: 150 },
  },
]

for (const history of HISTORIES) test(`engine and twin agree: ${history.what}`, () => property(history))

test.run()
