// Further unique keys: `table.by.<index>`, and the error of a write that would break one. The fields of an index key go
// through the value buffer, where the core packs them as it packs those of a record.
import { KeyTakenError } from '../errors.ts'
import type {
  FieldLayout,
  FieldsInput,
  IndexInput,
  IndexLayout,
  IndexLists,
  RecordLayout,
  Session,
  Shape,
} from '../schema/index.ts'
import type { Engine } from './engine.ts'
import { type FieldIo, shown } from './fields.ts'

/** What a write of the core gives when an index key is another session's (assembly/records.ts). */
export const TAKEN = -2

/** What stops a batch call of the core: copies of ended sessions are to be taken first. */
export const ENDED = -5

/** What an index needs of its table; ids are record ids, below 0 for none. */
export interface IndexHost<Key extends Shape, Fields extends Shape> {
  find(index: number, fields: readonly FieldLayout[], key: Record<string, unknown>): number
  view(id: number): Session<Key, Fields>
  /** Asks the gate. */
  admit(): void
  update(id: number, fields: FieldsInput<Fields>): boolean
  delete(id: number): boolean
}

/** One further unique key of a table; found at `table.by`. */
export class TableIndex<Key extends Shape, Fields extends Shape, Name extends keyof Fields> {
  readonly #host: IndexHost<Key, Fields>
  readonly #index: number
  readonly #fields: readonly FieldLayout[]

  constructor(host: IndexHost<Key, Fields>, index: number, layout: IndexLayout) {
    this.#host = host
    this.#index = index
    this.#fields = layout.fields
  }

  #find(key: IndexInput<Fields, Name>): number {
    return this.#host.find(this.#index, this.#fields, key)
  }

  /**
   * A live view of the session with these fields, a new one each time; undefined if there is none. A key that is all
   * zero finds none.
   *
   * ```ts
   * const session = connections.by.reply.get({ natIp: '203.0.113.7', natPort: 40_001 })
   * ```
   *
   * @throws ValueError
   */
  get(key: IndexInput<Fields, Name>): Session<Key, Fields> | undefined {
    const id = this.#find(key)
    return id < 0 ? undefined : this.#host.view(id)
  }

  has(key: IndexInput<Fields, Name>): boolean {
    return this.#find(key) >= 0
  }

  /**
   * Changes the given fields of the session with this index key, which may be those of the index too; false if there is
   * none.
   *
   * @throws NotPrimaryError, ValueError, KeyTakenError; nothing is changed then.
   */
  update(key: IndexInput<Fields, Name>, fields: FieldsInput<Fields>): boolean {
    this.#host.admit()
    return this.#host.update(this.#find(key), fields)
  }

  /**
   * Deletes the session with this index key; false if there is none.
   *
   * @throws NotPrimaryError, ValueError
   */
  delete(key: IndexInput<Fields, Name>): boolean {
    this.#host.admit()
    return this.#host.delete(this.#find(key))
  }
}

/** The indexes of a table by their names. */
export type IndexesBy<Key extends Shape, Fields extends Shape, Indexes extends IndexLists> = {
  readonly [Name in keyof Indexes]: TableIndex<Key, Fields, Indexes[Name][number] & keyof Fields>
}

export function indexesBy<Key extends Shape, Fields extends Shape>(
  host: IndexHost<Key, Fields>,
  layouts: readonly IndexLayout[],
): Record<string, TableIndex<Key, Fields, string>> {
  const list = layouts.map((layout, i) => [layout.name, new TableIndex(host, i, layout)] as const)
  return Object.freeze(Object.fromEntries(list))
}

/** Where a table's records can be read. */
export interface Records {
  readonly name: string
  readonly engine: Engine
  readonly io: FieldIo
  readonly layout: RecordLayout
  readonly recordsAt: number
}

/** The error of the write that the core has just refused: index, key, and who holds it. `stored`: rows done before it. */
export function keyTaken({ name, engine, io, layout, recordsAt }: Records, stored: number): KeyTakenError {
  const index = layout.indexes[engine.core.takenByIndex()]!
  const holder = recordsAt + (engine.core.takenByRecord() >>> 0) * layout.recordBytes
  const list = (fields: readonly FieldLayout[]) =>
    fields.map((field) => `${field.name} ${text(io.read(field, holder))}`).join(', ')
  return new KeyTakenError(
    `table ${name}: index ${index.name}: ${list(index.fields)} given, which the session ${list(layout.keys)} holds; allowed: what no other session holds, so change or delete that one first`,
    stored,
  )
}

function text(value: unknown): string {
  if (!(value instanceof Uint8Array)) return shown(value)
  return Array.from(value, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
