/**
 * A storage adapter for Keyv 5, in a table of a node. `holdfast/keyv` is for Keyv 6. Keyv itself is not imported.
 *
 * @module holdfast/keyv5
 */
import { AdapterEmitter } from './emitter.ts'
import { Entries, type EntryOptions } from './entries.ts'
import { valueRefusal } from './ground.ts'

export {
  type EntryFields,
  type EntryKey,
  type EntryTableOptions as KeyvTableOptions,
  entryTable as keyvTable,
} from './entries.ts'
export type { AdapterNode, HeldOptions } from './ground.ts'

/** Options of `KeyvHoldfast`. */
export type KeyvHoldfastOptions = EntryOptions

/**
 * Keyv 5 over a table: `new Keyv({ store: new KeyvHoldfast({ node, table: node.tables.cache }) })`, `table` being defined
 * by `keyvTable({ capacity, arena })`. Reads work on both nodes, writes on the primary: on a secondary they reject with
 * NotPrimaryError, which Keyv tells by its `error` event and by answering false.
 *
 * A `ttl` becomes a date on the primary when it is written. Keyv puts the namespace before each key, so Keyvs with
 * namespaces may share an adapter's table, each with an adapter of its own.
 */
export class KeyvHoldfast extends AdapterEmitter {
  readonly #entries: Entries
  /** Keyv looks here for names it knows, and puts its own options. */
  readonly opts: Record<string, unknown> & { url: string; dialect: string } = {
    url: 'holdfast:',
    dialect: 'holdfast',
  }
  /** Set by Keyv. */
  namespace: string | undefined = undefined

  /** @throws ConfigError */
  constructor(options: KeyvHoldfastOptions) {
    super()
    this.#entries = new Entries('KeyvHoldfast', options, 'keyvTable')
  }

  // biome-ignore lint/suspicious/noExplicitAny: Keyv says what it put in
  async get<Value>(key: string): Promise<any | Value | undefined> {
    return this.#entries.get(key)?.value
  }

  async getMany<Value>(keys: string[]): Promise<(Value | undefined)[]> {
    return keys.map((key) => this.#entries.get(key)?.value as Value | undefined)
  }

  async has(key: string): Promise<boolean> {
    return this.#entries.has(key)
  }

  async hasMany(keys: string[]): Promise<boolean[]> {
    return keys.map((key) => this.#entries.has(key))
  }

  /**
   * `ttl`: ms from now; 0 or undefined: never.
   *
   * @throws NotPrimaryError, ValueError, TableFullError, ArenaFullError; what was stored before stays.
   */
  async set(key: string, value: unknown, ttl?: number): Promise<boolean> {
    this.#entries.set(key, value, dateOf(ttl))
    await this.#entries.answer()
    return true
  }

  /**
   * One after the other. The first that is refused rejects, those before it are stored.
   *
   * @throws as set
   */
  async setMany(values: readonly { key: string; value: unknown; ttl?: number }[]): Promise<void> {
    for (const { key, value, ttl } of values) this.#entries.set(key, value, dateOf(ttl))
    if (values.length > 0) await this.#entries.answer()
  }

  /** Whether there was one. */
  async delete(key: string): Promise<boolean> {
    const had = this.#entries.delete(key)
    if (had) await this.#entries.answer()
    return had
  }

  /** Whether there was any. */
  async deleteMany(keys: string[]): Promise<boolean> {
    const had = keys.map((key) => this.#entries.delete(key)).includes(true)
    if (had) await this.#entries.answer()
    return had
  }

  /** Ends all entries of the namespace; without one, all of the table. For a namespace goes through the whole table, in slices
   * between which other work goes on. */
  async clear(): Promise<void> {
    await this.#entries.clear(prefixOf(this.namespace))
  }

  /**
   * Entries of a namespace, the keys with it; without one, all of the table. `keyv.iterator` is there only for adapters that
   * Keyv 5 knows by name: `keyv.generateIterator((namespace) => adapter.iterator(namespace))()` is the same.
   */
  async *iterator<Value>(namespace?: string): AsyncGenerator<(string | Awaited<Value> | undefined)[], void> {
    for await (const { key, value } of this.#entries.entries(prefixOf(namespace)))
      yield [key, value as Awaited<Value>]
  }

  /** Does nothing: the node is the application's to close. */
  async disconnect(): Promise<void> {}
}

const prefixOf = (namespace: string | undefined): string => (namespace === undefined ? '' : `${namespace}:`)

function dateOf(ttl: number | null | undefined): number | undefined {
  if (ttl === undefined || ttl === null || ttl === 0) return undefined
  if (Number.isFinite(ttl)) return Date.now() + ttl
  throw valueRefusal('KeyvHoldfast', 'ttl', ttl, 'a number of ms from now; 0 or none: never')
}
