// The pieces of code on the pages about session stores and on splits in the guide, run as they stand there: the program that
// takes the place of Redis, Fastify, a login, the suite for one's own store, what two sides of a split are told.
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import type { Server } from 'node:net'
import { join } from 'node:path'
import express from 'express'
import session from 'express-session'
import type { ConflictHook, HoldfastNode } from 'holdfast'
import { HoldfastStore, sessionTable } from 'holdfast/express-session'
import { createPair, makeIdentity } from 'holdfast/testing'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Browser } from '../adapters/support.ts'
import { closing, PATIENT, pairOptions, portOf, protectedPair, tables, until } from '../node/support.ts'
import { root } from './pages.ts'
import { programOf } from './program.ts'
import { blockOf, codeOf, runBlock } from './run-block.ts'

const test = suite('pages about stores and splits')
const STORES = 'docs/adapters/express-session.md'
const SECRET = 'a secret of at least 32 characters'

async function listening(app: { listen(port: number, host: string): Server }): Promise<Server> {
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}

test('docs/FROM-REDIS.md: the program in the place of the old one: two of it are a pair, and a cookie goes on', () =>
  closing(async (opened) => {
    const { a, b } = await pairOptions()
    const [certA, certB] = await Promise.all(['a', 'b'].map(makeIdentity))
    const start = async (own: typeof a, { cert, key }: { cert: string; key: string }, peerCert: string) => {
      const app = express()
      const { node } = await runBlock('docs/FROM-REDIS.md', "from 'holdfast/express-session'\n\nconst node", {
        given: { app, secret: SECRET, cert, key, peerCert },
        wanted: ['node'],
        replaced: {
          "id: 'a',": `id: '${own.id}', heartbeat: ${JSON.stringify(PATIENT)},`,
          "peer: 'b',": `peer: '${own.peer}',`,
          "'10.0.1.1:7401'": `'${own.links.m1.listen}'`,
          "'10.0.1.2:7401'": `'${own.links.m1.peer}'`,
          "'10.0.2.1:7401'": `'${own.links.m2.listen}'`,
          "'10.0.2.2:7401'": `'${own.links.m2.peer}'`,
        },
      })
      app.get('/', (request, response) => {
        const body = request.session as { visits?: number }
        body.visits = (body.visits ?? 0) + 1
        response.send(`${body.visits}`)
      })
      opened.push(node as HoldfastNode)
      const server = await listening(app)
      opened.push({ close: async () => server.close() })
      return { node: node as HoldfastNode<never>, port: portOf(server) }
    }
    const first = await start(a, certA!, certB!.cert)
    const second = await start(b, certB!, certA!.cert)
    await until('one leads, the other holds all', () =>
      [first, second].every(({ node }) => node.status().protected || node.status().synced),
    )
    const [leads, follows] = first.node.role === 'primary' ? [first, second] : [second, first]
    const browser = new Browser()
    assert.is((await browser.ask(leads.port, '/')).body, '1')
    assert.is((await browser.ask(leads.port, '/')).body, '2')
    await leads.node.close()
    await until('the other leads', () => follows.node.role === 'primary')
    assert.is((await browser.ask(follows.port, '/')).body, '3')
  }))

interface FastifyLike {
  listen(where: { port: number; host: string }): Promise<string>
  get(path: string, answer: (request: { session: { visits?: number } }) => Promise<string>): void
  close(): Promise<void>
  server: Server
}

