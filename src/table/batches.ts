// Batch calls on one engine: carries rows between their own memory and the columns of the core, so many at a time as those
// hold, and calls the core once for each. Everything is checked before the first row is written.
import { ValueError } from '../errors.ts'
import type { FieldLayout, RecordLayout } from '../schema/index.ts'
import { ENDED } from './by.ts'
import type { Engine } from './engine.ts'
import { shown } from './fields.ts'
import { type RowColumn, RowMemory } from './row-memory.ts'

/** What a batch of writes did. */
export interface BatchResult {
  /** Rows done; less than given if one was refused. */
  done: number
  /** Rows whose key had a session. */
  found: number
  /** Sessions written. */
  written: number
}

export class TableBatches {
  readonly #table: string
  readonly #layout: RecordLayout
  readonly #engine: Engine
  /** Value fields that rows can carry: values of variable length they cannot. */
  readonly #fields: readonly FieldLayout[]
  /** Takes the copies of sessions that the table ended. */
  readonly #collectEnded: () => void
  readonly #rowsMax: number
  /** Addresses of the core's columns, by number. */
  readonly #columnsAt: readonly number[]
  readonly #masksAt: number
  readonly #resultsAt: number
  /** Kept between calls that are given plain keys and fields. */
  #spare: RowMemory | undefined

  constructor(table: string, layout: RecordLayout, engine: Engine, collectEnded: () => void) {
    this.#collectEnded = collectEnded
    const { core } = engine
    this.#table = table
    this.#layout = layout
    this.#fields = layout.values.filter((field) => !field.isVariable)
    this.#engine = engine
    this.#rowsMax = core.rowsMax()
    this.#columnsAt = [...layout.keys, ...layout.values].map((_, number) => core.columnAt(number) >>> 0)
    this.#masksAt = core.rowMasksAt() >>> 2
    this.#resultsAt = core.rowResultsAt() >>> 2
  }

  /** Packs what an iterable gives, all of it; throws ValueError with the number of the item. */
  pack<T>(items: Iterable<T>, add: (rows: RowMemory, item: T) => void): RowMemory[] {
    if (typeof (items as Partial<Iterable<T>> | undefined)?.[Symbol.iterator] !== 'function') {
      throw new ValueError(
        `table ${this.#table}: ${shown(items)} given; allowed: rows of this table, or an iterable`,
      )
    }
    const pieces: RowMemory[] = []
    let last: RowMemory | undefined
    let number = 0
    for (const item of items) {
      if (last === undefined || last.length === last.capacity) {
        last = this.#takeSpare() ?? new RowMemory(this.#table, this.#layout, this.#fields, this.#rowsMax)
        pieces.push(last)
      }
      try {
        add(last, item)
      } catch (error) {
        this.unpack(pieces)
        throw error instanceof ValueError ? new ValueError(`${error.message} (item ${number})`) : error
      }
      number++
    }
    return pieces
  }

