// The store of docs/FROM-REDIS.md that moves people as they come: who logged in with the old store goes on with the new one, by
// the same cookie; what has been written since is in the table; a logout ends both.
import type { AddressInfo, Server } from 'node:net'
import express from 'express'
import session, { MemoryStore, type Store } from 'express-session'
import { createNode } from 'holdfast'
import { type HoldfastStoreOptions, sessionTable } from 'holdfast/express-session'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { pairOptions } from '../node/support.ts'
import { programOf } from './program.ts'

const test = suite('from Redis')

type Body = { user?: string; visits?: number }

/** An application with a login and a counter, on whatever store. */
async function application(
  store: Store,
): Promise<{ ask(path: string, cookie?: string): Promise<Response>; server: Server }> {
  const app = express()
  app.use(session({ store, secret: 'the same', resave: false, saveUninitialized: false }))
  app.get('/login', (request, response) => {
    Object.assign(request.session, { user: 'ada', visits: 0 })
    response.send('welcome')
  })
  app.get('/look', (request, response) => void response.send((request.session as Body).user ?? 'nobody'))
  app.get('/visit', (request, response) => {
    const body = request.session as Body
    body.visits = (body.visits ?? 0) + 1
    response.send(`${body.user} ${body.visits}`)
  })
  app.get('/logout', (request, response, next) => {
    request.session.destroy((error) => (error ? next(error) : response.send('bye')))
  })
  const server = await new Promise<Server>((done) => {
    const listening = app.listen(0, '127.0.0.1', () => done(listening))
  })
  const { port } = server.address() as AddressInfo
  return {
    server,
    ask: (path, cookie) =>
      fetch(`http://127.0.0.1:${port}${path}`, { headers: cookie === undefined ? {} : { cookie } }),
  }
}

test('who has logged in with the old store goes on with the new one', async () => {
  const { MovingStore } = (await import(`${programOf('docs/FROM-REDIS.md')}/moving-store.mjs`)) as {
    MovingStore: new (options: HoldfastStoreOptions, old: Store) => Store
  }
  const { a } = await pairOptions({ holdDown: 300 })
  const sessions = sessionTable({ capacity: 100, arena: 1 << 20 })
  const node = await createNode({ ...a, tables: { sessions } })
  await node.ready()
  const table = node.tables.sessions
  const old = new MemoryStore()
  const before = await application(old)
  const after = await application(new MovingStore({ node, table }, old))
  const count = () => new Promise((done) => old.length((_, length) => done(length)))
  try {
    const login = await before.ask('/login')
    const cookie = login.headers.getSetCookie()[0]!.split(';')[0]!
    assert.is(await (await before.ask('/visit', cookie)).text(), 'ada 1')

    assert.is(await (await after.ask('/look', cookie)).text(), 'ada')
    assert.is(table.size, 1, 'who only reads is moved too')
    assert.is(await (await after.ask('/visit', cookie)).text(), 'ada 2')
    assert.is(table.size, 1)
    assert.is(await (await after.ask('/visit', cookie)).text(), 'ada 3')
    assert.is(await (await before.ask('/look', cookie)).text(), 'ada')

    assert.is(await (await after.ask('/logout', cookie)).text(), 'bye')
    assert.is(table.size, 0)
    assert.is(await count(), 0)
    assert.is(await (await after.ask('/look', cookie)).text(), 'nobody')
  } finally {
    before.server.close()
    after.server.close()
    await node.close()
  }
})

test.run()
