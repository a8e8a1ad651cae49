// The same store under @fastify/session, on both nodes of a pair, over real HTTP.
import cookie from '@fastify/cookie'
import fastifySession from '@fastify/session'
import Fastify from 'fastify'
import { HoldfastStore, sessionTable } from 'holdfast/express-session'
import { createPair, type Pair } from 'holdfast/testing'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { until } from '../node/support.ts'
import { Browser, PATIENT } from './support.ts'

const test = suite('fastify-session')
const sessions = sessionTable({ capacity: 1000, arena: 2 ** 20 })
type Tables = { sessions: typeof sessions }

async function serve(node: Pair<Tables>['a']) {
  const app = Fastify()
  app.addHook('onRequest', async (_request, reply) => {
    if (node.role !== 'primary') return reply.code(503).send('not primary')
  })
  app.register(cookie)
  app.register(fastifySession, {
    store: new HoldfastStore({ node, table: node.tables.sessions, held: true }),
    secret: 'a secret of at least 32 characters',
    cookie: { secure: false, maxAge: 60_000 },
    saveUninitialized: false,
  })
  app.get('/', async (request) => {
    const session = request.session as { views?: number }
    session.views = (session.views ?? 0) + 1
    return `${session.views} views, says ${node.id}`
  })
  app.post('/logout', async (request) => {
    await request.session.destroy()
    return 'bye'
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  return { app, port: (app.server.address() as { port: number }).port }
}

test('views of a cookie go on on the other node, a logout too', async () => {
  await using pair = await createPair({ tables: { sessions }, heartbeat: PATIENT })
  const [a, b] = [await serve(pair.a), await serve(pair.b)]
  try {
    const [browser, other] = [new Browser(), new Browser()]
    for (let i = 1; i <= 3; i++) assert.is((await browser.ask(a.port, '/')).body, `${i} views, says a`)
    assert.is((await other.ask(a.port, '/')).body, '1 views, says a')
    assert.is((await other.ask(a.port, '/logout', 'POST')).body, 'bye')
    assert.is((await browser.ask(b.port, '/')).status, 503)
    assert.is(pair.b.tables.sessions.size, 1)
    await pair.a.handover()
    await until('roles have changed', () => pair.b.role === 'primary' && pair.a.role === 'secondary')
    assert.is((await browser.ask(b.port, '/')).body, '4 views, says b')
    assert.is((await other.ask(b.port, '/')).body, '1 views, says b')
    assert.is((await browser.ask(a.port, '/')).status, 503)
  } finally {
    await a.app.close()
    await b.app.close()
  }
})

test.run()
