// The slow twin of the table an application uses: one Map, no views, the lowest free record id. The errors are those of
// the engine.
import {
  ArenaFullError,
  KeyTakenError,
  NotPrimaryError,
  TableFullError,
  ValueError,
} from '../../src/errors.ts'
import type { TableDefinition } from '../../src/schema/index.ts'
import { isOpen, type WriteGate } from '../../src/table/gate.ts'
import { unitsOfRow, unitsOfState } from './arena.ts'
import { holderOf, indexesFree, indexKeyOf } from './indexes.ts'
import { cellOf, codeOf, deadlineAfter, renewedCell, ticksOfCode } from './lifetime.ts'
import { type Cell, type Column, keyOf, longBytes, ROW_MAX, type Row, type TwinIndex } from './schema.ts'
import { TwinStore } from './store.ts'
import { fromCell, givenFields, toCell, twinSchemaOf, zeroCell } from './values.ts'

export type Values = Record<string, unknown>

export interface TwinBy {
  get(key: Values): Values | undefined
  has(key: Values): boolean
}

export interface LifeGiven {
  readonly timeout?: number
  readonly expiresAt?: number
}

export class TwinTable extends TwinStore {
  readonly #gate: WriteGate
  readonly #lifetime: TableDefinition['lifetime']
  #listener: ((cause: 'expired', session: Values) => void) | undefined
  /** ms since 1970; stands still. */
  readonly date = 1_000_000

  /** As `table.by` of the engine. */
  readonly by: Readonly<Record<string, TwinBy>>

  constructor(definition: TableDefinition, gate: WriteGate) {
    super(twinSchemaOf(definition), definition)
    this.#gate = gate
    this.by = Object.fromEntries(
      this.state.schema.indexes.map((index) => {
        const get = (key: Values) => this.lookUp(index, key)
        const has = (key: Values) => get(key) !== undefined
        return [index.name, { get, has }]
      }),
    )
    this.#lifetime = definition.lifetime
  }

  /** Creates or replaces; omitted fields take their zero. */
  set(key: Values, fields: Values = {}, given: LifeGiven = {}): void {
    this.#requireOpen()
    const schema = this.state.schema
    const row = [
      ...this.#key(key),
      ...this.#fields(fields, givenFields(schema).map(zeroCell)),
      ...this.#life(given),
    ]
    const old = this.state.ids.get(keyOf(schema, row))
    if (old !== undefined && this.isExpired(this.state.rows.get(old)!)) this.drop(old)
    const held = this.state.ids.get(keyOf(schema, row))
    this.#demandFree(held, row)
    const id = held ?? this.#freeId()
    this.#requireRoom(row, this.state.rows.get(id))
    this.remember(id)
    this.state.put(id, row)
    if (held === undefined) this.pickup?.created(id)
    else this.pickup?.replaced(id)
  }

