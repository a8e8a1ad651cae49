// The store of express-rate-limit: its methods, the middleware over HTTP, and both nodes of a pair.
import express from 'express'
import rateLimit, { type Store } from 'express-rate-limit'
import { ConfigError, NotPrimaryError } from 'holdfast'
import {
  HoldfastRateLimitStore,
  type HoldfastRateLimitStoreOptions,
  limitTable,
} from 'holdfast/express-rate-limit'
import { createPair } from 'holdfast/testing'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { until } from '../node/support.ts'
import { alone, failure, PATIENT, request, serve } from './support.ts'

const test = suite('express-rate-limit')
const limits = limitTable({ capacity: 1000 })
const node = await alone({ limits })
test.after(() => node.close())
test.before.each(() => node.tables.limits.clear())

const make = (options: Partial<HoldfastRateLimitStoreOptions> = {}) => {
  const store = new HoldfastRateLimitStore({ node, table: node.tables.limits, ...options })
  store.init({ windowMs: 60_000 })
  return store
}

test('hits go up and down, never below zero, each key and prefix by itself', async () => {
  const [one, two]: [Store, Store] = [make(), make({ prefix: 'two:' })]
  assert.is((await one.increment('k')).totalHits, 1)
  const { totalHits, resetTime } = await one.increment('k')
  assert.is(totalHits, 2)
  assert.ok(Math.abs(resetTime!.getTime() - Date.now() - 60_000) < 10_000)
  assert.is((await two.increment('k')).totalHits, 1)
  assert.is((await one.increment('x'.repeat(300))).totalHits, 1)
  for (let i = 0; i < 4; i++) await one.decrement('k')
  assert.is((await one.get!('k'))!.totalHits, 0)
  await one.decrement('none')
  assert.is(await one.get!('none'), undefined)
  await one.increment('l')
  await one.resetKey('l')
  assert.is(await one.get!('l'), undefined)
  await one.resetAll!()
  assert.is(await one.get!('k'), undefined)
  assert.is((await two.get!('k'))!.totalHits, 1)
  for (const wrong of [{ prefix: 'x'.repeat(21) }, { prefix: 5 }, { windowMs: 1 }, { table: undefined }])
    assert.throws(
      () => make(wrong as never),
      (error: unknown) => error instanceof ConfigError,
    )
})

test('a window of no time, which would never end, is refused when the middleware is made', () => {
  for (const windowMs of [0, -1, Number.NaN, Number.POSITIVE_INFINITY, '60000' as never])
    assert.throws(
      () => make().init({ windowMs }),
      (error: unknown) => error instanceof ConfigError && /windowMs .* given; allowed: /.test(error.message),
    )
})

test('a window ends', async () => {
  const store = make()
  store.init({ windowMs: 200 })
  const { resetTime } = await store.increment('k')
  while ((await store.get('k')) !== undefined) {
    assert.ok(Date.now() < resetTime.getTime() + 5000)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  assert.ok(Date.now() >= resetTime.getTime())
  assert.is((await store.increment('k')).totalHits, 1)
})

test('under the middleware, on both nodes of a pair', async () => {
  await using pair = await createPair({ tables: { limits }, heartbeat: PATIENT })
  const servers = await Promise.all(
    [pair.a, pair.b].map((each) => {
      const app = express()
      const store = new HoldfastRateLimitStore({ node: each, table: each.tables.limits, held: true })
      app.use(
        rateLimit({ limit: 3, windowMs: 60_000, store, standardHeaders: 'draft-8', legacyHeaders: false }),
      )
      app.get('/', (_req, res) => void res.send('hello'))
      app.use(
        ((error, _req, res, _next) => void res.status(503).send(error.code)) as express.ErrorRequestHandler,
      )
      return serve(app)
    }),
  )
  const [a, b] = servers as [(typeof servers)[0], (typeof servers)[0]]
  try {
    assert.is((await request(a.port, '/')).status, 200)
    assert.is((await request(a.port, '/')).status, 200)
    const { status, body } = await request(b.port, '/')
    assert.equal([status, body], [503, new NotPrimaryError('').code])
    await pair.a.handover()
    await until('b is protected', () => pair.b.status().protected)
    assert.is((await request(b.port, '/')).status, 200)
    assert.is((await request(b.port, '/')).status, 429)
    assert.is((await request(a.port, '/')).status, 503)
  } finally {
    for (const server of servers) await server.close()
  }
  const store = new HoldfastRateLimitStore({ node: pair.a, table: pair.a.tables.limits })
  assert.instance(await failure(store.increment('k')), NotPrimaryError)
})

test.run()
