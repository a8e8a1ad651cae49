/**
 * A store for express-session, and for @fastify/session, that survives the loss of its process. `express-session` is an
 * optional peer dependency.
 *
 * @module holdfast/express-session
 */
import { Buffer } from 'node:buffer'
import session, { type SessionData } from 'express-session'
import { ValueError } from '../index.ts'
import { type AdapterNode, type Answer, answerOf, checkGround, type HeldOptions, refusal } from './ground.ts'
import { cookieOf, cookieRecord, lifeOf, type SessionsTable } from './session-table.ts'
import { inSlices } from './slices.ts'

export type { AdapterNode, HeldOptions } from './ground.ts'
export {
  type SessionFields,
  type SessionKey,
  type SessionTableOptions,
  sessionTable,
} from './session-table.ts'

/** Makes text of a session and a session of text. */
export interface SessionSerializer {
  stringify(session: object): string
  parse(text: string): object
}

/** Options of `HoldfastStore`. */
export interface HoldfastStoreOptions extends HeldOptions {
  /** What `createNode` gave. */
  readonly node: AdapterNode
  /** One of its tables, defined by `sessionTable()`. Nothing else should write into it. */
  readonly table: SessionsTable
  /**
   * How a session, without its cookie, becomes text. Default JSON: a Date comes back as a string, a BigInt is refused by a
   * ValueError.
   */
  readonly serializer?: SessionSerializer
}

type Done = (error?: unknown) => void

const OPTIONS = ['node', 'table', 'held', 'alone', 'serializer']
const FIELDS = ['body', 'cookie', 'expires', 'idle']

/**
 * A session store in a table of a node. It is for the primary: while the node is anything else the store says
 * 'disconnect', express-session passes requests on without `req.session`, and writes fail with NotPrimaryError. Once the
 * node is promoted the store says 'connect' and has every session. Reads work on both nodes.
 *
 * An error of a write (NotPrimaryError, TableFullError, ArenaFullError, ValueError) is given to the callback, and what was
 * stored before is as it was. express-session then has usually answered already: where the answer depends on it, as at a
 * login, call `req.session.save(callback)` first.
 *
 * ```ts
 * const sessions = sessionTable({ capacity: 100_000, arena: 256 * 1024 * 1024 })
 * const node = await createNode({ ...options, tables: { sessions } })
 * app.use(session({ store: new HoldfastStore({ node, table: node.tables.sessions, held: true }), secret, ... }))
 * ```
 */
export class HoldfastStore extends session.Store {
  readonly #node: AdapterNode
  readonly #table: SessionsTable
  readonly #serializer: SessionSerializer
  readonly #answer: Answer
  readonly #idBytes: number
  #connected: boolean

  /** @throws ConfigError */
  constructor(options: HoldfastStoreOptions) {
    super()
    checkGround('HoldfastStore', options, OPTIONS, { by: 'sessionTable', key: 'sid', fields: FIELDS })
    const { node, table, serializer = JSON } = options
    if (typeof serializer?.parse !== 'function' || typeof serializer.stringify !== 'function')
      throw refusal('HoldfastStore', 'serializer', serializer, 'an object with parse and stringify')
    this.#node = node
    this.#table = table
    this.#serializer = serializer
    this.#answer = answerOf('HoldfastStore', node, options)
    this.#idBytes = table.definition.key.sid!.length as number
    this.#connected = node.role === 'primary'
    node.on('role', () => this.#follow())
    // Who begins to listen on a node that is not primary has missed the word for it.
    this.on('newListener', (event) => {
      if (event !== 'disconnect') return
      queueMicrotask(() => {
        if (!this.connected) this.emit('disconnect')
      })
    })
  }

  /** The node is primary: sessions can be written. */
  get connected(): boolean {
    return this.#node.role === 'primary'
  }

  #follow(): void {
    if (this.connected === this.#connected) return
    this.#connected = this.connected
    this.emit(this.#connected ? 'connect' : 'disconnect')
  }

  /** The session of an id; null if there is none. */
  // biome-ignore lint/suspicious/noExplicitAny: what Express and Fastify call a session exclude each other
  override get(sid: string, callback: (error: unknown, session?: any) => void): void {
    this.#reply(callback, () => {
      const view = this.#fits(sid) ? this.#table.get({ sid }) : undefined
      return view === undefined ? null : this.#session(view)
    })
  }