  #life({ timeout, expiresAt }: LifeGiven): Cell[] {
    const life = this.#lifetime
    if (life === undefined) return []
    if (expiresAt !== undefined) {
      const ticks = Math.max(0, Math.ceil((expiresAt - this.date) / 62.5))
      return [cellOf({ deadline: this.time + ticks, own: 1 })]
    }
    if (timeout === undefined)
      return [cellOf({ deadline: deadlineAfter(this.time, life.timeoutTicks), own: 0 })]
    const code = codeOf(Math.ceil(timeout * 16))
    const deadline = deadlineAfter(this.time, ticksOfCode(code))
    return [cellOf({ deadline, own: 2 * code })]
  }

  /** The row after a write. */
  #renewed(row: readonly Cell[]): Cell[] {
    const life = this.#lifetime
    if (life === undefined) return [...row]
    return [...row.slice(0, -1), renewedCell(row.at(-1)!, life.timeoutTicks, life.fixed, this.time)]
  }

  /** Record id of a session that has not expired. */
  #find(cells: readonly Cell[]): number | undefined {
    const id = this.state.ids.get(keyOf(this.state.schema, cells))
    return id === undefined || this.isExpired(this.state.rows.get(id)!) ? undefined : id
  }

  /** Renews; false if there is no such session. */
  touch(key: Values): boolean {
    this.#requireOpen()
    const id = this.#find(this.#key(key))
    if (id === undefined) return false
    this.remember(id)
    this.state.put(id, this.#renewed(this.state.rows.get(id)!))
    return true
  }

  /** Changes the given fields; false if there is no such session. */
  update(key: Values, fields: Values): boolean {
    this.#requireOpen()
    const cells = this.#key(key)
    const id = this.#find(cells)
    const old = id === undefined ? this.state.schema.columns.map(zeroCell) : this.state.rows.get(id)!
    const given = this.#fields(fields, old.slice(cells.length))
    if (id === undefined) return false
    const row = [...cells, ...given, ...old.slice(cells.length + given.length)]
    this.#demandFree(id, row)
    this.#requireRoom(row, old)
    this.remember(id)
    this.state.put(id, Object.values(fields).some((value) => value !== undefined) ? this.#renewed(row) : row)
    return true
  }

  /** Sessions that have expired hold no index key. */
  #demandFree(id: number | undefined, row: Row): void {
    for (const index of this.state.schema.indexes) {
      const holder = holderOf(this.state, index, indexKeyOf(this.state.schema, index, row))
      if (holder === undefined || !this.isExpired(this.state.rows.get(holder)!)) continue
      this.drop(holder)
    }
    if (!indexesFree(this.state, row, id)) throw new KeyTakenError(`${this.name}: an index key is taken`)
  }

  get(key: Values): Values | undefined {
    const id = this.#find(this.#key(key))
    return id === undefined ? undefined : this.values(this.state.rows.get(id)!)
  }

  override sessionLike(session: Values): Values | undefined {
    return this.get(session)
  }

  has(key: Values): boolean {
    return this.#find(this.#key(key)) !== undefined
  }

  delete(key: Values): boolean {
    this.#requireOpen()
    const id = this.#find(this.#key(key))
    if (id === undefined) return false
    this.drop(id)
    return true
  }

  clear(): void {
    this.#requireOpen()
    for (const id of [...this.state.rows.keys()]) this.drop(id)
  }

  /** As many calls of set(); nothing is done if one of the pairs does not fit. */
  setMany(pairs: readonly (readonly [Values, Values])[]): { created: number; replaced: number } {
    this.#requireOpen()
    for (const [key, fields] of pairs) this.#fits(key, fields)
    let created = 0
    for (const [i, [key, fields]] of pairs.entries()) {
      const existed = this.has(key)
      after(i, () => this.set(key, fields))
      if (!existed) created++
    }
    return { created, replaced: pairs.length - created }
  }

  updateMany(pairs: readonly (readonly [Values, Values])[]): number {
    this.#requireOpen()
    for (const [key, fields] of pairs) this.#fits(key, fields)
    return pairs.filter(([key, fields], i) => after(i, () => this.update(key, fields))).length
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

  /** The session with these fields in an index, by scanning. */
  lookUp(index: TwinIndex, key: Values): Values | undefined {
    const row = [
      ...this.state.schema.keys.map(zeroCell),
      ...this.#fields(key, this.state.schema.fields.map(zeroCell)),
    ]
    const id = holderOf(this.state, index, indexKeyOf(this.state.schema, index, row))
    return id === undefined || this.isExpired(this.state.rows.get(id)!)
      ? undefined
      : this.values(this.state.rows.get(id)!)
  }

  /** Told of every session that expired, when it is removed. */
  listen(causes: readonly string[], listener: (cause: 'expired', session: Values) => void): void {
    this.#listener = causes.includes('expired') ? listener : undefined
  }

  override sweep(patient: boolean): boolean {
    return isOpen(this.#gate) && super.sweep(patient)
  }

  protected override drop(id: number): void {
    const row = this.state.rows.get(id)!
    super.drop(id)
    if (this.isExpired(row)) this.#listener?.('expired', this.values(row))
  }

  *[Symbol.iterator](): Generator<Values> {
    for (const row of this.state.rows.values()) if (!this.isExpired(row)) yield this.values(row)
  }

  override values(row: Row): Values {
    const { keys } = this.state.schema
    const columns = [...keys, ...givenFields(this.state.schema)]
    return Object.fromEntries(columns.map((column, i) => [column.name, fromCell(column, row[i]!)]))
  }

  /** What lives may take its share of the arena; more may stay, but not grow. */
  #requireRoom(row: Row, old: Row | undefined): void {
    const { schema } = this.state
    if (longBytes(schema, row) > ROW_MAX) throw new ValueError(`${this.name}: too many bytes in one session`)
    if (this.accounts === undefined) return
    const growth = unitsOfRow(schema, row) - (old === undefined ? 0 : unitsOfRow(schema, old))
    if (growth > 0 && unitsOfState(this.state) + growth > this.accounts.limit)
      throw new ArenaFullError(`${this.name}: the arena is full`)
  }

  #requireOpen(): void {
    if (!isOpen(this.#gate)) throw new NotPrimaryError(`${this.name}: not the acting primary`)
  }

  #key(key: Values): Cell[] {
    return this.state.schema.keys.map((column) => toCell(column, key[column.name]))
  }

  #fields(fields: Values, otherwise: readonly Cell[]): Cell[] {
    const cell = (column: Column, i: number): Cell => {
      const value = fields[column.name]
      return value === undefined ? otherwise[i]! : toCell(column, value)
    }
    return givenFields(this.state.schema).map(cell)
  }

  #freeId(): number {
    if (this.state.rows.size >= this.capacity) this.sweep(false)
    for (let id = 0; id < this.capacity; id++) if (!this.state.rows.has(id)) return id
    throw new TableFullError(`${this.name} holds ${this.capacity} sessions`)
  }
}

/** What is refused after some rows of a batch says after how many. */
function after<T>(stored: number, write: () => T): T {
  try {
    return write()
  } catch (error) {
    if (error instanceof TableFullError) throw new TableFullError(error.message, stored)
    throw error instanceof KeyTakenError ? new KeyTakenError(error.message, stored) : error
  }
}

/** A row as an application that reads every column from a view would see it: to compare views with the twin. */
export function rowOf(definition: TableDefinition, session: Values): Row {
  const schema = twinSchemaOf(definition)
  return [...schema.keys, ...givenFields(schema)].map((column) => {
    const value = session[column.name]
    if (value === undefined) throw new ValueError(`${column.name} is missing`)
    return toCell(column, value)
  })
}
