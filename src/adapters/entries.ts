// Keys and values in a table, for the adapters of caches: text, bytes, or anything JSON, each with an optional date at
// which it ends. No library's manners in here.
import { defineTable, string, type Table, type TableDefinition, ValueError } from '../index.ts'
import {
  type AdapterNode,
  type Answer,
  answerOf,
  checkGround,
  type HeldOptions,
  valueRefusal,
} from './ground.ts'
import { inSlices } from './slices.ts'
import { LONE, NAME_BYTES_MIN, type Name, nameOf } from './text-key.ts'

/** Options of a table of entries. */
export interface EntryTableOptions {
  /** The table's name. Default 'entries'. */
  readonly name?: string
  /** Entries it can hold; all memory is reserved at the start. */
  readonly capacity: number
  /**
   * Bytes reserved for values, 65,536 to 4,294,967,296. A value of n bytes takes ceil(n / 60) x 64 of them, a key longer than
   * `keyBytes` as well; 85 % of the arena can be taken.
   */
  readonly arena: number
  /**
   * Bytes of a key that lie in the entry itself, 44 to 255. Longer keys work all the same: they are found by their SHA-256
   * and lie in the arena. Default 64.
   */
  readonly keyBytes?: number
  /** 'reject' (default) a new entry when the table is full, or 'evict' the one that was not written for the longest time. */
  readonly onFull?: 'reject' | 'evict'
}

export type EntryKey = { readonly id: ReturnType<typeof string> }
/** `key`: where `id` is a hash; `expires`: ms since 1970, 0 = never. */
export type EntryFields = {
  readonly key: 'text'
  readonly kind: readonly ['text', 'json', 'bytes']
  readonly text: 'text'
  readonly bytes: 'blob'
  readonly expires: 'u53'
}

export type EntriesTable = Table<EntryKey, EntryFields>

/** @throws SchemaError */
export function entryTable(options: EntryTableOptions): TableDefinition<EntryKey, EntryFields> {
  const { name = 'entries', keyBytes = 64, ...rest } = options
  if (typeof keyBytes === 'number' && keyBytes < NAME_BYTES_MIN) {
    throw new ValueError(`table ${name}: keyBytes ${keyBytes} given; allowed: ${NAME_BYTES_MIN} to 255`)
  }
  return defineTable({
    name,
    key: { id: string(keyBytes) },
    fields: { key: 'text', kind: ['text', 'json', 'bytes'], text: 'text', bytes: 'blob', expires: 'u53' },
    // Sessions of such a table end only if their `set` says when.
    expiry: 'fixed',
    ...rest,
  }) as unknown as TableDefinition<EntryKey, EntryFields>
}

/** Options of an adapter over a table of entries. */
export interface EntryOptions extends HeldOptions {
  /** What `createNode` gave. */
  readonly node: AdapterNode
  /** One of its tables, defined by the function that this subpath exports. Nothing else should write into it. */
  readonly table: EntriesTable
}

/**
 * The date decides, to the millisecond; the table's own clock, which is read every 125 ms, comes after it and only removes.
 * It also bounds how long an entry lives on where the other node's date is behind.
 */
const EARLY_MS = 250
const FIELDS = ['key', 'kind', 'text', 'bytes', 'expires']

export interface Entry {
  readonly key: string
  readonly value: unknown
  /** ms since 1970; undefined: never. */
  readonly expires: number | undefined
}

type View = { id: string; key: string; kind: string; text: string; bytes: Uint8Array; expires: number }

export class Entries {
  readonly #adapter: string
  readonly #table: EntriesTable
  readonly #keyBytes: number
  /** Resolves when the last write may be answered. */
  readonly answer: Answer

  /** @throws ConfigError */
  constructor(adapter: string, options: EntryOptions, madeBy: string, further: readonly string[] = []) {
    checkGround(adapter, options, ['node', 'table', 'held', 'alone', ...further], {
      by: madeBy,
      key: 'id',
      fields: FIELDS,
    })
    this.#adapter = adapter
    this.#table = options.table
    this.#keyBytes = (options.table.definition.key.id as { length: number }).length
    this.answer = answerOf(adapter, options.node, options)
  }

