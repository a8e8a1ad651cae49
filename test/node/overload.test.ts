// A primary whose secondary is stopped, slow, gone or dead, while the application writes many times what the journal
// holds: every call returns, what waits for the secondary keeps to its bound, and afterwards both hold the same.
// time-out: 300 s
import { setImmediate as turn } from 'node:timers/promises'
import { createNode } from 'holdfast'
import { type Cable, createCable } from 'holdfast/testing'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Child, closing, type Node, type Options, pairOptions, until } from './support.ts'

const SESSIONS = 30_000
/** As in src/core/feeder.ts: what waits for a secondary; above it nothing is flushed. */
const FLUSH_ROOM_BYTES = 4_194_304
/** Each flush of these tests carries at least so many updates of at least three bytes, but for the rest of a backlog. */
const UPDATES_MIN = 16_000
/** A status of a secondary that is far behind. */
const BATCHES_MAX = 2 * Math.ceil(FLUSH_ROOM_BYTES / (UPDATES_MIN * 3)) + 10
/** What a process may grow by: four times the room, and what the runtime leaves to its next collection of garbage. */
const GROWTH_BYTES_MAX = 4 * FLUSH_ROOM_BYTES + 64 * 2 ** 20
/** Nobody is declared dead. */
const PATIENT = { heartbeat: { interval: 100, lost: 100 }, stallTimeout: 20_000, holdDown: 15_000 } as const

class Writer {
  readonly #node: Node
  #round = 0
  #rssMax = 0

  constructor(node: Node) {
    this.#node = node
  }

  /** Sets every session so many times, one pass a turn of the event loop, and checks what waits meanwhile. */
  async passes(count: number): Promise<void> {
    const { sessions } = this.#node.tables
    for (let pass = 0; pass < count; pass++) {
      this.#round++
      for (let id = 0; id < SESSIONS; id++) sessions.set({ id }, { count: this.#round * 100 + (id % 89) })
      await turn()
      this.#rssMax = Math.max(this.#rssMax, process.memoryUsage.rss())
      const { batches } = this.#node.status().lag
      assert.ok(batches <= BATCHES_MAX, `${batches} batches wait; allowed: ${BATCHES_MAX}`)
    }
    assert.is(sessions.size, SESSIONS)
    assert.is(sessions.get({ id: SESSIONS - 1 })?.count, this.#round * 100 + ((SESSIONS - 1) % 89))
  }

  /** The most that the process has had, from now on. */
  watch(): () => number {
    const before = process.memoryUsage.rss()
    this.#rssMax = before
    return () => this.#rssMax - before
  }
}

/** Node a in this process leads, node b follows in another. `overload` runs after a first pass that warmed up. */
async function withSecondary(
  options: { a: Options; b: Options },
  overload: (a: Node, b: Child, writer: Writer, opened: { close(): Promise<unknown> }[]) => Promise<Child>,
): Promise<void> {
  await closing(async (opened) => {
    const { tables: _, ...plain } = options.b
    const a = await createNode(options.a)
    opened.push(a)
    const first = await Child.start(plain)
    opened.push(first)
    await until('a is protected', () => a.status().protected)
    const writer = new Writer(a)
    await writer.passes(20)
    await until('a is protected again', () => a.status().protected)
    const changes: string[] = []
    a.on('role', ({ role, reason }) => changes.push(`${role} ${reason}`))
    const grown = writer.watch()
    const b = await overload(a, first, writer, opened)
    await until('b has caught up', () => a.status().protected, 60_000)
    assert.equal(changes, [], 'a has led all the time')
    assert.ok(grown() < GROWTH_BYTES_MAX, `grown by ${grown()} bytes`)
    assert.equal(await a.replicated(), { held: true })
    assert.is((await a.verify()).equal, true)
    let count = 0
    for (const session of a.tables.sessions) count += session.count
    assert.equal(await b.ask('total'), { sessions: SESSIONS, count })
  })
}

test('a secondary that is stopped, and not declared dead', async () =>
  withSecondary(await pairOptions(PATIENT), async (a, b, writer) => {
    b.signal('SIGSTOP')
    await writer.passes(50)
    // It is only behind: who asks now waits for it.
    const held = a.replicated().catch((error) => error)
    // At least a batch each, were there no bound.
    await writer.passes(BATCHES_MAX + 20)
    assert.not(a.status().protected)
    b.signal('SIGCONT')
    assert.equal(await held, { held: true })
    return b
  }))

/** Bytes pass for a moment now and then; datagrams always. Gives the end of that. */
function slow(cables: readonly Cable[]): () => void {
  let passing = 0
  const timer = setInterval(() => {
    const passes = passing++ % 10 === 0
    for (const cable of cables) passes ? cable.mend() : cable.stall()
  }, 5)
  return () => {
    clearInterval(timer)
    for (const cable of cables) cable.mend()
  }
}

test('a secondary behind slow cables', async () => {
  const cables = [await createCable(), await createCable()] as const
  const ends = (id: 'a' | 'b') => ({ m1: cables[0].link(id), m2: cables[1].link(id) })
  const { a, b } = await pairOptions(PATIENT)
  try {
    await withSecondary(
      { a: { ...a, links: ends('a') }, b: { ...b, links: ends('b') } },
      async (node, child, writer) => {
        const mend = slow(cables)
        try {
          await writer.passes(100)
        } finally {
          mend()
        }
        assert.equal(await node.replicated(), { held: true })
        return child
      },
    )
  } finally {
    for (const cable of cables) await cable.close()
  }
})

test('a secondary that is stopped until it is declared dead, and comes back', async () =>
  withSecondary(await pairOptions(), async (a, b, writer) => {
    b.signal('SIGSTOP')
    await until('b is not heard any more', () => a.status().peer?.alive === false)
    await writer.passes(80)
    b.signal('SIGCONT')
    return b
  }))

test('a secondary that is killed, and another process in its place', async () => {
  const options = await pairOptions()
  await withSecondary(options, async (a, b, writer, opened) => {
    b.signal('SIGKILL')
    await until('b is gone', () => a.status().peer?.alive !== true)
    await writer.passes(80)
    const { tables: _, ...plain } = options.b
    const next = await Child.start(plain)
    opened.push(next)
    return next
  })
})

test.run()
