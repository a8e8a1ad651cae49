/**
 * A storage adapter for Keyv 6, in a table of a node. `holdfast/keyv5` is for Keyv 5. Keyv itself is not imported.
 *
 * @module holdfast/keyv
 */
import { AdapterEmitter } from './emitter.ts'
import { Entries, type EntryOptions } from './entries.ts'

export {
  type EntryFields,
  type EntryKey,
  type EntryTableOptions as KeyvTableOptions,
  entryTable as keyvTable,
} from './entries.ts'
export type { AdapterNode, HeldOptions } from './ground.ts'

/** Options of `KeyvHoldfast`. */
export interface KeyvHoldfastOptions extends EntryOptions {
  /** As Keyv's; set by Keyv when it has one. */
  readonly namespace?: string
}

/** An entry as Keyv 6 hands it over; `expires`: ms since 1970. */
export interface KeyvHoldfastEntry<Value = unknown> {
  readonly key: string
  readonly value: Value
  readonly expires?: number | undefined
}

interface Method {
  exists: boolean
  methodType: 'sync' | 'async' | 'none'
}

const METHODS = [
  'get',
  'getMany',
  'has',
  'hasMany',
  'set',
  'setMany',
  'delete',
  'deleteMany',
  'clear',
] as const
type MethodName = (typeof METHODS)[number] | 'disconnect' | 'iterator'

/** What Keyv asks an adapter about itself. */
export interface KeyvHoldfastCapabilities {
  compatible: boolean
  store: 'keyvStorage'
  methods: Record<MethodName, Method>
  expires: true
}

const SEPARATOR = '::'

/**
 * Keyv 6 over a table: `new Keyv({ store: new KeyvHoldfast({ node, table: node.tables.cache }) })`, `table` being defined
 * by `keyvTable({ capacity, arena })`. Reads work on both nodes, writes on the primary: on a secondary they reject with
 * NotPrimaryError, which Keyv tells by its `error` event and by answering false.
 *
 * Entries end at the date that Keyv says, to the millisecond, by the date of the node that is asked. Several adapters may
 * share a table, each with a namespace of its own.
 */
export class KeyvHoldfast extends AdapterEmitter {
  readonly #entries: Entries
  namespace: string | undefined

  /** @throws ConfigError */
  constructor(options: KeyvHoldfastOptions) {
    super()
    this.#entries = new Entries('KeyvHoldfast', options, 'keyvTable', ['namespace'])
    this.namespace = options.namespace
  }

  get capabilities(): KeyvHoldfastCapabilities {
    const methods = { iterator: { exists: true, methodType: 'sync' } } as Record<MethodName, Method>
    for (const name of [...METHODS, 'disconnect'] as const)
      methods[name] = { exists: true, methodType: 'async' }
    return { compatible: true, store: 'keyvStorage', methods, expires: true }
  }

  // biome-ignore lint/suspicious/noExplicitAny: Keyv says what it put in
  async get<Value>(key: string): Promise<any | Value | undefined> {
    return this.#entries.get(this.#full(key))?.value
  }

  async getMany<Value>(keys: string[]): Promise<(Value | undefined)[]> {
    return keys.map((key) => this.#entries.get(this.#full(key))?.value as Value | undefined)
  }

  async has(key: string): Promise<boolean> {
    return this.#entries.has(this.#full(key))
  }

  async hasMany(keys: string[]): Promise<boolean[]> {
    return keys.map((key) => this.#entries.has(this.#full(key)))
  }

  /**
   * `expires`: ms since 1970; undefined: never.
   *
   * @throws NotPrimaryError, ValueError, TableFullError, ArenaFullError; what was stored before stays.
   */
  async set(key: string, value: unknown, expires?: number): Promise<boolean> {
    this.#entries.set(this.#full(key), value, expires)
    await this.#entries.answer()
    return true
  }

  /**
   * One after the other. The first that is refused rejects, those before it are stored.
   *
   * @throws as set
   */
  async setMany<Value>(values: KeyvHoldfastEntry<Value>[]): Promise<boolean[]> {
    for (const { key, value, expires } of values) this.#entries.set(this.#full(key), value, expires)
    if (values.length > 0) await this.#entries.answer()
    return values.map(() => true)
  }

  /** Whether there was one. */
  async delete(key: string): Promise<boolean> {
    const had = this.#entries.delete(this.#full(key))
    if (had) await this.#entries.answer()
    return had
  }

  async deleteMany(keys: string[]): Promise<boolean[]> {
    const had = keys.map((key) => this.#entries.delete(this.#full(key)))
    if (had.includes(true)) await this.#entries.answer()
    return had
  }

  /** Ends all entries of the namespace; without one, all of the table. For a namespace goes through the whole table, in slices
   * between which other work goes on. */
  async clear(): Promise<void> {
    await this.#entries.clear(this.#full(''))
  }

  /** Entries of the namespace; those that come and go meanwhile may be among them or not. */
  async *iterator<Value>(): AsyncGenerator<(string | Awaited<Value> | undefined)[], void> {
    const prefix = this.#full('')
    for await (const { key, value } of this.#entries.entries(prefix))
      yield [key.slice(prefix.length), value as Awaited<Value>]
  }

  /** Does nothing: the node is the application's to close. */
  async disconnect(): Promise<void> {}

  #full(key: string): string {
    return this.namespace === undefined ? key : `${this.namespace}${SEPARATOR}${key}`
  }
}