test('docs/adapters/express-session.md: the store under Fastify', async () => {
  const sessions = sessionTable({ capacity: 100, arena: 1 << 20 })
  await using pair = await createPair({ tables: { sessions }, heartbeat: PATIENT })
  const apps: FastifyLike[] = []
  try {
    const browser = new Browser()
    for (const node of [pair.a, pair.b]) {
      const given = { node, secret: SECRET }
      const { app } = await runBlock(STORES, "from '@fastify/session'", { given, wanted: ['app'] })
      const fastify = app as FastifyLike
      fastify.get('/', async ({ session }) => {
        session.visits = (session.visits ?? 0) + 1
        return `${session.visits}`
      })
      await fastify.listen({ port: 0, host: '127.0.0.1' })
      apps.push(fastify)
    }
    const [first, second] = apps.map(({ server }) => portOf(server)) as [number, number]
    assert.is((await browser.ask(first, '/')).body, '1')
    assert.is((await browser.ask(second, '/')).status, 503)
  } finally {
    for (const app of apps) await app.close()
  }
})

test('docs/adapters/express-session.md: a login gives the session another id, and says welcome when it is held', async () => {
  const sessions = sessionTable({ capacity: 100, arena: 1 << 20 })
  await using pair = await createPair({ tables: { sessions }, heartbeat: PATIENT })
  const store = new HoldfastStore({ node: pair.a, table: pair.a.tables.sessions, held: true })
  const app = express()
  app.use(session({ store, secret: SECRET, resave: false, saveUninitialized: true }))
  await runBlock(STORES, "app.post('/login'", { given: { app } })
  app.get('/', (request, response) => {
    response.send(`${(request.session as { user?: string }).user}`)
  })
  const server = await listening(app)
  try {
    const browser = new Browser()
    const port = portOf(server)
    assert.is((await browser.ask(port, '/')).body, 'undefined')
    const before = browser.cookies.get('connect.sid')
    assert.is((await browser.ask(port, '/login', 'POST')).body, 'welcome')
    assert.is.not(browser.cookies.get('connect.sid'), before)
    assert.is((await browser.ask(port, '/')).body, 'u')
    assert.is(pair.b.tables.sessions.size, 1)
  } finally {
    server.close()
  }
})

test('docs/adapters/express-session.md: the suite for a store of one’s own runs, and a good store passes', () => {
  const folder = programOf(STORES)
  const given = "import session from 'express-session'\nconst MyStore = session.MemoryStore\n"
  writeFileSync(join(folder, 'mine.test.mjs'), given + codeOf(blockOf(STORES, 'sessionStoreSuite')))
  const { status, stdout } = spawnSync(process.execPath, [join(folder, 'mine.test.mjs')], {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0' },
  })
  assert.is(status, 0, stdout)
  assert.ok(Number(/Passed: +(\d+)/.exec(stdout)?.[1]) > 10, stdout)
})

test('docs/GUIDE.md: a conflict is merged session by session, on the side that gives way', async () => {
  const merged: unknown[][] = []
  const { onConflict } = await runBlock('docs/GUIDE.md', 'const onConflict', { wanted: ['onConflict'] })
  await using pair = await createPair({ tables, heartbeat: PATIENT, onConflict: onConflict as ConflictHook })
  const { a, b, m1, m2 } = pair
  const merge = (...words: unknown[]) => void merged.push(words)
  for (const node of [a, b]) await runBlock('docs/GUIDE.md', "node.on('conflict'", { given: { node, merge } })
  for (let id = 0; id < 10; id++) a.tables.sessions.set({ id }, { count: 1 })
  await a.replicated()
  m1.cut()
  m2.cut()
  await until('two primaries', () => a.role === 'primary' && b.role === 'primary')
  a.tables.sessions.set({ id: 100 }, { count: 3 })
  a.tables.sessions.set({ id: 101 }, { count: 3 })
  b.tables.sessions.set({ id: 200 }, { count: 2 })
  m1.mend()
  m2.mend()
  // a holds more, so the hook chooses it, and b, whose epoch is later, gives its session up.
  await until('b follows, and has told', () => b.role === 'secondary' && merged.length === 1)
  assert.equal(merged, [['sessions', { id: 200, count: 2, note: 'none' }, null]])
  await protectedPair(a, b)
  assert.is(b.tables.sessions.size, 12)
})

test.run()
