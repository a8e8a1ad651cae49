// A schema as docs/PROTOCOL.md section 2 needs it, and the form in which the twins hold a value: a number, or for
// everything that is bytes on the wire their lower-case hex. So two cells are equal exactly if `===` says so.

export type ColumnKind =
  | 'u8'
  | 'bool'
  | 'enum'
  | 'u16'
  | 'u32'
  | 'i32'
  | 'u53'
  | 'f64'
  | 'ipv4'
  | 'ipv6'
  | 'ip'
  | 'bytes'
  | 'string'
  | 'blob'
  | 'text'
  | 'lifetime'

export interface Column {
  readonly name: string
  readonly kind: ColumnKind
  /** Bytes of `bytes(n)` and `string(n)`; 0 for the rest. */
  readonly size: number
  /** Names of an enum; empty for the rest. */
  readonly names: readonly string[]
  /** Of a lifetime: the table's timeout in ticks. */
  readonly timeout?: number
}

/** A further unique key. */
export interface TwinIndex {
  readonly name: string
  /** Places among the fields. */
  readonly fields: readonly number[]
}

export interface TwinSchema {
  readonly keys: readonly Column[]
  /** With the lifetime last, in a table whose sessions have one. */
  readonly fields: readonly Column[]
  /** keys, then fields: the columns of a record. */
  readonly columns: readonly Column[]
  readonly indexes: readonly TwinIndex[]
}

export function twinSchema(
  keys: readonly Column[],
  fields: readonly Column[],
  indexes: readonly TwinIndex[] = [],
): TwinSchema {
  return { keys, fields, columns: [...keys, ...fields], indexes }
}

/** Columns whose values have any length up to VALUE_MAX; those of one row up to ROW_MAX together, in bytes. */
export const isLong = (column: Column): boolean => column.kind === 'blob' || column.kind === 'text'
export const VALUE_MAX = 1_048_576
export const ROW_MAX = 2_097_152

/** Bytes of all long cells of a row. */
export function longBytes(schema: TwinSchema, row: Row): number {
  return schema.columns.reduce((sum, column, i) => sum + (isLong(column) ? String(row[i]).length / 2 : 0), 0)
}

/** Number: u8, bool, enum (index), u16, u32, i32, u53. Hex: f64 (little-endian), addresses (16 bytes for ip), bytes, string, blob, text. Lifetime: its own. */
export type Cell = number | string

/** One session: a cell per column. */
export type Row = readonly Cell[]

export function keyOf(schema: TwinSchema, row: Row): string {
  return row.slice(0, schema.keys.length).join('|')
}

/** Every session of one table by record id, and where each key is. */
export class TwinState {
  readonly schema: TwinSchema
  readonly rows = new Map<number, Row>()
  readonly ids = new Map<string, number>()

  constructor(schema: TwinSchema) {
    this.schema = schema
  }

  put(id: number, row: Row): void {
    this.drop(id)
    this.rows.set(id, row)
    this.ids.set(keyOf(this.schema, row), id)
  }

  drop(id: number): void {
    const row = this.rows.get(id)
    if (row === undefined) return
    this.rows.delete(id)
    const key = keyOf(this.schema, row)
    if (this.ids.get(key) === id) this.ids.delete(key)
  }

  clear(): void {
    this.rows.clear()
    this.ids.clear()
  }

  copy(): TwinState {
    const copy = new TwinState(this.schema)
    for (const [id, row] of this.rows) copy.put(id, row)
    return copy
  }
}

export const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
export const fromHex = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'))
