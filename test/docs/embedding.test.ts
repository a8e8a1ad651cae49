// The servers of docs/EMBEDDING.md, each on both nodes of a pair: the primary counts, the other node refuses, and when the
// primary goes, the count goes on at the other.
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import type { Server } from 'node:net'
import { serve } from '@hono/node-server'
import { createNode, type HoldfastNode, type NodeOptions, type TableDefinitions } from 'holdfast'
import { freeAddress } from 'holdfast/testing'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { WebSocket } from 'ws'
import { closing, pairOptions, portOf, until } from '../node/support.ts'
import { runBlock } from './run-block.ts'

const test = suite('docs/EMBEDDING.md')
const PAGE = 'docs/EMBEDDING.md'

type Opened = { close(): Promise<unknown> }[]

/** Two nodes with the page's table. `begin` is called of each before its role is decided, as a program would do. */
async function pairOf(opened: Opened, begin: (node: HoldfastNode) => Promise<void>): Promise<HoldfastNode[]> {
  const { visits } = await runBlock(PAGE, 'export const visits')
  const options = await pairOptions()
  const nodes: HoldfastNode[] = []
  for (const one of [options.a, options.b]) {
    const tables = { visits } as TableDefinitions
    const node = await createNode({ ...one, tables } as NodeOptions<TableDefinitions>)
    opened.push(node)
    nodes.push(node)
    await begin(node)
  }
  await until('a leads, b holds all', () => nodes[0]!.status().protected && nodes[1]!.status().synced)
  return nodes
}

/** Asks over HTTP; gives status, text, and the cookie it was handed. */
async function asked(port: number, path: string, cookie = ''): Promise<[number, string, string]> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers: { cookie } })
  const handed = response.headers.get('set-cookie')?.split(';', 1)[0] ?? ''
  return [response.status, await response.text(), handed]
}

/** Three visits: two to the primary, and, once it has handed over, one to the other. */
async function counts(
  listen: (node: HoldfastNode) => Promise<{ port: number; close(): Promise<unknown> }>,
  path: string,
  expected: readonly [string, string, string],
): Promise<void> {
  await closing(async (opened) => {
    const ports: number[] = []
    const [a, b] = await pairOf(opened, async (node) => {
      const { port, close } = await listen(node)
      ports.push(port)
      opened.push({ close })
    })
    const [atA, atB] = ports as [number, number]
    const first = await asked(atA, path)
    assert.equal(first.slice(0, 2), [200, expected[0]])
    const cookie = first[2]
    assert.equal((await asked(atA, path, cookie)).slice(0, 2), [200, expected[1]])
    assert.equal((await asked(atB, path, cookie)).slice(0, 2), [503, 'not primary'])
    await a!.close()
    await until('b leads', () => b!.role === 'primary')
    assert.equal((await asked(atB, path, cookie)).slice(0, 2), [200, expected[2]])
    assert.equal((await asked(atA, path, cookie)).slice(0, 2), [503, 'not primary'])
  })
}

const closed = (server: Server) => () => new Promise((done) => server.close(done))

test('Express', () =>
  counts(
    async (node) => {
      const { app } = await runBlock(PAGE, "from 'express'", { given: { node }, wanted: ['app'] })
      const server = (app as { listen(port: number, host: string): Server }).listen(0, '127.0.0.1')
      await once(server, 'listening')
      return { port: portOf(server), close: closed(server) }
    },
    '/visits/ada',
    ['{"visits":1}', '{"visits":2}', '{"visits":3}'],
  ))

interface FastifyLike {
  listen(where: { port: number; host: string }): Promise<string>
  close(): Promise<void>
  server: Server
}

test('Fastify', () =>
  counts(
    async (node) => {
      const { app } = await runBlock(PAGE, "from 'fastify'", { given: { node }, wanted: ['app'] })
      const fastify = app as FastifyLike
      await fastify.listen({ port: 0, host: '127.0.0.1' })
      return { port: portOf(fastify.server), close: () => fastify.close() }
    },
    '/visits/ada',
    ['{"visits":1}', '{"visits":2}', '{"visits":3}'],
  ))

test('Hono', () =>
  counts(
    async (node) => {
      const { app } = await runBlock(PAGE, "from 'hono'", { given: { node }, wanted: ['app'] })
      const { fetch } = app as { fetch(request: Request): Promise<Response> }
      const server = serve({ fetch, port: 0, hostname: '127.0.0.1' }) as Server
      await once(server, 'listening')
      return { port: portOf(server), close: closed(server) }
    },
    '/',
    ['visit 1', 'visit 2', 'visit 3'],
  ))

test('UDP: the port is bound by the primary alone, and a flow goes on at the other node', async () => {
  await closing(async (opened) => {
    const ports: number[] = []
    const [a, b] = await pairOf(opened, async (node) => {
      const port = Number((await freeAddress()).split(':')[1])
      ports.push(port)
      await runBlock(PAGE, "from 'node:dgram'", {
        given: { node },
        replaced: { "9000, '192.0.2.1'": `${port}, '127.0.0.1'` },
      })
    })
    const client = createSocket('udp4')
    client.bind(0, '127.0.0.1')
    await once(client, 'listening')
    opened.push({ close: async () => client.close() })
    const heard: string[] = []
    client.on('message', (bytes) => heard.push(String(bytes)))
    // Nobody listens at b's port: what is sent there is lost.
    for (const port of [ports[1]!, ports[0]!, ports[0]!]) client.send('x', port, '127.0.0.1')
    await until('two answers', () => heard.length === 2)
    assert.equal(heard, ['packet 1', 'packet 2'])
    await a!.close()
    await until('b leads', () => b!.role === 'primary')
    const rebound = createSocket('udp4')
    rebound.bind(ports[0], '127.0.0.1')
    await once(rebound, 'listening') // a's port is free again
    rebound.close()
    // Its port is bound when its program hears of the role; until then the client asks again, as those of UDP do.
    await until('a third', () => {
      if (heard.length === 2) client.send('x', ports[1]!, '127.0.0.1')
      return heard.length > 2
    })
    assert.is(heard[2], 'packet 3')
  })
})

test('WebSocket: the other node refuses, and clients of the one that goes are told to connect again', async () => {
  await closing(async (opened) => {
    const ports: number[] = []
    const [a, b] = await pairOf(opened, async (node) => {
      const { http } = await runBlock(PAGE, "from 'ws'", { given: { node }, wanted: ['http'] })
      const server = http as Server
      server.listen(0, '127.0.0.1')
      await once(server, 'listening')
      ports.push(portOf(server))
      opened.push({ close: closed(server) })
    })
    const connect = (at: number) => new WebSocket(`ws://127.0.0.1:${ports[at]}`)
    const [error] = await once(connect(1), 'error')
    assert.match(String(error), '503')
    const client = connect(0)
    await once(client, 'open')
    const told = once(client, 'close')
    await a!.close()
    assert.is((await told)[0], 1012)
    await until('b leads', () => b!.role === 'primary')
    const again = connect(1)
    await once(again, 'open')
    again.terminate()
    await once(again, 'close')
  })
})

test.run()
