// What the README of express-session asks of a store, as tests that any runner can run: nothing here knows of holdfast.
// Assertions are Node's; a test is a name and a function that resolves or rejects.
import assert from 'node:assert/strict'
import { setTimeout as wait } from 'node:timers/promises'
import {
  all,
  clear,
  cookie,
  destroy,
  get,
  length,
  makeSession,
  newId,
  type StoreUnderTest,
  set,
  touch,
} from './session-store-calls.ts'

export type { StoreUnderTest } from './session-store-calls.ts'

/** Options of `sessionStoreSuite`. */
export interface SessionStoreSuiteOptions {
  /** Makes the store of one test, or gives the same one each time: tests use ids of their own. */
  readonly create: () => StoreUnderTest | Promise<StoreUnderTest>
  /** Called with that store after each test. */
  readonly close?: (store: StoreUnderTest) => unknown
  /** How long after its time a session may still be found, and a write without a callback may take, ms. Default 2000. */
  readonly lateMs?: number
  /** Characters of the longest session that is stored. Default 65,536. */
  readonly longest?: number
}

/** Registers one test with a runner: uvu's `test`, node:test's `test`, Vitest's and Jest's `it`. */
export type RegisterTest = (name: string, run: () => Promise<void>) => unknown

/**
 * Tests for a session store of express-session: what its README requires (`get`, `set`, `destroy`), recommends (`touch`)
 * and allows (`all`, `length`, `clear`), and what its own MemoryStore does besides. What a store does not have is not
 * tested, but for the required methods.
 *
 * ```ts
 * import { suite } from 'uvu'
 * import { sessionStoreSuite } from 'holdfast/testing'
 * const test = suite('my store')
 * sessionStoreSuite(test, { create: () => new MyStore() })
 * test.run()
 * ```
 */
