// A web application with a login, whose sessions and login limits survive the death of its process. Both are tables of one
// holdfast node; the primary serves, the other process holds the same and serves as soon as it is promoted.
import { createServer } from 'node:http'
import express from 'express'
import session from 'express-session'
import { createNode } from 'holdfast'
import { HoldfastStore, sessionTable } from 'holdfast/express-session'
import { limitTable, RateLimiterHoldfast } from 'holdfast/rate-limiter'
import { pageOf } from './page.mjs'

/** Longer than from one check of the balancer to the next. */
const DRAIN_MS = 250

/** Who may log in. A real application asks its database, and compares hashes. */
const PASSWORDS = new Map([
  ['ada', 'analytical'],
  ['grace', 'hopper'],
])

export const tables = {
  sessions: sessionTable({ capacity: 100_000, arena: 64 * 1024 * 1024 }),
  limits: limitTable({ capacity: 100_000, onFull: 'evict' }),
}

/**
 * Starts the application; it listens once its node has a role.
 * @param {{ listen: { host: string, port: number }, secret: string }} options and those of `createNode`, without `tables`.
 *   The secret is the same on both nodes: it signs the cookies.
 */
export async function startApp({ listen, secret, ...nodeOptions }) {
  const node = await createNode({ ...nodeOptions, tables })
  const server = createServer(appOf(node, secret))
  await node.ready()
  await new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(listen.port, listen.host, resolve)
  })
  return {
    node,
    async close() {
      // First the role, so that the other node serves before this one stops. Then what is still sent here is answered, with
      // 503, until the balancer has asked again.
      await node.close()
      await new Promise((resolve) => setTimeout(resolve, DRAIN_MS))
      await new Promise((resolve) => {
        server.close(resolve)
        server.closeIdleConnections()
      })
    },
  }
}

function appOf(node, secret) {
  const store = new HoldfastStore({ node, table: node.tables.sessions, held: true })
  const tries = new RateLimiterHoldfast({
    node,
    table: node.tables.limits,
    keyPrefix: 'login',
    points: 5,
    duration: 60,
    held: true,
  })
  const app = express()

  // What the balancer asks: 200 on the one node that serves.
  app.get('/primary', (_req, res) => {
    const { role, protected: isProtected } = node.status()
    res.status(role === 'primary' ? 200 : 503).json({ role, protected: isProtected })
  })

  app.use((_req, res, next) => (node.role === 'primary' ? next() : res.status(503).send('not primary')))
  app.use(
    session({
      store,
      secret,
      resave: false,
      saveUninitialized: false,
      cookie: { maxAge: 30 * 60_000, sameSite: 'lax' },
    }),
  )
  app.use(express.urlencoded({ extended: false }))

  // express-session would save at the end of the answer, and send it whatever came of that. Nobody is told here what the
  // other node does not know: first saved, then said.
  app.get('/', (req, res, next) => {
    const { user } = req.session
    if (user === undefined) return res.send(pageOf({ node: node.id }))
    req.session.views += 1
    req.session.save((error) =>
      error ? next(error) : res.send(pageOf({ node: node.id, user, views: req.session.views })),
    )
  })

  app.post('/login', async (req, res, next) => {
    const { user, password } = req.body ?? {}
    // Counted before it is looked at, so that no two tries get the same point; a right one gives them back.
    try {
      await tries.consume(String(user))
    } catch (reason) {
      if (reason instanceof Error) return next(reason)
      return res.status(429).send(pageOf({ node: node.id, problem: 'Too many tries. Wait a minute.' }))
    }
    if (password === undefined || PASSWORDS.get(user) !== password)
      return res.status(401).send(pageOf({ node: node.id, problem: 'Wrong name or password.' }))
    await tries.delete(user)
    // Another id, so that one known from before the login is worth nothing.
    req.session.regenerate((error) => {
      if (error) return next(error)
      req.session.user = user
      req.session.views = 0
      req.session.save((problem) => (problem ? next(problem) : res.redirect(303, '/')))
    })
  })

  app.post('/logout', (req, res, next) => {
    req.session.destroy((error) => (error ? next(error) : res.redirect(303, '/')))
  })

  // A role that ended while a request was under way: nothing was changed, and the other node serves.
  app.use((error, _req, res, next) => {
    if (res.headersSent) return next(error)
    res.status(error.code === 'ERR_NOT_PRIMARY' ? 503 : 500).send(error.message)
  })
  return app
}
