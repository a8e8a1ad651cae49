/**
 * A store for express-rate-limit whose counts survive the loss of its process. The library itself is not imported.
 *
 * @module holdfast/express-rate-limit
 */
import { type AdapterNode, type HeldOptions, refusal } from './ground.ts'
import { Limits, type LimitsTable } from './limits.ts'

export type { AdapterNode, HeldOptions } from './ground.ts'
export { type LimitFields, type LimitKey, type LimitTableOptions, limitTable } from './limits.ts'

/** Options of `HoldfastRateLimitStore`. */
export interface HoldfastRateLimitStoreOptions extends HeldOptions {
  /** What `createNode` gave. */
  readonly node: AdapterNode
  /** One of its tables, defined by `limitTable()`. */
  readonly table: LimitsTable
  /** Put before all keys. Stores that share a table need different ones. Default 'rl:'. */
  readonly prefix?: string
}

/** Hits of a key in its window. */
export interface HoldfastHits {
  totalHits: number
  resetTime: Date
}

/**
 * A store of express-rate-limit over a table: `rateLimit({ limit, windowMs, store: new HoldfastRateLimitStore({ node, table }) })`.
 * A window begins with a key's first hit. Counting is one synchronous step on the primary. On a node that is not primary
 * it fails with NotPrimaryError: the middleware passes that on as an error, or the request, with `passOnStoreError: true`.
 */
export class HoldfastRateLimitStore {
  /** Both nodes count for the same keys. */
  readonly localKeys = false as const
  readonly prefix: string
  readonly #limits: Limits
  #windowMs = 60_000

  /** @throws ConfigError */
  constructor(options: HoldfastRateLimitStoreOptions) {
    const prefix: unknown = options?.prefix ?? 'rl:'
    if (typeof prefix !== 'string') throw refusal('HoldfastRateLimitStore', 'prefix', prefix, 'a string')
    this.prefix = prefix
    this.#limits = new Limits('HoldfastRateLimitStore', options, ['prefix'], prefix)
  }

  /**
   * Called by the middleware.
   *
   * @throws ConfigError
   */
  init({ windowMs }: { readonly windowMs: number }): void {
    if (!Number.isFinite(windowMs) || windowMs <= 0)
      throw refusal('HoldfastRateLimitStore', 'windowMs', windowMs, 'ms above 0')
    this.#windowMs = windowMs
  }

  /** On both nodes. */
  async get(key: string): Promise<HoldfastHits | undefined> {
    const count = this.#limits.get(key)
    return count && { totalHits: count.points, resetTime: new Date(count.ends) }
  }

  /** @throws NotPrimaryError, TableFullError; NotProtectedError as `alone` says */
  async increment(key: string): Promise<HoldfastHits> {
    const { points, ends } = this.#limits.add(key, 1, this.#windowMs)
    await this.#limits.answer()
    return { totalHits: points, resetTime: new Date(ends) }
  }

  /** Takes a hit back, as the middleware does with `skipSuccessfulRequests`. Never below zero. */
  async decrement(key: string): Promise<void> {
    if (this.#limits.take(key, 1)) await this.#limits.answer()
  }

  async resetKey(key: string): Promise<void> {
    if (this.#limits.delete(key)) await this.#limits.answer()
  }

  /** Of all keys with this store's prefix. */
  async resetAll(): Promise<void> {
    await this.#limits.clear()
  }
}
