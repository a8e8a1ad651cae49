// The accounts of an arena, from docs/PROTOCOL.md section 2: what the values of variable length of a table take.
import { isLong, type Row, type TwinSchema, type TwinState } from './schema.ts'

export interface Arena {
  /** All units, and those that live values may take. */
  readonly units: number
  readonly limit: number
}

/** Of so many bytes; undefined without. */
export function arenaOf(bytes: number): Arena | undefined {
  const units = bytes / 64
  return bytes === 0 ? undefined : { units, limit: Math.floor((units * 85) / 100) }
}

const unitsOf = (hex: string): number => Math.ceil(hex.length / 2 / 60)

/** Units of a row's long cells; after an update, of those that it brings. */
export function unitsOfRow(schema: TwinSchema, row: Row, changes?: ReadonlyMap<number, unknown>): number {
  let units = 0
  for (const [i, column] of schema.columns.entries()) {
    if (!isLong(column)) continue
    if (changes === undefined || changes.has(i - schema.keys.length)) units += unitsOf(String(row[i]))
  }
  return units
}

export function unitsOfState(state: TwinState): number {
  let units = 0
  for (const row of state.rows.values()) units += unitsOfRow(state.schema, row)
  return units
}
