// The slow twin of the table an application uses: one Map, no views, the lowest free record id. The errors are those of
// the engine.
import { NotPrimaryError, TableFullError, ValueError } from '../../src/errors.ts'
import type { TableDefinition } from '../../src/schema/index.ts'
import type { WriteGate } from '../../src/table/gate.ts'
import { type Cell, type Column, keyOf, type Row } from './schema.ts'
import { TwinStore } from './store.ts'
import { fromCell, toCell, twinSchemaOf, zeroCell } from './values.ts'

export type Values = Record<string, unknown>

export class TwinTable extends TwinStore {
  readonly #gate: WriteGate

  constructor(definition: TableDefinition, gate: WriteGate) {
    super(twinSchemaOf(definition), definition)
    this.#gate = gate
  }

  /** Creates or replaces; omitted fields take their zero. */
  set(key: Values, fields: Values = {}): void {
    this.#requireOpen()
    const schema = this.state.schema
    const row = [...this.#key(key), ...this.#fields(fields, schema.fields.map(zeroCell))]
    const id = this.state.ids.get(keyOf(schema, row)) ?? this.#freeId()
    this.remember(id)
    this.state.put(id, row)
  }

  /** Changes the given fields; false if there is no such session. */
  update(key: Values, fields: Values): boolean {
    this.#requireOpen()
    const cells = this.#key(key)
    const id = this.state.ids.get(keyOf(this.state.schema, cells))
    const old = id === undefined ? this.state.schema.columns.map(zeroCell) : this.state.rows.get(id)!
    const row = [...cells, ...this.#fields(fields, old.slice(cells.length))]
    if (id === undefined) return false
    this.remember(id)
    this.state.put(id, row)
    return true
  }

  get(key: Values): Values | undefined {
    const id = this.state.ids.get(keyOf(this.state.schema, this.#key(key)))
    return id === undefined ? undefined : this.values(this.state.rows.get(id)!)
  }

  has(key: Values): boolean {
    return this.state.ids.has(keyOf(this.state.schema, this.#key(key)))
  }

  delete(key: Values): boolean {
    this.#requireOpen()
    const id = this.state.ids.get(keyOf(this.state.schema, this.#key(key)))
    if (id === undefined) return false
    this.remember(id)
    this.state.drop(id)
    return true
  }

  clear(): void {
    this.#requireOpen()
    for (const id of [...this.state.rows.keys()]) {
      this.remember(id)
      this.state.drop(id)
    }
  }

  /** As many calls of set(); nothing is done if one of the pairs does not fit. */
  setMany(pairs: readonly (readonly [Values, Values])[]): { created: number; replaced: number } {
    this.#requireOpen()
    for (const [key, fields] of pairs) this.#fits(key, fields)
    let created = 0
    for (const [i, [key, fields]] of pairs.entries()) {
      if (!this.has(key)) {
        if (this.size === this.capacity) throw new TableFullError(`${this.name} is full`, i)
        created++
      }
      this.set(key, fields)
    }
    return { created, replaced: pairs.length - created }
  }

  updateMany(pairs: readonly (readonly [Values, Values])[]): number {
    this.#requireOpen()
    for (const [key, fields] of pairs) this.#fits(key, fields)
    return pairs.filter(([key, fields]) => this.update(key, fields)).length
  }

  deleteMany(keys: readonly Values[]): number {
    this.#requireOpen()
    for (const key of keys) this.#key(key)
    return keys.filter((key) => this.delete(key)).length
  }

  #fits(key: Values, fields: Values): void {
    this.#key(key)
    this.#fields(fields, this.state.schema.fields.map(zeroCell))
  }

  *[Symbol.iterator](): Generator<Values> {
    for (const row of this.state.rows.values()) yield this.values(row)
  }

  values(row: Row): Values {
    const columns = this.state.schema.columns
    return Object.fromEntries(columns.map((column, i) => [column.name, fromCell(column, row[i]!)]))
  }

  #requireOpen(): void {
    if (this.#gate.words[0] !== this.#gate.open)
      throw new NotPrimaryError(`${this.name}: not the acting primary`)
  }

  #key(key: Values): Cell[] {
    return this.state.schema.keys.map((column) => toCell(column, key[column.name]))
  }

  #fields(fields: Values, otherwise: readonly Cell[]): Cell[] {
    const cell = (column: Column, i: number): Cell => {
      const value = fields[column.name]
      return value === undefined ? otherwise[i]! : toCell(column, value)
    }
    return this.state.schema.fields.map(cell)
  }

  #freeId(): number {
    for (let id = 0; id < this.capacity; id++) if (!this.state.rows.has(id)) return id
    throw new TableFullError(`${this.name} holds ${this.capacity} sessions`)
  }
}

/** A row as an application that reads every column from a view would see it: to compare views with the twin. */
export function rowOf(definition: TableDefinition, session: Values): Row {
  const { columns } = twinSchemaOf(definition)
  return columns.map((column) => {
    const value = session[column.name]
    if (value === undefined) throw new ValueError(`${column.name} is missing`)
    return toCell(column, value)
  })
}
