// Table: the synchronous API over one WASM table.
import type { FieldsInput, KeyInput, Session, Shape, TableDefinition } from '../schema/index.ts'
import type { WriteGate } from './gate.ts'
import { TableStore } from './table-store.ts'

export interface CreateTableOptions {
  /** Asked at every write. */
  readonly gate: WriteGate
  /** Four words that key the index hash; random by default. */
  readonly hashSeed?: readonly [number, number, number, number]
  /** Largest output of one `encode`; a node with several tables divides a frame among them. Default 983,040. */
  readonly encodeBytesMax?: number
}

export declare class Table<Key extends Shape, Fields extends Shape> extends TableStore {
  set(key: KeyInput<Key>, fields?: FieldsInput<Fields>): void
  update(key: KeyInput<Key>, fields: FieldsInput<Fields>): boolean
  get(key: KeyInput<Key>): Session<Key, Fields> | undefined
  has(key: KeyInput<Key>): boolean
  delete(key: KeyInput<Key>): boolean
  clear(): void
  [Symbol.iterator](): IterableIterator<Session<Key, Fields>>
  /** Ends every view handed out so far; the node calls it at each change of role. */
  bumpEra(): void
}

export declare function createTable<Key extends Shape, Fields extends Shape>(
  definition: TableDefinition<Key, Fields>,
  options: CreateTableOptions,
): Table<Key, Fields>

/** Bytes of memory the table of a definition reserves, all in. */
export declare function bytesFor(definition: TableDefinition): number
