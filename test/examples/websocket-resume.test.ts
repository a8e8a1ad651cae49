// time-out: 120 s
// examples/websocket-resume as real processes: clients send while the primary is killed and, later, while the other one ends
// as planned. Every message is taken exactly once.
import { setTimeout as wait } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { root } from '../package/support.ts'
import { inServers } from './servers.ts'

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

test('every message is taken once, over a kill and a planned end', () =>
  inServers('websocket-resume', {}, async ({ port, start }) => {
    const urls = [port.a, port.b].map((each) => `ws://127.0.0.1:${each}`)
    const a = start('a')
    await a.says(/a: primary/)
    const b = start('b')
    await b.says(/b: both nodes hold/)
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
      await again.says(/a: both nodes hold 8 sessions/)
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