  /** An iterable may call the table again while it is read, so a spare is used by one call at a time. */
  #takeSpare(): RowMemory | undefined {
    const spare = this.#spare
    this.#spare = undefined
    return spare
  }

  /** Gives back what pack() gave. */
  unpack(pieces: readonly RowMemory[]): void {
    this.#spare = pieces[0] ?? this.#spare
    this.#spare?.clear()
  }

  /** Finds the sessions of all rows and calls `take` with each id, -1 for none. */
  find(rows: RowMemory, take: (id: number) => void): void {
    const { core, i32 } = this.#engine
    for (let first = 0; first < rows.length; first += this.#rowsMax) {
      const count = this.#load(rows, first, 0, 0)
      core.manyFind(count)
      for (let i = 0; i < count; i++) take(i32[this.#resultsAt + i]!)
    }
  }

  /** Fills the value columns of the rows; gives how many sessions were found. */
  read(rows: RowMemory): number {
    const { core, u8 } = this.#engine
    const loaded = this.check(rows, 0, 0)
    if (rows.length > 0) rows.giveAll(0)
    const { low, high } = rows
    let found = 0
    for (let first = 0; first < rows.length; first += this.#rowsMax) {
      const count = loaded ? rows.length : this.#load(rows, first, 0, 0)
      found += core.manyRead(count, low, high)
      this.#takeFound(rows, first, count)
      for (const { field, number } of rows.values) {
        const from = this.#columnsAt[number]!
        rows.u8.set(u8.subarray(from, from + count * field.size), field.offset + first * field.size)
      }
    }
    return found
  }

  put(rows: RowMemory): BatchResult {
    return this.#write(rows, true, (count, low, high) => this.#engine.core.manyPut(count, low, high))
  }

  update(rows: RowMemory): BatchResult {
    return this.#write(rows, true, (count, low, high) => this.#engine.core.manyUpdate(count, low, high))
  }

  erase(rows: RowMemory): BatchResult {
    return this.#write(rows, false, (count) => {
      this.#engine.core.manyErase(count)
      return count
    })
  }

  /** `run` gives how many rows were done; what comes after a row that was not is left alone. */
  #write(
    rows: RowMemory,
    values: boolean,
    run: (count: number, low: number, high: number) => number,
  ): BatchResult {
    const low = values ? rows.low : 0
    const high = values ? rows.high : 0
    const loaded = this.check(rows, low, high)
    const result: BatchResult = { done: 0, found: 0, written: 0 }
    for (let first = 0; first < rows.length; ) {
      const count = loaded && first === 0 ? rows.length : this.#load(rows, first, low, high)
      const done = run(count, low, high)
      result.done += done
      result.written += this.#engine.core.manyWritten()
      result.found += this.#takeFound(rows, first, done)
      first += done
      if (done === count) continue
      if (this.#engine.core.manyStopped() !== ENDED) break
      this.#collectEnded()
    }
    return result
  }

  /**
   * Throws ValueError if a column holds what does not fit, for the fields of a mask and the keys. True if the rows are in
   * the columns of the core now.
   */
  check(rows: RowMemory, low: number, high: number): boolean {
    // What only add() wrote was checked there.
    if (!rows.open) return false
    if (rows.u8.length === 0) {
      throw new ValueError(
        `table ${this.#table}: rows given whose columns were transferred; allowed: rows that are whole`,
      )
    }
    for (let first = 0; first < rows.length; first += this.#rowsMax) {
      const count = this.#load(rows, first, low, high)
      const misfit = this.#engine.core.manyCheck(count, low, high)
      if (misfit >= 0) throw rows.misfit(first + (misfit >>> 8), misfit & 255)
    }
    return rows.length <= this.#rowsMax
  }

  /** Copies keys, masks and the fields of a mask of the rows from `first` into the core; gives how many fit. */
  #load(rows: RowMemory, first: number, low: number, high: number): number {
    const count = Math.min(this.#rowsMax, rows.length - first)
    for (const column of rows.keys) this.#copyIn(rows, column, first, count)
    if ((low | high) === 0) return count
    for (const column of rows.values) {
      if ((column.low & low) | (column.high & high)) this.#copyIn(rows, column, first, count)
    }
    this.#engine.u32.set(rows.masks.subarray(2 * first, 2 * (first + count)), this.#masksAt)
    return count
  }

  #copyIn(rows: RowMemory, { field, number }: RowColumn, first: number, count: number): void {
    const from = field.offset + first * field.size
    this.#engine.u8.set(rows.u8.subarray(from, from + count * field.size), this.#columnsAt[number]!)
  }

  #takeFound(rows: RowMemory, first: number, count: number): number {
    const { i32 } = this.#engine
    const { found } = rows
    const at = this.#resultsAt
    let sum = 0
    for (let i = 0; i < count; i++) {
      const there = i32[at + i]! < 0 ? 0 : 1
      found[first + i] = there
      sum += there
    }
    return sum
  }
}
