// The memory behind `Rows`: a column per field, in one buffer of its own outside the core, and for each row the mask of
// the fields it gives. A batch call copies the columns into the core (assembly/columns.ts draws what they hold), which
// checks all that the application may have written into them.
import { ValueError } from '../errors.ts'
import type { FieldLayout, RecordLayout } from '../schema/index.ts'
import { FIELD } from '../schema/layout.ts'
import { FieldIo, type MemoryViews, shown } from './fields.ts'

/** One column. */
export interface RowColumn {
  /** The field, with the column's place in the buffer for its offset. */
  readonly field: FieldLayout
  /** Column of the core: key fields first, then value fields. */
  readonly number: number
  /** Its bit in a mask; both zero for a key field. */
  readonly low: number
  readonly high: number
}

const LINE_BYTES = 64

export class RowMemory implements MemoryViews {
  readonly layout: RecordLayout
  readonly capacity: number
  readonly keys: readonly RowColumn[]
  /** The value fields that the rows have, in schema order. */
  readonly values: readonly RowColumn[]
  readonly byName: ReadonlyMap<string, RowColumn>
  readonly u8: Uint8Array
  readonly u16: Uint16Array
  readonly u32: Uint32Array
  readonly i32: Int32Array
  readonly f64: Float64Array
  /** Two words per row, low first: the fields it gives. In a buffer that nobody else can reach. */
  readonly masks: Uint32Array
  /** One byte per row, set by batch calls. */
  readonly found: Uint8Array
  length = 0
  /** Fields that some row gives. */
  low = 0
  high = 0
  /** The columns were handed out: their content is anybody's. */
  open = false
  readonly #table: string
  readonly #io: FieldIo
  /** Columns by the position at which add() met them last. */
  readonly #met: RowColumn[] = []

  constructor(table: string, layout: RecordLayout, fields: readonly FieldLayout[], capacity: number) {
    let end = 0
    const place = (field: FieldLayout, number: number, low: number, high: number): RowColumn => {
      const column = { field: { ...field, offset: end }, number, low, high }
      end = Math.ceil((end + capacity * field.size) / LINE_BYTES) * LINE_BYTES
      return column
    }
    this.layout = layout
    this.capacity = capacity
    this.keys = layout.keys.map((field, i) => place(field, i, 0, 0))
    this.values = fields.map((field) => {
      const { index } = field
      return place(field, layout.keys.length + index, bitOf(index), bitOf(index - 32))
    })
    this.byName = new Map([...this.keys, ...this.values].map((column) => [column.field.name, column]))
    const buffer = new ArrayBuffer(end)
    this.u8 = new Uint8Array(buffer)
    this.u16 = new Uint16Array(buffer)
    this.u32 = new Uint32Array(buffer)
    this.i32 = new Int32Array(buffer)
    this.f64 = new Float64Array(buffer)
    this.masks = new Uint32Array(2 * capacity)
    this.found = new Uint8Array(capacity)
    this.#table = table
    this.#io = new FieldIo(table, this)
  }

  /** Appends a row; throws ValueError, and there is none then. */
  add(key: object, fields: object | undefined): number {
    const row = this.length
    if (row === this.capacity) {
      throw new ValueError(
        `table ${this.#table}: row ${row} given; allowed: ${row} rows, the capacity asked for`,
      )
    }
    if (typeof key !== 'object' || key === null) throw this.#notAnObject('key', key)
    for (const column of this.keys)
      this.#write(column, row, (key as Record<string, unknown>)[column.field.name])
    let low = 0
    let high = 0
    if (fields !== undefined) {
      if (typeof fields !== 'object' || fields === null) throw this.#notAnObject('fields', fields)
      let position = 0
      for (const name in fields) {
        const value = (fields as Record<string, unknown>)[name]
        const column = this.#columnAt(position++, name)
        if (value === undefined) continue
        this.#write(column, row, value)
        low |= column.low
        high |= column.high
      }
    }
    this.masks[2 * row] = low
    this.masks[2 * row + 1] = high
    this.low |= low
    this.high |= high
    this.length = row + 1
    return row
  }

  /** The column of a value field that add() was given at a position. Objects of one shape give one order. */
  #columnAt(position: number, name: string): RowColumn {
    const met = this.#met[position]
    if (met !== undefined && met.field.name === name) return met
    const column = this.byName.get(name)
    if (column === undefined || (column.low | column.high) === 0) {
      const isLong = this.layout.values.some((field) => field.name === name && field.isVariable)
      const why = isLong ? ', a blob or text, which only single calls write' : ''
      const allowed = this.values.map(({ field }) => field.name).join(', ') || 'none'
      throw new ValueError(`table ${this.#table}: field ${name} given${why}; allowed: ${allowed}`)
    }
    this.#met[position] = column
    return column
  }

  #notAnObject(what: string, given: unknown): ValueError {
    return new ValueError(`table ${this.#table}: ${what} ${shown(given)} given; allowed: an object`)
  }

  /** What a batch call was given instead of a key with its fields. */
  notAPair(given: unknown): ValueError {
    return new ValueError(`table ${this.#table}: ${shown(given)} given; allowed: [key, fields]`)
  }

  #write({ field }: RowColumn, row: number, value: unknown): void {
    if (field.type !== FIELD.u53) this.#io.write(field, row * field.size, value)
    else {
      if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0)
        throw this.#io.wrong(field, value)
      this.f64[(field.offset >>> 3) + row] = value
    }
  }

  read({ field }: RowColumn, row: number): unknown {
    if (field.type === FIELD.u53) return this.f64[(field.offset >>> 3) + row]
    return this.#io.read(field, row * field.size)
  }

  /** Every row from `first` on gives every field. */
  giveAll(first: number): void {
    let low = 0
    let high = 0
    for (const column of this.values) {
      low |= column.low
      high |= column.high
    }
    const { masks, length } = this
    for (let row = first; row < length; row++) {
      masks[2 * row] = low
      masks[2 * row + 1] = high
    }
    this.low |= low
    this.high |= high
  }

  clear(): void {
    this.length = 0
    this.low = 0
    this.high = 0
  }

  /** What the core says does not fit. */
  misfit(row: number, number: number): ValueError {
    const column = [...this.keys, ...this.values].find((each) => each.number === number)!
    const { field } = column
    const at = field.offset + row * field.size
    const given = field.type === FIELD.u53 ? this.f64[at >>> 3] : this.u8[at]
    const allowed =
      field.type === FIELD.u53
        ? 'an integer from 0 to 9007199254740991'
        : field.type === FIELD.string
          ? `a length of at most ${field.size - 1}, then that many bytes of UTF-8`
          : `below ${field.limit}`
    const what = field.type === FIELD.string ? `length ${given}` : String(given)
    return new ValueError(
      `table ${this.#table}: row ${row}: column ${field.name}: ${what} given; allowed: ${allowed}`,
    )
  }
}

/** The bit of a field in one word of a mask, as a signed number; 0 if it lies in the other word. */
function bitOf(index: number): number {
  return index >= 0 && index < 32 ? 1 << index : 0
}
