// Two nodes over TLS on this runtime: a kill, a freeze, a dead sync thread, a handover.
import { createNode } from 'holdfast'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { NodeRuntime } from '../../dist/node-runtime.js'
import { keyOf, pairOptions, SESSIONS, sessions, startPrimary, until } from './pair.mjs'

const test = suite('failover')
const tables = { sessions }
/**
 * Silence is noticed after 1 s: for what must not come by silence, and would where a busy machine gives a node no
 * processor for the quarter of a second of the default.
 */
const PATIENT = { heartbeat: { interval: 50, lost: 20 } }
const PATIENCE_MS = 1_000

async function withPrimary(body, extra) {
  const options = await pairOptions(extra)
  const primary = startPrimary(options.a)
  const b = await createNode({ ...options.b, tables })
  try {
    await primary.says('filled')
    await until('b holds them', () => b.status().synced && b.tables.sessions.size === SESSIONS)
    await body(primary, b)
  } finally {
    primary.kill('SIGKILL')
    await b.close()
  }
}

async function inPair(body, extra) {
  const options = await pairOptions({ ...PATIENT, ...extra })
  const a = await createNode({ ...options.a, tables })
  const b = await createNode({ ...options.b, tables })
  try {
    await until('they are a pair', () => a.status().protected && b.status().synced)
    await body(a, b)
  } finally {
    await b.close()
    await a.close()
  }
}

test('a killed primary is replaced at once, with every session', () =>
  withPrimary(async (primary, b) => {
    const killedAt = performance.now()
    const promoted = new Promise((resolve) => b.once('role', () => resolve(performance.now())))
    primary.kill('SIGKILL')
    const tookMs = (await promoted) - killedAt
    console.log(`killed -> promoted: ${tookMs.toFixed(1)} ms`)
    assert.is(b.role, 'primary')
    assert.is(b.status().reason, 'peer-died')
    for (let i = 0; i < SESSIONS; i++) assert.is(b.tables.sessions.get(keyOf(i))?.count, i)
  }, PATIENT))

test('a frozen primary is replaced after the bound', () =>
  withPrimary(async (primary, b) => {
    const frozenAt = performance.now()
    const promoted = new Promise((resolve) => b.once('role', () => resolve(performance.now())))
    primary.kill('SIGSTOP')
    const tookMs = (await promoted) - frozenAt
    console.log(`frozen -> promoted: ${tookMs.toFixed(1)} ms`)
    assert.is(b.status().reason, 'peer-silent')
    assert.is(b.tables.sessions.size, SESSIONS)
  }))

test('an application thread blocked for four times as long changes no role', () =>
  inPair(
    async (a, b) => {
      const end = performance.now() + 4 * PATIENCE_MS
      while (performance.now() < end);
      a.tables.sessions.set(keyOf(1), { count: 1 })
      assert.equal(await a.replicated({ alone: 'wait' }), { held: true })
      assert.is(a.status().history.length, 1)
      assert.is(b.role, 'secondary')
    },
    { stallTimeout: 10 * PATIENCE_MS },
  ))

test('a handover and verify() work', () =>
  inPair(async (a, b) => {
    for (let i = 0; i < 2_000; i++) a.tables.sessions.set(keyOf(i), { count: i })
    await a.handover()
    await until('b acts', () => b.role === 'primary' && b.status().protected)
    const { equal, segments } = await b.verify()
    assert.is(equal, true)
    assert.is(segments, 5)
    assert.is(b.tables.sessions.size, 2_000)
  }))

test('a sync thread that dies fences its node, and the peer takes over', async () => {
  const runtimes = []
  const { start } = NodeRuntime.prototype
  NodeRuntime.prototype.start = function () {
    runtimes.push(this)
    return start.call(this)
  }
  await inPair(async (a, b) => {
    const errors = []
    a.on('error', (error) => errors.push(error.code))
    runtimes[0].thread.send([{ type: 'frame', sequence: 1, attach: 1, frame: new Uint8Array(5) }])
    await until('a has stopped', () => a.role === 'stopped' && errors.length > 0)
    assert.equal(errors, ['ERR_SYNC_THREAD'])
    assert.throws(() => a.tables.sessions.set(keyOf(1)))
    await until('b acts', () => b.role === 'primary')
  })
  NodeRuntime.prototype.start = start
})

test('a stranger is not let in', async () => {
  const options = await pairOptions({ holdDown: 700 })
  const other = await pairOptions()
  const a = await createNode({ ...options.a, tables })
  const b = await createNode({ ...options.b, identity: other.b.identity, tables })
  try {
    await Promise.all([a.ready(), b.ready()])
    assert.is(a.role, 'primary')
    assert.is(a.status().peer, null)
    assert.is(b.status().peer, null)
  } finally {
    await b.close()
    await a.close()
  }
})

test.run()
