// The table of web sessions, and the life of one: what a cookie says of it, in the terms of a table.
import { defineTable, type SetOptions, string, type Table, type TableDefinition } from '../index.ts'

/** Options of `sessionTable`. */
export interface SessionTableOptions {
  /** The table's name. Default 'sessions'. */
  readonly name?: string
  /** Sessions it can hold; all memory is reserved at the start. */
  readonly capacity: number
  /**
   * Bytes reserved for what sessions contain, 65,536 to 4,294,967,296. A session of n bytes of JSON takes ceil(n / 60) x 64
   * bytes and its cookie another 128; 85 % of the arena can be taken.
   */
  readonly arena: number
  /** Seconds without a request after which a session ends whose cookie does not say when. Default 86,400: a day. */
  readonly timeout?: number
  /** Longest session id in bytes, 1 to 255. Default 48; ids of express-session and @fastify/session have 32. */
  readonly idBytes?: number
  /** 'reject' (default) a new session when the table is full, or 'evict' the one idle longest. */
  readonly onFull?: 'reject' | 'evict'
}

export type SessionKey = { readonly sid: ReturnType<typeof string> }
/**
 * `body`: the session without its cookie, `cookie`: the cookie without `expires`; `expires`: ms since 1970, 0 = when the
 * table says; `idle`: ms without a request that the session lives, 0 = until `expires`.
 */
export type SessionFields = {
  readonly body: 'text'
  readonly cookie: 'text'
  readonly expires: 'u53'
  readonly idle: 'u53'
}

/**
 * Defines a table for `HoldfastStore`.
 *
 * @throws SchemaError
 * @example
 * const sessions = sessionTable({ capacity: 100_000, arena: 256 * 1024 * 1024 })
 * const node = await createNode({ ...options, tables: { sessions } })
 */
export function sessionTable(options: SessionTableOptions): TableDefinition<SessionKey, SessionFields> {
  const { name = 'sessions', timeout = 86_400, idBytes = 48, ...rest } = options
  return defineTable({
    name,
    key: { sid: string(idBytes) },
    fields: { body: 'text', cookie: 'text', expires: 'u53', idle: 'u53' },
    timeout,
    expiry: 'idle',
    ...rest,
  }) as unknown as TableDefinition<SessionKey, SessionFields>
}

export type SessionsTable = Table<SessionKey, SessionFields>

/** What of a session's cookie is stored, and for how long the session lives. */
export interface CookieRecord {
  readonly cookie: string
  readonly expires: number
  readonly idle: number
}

export interface CookieLike {
  readonly expires?: unknown
  readonly originalMaxAge?: unknown
}

/** How far a cookie's `expires` may be from its `originalMaxAge` after now for the session to be an idle one, ms. */
const TOUCHED_MS = 1_000

/** `now`: ms since 1970. */
export function cookieRecord(given: CookieLike & { toJSON?: () => object }, now: number): CookieRecord {
  const data = (typeof given.toJSON === 'function' ? given.toJSON() : given) as CookieLike
  const { expires: date, ...rest } = data
  const expires = dateOf(date)
  const { originalMaxAge } = rest
  const isIdle =
    typeof originalMaxAge === 'number' &&
    Math.abs(expires - now - originalMaxAge) <= TOUCHED_MS &&
    expires > now
  return { cookie: JSON.stringify(rest), expires, idle: isIdle ? Math.ceil(originalMaxAge) : 0 }
}

/** As the middleware stored it, `expires` included. */
export function cookieOf({ cookie, expires }: { cookie: string; expires: number }): Record<string, unknown> {
  return { ...JSON.parse(cookie), expires: expires === 0 ? null : new Date(expires).toISOString() }
}

/** 0: the cookie does not say. */
function dateOf(expires: unknown): number {
  if (!(expires instanceof Date) && typeof expires !== 'string') return 0
  const ms = new Date(expires).getTime()
  return Number.isFinite(ms) && ms > 0 ? Math.ceil(ms) : 0
}

/**
 * Table time is counted in sixteenths of a second and read every 125 ms, or later by a busy machine; a timeout that begins
 * at an old reading ends too early by as much. Nobody's session ends before its cookie.
 */
const EARLY_MS = 1000
const TIMEOUT_MAX_S = 31_622_400

/** The same for `table.set`. */
export function lifeOf({ expires, idle }: CookieRecord): SetOptions | undefined {
  if (expires === 0) return undefined
  if (idle === 0) return { expiresAt: expires + EARLY_MS }
  return { timeout: Math.min(TIMEOUT_MAX_S, (idle + EARLY_MS) / 1000) }
}
