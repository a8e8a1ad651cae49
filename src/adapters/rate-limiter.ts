/**
 * A limiter for rate-limiter-flexible whose counts survive the loss of its process. `rate-limiter-flexible` is an optional
 * peer dependency.
 *
 * @module holdfast/rate-limiter
 */
import {
  type IRateLimiterStoreOptions,
  RateLimiterRes,
  type RateLimiterStoreAbstract,
} from 'rate-limiter-flexible'
// @ts-expect-error: the library says to extend this class and types it, but exports it from this file only
import abstractStore from 'rate-limiter-flexible/lib/RateLimiterStoreAbstract.js'
import type { AdapterNode, HeldOptions } from './ground.ts'
import { type Count, Limits, type LimitsTable } from './limits.ts'

export type { AdapterNode, HeldOptions } from './ground.ts'
export { type LimitFields, type LimitKey, type LimitTableOptions, limitTable } from './limits.ts'

/**
 * Options of `RateLimiterHoldfast`: those of any limiter of the library (`points`, `duration`, `blockDuration`, `keyPrefix`,
 * `insuranceLimiter` ...) without its stores' clients, and these.
 */
export interface RateLimiterHoldfastOptions
  extends Omit<
      IRateLimiterStoreOptions,
      'storeClient' | 'storeType' | 'dbName' | 'tableName' | 'tableCreated'
    >,
    HeldOptions {
  /** What `createNode` gave. */
  readonly node: AdapterNode
  /** One of its tables, defined by `limitTable()`. Limiters with different `keyPrefix` may share it. */
  readonly table: LimitsTable
}

const LIBRARY = [
  'keyPrefix',
  'points',
  'duration',
  'execEvenly',
  'execEvenlyMinDelayMs',
  'blockDuration',
  'insuranceLimiter',
  'inMemoryBlockOnConsumed',
  'inMemoryBlockDuration',
  'blockOnConsumed',
]

const Base: typeof RateLimiterStoreAbstract = abstractStore

/**
 * A limiter of rate-limiter-flexible over a table. Counting is one synchronous step on the primary, so two requests never
 * get the same point. On a node that is not primary every operation but `get` fails with NotPrimaryError, or is given to
 * `insuranceLimiter`, if there is one; `get` works on both nodes.
 *
 * ```ts
 * const limiter = new RateLimiterHoldfast({ node, table: node.tables.limits, points: 5, duration: 60 })
 * await limiter.consume(ip)
 * ```
 */
export class RateLimiterHoldfast extends Base {
  readonly #limits: Limits

  /** @throws ConfigError, and what the library throws for its own options */
  constructor(options: RateLimiterHoldfastOptions) {
    const limits = new Limits('RateLimiterHoldfast', options, LIBRARY)
    const { node: _, table: __, held: ___, alone: ____, ...rest } = options
    super(rest as IRateLimiterStoreOptions)
    this.#limits = limits
  }

  /** @internal Called by the library. */
  async _upsert(key: string, points: number, durationMs: number, isNew = false): Promise<Count> {
    const count = isNew
      ? this.#limits.begin(key, points, durationMs)
      : this.#limits.add(key, points, durationMs)
    await this.#limits.answer()
    return count
  }

  /** @internal */
  async _get(key: string): Promise<Count | null> {
    return this.#limits.get(key) ?? null
  }

  /** @internal */
  async _delete(key: string): Promise<boolean> {
    const had = this.#limits.delete(key)
    if (had) await this.#limits.answer()
    return had
  }

  /** @internal */
  _getRateLimiterRes(_key: string, _changed: number, { points, ends, isFirst }: Count): RateLimiterRes {
    const left = Math.max(this.points - points, 0)
    return new RateLimiterRes(left, ends === 0 ? -1 : Math.max(0, ends - Date.now()), points, isFirst)
  }
}
