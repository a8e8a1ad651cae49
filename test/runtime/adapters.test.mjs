// The adapters with their libraries on this runtime: one primary, each library through its own front door.
import http from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'
import express from 'express'
import { rateLimit } from 'express-rate-limit'
import session from 'express-session'
import { createNode } from 'holdfast'
import { HoldfastRateLimitStore } from 'holdfast/express-rate-limit'
import { HoldfastStore, sessionTable } from 'holdfast/express-session'
import { KeyvHoldfast, keyvTable } from 'holdfast/keyv'
import { KeyvHoldfast as Keyv5Holdfast } from 'holdfast/keyv5'
import { limitTable, RateLimiterHoldfast } from 'holdfast/rate-limiter'
import { sessionStoreSuite } from 'holdfast/testing'
import holdfastDriver, { storageTable } from 'holdfast/unstorage'
import { Keyv } from 'keyv'
import { Keyv as Keyv5 } from 'keyv5'
import { createStorage } from 'unstorage'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { pairOptions } from './pair.mjs'

const test = suite('adapters')
const MIB = 2 ** 20
const tables = {
  sessions: sessionTable({ capacity: 1000, arena: 4 * MIB }),
  cache: keyvTable({ name: 'cache', capacity: 1000, arena: MIB }),
  old: keyvTable({ name: 'old', capacity: 1000, arena: MIB }),
  items: storageTable({ name: 'items', capacity: 1000, arena: MIB }),
  limits: limitTable({ capacity: 1000 }),
}
const { a } = await pairOptions({ tables, holdDown: 300 })
const node = await createNode(a)
await node.ready()
test.after(() => node.close())

sessionStoreSuite(test, { create: () => new HoldfastStore({ node, table: node.tables.sessions }) })

test('express-session and express-rate-limit under Express', async () => {
  const app = express()
  app.use(
    session({
      store: new HoldfastStore({ node, table: node.tables.sessions }),
      secret: 'secret',
      resave: false,
      saveUninitialized: false,
    }),
  )
  app.use(
    rateLimit({
      limit: 4,
      windowMs: 60_000,
      store: new HoldfastRateLimitStore({ node, table: node.tables.limits }),
      legacyHeaders: false,
    }),
  )
  app.get('/', (req, res) => {
    req.session.views = (req.session.views ?? 0) + 1
    res.send(`${req.session.views}`)
  })
  const server = http.createServer(app)
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  let cookie = ''
  const ask = async () => {
    const answer = await fetch(`http://127.0.0.1:${server.address().port}/`, {
      headers: { cookie, connection: 'close' },
    })
    cookie = answer.headers.get('set-cookie')?.split(';')[0] ?? cookie
    return [answer.status, await answer.text()]
  }
  try {
    for (let i = 1; i <= 4; i++) assert.equal(await ask(), [200, String(i)])
    assert.is((await ask())[0], 429)
  } finally {
    await new Promise((resolve) => {
      server.close(resolve)
      server.closeAllConnections()
    })
  }
})

for (const [name, Class, Adapter, table] of [
  ['Keyv 6', Keyv, KeyvHoldfast, 'cache'],
  ['Keyv 5', Keyv5, Keyv5Holdfast, 'old'],
]) {
  test(name, async () => {
    const keyv = new Class({ store: new Adapter({ node, table: node.tables[table] }), namespace: 'app' })
    await keyv.set('k', { deep: ['value'] })
    await keyv.set('x'.repeat(300), 1, 300)
    assert.equal(await keyv.get('k'), { deep: ['value'] })
    while ((await keyv.get('x'.repeat(300))) !== undefined) await wait(5)
    assert.is(await keyv.delete('k'), true)
    await keyv.clear()
    assert.is(await keyv.has('k'), false)
  })
}

test('unstorage', async () => {
  const storage = createStorage({ driver: holdfastDriver({ node, table: node.tables.items }) })
  await storage.setItem('a:b', { c: 1 })
  await storage.setItemRaw('raw', new Uint8Array([1, 2]))
  assert.equal(await storage.getItem('a:b'), { c: 1 })
  assert.equal([...(await storage.getItemRaw('raw'))], [1, 2])
  assert.equal((await storage.getKeys()).sort(), ['a:b', 'raw'])
})

test('rate-limiter-flexible', async () => {
  const limiter = new RateLimiterHoldfast({ node, table: node.tables.limits, points: 2, duration: 60 })
  await limiter.consume('k')
  await limiter.consume('k')
  assert.is((await limiter.consume('k').catch((refused) => refused)).consumedPoints, 3)
})

test.run()
