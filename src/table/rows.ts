// Rows: many sessions packed for one batch call. What an application sees of src/table/row-memory.ts.
import { ValueError } from '../errors.ts'
import type { ColumnOf, FieldsInput, KeyInput, NameOf, Shape, ValueOf } from '../schema/index.ts'
import { FIELD } from '../schema/layout.ts'
import { shown } from './fields.ts'
import type { RowColumn, RowMemory } from './row-memory.ts'

/** A typed array per key field and per value field of the rows, `capacity` rows long. */
export type RowColumns<Key extends Shape, Fields extends Shape, Given extends NameOf<Fields>> = {
  readonly [Name in keyof Key]: ColumnOf<Key[Name]>
} & { readonly [Name in Given]: ColumnOf<Fields[Name]> }

/** One row as plain values. */
export type RowValues<Key extends Shape, Fields extends Shape, Given extends NameOf<Fields>> = {
  -readonly [Name in keyof Key]: ValueOf<Key[Name]>
} & { -readonly [Name in Given]: ValueOf<Fields[Name]> }

/**
 * Sessions packed for `getMany`, `setMany`, `updateMany` and `deleteMany`; made by `table.rows(capacity)`, and good for
 * any number of calls. Filled row by row, which checks each value as `set` does:
 *
 * ```ts
 * const rows = table.rows(4096, { fields: ['packets', 'bytes'] })
 * rows.add(flow, { packets: 12, bytes: 8400 })
 * table.updateMany(rows)
 * rows.clear()
 * ```
 *
 * or, fastest, by columns, one typed array per field (`ColumnOf` says what each holds):
 *
 * ```ts
 * rows.length = 256
 * rows.columns.srcIp.set(sources)   // and the other key fields
 * table.getMany(rows)               // fills packets, bytes and `found`
 * for (let i = 0; i < 256; i++) rows.columns.bytes[i] += lengths[i]
 * table.updateMany(rows)
 * ```
 *
 * A typed array cuts an integer to its width without a word, as JavaScript's do; what its width lets pass but the field
 * does not (an enum's index, a bool, a u53, a text) a batch call refuses with a ValueError that names row and column.
 */
export class Rows<
  Key extends Shape = Shape,
  Fields extends Shape = Shape,
  Given extends NameOf<Fields> = NameOf<Fields>,
> {
  readonly #memory: RowMemory
  #columns: RowColumns<Key, Fields, Given> | undefined

  constructor(memory: RowMemory) {
    this.#memory = memory
  }

  /** The memory behind rows, undefined for anything else; for the table. */
  static memoryOf(given: object): RowMemory | undefined {
    return #memory in given ? given.#memory : undefined
  }

  /** Most rows. */
  get capacity(): number {
    return this.#memory.capacity
  }

  /** Rows in use: what a batch call looks at. */
  get length(): number {
    return this.#memory.length
  }

  /** Rows that a greater length adds give every field of these rows, with what the columns hold. */
  set length(length: number) {
    const memory = this.#memory
    if (!Number.isInteger(length) || length < 0 || length > memory.capacity) {
      throw new ValueError(
        `rows: length ${shown(length)} given; allowed: an integer from 0 to ${memory.capacity}`,
      )
    }
    const before = memory.length
    memory.length = length
    if (length > before) memory.giveAll(before)
    else if (length === 0) memory.clear()
  }

  /**
   * Per row, set by each batch call: 1 if the key had a session when its turn came, else 0. After `setMany`, 1 says
   * replaced and 0 created.
   */
  get found(): Uint8Array {
    return this.#memory.found
  }

  /** A typed array per field, the rows' own memory. */
  get columns(): RowColumns<Key, Fields, Given> {
    const memory = this.#memory
    memory.open = true
    this.#columns ??= Object.freeze(
      Object.fromEntries([...memory.byName].map(([name, column]) => [name, columnArray(memory, column)])),
    ) as RowColumns<Key, Fields, Given>
    return this.#columns
  }

  /**
   * Appends a row with a key and some fields, checked as `table.set` checks them; gives its number. What is not given is
   * left alone by `updateMany` and zero for `setMany`.
   *
   * @throws ValueError for a value that does not fit, or when the rows are full; the rows are as before then.
   */
  add(key: KeyInput<Key>, fields?: Pick<FieldsInput<Fields>, Given>): number {
    return this.#memory.add(key, fields)
  }

  /** Empties the rows; `length` is 0 then. */
  clear(): void {
    this.#memory.clear()
  }

  /** The value of one field of row `i`, as a view would show it. */
  get<Name extends NameOf<Key> | Given>(
    i: number,
    name: Name,
  ): Name extends keyof Key ? ValueOf<Key[Name]> : Name extends keyof Fields ? ValueOf<Fields[Name]> : never {
    const column = this.#memory.byName.get(name)
    if (column === undefined) {
      throw new ValueError(
        `rows: field ${name} given; allowed: ${[...this.#memory.byName.keys()].join(', ')}`,
      )
    }
    return this.#memory.read(column, this.#row(i)) as never
  }

  /** Row `i` as plain values, key fields first. */
  read(i: number): RowValues<Key, Fields, Given> {
    const row = this.#row(i)
    const memory = this.#memory
    return Object.fromEntries(
      [...memory.byName].map(([name, column]) => [name, memory.read(column, row)]),
    ) as RowValues<Key, Fields, Given>
  }

  #row(i: number): number {
    if (!Number.isInteger(i) || i < 0 || i >= this.length) {
      const allowed = this.length === 0 ? 'none, there are 0 rows' : `an integer from 0 to ${this.length - 1}`
      throw new ValueError(`rows: row ${shown(i)} given; allowed: ${allowed}`)
    }
    return i
  }
}

function columnArray({ u8, u16, u32, i32, f64, capacity }: RowMemory, { field }: RowColumn): ArrayBufferView {
  const { type, offset, size } = field
  if (type === FIELD.u53 || type === FIELD.f64) return f64.subarray(offset >>> 3, (offset >>> 3) + capacity)
  if (type === FIELD.i32) return i32.subarray(offset >>> 2, (offset >>> 2) + capacity)
  if (size === 4 && field.wordMax > 0) return u32.subarray(offset >>> 2, (offset >>> 2) + capacity)
  if (size === 2 && field.wordMax > 0) return u16.subarray(offset >>> 1, (offset >>> 1) + capacity)
  return u8.subarray(offset, offset + capacity * size)
}
