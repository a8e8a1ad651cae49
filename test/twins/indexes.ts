// Further unique keys for the twins: nothing is kept, every question goes through all rows.
import type { Cell, Row, TwinIndex, TwinSchema, TwinState } from './schema.ts'
import { fromCell, zeroCell } from './values.ts'

/** The key a row has in an index; undefined if it is all zero, and so not in it. */
export function indexKeyOf(schema: TwinSchema, index: TwinIndex, row: Row): string | undefined {
  const cells: Cell[] = index.fields.map((i) => row[schema.keys.length + i]!)
  const isZero = index.fields.every((i, n) => cells[n] === zeroCell(schema.fields[i]!))
  return isZero ? undefined : cells.join('|')
}

/** Record id of the session that has a key in an index. */
export function holderOf(state: TwinState, index: TwinIndex, key: string | undefined): number | undefined {
  if (key === undefined) return undefined
  for (const [id, row] of state.rows) if (indexKeyOf(state.schema, index, row) === key) return id
  return undefined
}

/** Whether a row could become the session of a slot as far as the indexes go. */
export function indexesFree(state: TwinState, row: Row, id: number | undefined): boolean {
  return state.schema.indexes.every((index) => {
    const holder = holderOf(state, index, indexKeyOf(state.schema, index, row))
    return holder === undefined || holder === id
  })
}

/** The fields of an index as an application gives them. */
export function indexValues(schema: TwinSchema, index: TwinIndex, row: Row): Record<string, unknown> {
  const values = index.fields.map((i) => {
    const column = schema.fields[i]!
    return [column.name, fromCell(column, row[schema.keys.length + i]!)] as const
  })
  return Object.fromEntries(values)
}

/** The row with nothing in any index. */
export function withoutIndexKeys(schema: TwinSchema, row: Row): Row {
  const fields = new Set(schema.indexes.flatMap((index) => index.fields))
  return row.map((cell, i) => (fields.has(i - schema.keys.length) ? zeroCell(schema.columns[i]!) : cell))
}
