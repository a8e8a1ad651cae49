// The calls of a session store as promises, for the suite: each checks on the way that the callback comes once, and not
// before the call has returned.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { setImmediate as turn } from 'node:timers/promises'

/** A session as a store gives it back. */
export interface Again {
  readonly cookie: Record<string, unknown>
  [name: string]: unknown
}

/** A session as it is given to a store. */
export interface Given {
  readonly cookie: object
  readonly [name: string]: unknown
}

type Done = (error?: unknown) => void

/** A store of express-session, as far as the suite uses it. */
export interface StoreUnderTest {
  get(sid: string, callback: (error: unknown, session?: unknown) => void): void
  set(sid: string, session: object, callback?: Done): void
  destroy(sid: string, callback?: Done): void
  createSession(req: object, session: object): unknown
  touch?(sid: string, session: object, callback?: Done): void
  all?(callback: (error: unknown, sessions?: unknown) => void): void
  length?(callback: (error: unknown, length?: unknown) => void): void
  clear?(callback?: Done): void
}

/** The id of no other session. */
export const newId = (): string => randomUUID()

interface GivenCookie {
  readonly originalMaxAge: number | null
  readonly expires: Date | null
  readonly httpOnly: boolean
  readonly path: string
}

/** A cookie as the middleware hands it over; null: one without an expiry date. */
export function cookie(maxAgeMs: number | null): GivenCookie {
  const expires = maxAgeMs === null ? null : new Date(Date.now() + maxAgeMs)
  return { originalMaxAge: maxAgeMs, expires, httpOnly: true, path: '/' }
}

/** A session that the store makes of what it gave; `req.session` too. */
export function makeSession(store: StoreUnderTest, req: object, found: object): Again {
  return store.createSession(req, found) as Again
}

/** The session of an id; undefined if there is none. */
export async function get(store: StoreUnderTest, sid: string): Promise<Again | undefined> {
  const session = await call('get', (done) => store.get(sid, done)).catch((error) => {
    if ((error as { code?: unknown } | undefined)?.code === 'ENOENT') return undefined
    throw error
  })
  return (session ?? undefined) as Again | undefined
}

export const set = (store: StoreUnderTest, sid: string, session: Given): Promise<unknown> =>
  call('set', (done) => store.set(sid, session, done))
export const destroy = (store: StoreUnderTest, sid: string): Promise<unknown> =>
  call('destroy', (done) => store.destroy(sid, done))
export const touch = (store: StoreUnderTest, sid: string, session: Given): Promise<unknown> =>
  call('touch', (done) => store.touch?.(sid, session, done))
export const clear = (store: StoreUnderTest): Promise<unknown> => call('clear', (done) => store.clear?.(done))
export const length = (store: StoreUnderTest): Promise<unknown> =>
  call('length', (done) => store.length?.(done))

/** The README says an array; MemoryStore gives an object by id. */
export async function all(store: StoreUnderTest): Promise<Again[]> {
  return Object.values((await call('all', (done) => store.all?.(done))) as object)
}

/** What the callback is given. Waits a turn more, so that a second call of it shows. */
async function call(
  method: string,
  act: (done: (error?: unknown, value?: unknown) => void) => void,
): Promise<unknown> {
  let calls = 0
  let returned = false
  const value = await new Promise((resolve, reject) => {
    act((error, value) => {
      calls++
      if (!returned)
        reject(new assert.AssertionError({ message: `${method} called back before it returned` }))
      else if (error) reject(error)
      else resolve(value)
    })
    returned = true
  })
  await turn()
  assert.equal(calls, 1, `${method} called back ${calls} times`)
  return value
}
