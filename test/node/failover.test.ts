// Processes that die, freeze and come back: who acts afterwards, with what, and how soon.
import { createNode } from 'holdfast'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Child, closing, type Node, type Options, pairOptions, protectedPair, until } from './support.ts'

const test = suite('failover')
const FILL = 20_000
/** 50 ms x 4 + 25 ms. */
const BOUND_MS = 225

/** A child as primary with sessions, a node of this process as its secondary. */
async function withPrimary(
  body: (child: Child, b: Node, options: { a: Options; b: Options }) => Promise<void>,
  extra: Partial<Options> = {},
): Promise<void> {
  await closing(async (opened) => {
    const options = await pairOptions({ heartbeat: {}, ...extra })
    const { tables: _, ...a } = options.a
    const child = await Child.start(a)
    opened.push(child)
    const b = await createNode(options.b)
    opened.push(b)
    await child.ask('ready')
    await child.ask('fill', { from: 0, to: FILL })
    await until('b holds them', () => b.status().synced && b.tables.sessions.size === FILL)
    await body(child, b, options)
  })
}

test('a killed primary is replaced without waiting for its silence, with every session', () =>
  withPrimary(async (child, b) => {
    const promoted = new Promise<number>((resolve) => b.once('role', () => resolve(performance.now())))
    const killedAt = performance.now()
    child.signal('SIGKILL')
    const tookMs = (await promoted) - killedAt
    assert.is(b.role, 'primary')
    assert.is(b.status().reason, 'peer-died')
    assert.ok(tookMs < BOUND_MS, `promoted after ${tookMs} ms, no sooner than by silence`)
    console.log(`killed -> promoted: ${tookMs.toFixed(1)} ms`)
    assert.is(b.tables.sessions.size, FILL)
    for (const session of b.tables.sessions) {
      if (session.count !== session.id * 3 || session.note !== 'seen') assert.unreachable(`${session.id}`)
    }
    b.tables.sessions.set({ id: FILL })
    assert.is(b.status().protected, false)
  }))

test('with fastDetection: false a killed primary is replaced after the bound', () =>
  withPrimary(
    async (child, b) => {
      const promoted = new Promise<number>((resolve) => b.once('role', () => resolve(performance.now())))
      const killedAt = performance.now()
      child.signal('SIGKILL')
      const tookMs = (await promoted) - killedAt
      assert.is(b.status().reason, 'peer-silent')
      assert.ok(tookMs > BOUND_MS / 2, `promoted after ${tookMs} ms`)
    },
    { fastDetection: false },
  ))

test('a frozen primary is replaced after the bound, and steps down when it wakes', () =>
  withPrimary(async (child, b) => {
    const promoted = new Promise<number>((resolve) => b.once('role', () => resolve(performance.now())))
    const frozenAt = performance.now()
    child.signal('SIGSTOP')
    const tookMs = (await promoted) - frozenAt
    console.log(`frozen -> promoted: ${tookMs.toFixed(1)} ms`)
    assert.is(b.status().reason, 'peer-silent')
    assert.ok(tookMs > BOUND_MS - 55, `promoted after only ${tookMs} ms`)
    b.tables.sessions.set({ id: 1 }, { count: 777 })
    child.signal('SIGCONT')
    await until('b is protected again', () => b.status().protected)
    const status = (await child.ask('status')) as { role: string; epoch: number }
    assert.is(status.role, 'secondary')
    assert.is(status.epoch, b.epoch)
    assert.is(await child.ask('write', { id: 1, count: 1 }), 'ERR_NOT_PRIMARY')
    const { equal } = await b.verify()
    assert.is(equal, true)
    assert.is(b.tables.sessions.get({ id: 1 })?.count, 777)
  }))

test('a killed secondary changes nothing on the primary but its protection', () =>
  closing(async (opened) => {
    const options = await pairOptions({ heartbeat: {} })
    const a = await createNode(options.a)
    opened.push(a)
    const { tables: _, ...b } = options.b
    const child = await Child.start(b)
    opened.push(child)
    await until('a is protected', () => a.status().protected)
    const { epoch } = a
    await child.close()
    await until('a has seen it', () => a.status().peer?.alive === false)
    assert.is(a.status().protected, false)
    assert.is(a.role, 'primary')
    assert.is(a.epoch, epoch)
    a.tables.sessions.set({ id: 1 })
    assert.equal(await a.replicated({ alone: 'resolve' }), { held: false })
  }))

test('the old primary, restarted empty, joins as secondary and is filled; it wipes nothing', () =>
  withPrimary(async (child, b, options) => {
    await child.close()
    await until('b acts', () => b.role === 'primary')
    const epoch = b.epoch
    b.tables.sessions.set({ id: 5 }, { count: 5 })
    const a = await createNode(options.a)
    try {
      await a.ready()
      assert.is(a.role, 'secondary')
      assert.is(a.tables.sessions.size, FILL)
      await protectedPair(b, a)
      assert.is(b.epoch, epoch)
      assert.is((await b.verify()).equal, true)
      assert.is(a.tables.sessions.get({ id: 5 })?.count, 5)
    } finally {
      await a.close()
    }
  }))

test('an application thread blocked for a second changes no role', () =>
  withPrimary(async (child, b) => {
    const { epoch } = b
    await child.ask('block', { ms: 1_000 })
    await child.ask('fill', { from: 0, to: 10 })
    assert.is(b.role, 'secondary')
    assert.is(b.epoch, epoch)
    assert.is(b.status().history.length, 1)
  }))

test('an application thread blocked for longer than stallTimeout loses its role, and follows afterwards', () =>
  withPrimary(
    async (child, b) => {
      const blocked = child.ask('block', { ms: 2_500 })
      await until('b acts', () => b.role === 'primary')
      assert.is(b.status().reason, 'peer-stalled')
      assert.is(b.tables.sessions.size, FILL)
      await blocked
      assert.is(await child.ask('write', { id: 1, count: 1 }), 'ERR_NOT_PRIMARY')
      await until('b is protected', () => b.status().protected)
    },
    { stallTimeout: 500 },
  ))

test('in manual mode a killed primary is replaced by promote() only', () =>
  withPrimary(
    async (child, b) => {
      await child.close()
      await until('b has seen it', () => b.status().peer?.alive === false)
      assert.is(b.role, 'secondary')
      assert.is(b.status().synced, false)
      await b.promote()
      assert.is(b.role, 'primary')
      assert.is(b.tables.sessions.size, FILL)
    },
    { mode: 'manual', holdDown: 300 },
  ))

test.run()
