// createTable: a table from its definition and what stands around it.
import { ConfigError } from '../errors.ts'
import type { IndexLists, NoIndexes, Shape, TableDefinition } from '../schema/index.ts'
import type { HashSeed } from './engine.ts'
import type { WriteGate } from './gate.ts'
import { ENCODE_BYTES_MAX } from './refusals.ts'
import { Table } from './table.ts'

export interface CreateTableOptions {
  /** Asked at every write. */
  readonly gate: WriteGate
  /** Four 32-bit words that key the index; random by default. */
  readonly hashSeed?: HashSeed
  /**
   * Largest output of one `encode`, in bytes; a node with several tables divides a frame among them. Bounds the journal
   * too. Default and most: 983,040.
   */
  readonly encodeBytesMax?: number
  /** This machine's date, ms since 1970: what `expiresAt` is compared with. `Date.now` by default. */
  readonly date?: () => number
  /** Whether snapshots are taken of it: an eighth of a byte more a session. Default false. */
  readonly snapshots?: boolean
}

/**
 * A table by itself, without a node: for tests, benches and the node.
 *
 * @throws SchemaError if its memory cannot be reserved.
 */
export function createTable<Key extends Shape, Fields extends Shape, Indexes extends IndexLists = NoIndexes>(
  definition: TableDefinition<Key, Fields, Indexes>,
  options: CreateTableOptions,
): Table<Key, Fields, Indexes> {
  const {
    gate,
    hashSeed = randomSeed(),
    encodeBytesMax = ENCODE_BYTES_MAX,
    date = Date.now,
    snapshots = false,
  } = options
  if (!Number.isInteger(encodeBytesMax) || encodeBytesMax < 4096 || encodeBytesMax > ENCODE_BYTES_MAX) {
    throw new ConfigError(
      `table ${definition.name}: encodeBytesMax ${encodeBytesMax} given; allowed: an integer from 4096 to ${ENCODE_BYTES_MAX}`,
    )
  }
  return new Table(definition, gate, hashSeed, encodeBytesMax, date, snapshots)
}

function randomSeed(): HashSeed {
  const [a = 0, b = 0, c = 0, d = 0] = globalThis.crypto.getRandomValues(new Uint32Array(4))
  return [a, b, c, d]
}