  /** Stores a session whole, for as long as its cookie says. A cookie that is past ends it. */
  override set(sid: string, session: SessionData, callback?: Done): void {
    this.#write(callback, () => {
      if (!this.#fits(sid)) {
        throw new ValueError(
          `HoldfastStore: session id of ${Buffer.byteLength(sid)} bytes given; allowed: ${this.#idBytes}; define the table with a larger idBytes`,
        )
      }
      const { cookie, ...body } = session
      const record = cookieRecord(cookie ?? {}, Date.now())
      if (isPast(record.expires)) {
        this.#table.delete({ sid })
        return
      }
      this.#table.set({ sid }, { body: this.#text(body), ...record }, lifeOf(record))
    })
  }

  /** Ends a session; no error if there is none. */
  override destroy(sid: string, callback?: Done): void {
    this.#write(callback, () => {
      if (this.#fits(sid)) this.#table.delete({ sid })
    })
  }

  /**
   * Renews a session for as long as its cookie says, and stores the cookie; what else is stored of the session stays, so a
   * request that only reads never undoes another one's write. No error if there is none. Never waits for the secondary.
   */
  override touch(sid: string, session: SessionData, callback?: Done): void {
    this.#reply(callback, () => {
      const view = this.#fits(sid) ? this.#table.get({ sid }) : undefined
      if (view === undefined) return
      const record = cookieRecord(session.cookie, Date.now())
      if (isPast(record.expires)) this.#table.delete({ sid })
      else if (
        record.idle === view.idle &&
        record.cookie === view.cookie &&
        (record.idle > 0 || record.expires === 0)
      ) {
        // Its own timeout, which the table keeps, begins anew with any write.
        if (record.expires === view.expires) this.#table.touch({ sid })
        else this.#table.update({ sid }, { expires: record.expires })
      } else this.#table.set({ sid }, { body: view.body, ...record }, lifeOf(record))
    })
  }

  /**
   * All sessions, each with its `id`; those that come and go meanwhile may be among them or not. A copy of everything, taken
   * in slices: for administration, not for requests.
   */
  override all(callback: (error: unknown, sessions?: (SessionData & { id: string })[]) => void): void {
    this.#all().then(
      // Out of the promise: what a callback throws is not a rejection.
      (sessions) => queueMicrotask(() => callback(null, sessions)),
      (error) => queueMicrotask(() => callback(error)),
    )
  }

  async #all(): Promise<(SessionData & { id: string })[]> {
    const all: (SessionData & { id: string })[] = []
    for await (const slice of inSlices(this.#table, (view) => ({ ...this.#session(view), id: view.sid })))
      all.push(...slice)
    return all
  }

  /** How many sessions there are; one whose time was over a moment ago may be among them. */
  override length(callback: (error: unknown, length?: number) => void): void {
    this.#reply(callback, () => this.#table.size)
  }

  /** Ends all sessions. */
  override clear(callback?: Done): void {
    this.#write(callback, () => this.#table.clear())
  }

  /** An id that is too long is no session's. */
  #fits(sid: string): boolean {
    return Buffer.byteLength(sid) <= this.#idBytes
  }

  #session(view: { body: string; cookie: string; expires: number }): SessionData {
    return { ...this.#serializer.parse(view.body), cookie: cookieOf(view) } as unknown as SessionData
  }

  #text(body: object): string {
    let problem = 'it gave no text'
    let cause: unknown
    try {
      const text = this.#serializer.stringify(body)
      if (typeof text === 'string') return text
    } catch (error) {
      cause = error
      problem = error instanceof Error ? error.message : String(error)
    }
    throw Object.assign(
      new ValueError(
        `HoldfastStore: a session that the serializer refuses given: ${problem}; allowed: what it can make text of, by default JSON`,
      ),
      { cause },
    )
  }

  /** Never calls back before the caller has returned. */
  #reply<Value>(callback: ((error: unknown, value?: Value) => void) | undefined, act: () => Value): void {
    let reply: () => void
    try {
      const value = act()
      reply = () => callback?.(null, value)
    } catch (error) {
      reply = () => callback?.(error)
    }
    queueMicrotask(reply)
  }

  #write(callback: Done | undefined, act: () => void): void {
    let held: Promise<unknown> | undefined
    try {
      act()
      held = this.#answer()
    } catch (error) {
      queueMicrotask(() => callback?.(error))
      return
    }
    if (held === undefined) queueMicrotask(() => callback?.())
    else
      held.then(
        () => queueMicrotask(() => callback?.()),
        (error) => queueMicrotask(() => callback?.(error)),
      )
  }
}

function isPast(expires: number): boolean {
  return expires !== 0 && expires <= Date.now()
}