  get(key: string): Entry | undefined {
    const view = this.#find(this.#name(key))
    return view && { key, value: readValue(view), expires: view.expires || undefined }
  }

  has(key: string): boolean {
    return this.#find(this.#name(key)) !== undefined
  }

  /** `expires`: ms since 1970; a date that is past ends the entry. */
  set(key: string, value: unknown, expires?: number): void {
    const name = this.#name(key)
    if (expires !== undefined && !Number.isFinite(expires)) {
      throw valueRefusal(this.#adapter, 'expires', expires, 'a number of ms since 1970')
    }
    const fields = this.#fields(key, value)
    if (expires === undefined) this.#table.set({ id: name.id }, { ...fields, key: name.key })
    else if (expires <= Date.now()) this.#table.delete({ id: name.id })
    else {
      const until = Math.ceil(expires)
      this.#table.set(
        { id: name.id },
        { ...fields, key: name.key, expires: until },
        { expiresAt: until + EARLY_MS },
      )
    }
  }

  /** Whether there was one. */
  delete(key: string): boolean {
    const name = this.#name(key)
    const had = this.#find(name) !== undefined
    return this.#table.delete({ id: name.id }) && had
  }

  /** Ends every entry whose key begins so; one that comes meanwhile may be among them or not. */
  async clear(prefix: string): Promise<void> {
    if (prefix === '') this.#table.clear()
    else {
      const end = (view: View): undefined => {
        if (keyOf(view).startsWith(prefix)) this.#table.delete({ id: view.id })
      }
      for await (const _ of inSlices(this.#table, end));
    }
    await this.answer()
  }

  /** Entries whose key begins so; those that come and go meanwhile may be among them or not. */
  async *entries(prefix: string): AsyncGenerator<Entry, void> {
    const take = (view: View): Entry | undefined => {
      const key = keyOf(view)
      if (!key.startsWith(prefix) || isPast(view)) return undefined
      return { key, value: readValue(view), expires: view.expires || undefined }
    }
    for await (const slice of inSlices(this.#table, take)) yield* slice
  }

  async keys(prefix: string): Promise<string[]> {
    const take = (view: View): string | undefined => {
      const key = keyOf(view)
      return key.startsWith(prefix) && !isPast(view) ? key : undefined
    }
    const keys: string[] = []
    for await (const slice of inSlices(this.#table, take)) keys.push(...slice)
    return keys
  }

  #name(key: string): Name {
    return nameOf(this.#adapter, key, this.#keyBytes)
  }

  #find({ id, key }: Name): View | undefined {
    const view = this.#table.get({ id })
    return view === undefined || isPast(view) || view.key !== key ? undefined : view
  }

  #fields(
    key: string,
    value: unknown,
  ): { kind: 'text' | 'json' | 'bytes'; text?: string; bytes?: Uint8Array } {
    if (value instanceof Uint8Array) return { kind: 'bytes', bytes: value }
    if (typeof value === 'string' && !LONE.test(value)) return { kind: 'text', text: value }
    let problem = ''
    try {
      const text = JSON.stringify(value)
      if (text !== undefined) return { kind: 'json', text }
    } catch (error) {
      problem = error instanceof Error ? `: ${error.message}` : ''
    }
    throw new ValueError(
      `${this.#adapter}: value of key ${JSON.stringify(key)} of type ${typeof value} given${problem}; allowed: a string, a Uint8Array, or what JSON can say`,
    )
  }
}

function keyOf(view: { id: string; key: string }): string {
  return view.key === '' ? view.id : view.key
}

function isPast(view: { expires: number }): boolean {
  return view.expires !== 0 && view.expires <= Date.now()
}

function readValue(view: { kind: string; text: string; bytes: Uint8Array }): unknown {
  if (view.kind === 'bytes') return view.bytes
  return view.kind === 'text' ? view.text : JSON.parse(view.text)
}
