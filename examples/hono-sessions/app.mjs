// A Hono application whose sessions survive the death of its process: the same file on Node, Deno and Bun.
import { Hono } from 'hono'
import { sessionMiddleware } from 'hono-sessions'
import { HonoStore } from './store.mjs'

/** What it answers is `app.fetch(request)`. `secret`: at least 32 characters, the same on both nodes. */
export function appOf(node, secret) {
  const app = new Hono()

  // For the load balancer: the primary serves.
  app.get('/primary', (c) => {
    const { role, protected: isProtected } = node.status()
    return c.json({ role, protected: isProtected }, role === 'primary' ? 200 : 503)
  })
  app.use(async (c, next) => (node.role === 'primary' ? next() : c.text('not primary', 503)))

  app.use(
    sessionMiddleware({
      store: new HonoStore(node, node.tables.sessions),
      encryptionKey: secret,
      expireAfterSeconds: 30 * 60,
      autoExtendExpiration: true,
      cookieOptions: { path: '/', httpOnly: true, sameSite: 'Lax' },
    }),
  )
  app.get('/', (c) => {
    const session = c.get('session')
    const views = (session.get('views') ?? 0) + 1
    session.set('views', views)
    return c.text(`${views} views, says ${node.id} on ${runtime}`)
  })
  app.post('/logout', (c) => {
    c.get('session').deleteSession()
    return c.text('bye')
  })

  // A role that ended while a request was under way: the other node serves.
  app.onError((error, c) => c.text(error.message, error.code === 'ERR_NOT_PRIMARY' ? 503 : 500))
  return app
}

const runtime = 'Deno' in globalThis ? 'Deno' : 'Bun' in globalThis ? 'Bun' : 'Node'

/** Serves on this runtime; gives a function that ends it. */
export async function serve(app, { host, port }) {
  if (runtime === 'Deno') {
    const server = globalThis.Deno.serve({ hostname: host, port, onListen() {} }, app.fetch)
    return () => server.shutdown()
  }
  if (runtime === 'Bun') {
    const server = globalThis.Bun.serve({ hostname: host, port, fetch: app.fetch })
    return () => server.stop()
  }
  const node = await import('@hono/node-server')
  return new Promise((resolve) => {
    const server = node.serve({ fetch: app.fetch, hostname: host, port }, () =>
      resolve(() => new Promise((done) => server.close(done))),
    )
  })
}
