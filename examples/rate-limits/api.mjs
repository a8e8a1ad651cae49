// An API with quotas: each key has so many points a minute, and one that asks on after they are used up is shut out for five.
// The counts are a table of a holdfast node, so a restart or a crash gives nobody a new quota.
import { createServer } from 'node:http'
import express from 'express'
import { createNode } from 'holdfast'
import { limitTable, RateLimiterHoldfast } from 'holdfast/rate-limiter'

/** What an answer costs. */
const COSTS = { small: 1, large: 10 }
/** Who asks so much beyond the quota is shut out. */
const TOO_MUCH = 1.5

export const tables = { limits: limitTable({ capacity: 100_000, onFull: 'evict' }) }

/**
 * Starts the API; it listens once its node has a role.
 * @param {{ listen: { host: string, port: number }, points?: number }} options and those of `createNode`, without `tables`
 */
export async function startApi({ listen, points = 100, ...nodeOptions }) {
  const node = await createNode({ ...nodeOptions, tables })
  const server = createServer(apiOf(node, points))
  await node.ready()
  await new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(listen.port, listen.host, resolve)
  })
  return {
    node,
    async close() {
      await node.close() // a primary hands over first
      await new Promise((resolve) => {
        server.close(resolve)
        server.closeIdleConnections()
      })
    },
  }
}

function apiOf(node, points) {
  const quota = new RateLimiterHoldfast({
    node,
    table: node.tables.limits,
    keyPrefix: 'quota',
    points,
    duration: 60,
    blockOnConsumed: Math.ceil(points * TOO_MUCH),
    blockDuration: 300,
    held: true,
  })
  const app = express()

  // For a load balancer: the primary serves.
  app.get('/primary', (_req, res) => {
    const { role, protected: isProtected } = node.status()
    res.status(role === 'primary' ? 200 : 503).json({ role, protected: isProtected })
  })

  // Reads work on both nodes.
  app.get('/usage/:key', async (req, res) => {
    const count = await quota.get(req.params.key)
    res.json({ used: count?.consumedPoints ?? 0, left: count?.remainingPoints ?? points, node: node.id })
  })

  app.get('/answers/:size', async (req, res) => {
    const cost = COSTS[req.params.size]
    const key = req.get('x-api-key')
    if (cost === undefined) return res.sendStatus(404)
    if (!key) return res.status(401).send('x-api-key is missing')
    try {
      const { remainingPoints } = await quota.consume(key, cost)
      res.set('x-points-left', String(remainingPoints)).send(`an answer of node ${node.id}`)
    } catch (reason) {
      // An error is no refusal: this node may not count at the moment, and the other one serves.
      if (reason instanceof Error) return res.status(503).send(reason.message)
      res.set('retry-after', String(Math.ceil(reason.msBeforeNext / 1000))).sendStatus(429)
    }
  })
  return app
}
