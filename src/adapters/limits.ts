// Counts in a table, each for a window of time: what both adapters of rate limiters stand on.
import { Buffer } from 'node:buffer'
import { defineTable, string, type Table, type TableDefinition, ValueError } from '../index.ts'
import {
  type AdapterNode,
  type Answer,
  answerOf,
  checkGround,
  type HeldOptions,
  refusal,
  valueRefusal,
} from './ground.ts'
import { inSlices } from './slices.ts'
import { NAME_BYTES_MIN, nameOf } from './text-key.ts'

/** Options of `limitTable`. */
export interface LimitTableOptions {
  /** The table's name. Default 'limits'. */
  readonly name?: string
  /** Keys whose window is open at the same time, at most; all memory is reserved at the start. */
  readonly capacity: number
  /** Bytes of a key with its prefix, 44 to 255. A longer key is counted under its SHA-256. Default 64. */
  readonly keyBytes?: number
  /**
   * What a new key meets when all `capacity` windows are open: 'reject' (default), the limiter fails; 'evict', the key that
   * was not counted for the longest time starts anew.
   */
  readonly onFull?: 'reject' | 'evict'
}

export type LimitKey = { readonly id: ReturnType<typeof string> }
/** `ends`: when the window does, ms since 1970; 0 = never. */
export type LimitFields = { readonly points: 'f64'; readonly ends: 'u53' }
export type LimitsTable = Table<LimitKey, LimitFields>

/**
 * Defines a table for a rate limiter.
 *
 * @throws SchemaError, ValueError
 * @example
 * const limits = limitTable({ capacity: 100_000, onFull: 'evict' })
 * const node = await createNode({ ...options, tables: { limits } })
 */
export function limitTable(options: LimitTableOptions): TableDefinition<LimitKey, LimitFields> {
  const { name = 'limits', keyBytes = 64, ...rest } = options
  if (typeof keyBytes === 'number' && keyBytes < NAME_BYTES_MIN) {
    throw new ValueError(`table ${name}: keyBytes ${keyBytes} given; allowed: ${NAME_BYTES_MIN} to 255`)
  }
  return defineTable({
    name,
    key: { id: string(keyBytes) },
    fields: { points: 'f64', ends: 'u53' },
    // A window is not moved by what is counted in it.
    expiry: 'fixed',
    ...rest,
  }) as unknown as TableDefinition<LimitKey, LimitFields>
}

export interface LimitGround extends HeldOptions {
  readonly node: AdapterNode
  readonly table: LimitsTable
}

export interface Count {
  readonly points: number
  /** ms since 1970; 0: never. */
  readonly ends: number
  /** The window began with it. */
  readonly isFirst: boolean
}

/** The date decides, to the millisecond; the table's own clock, which is read every 125 ms, comes after it. */
const EARLY_MS = 250

export class Limits {
  readonly #adapter: string
  readonly #table: LimitsTable
  readonly #prefix: string
  readonly #room: number
  /** Resolves when the last write may be answered. */
  readonly answer: Answer

  /**
   * `prefix` comes before all keys.
   *
   * @throws ConfigError
   */
  constructor(adapter: string, options: LimitGround, names: readonly string[], prefix = '') {
    checkGround(adapter, options, ['node', 'table', 'held', 'alone', ...names], {
      by: 'limitTable',
      key: 'id',
      fields: ['points', 'ends'],
    })
    this.#adapter = adapter
    this.#table = options.table
    this.#prefix = prefix
    const { length } = options.table.definition.key.id as { length: number }
    this.#room = length - Buffer.byteLength(prefix)
    if (prefix !== '' && this.#room < NAME_BYTES_MIN) {
      const most = length - NAME_BYTES_MIN
      throw refusal(adapter, 'prefix', prefix, `at most ${most} bytes in a table with keyBytes ${length}`)
    }
    this.answer = answerOf(adapter, options.node, options)
  }

  /** Adds points; begins a window of so many ms if none is open, for ever if 0. One synchronous step, so atomic. */
  add(key: string, points: number, durationMs: number): Count {
    const id = this.#id(key)
    const view = this.#open(id)
    if (view === undefined) return this.#begin(id, points, durationMs)
    this.#checkPoints(points)
    view.points += points
    return { points: view.points, ends: view.ends, isFirst: false }
  }

  /** Begins a window anew, with so many points. */
  begin(key: string, points: number, durationMs: number): Count {
    return this.#begin(this.#id(key), points, durationMs)
  }

  /** Takes points back, not below zero, where a window is open. */
  take(key: string, points: number): boolean {
    const view = this.#open(this.#id(key))
    if (view === undefined) return false
    view.points = Math.max(0, view.points - points)
    return true
  }

  get(key: string): Count | undefined {
    const view = this.#open(this.#id(key))
    return view && { points: view.points, ends: view.ends, isFirst: false }
  }

  /** Whether a window was open. */
  delete(key: string): boolean {
    const id = this.#id(key)
    const had = this.#open(id) !== undefined
    return this.#table.delete({ id }) && had
  }

  /** Ends every window under the prefix; with one, in slices between which other work goes on. */
  async clear(): Promise<void> {
    if (this.#prefix === '') this.#table.clear()
    else {
      const end = ({ id }: { id: string }): undefined => {
        if (id.startsWith(this.#prefix)) this.#table.delete({ id })
      }
      for await (const _ of inSlices(this.#table, end));
    }
    await this.answer()
  }

  #begin(id: string, points: number, durationMs: number): Count {
    this.#checkPoints(points)
    if (!(durationMs >= 0)) throw valueRefusal(this.#adapter, 'window', durationMs, 'ms, 0 is for ever')
    const ends = durationMs === 0 ? 0 : Math.ceil(Date.now() + durationMs)
    this.#table.set({ id }, { points, ends }, ends === 0 ? undefined : { expiresAt: ends + EARLY_MS })
    return { points, ends, isFirst: true }
  }

  /** Whatever is compared with what is no number is never above its limit. */
  #checkPoints(points: number): void {
    if (!Number.isFinite(points)) throw valueRefusal(this.#adapter, 'points', points, 'a number')
  }

  #open(id: string): { points: number; readonly ends: number } | undefined {
    const view = this.#table.get({ id })
    return view === undefined || (view.ends !== 0 && view.ends <= Date.now()) ? undefined : view
  }

  #id(key: string): string {
    return this.#prefix + nameOf(this.#adapter, key, this.#room).id
  }
}
