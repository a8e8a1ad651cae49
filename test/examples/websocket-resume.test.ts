// time-out: 120 s
// examples/websocket-resume as real processes: clients send while the primary is killed and, later, while the other one ends
// as planned. Every message is taken exactly once.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { freeAddress, makeIdentity } from '../../src/testing/index.ts'
import { root, Watched } from '../package/support.ts'

const test = suite('websocket-resume')

const CLIENTS = 8

interface Client {
  readonly node: string
  readonly taken: number
  readonly total: number
  readonly connections: number
  readonly resumed: number
  readonly longestGapMs: number
  send(add: number): void
  drained(): Promise<void>
  close(): Promise<void>
}

const { ResumingClient } = (await import(`${root}examples/websocket-resume/client.mjs` as string)) as {
  ResumingClient: new (urls: readonly string[], user: string) => Client
}

interface Servers {
  readonly urls: readonly string[]
  start(id: 'a' | 'b'): Watched
}

async function inServers(body: (servers: Servers) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-websocket-'))
  const [a1, a2, b1, b2, sa, sb] = (await Promise.all([1, 2, 3, 4, 5, 6].map(freeAddress))) as string[]
  for (const id of ['a', 'b']) {
    const { cert, key } = await makeIdentity(id)
    writeFileSync(join(folder, `${id}.crt`), cert)
    writeFileSync(join(folder, `${id}.key`), key)
  }
  const links = { a: [`${a1},${b1}`, `${a2},${b2}`, sa!], b: [`${b1},${a1}`, `${b2},${a2}`, sb!] }
  const started: Watched[] = []
  const start = (id: 'a' | 'b') => {
    const peer = id === 'a' ? 'b' : 'a'
    const [m1, m2, listen] = links[id] as [string, string, string]
    const options = { id, peer, listen, m1, m2, cert: `${id}.crt`, key: `${id}.key`, trust: `${peer}.crt` }
    const words = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value])
    const main = join(root, 'examples/websocket-resume/main.mjs')
    const server = new Watched([process.execPath, main, ...words], folder)
    started.push(server)
    return server
  }
  try {
    await body({ urls: [`ws://${sa}`, `ws://${sb}`], start })
  } finally {
    for (const server of started) server.kill()
    await Promise.all(started.map((server) => server.ends()))
    rmSync(folder, { recursive: true })
  }
}

test('every message is taken once, over a kill and a planned end', () =>
  inServers(async ({ urls, start }) => {
    const a = start('a')
    await a.says(/a: primary/)
    const b = start('b')
    await b.says(/b: holds/)
    const clients = Array.from({ length: CLIENTS }, (_, i) => new ResumingClient(urls, `user ${i}`))
    const sent = { messages: 0, total: 0 }
    /** Sends from every client until `done` is over. */
    const sendUntil = async (done: Promise<unknown>) => {
      let isDone = false
      done.finally(() => {
        isDone = true
      })
      while (!isDone) {
        sent.messages += 1
        sent.total += sent.messages
        for (const client of clients) client.send(sent.messages)
        await wait(5)
      }
      await done
    }
    try {
      await Promise.all(clients.map((client) => client.drained()))
      const killed = (async () => {
        await until(() => clients.every(({ taken }) => taken > 20))
        a.kill()
        await until(() => clients.every(({ node, taken }) => node === 'b' && taken > 60))
      })()
      await sendUntil(killed)
      const again = start('a')
      await again.says(/a: holds 8 sessions/)
      const ended = (async () => {
        b.kill('SIGTERM')
        assert.is(await b.ends(), 0)
        await until(() => clients.every(({ node }) => node === 'a'))
      })()
      await sendUntil(ended)
      await Promise.all(clients.map((client) => client.drained()))
      for (const { taken, total, connections, resumed } of clients) {
        assert.equal([taken, total], [sent.messages, sent.total])
        assert.ok(resumed >= 2 && resumed === connections - 1, `${resumed} of ${connections} resumed`)
      }
      const gap = Math.max(...clients.map(({ longestGapMs }) => longestGapMs))
      console.log(
        `${sent.messages} messages of ${CLIENTS} clients, longest wait for an answer ${gap.toFixed(0)} ms`,
      )
    } finally {
      await Promise.all(clients.map((client) => client.close()))
    }
  }))

async function until(holds: () => boolean, boundMs = 30_000): Promise<void> {
  const deadline = performance.now() + boundMs
  while (!holds()) {
    assert.ok(performance.now() < deadline, `within ${boundMs} ms`)
    await wait(5)
  }
}

test.run()