export function sessionStoreSuite(test: RegisterTest, options: SessionStoreSuiteOptions): void {
  const { create, close, lateMs = 2000, longest = 65_536 } = options
  const check = (name: string, body: (store: StoreUnderTest) => Promise<void>) =>
    test(name, async () => {
      const store = await create()
      try {
        await body(store)
      } finally {
        await close?.(store)
      }
    })

  check('it is a Store: an event emitter that makes sessions', async (store) => {
    for (const method of ['get', 'set', 'destroy', 'on', 'emit', 'createSession', 'load', 'regenerate'])
      assert.equal(typeof (store as unknown as Record<string, unknown>)[method], 'function', method)
  })

  check('get of an id there is not gives no session and no error but ENOENT', async (store) => {
    assert.equal(await get(store, newId()), undefined)
  })

  check('get gives what set stored', async (store) => {
    const sid = newId()
    const data = {
      user: 'Zoë 𝒵 \u0000 "quoted"',
      views: 3,
      ratio: -0.25,
      admin: false,
      nothing: null,
      list: [1, 'two', [3], {}],
      nested: { deep: { er: true } },
      '': 'empty name',
    }
    await set(store, sid, { cookie: cookie(60_000), ...data })
    const { cookie: _, ...found } = (await get(store, sid))!
    assert.deepEqual(found, data)
  })

  check('a session without data is a session', async (store) => {
    const sid = newId()
    await set(store, sid, { cookie: cookie(60_000) })
    assert.deepEqual(Object.keys((await get(store, sid))!), ['cookie'])
  })

  check(`a session of ${longest} characters comes back whole`, async (store) => {
    const sid = newId()
    const text = 'x'.repeat(longest)
    await set(store, sid, { cookie: cookie(60_000), text })
    assert.equal((await get(store, sid))?.text, text)
  })

  check('what was stored is a copy', async (store) => {
    const sid = newId()
    const session = { cookie: cookie(60_000), list: ['a'] }
    const before = JSON.stringify(session)
    await set(store, sid, session)
    assert.equal(JSON.stringify(session), before, 'set leaves what it is given')
    session.list.push('b')
    const found = await get(store, sid)
    assert.deepEqual(found?.list, ['a'])
    ;(found!.list as string[]).push('c')
    assert.deepEqual((await get(store, sid))?.list, ['a'])
  })

  check('set replaces the session whole', async (store) => {
    const sid = newId()
    await set(store, sid, { cookie: cookie(60_000), a: 1, b: 2 })
    await set(store, sid, { cookie: cookie(60_000), b: 3 })
    const { cookie: _, ...found } = (await get(store, sid))!
    assert.deepEqual(found, { b: 3 })
  })

  check('sessions do not mix, whatever their ids and however many are stored at once', async (store) => {
    const ids = Array.from({ length: 50 }, newId)
    ids.push('constructor', '__proto__', 'with space', 'with:colon', 'x', 'X')
    await Promise.all(ids.map((sid, i) => set(store, sid, { cookie: cookie(60_000), i })))
    const found = await Promise.all(ids.map((sid) => get(store, sid)))
    assert.deepEqual(
      found.map((session) => session?.i),
      [...ids.keys()],
    )
    await Promise.all(ids.map((sid) => destroy(store, sid)))
    for (const sid of ids) assert.equal(await get(store, sid), undefined, sid)
  })

  check('the cookie comes back, and createSession makes a session of it', async (store) => {
    const sid = newId()
    const given = { ...cookie(60_000), path: '/app', httpOnly: true, sameSite: 'lax' }
    await set(store, sid, { cookie: given, user: 'u' })
    const found = (await get(store, sid))!
    assert.equal(new Date(found.cookie.expires as string).getTime(), given.expires!.getTime())
    const req: { session?: unknown } = {}
    const session = makeSession(store, req, found)
    assert.equal(req.session, session)
    assert.equal(session.user, 'u')
    for (const name of ['originalMaxAge', 'path', 'httpOnly', 'sameSite'] as const)
      assert.equal(session.cookie[name], given[name], name)
    assert.equal(new Date(session.cookie.expires as Date).getTime(), given.expires!.getTime())
  })

  check('destroy ends a session, and one that is not there without an error', async (store) => {
    const sid = newId()
    await set(store, sid, { cookie: cookie(60_000) })
    await destroy(store, sid)
    assert.equal(await get(store, sid), undefined)
    await destroy(store, sid)
    await destroy(store, newId())
  })

  check('callbacks of set, destroy, touch and clear may be left out', async (store) => {
    const sid = newId()
    const session = { cookie: cookie(60_000), n: 1 }
    store.set(sid, session)
    store.touch?.(sid, session)
    const until = Date.now() + Math.max(lateMs, 1000)
    while ((await get(store, sid)) === undefined && Date.now() < until) await wait(1)
    assert.equal((await get(store, sid))?.n, 1)
    store.destroy(sid)
    while ((await get(store, sid)) !== undefined && Date.now() < until) await wait(1)
    assert.equal(await get(store, sid), undefined)
  })

  const untilGone = async (store: StoreUnderTest, sid: string, expires: number) => {
    while ((await get(store, sid)) !== undefined) {
      assert.ok(Date.now() <= expires + lateMs, `found more than ${lateMs} ms after its time`)
      await wait(5)
    }
    assert.ok(Date.now() >= expires, 'gone before its time')
  }

  check('a session is found until its cookie expires, and not much longer', async (store) => {
    const sid = newId()
    const given = cookie(700)
    await set(store, sid, { cookie: given })
    await untilGone(store, sid, given.expires!.getTime())
  })

  check('a session whose cookie has expired already is none', async (store) => {
    const sid = newId()
    await set(store, sid, { cookie: cookie(60_000) })
    await set(store, sid, { cookie: cookie(-1000) })
    await untilGone(store, sid, 0)
  })

  check('a session without an expiry date is kept', async (store) => {
    const sid = newId()
    await set(store, sid, { cookie: cookie(null), n: 1 })
    const found = (await get(store, sid))!
    assert.equal(found.n, 1)
    const { expires } = makeSession(store, {}, found).cookie
    assert.ok(!expires, `a browser session has no date, not ${String(expires)}`)
  })

  checkTouch()
  checkLists()

  // A store need not have what these are about.
  function checkTouch(): void {
    const touching = (name: string, body: (store: StoreUnderTest) => Promise<void>) =>
      check(name, async (store) => {
        if (typeof store.touch === 'function') await body(store)
      })

    touching('touch lets a session live on', async (store) => {
      const sid = newId()
      const given = cookie(1500)
      await set(store, sid, { cookie: given, n: 1 })
      await touch(store, sid, { cookie: cookie(60_000), n: 1 })
      while (Date.now() < given.expires!.getTime() + lateMs) await wait(20)
      assert.equal((await get(store, sid))?.n, 1)
    })

    touching('touch may also let a session end sooner', async (store) => {
      const sid = newId()
      await set(store, sid, { cookie: cookie(3_600_000) })
      const sooner = cookie(300)
      await touch(store, sid, { cookie: sooner })
      await untilGone(store, sid, sooner.expires!.getTime())
    })

    touching('touch leaves what another request has written', async (store) => {
      const sid = newId()
      const stale = { cookie: cookie(60_000), n: 1 }
      await set(store, sid, stale)
      await set(store, sid, { cookie: cookie(60_000), n: 2, more: true })
      await touch(store, sid, stale)
      const { cookie: _, ...found } = (await get(store, sid))!
      assert.deepEqual(found, { n: 2, more: true })
    })

    touching('touch makes no session', async (store) => {
      const sid = newId()
      await touch(store, sid, { cookie: cookie(60_000), n: 1 })
      assert.equal(await get(store, sid), undefined)
    })
  }

  function checkLists(): void {
    check('all, length and clear agree with each other, where there are any', async (store) => {
      if (store.clear) await clear(store)
      const count = async () => (store.length ? ((await length(store)) as number) : undefined)
      const list = async () => (store.all ? await all(store) : undefined)
      const before = [await count(), (await list())?.length]
      if (store.clear) for (const left of before) assert.ok(left === undefined || left === 0, 'cleared')
      const ids = [newId(), newId(), newId()]
      for (const [i, sid] of ids.entries()) await set(store, sid, { cookie: cookie(60_000), i })
      const after = [await count(), (await list())?.length]
      for (const [i, held] of after.entries()) {
        if (held !== undefined) assert.equal(held, before[i]! + ids.length)
      }
      const found = await list()
      for (const i of ids.keys()) assert.ok(found === undefined || found.some((session) => session.i === i))
      if (!store.clear) return
      await clear(store)
      for (const sid of ids) assert.equal(await get(store, sid), undefined)
      assert.ok(((await count()) ?? 0) === 0, 'length after clear')
    })
  }
}
