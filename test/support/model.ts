// Random histories of a table and its secondary, held step by step against the twin: what is drawn, and how it is run.
import fc from 'fast-check'
import type { TableDefinition } from '../../src/schema/index.ts'
import { indexesFree, withoutIndexKeys } from '../twins/indexes.ts'
import { keyOf, type Row, TwinState } from '../twins/schema.ts'
import type { Values } from '../twins/table.ts'
import { fromCell, twinSchemaOf } from '../twins/values.ts'
import { indexSteps } from './index-steps.ts'
import { holds } from './property.ts'
import { Random, seed } from './seed.ts'
import { histories } from './steps.ts'
import { randomCell } from './values.ts'
import { World } from './world.ts'

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

export interface History {
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

/** Engine and twin agree in random histories of this kind. */
export function agree({ definition, keys, start, awaiting, steps, runs }: History): void {
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
