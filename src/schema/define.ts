// defineTable: checks a table definition at the door and fixes its record layout and schema hash.
import type { Shape } from './types.ts'

/** What `defineTable` takes. */
export interface TableOptions<Key extends Shape, Fields extends Shape> {
  /** Letters, digits, `_`, `-`; begins with a letter. At most 64 characters. */
  readonly name: string
  readonly key: Key
  readonly fields: Fields
  /** Sessions the table can hold; all memory is reserved at the start. */
  readonly capacity: number
}

/** A checked definition; made by `defineTable` only. */
export interface TableDefinition<Key extends Shape = Shape, Fields extends Shape = Shape> {
  readonly name: string
  readonly key: Key
  readonly fields: Fields
  readonly capacity: number
  /** 16 lower-case hex digits over key and field names and types, in order. */
  readonly schemaHash: string
}

export function defineTable<const Key extends Shape, const Fields extends Shape>(
  _options: TableOptions<Key, Fields>,
): TableDefinition<Key, Fields> {
  throw new Error('not built yet')
}
