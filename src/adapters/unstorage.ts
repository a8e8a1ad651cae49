/**
 * A driver for unstorage, in a table of a node. unstorage itself is not imported.
 *
 * @module holdfast/unstorage
 */
import { Entries, type EntryOptions } from './entries.ts'
import { refusal, valueRefusal } from './ground.ts'

export {
  type EntryFields,
  type EntryKey,
  type EntryTableOptions as StorageTableOptions,
  entryTable as storageTable,
} from './entries.ts'
export type { AdapterNode, HeldOptions } from './ground.ts'

/** Options of `holdfastDriver`. */
export interface HoldfastDriverOptions extends EntryOptions {
  /** Seconds an item lives that is stored without a `ttl` of its own. Default: for ever. */
  readonly ttl?: number
  /** Put before all keys, so that several storages can share a table. */
  readonly base?: string
}

/** Options of one call, as unstorage hands them over. `ttl`: seconds. */
export type HoldfastTransaction = Record<string, unknown>

/** A driver, for `createStorage({ driver })` or `storage.mount(base, driver)`. */
export interface HoldfastDriver {
  readonly name: 'holdfast'
  readonly options: HoldfastDriverOptions
  readonly flags: { readonly maxDepth: false; readonly ttl: true }
  hasItem(key: string): boolean
  // biome-ignore lint/suspicious/noExplicitAny: the application says what it put in
  getItem(key: string): any
  getItemRaw(key: string): unknown
  setItem(key: string, value: string, options?: HoldfastTransaction): Promise<void>
  setItemRaw(key: string, value: unknown, options?: HoldfastTransaction): Promise<void>
  setItems(
    items: { key: string; value: string; options?: HoldfastTransaction }[],
    options?: HoldfastTransaction,
  ): Promise<void>
  removeItem(key: string): Promise<void>
  /** `ttl`: seconds left, where the item ends. */
  getMeta(key: string): { ttl?: number } | null
  getKeys(base?: string): Promise<string[]>
  clear(base?: string): Promise<void>
}

/**
 * Makes a driver: `createStorage({ driver: holdfastDriver({ node, table: node.tables.storage }) })`, `table` being defined by
 * `storageTable({ capacity, arena })`. Reads work on both nodes; writes on the primary, on a secondary they reject with
 * NotPrimaryError. `setItem(key, value, { ttl })` takes seconds. Disposing of the storage leaves the node alone.
 *
 * @throws ConfigError
 */
export function holdfastDriver(options: HoldfastDriverOptions): HoldfastDriver {
  const entries = new Entries('holdfastDriver', options, 'storageTable', ['ttl', 'base'])
  const { ttl, base = '' } = options
  if (typeof base !== 'string') throw refusal('holdfastDriver', 'base', base, 'a string')
  if (!isTtl(ttl)) throw refusal('holdfastDriver', 'ttl', ttl, TTL)
  const before = base === '' ? '' : `${base.replace(/:$/, '')}:`
  const put = (key: string, value: unknown, given?: HoldfastTransaction) =>
    entries.set(before + key, value, dateOf(given?.ttl ?? ttl))
  return {
    name: 'holdfast',
    options,
    flags: { maxDepth: false, ttl: true },
    hasItem: (key) => entries.has(before + key),
    getItem: (key) => entries.get(before + key)?.value ?? null,
    getItemRaw: (key) => entries.get(before + key)?.value ?? null,
    async setItem(key, value, given) {
      put(key, value, given)
      await entries.answer()
    },
    async setItemRaw(key, value, given) {
      put(key, value, given)
      await entries.answer()
    },
    async setItems(items, given) {
      for (const item of items) put(item.key, item.value, { ...given, ...item.options })
      await entries.answer()
    },
    async removeItem(key) {
      if (entries.delete(before + key)) await entries.answer()
    },
    getMeta(key) {
      const entry = entries.get(before + key)
      if (entry === undefined) return null
      return entry.expires === undefined ? {} : { ttl: (entry.expires - Date.now()) / 1000 }
    },
    async getKeys(from = '') {
      return (await entries.keys(before + from)).map((key) => key.slice(before.length))
    },
    clear: (from = '') => entries.clear(before + from),
  }
}

export default holdfastDriver

const TTL = 'seconds above 0; 0 or none: for ever'

function isTtl(given: unknown): given is number | null | undefined {
  return given === undefined || given === null || (Number.isFinite(given) && (given as number) >= 0)
}

/** @throws ValueError */
function dateOf(ttl: unknown): number | undefined {
  if (!isTtl(ttl)) throw valueRefusal('holdfastDriver', 'ttl', ttl, TTL)
  return ttl ? Date.now() + ttl * 1000 : undefined
}
