// What operators and monitors do to real nodes: handing over by health and for maintenance, forced failover, and what
// status() and the history say of it.
import { ConfigError, createNode, HandoverError, type MonitorEvent, PromoteError } from 'holdfast'
import { createCable } from 'holdfast/testing'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { inPair, tables, until } from './support.ts'

const test = suite('operator')
const QUICK = { switchHoldDown: 300 }

test('a monitor that fails moves the role to the healthier node, with everything in it; the history says why', () =>
  inPair(async (a, b) => {
    for (let id = 0; id < 500; id++) a.tables.sessions.set({ id }, { count: id })
    let fit = true
    const events: MonitorEvent[] = []
    a.on('monitor', (event) => events.push(event))
    const end = a.monitor('uplink', () => fit, { interval: 10, weight: 5, rise: 2, fall: 3 })
    await until('it was asked', () => a.status().health.monitors.uplink!.checkedAt !== null)
    assert.equal([a.status().health.failed, a.role], [0, 'primary'])
    fit = false
    await until('b leads', () => b.role === 'primary')
    await until('a follows', () => a.role === 'secondary')
    assert.equal(events[0], { name: 'uplink', healthy: false, error: 'it answered false', failed: 5 })
    const change = b.status().history.at(-1)!
    assert.equal(
      [change.reason, change.role, change.epoch, change.sessions],
      ['health', 'primary', b.epoch, 500],
    )
    assert.match(change.message, "the primary's monitors")
    assert.ok(change.position.sequence > 0 && change.durationMs >= 0 && Date.now() - change.at < 20_000)
    assert.is(b.tables.sessions.size, 500)
    await until('b hears of it', () => b.status().peer?.failed === 5)
    fit = true
    await until('it is healthy again', () => a.status().health.failed === 0)
    assert.is(events.at(-1)!.healthy, true)
    end()
    assert.equal(a.status().health.monitors, {})
  }, QUICK))

test('what throws, rejects or takes too long is a bad answer; one call at a time, its signal aborted', () =>
  inPair(async (a) => {
    let calls = 0
    let aborted = 0
    a.monitor(
      'slow',
      (signal) => {
        calls++
        return new Promise((resolve) => {
          signal.addEventListener('abort', () => {
            aborted++
            setTimeout(resolve, 30)
          })
        })
      },
      { interval: 10, timeout: 10, fall: 2 },
    )
    a.monitor('rejects', () => Promise.reject(new Error('no route')), { interval: 10, fall: 1 })
    a.monitor(
      'throws',
      () => {
        throw new Error('no disk')
      },
      { interval: 10, fall: 1, weight: 255 },
    )
    await until('all fail', () => a.status().health.failed === 255)
    await until('slow, too', () => a.status().health.monitors.slow!.healthy === false)
    const { monitors } = a.status().health
    assert.equal(
      ['slow', 'rejects', 'throws'].map((name) => monitors[name]!.lastError),
      ['no answer within 10 ms', 'no route', 'no disk'],
    )
    assert.ok(calls >= aborted && calls - aborted <= 1, `${calls} calls, ${aborted} aborted`)
    for (const wrong of [
      () => a.monitor('slow', () => true),
      () => a.monitor('', () => true),
      () => a.monitor('x', 7 as never),
      () => a.monitor('x', () => true, { interval: 1 }),
      () => a.monitor('x', () => true, { weight: 256 }),
      () => a.monitor('x', () => true, { often: 3 } as never),
    ]) {
      assert.throws(wrong, (error: unknown) => error instanceof ConfigError)
    }
  }))

test('maintenance empties a node of its role, keeps it away, and is told on both', () =>
  inPair(async (a, b) => {
    a.tables.sessions.set({ id: 1 }, { count: 1 })
    await a.maintenance(true)
    await until('b leads', () => b.role === 'primary' && b.status().protected)
    assert.equal([a.status().maintenance, b.status().peer?.maintenance], [true, true])
    assert.is(b.status().history.at(-1)!.reason, 'maintenance')
    assert.is(b.tables.sessions.get({ id: 1 })?.count, 1)
    const handover = await b.handover().catch((error) => error)
    assert.instance(handover, HandoverError)
    assert.match(handover.message, 'maintenance')
    const promote = await a.promote().catch((error) => error)
    assert.instance(promote, PromoteError)
    await b.close()
    await until('a leads: nothing else lives', () => a.role === 'primary')
    const change = a.status().history.at(-1)!
    assert.is(change.maintenance, true)
    assert.match(change.message, 'It is in maintenance and leads because')
    await a.maintenance(false)
    assert.is(a.status().maintenance, false)
    assert.is((await a.maintenance(1 as never).catch((error) => error)).code, 'ERR_CONFIG')
  }))

test('forced failover holds against monitors until it is undone', () =>
  inPair(async (a, b) => {
    await b.promote({ force: true })
    await until('b leads and is protected', () => b.status().protected && b.status().forced)
    b.monitor('ill', () => false, { interval: 10, fall: 1 })
    await until('b is known to be ill', () => a.status().peer?.failed === 1)
    await until('its hold-down is over', () => b.status().damping.leftMs === 0)
    assert.is(b.role, 'primary')
    await b.promote({ force: false })
    await until('a leads', () => a.role === 'primary')
    assert.equal([a.status().reason, b.status().forced], ['health', false])
  }, QUICK))

test('in manual mode with the peer silent, force makes a second primary; the later epoch stays when they meet', async () => {
  const opened: { close(): Promise<void> }[] = []
  const open = async <One extends { close(): Promise<void> }>(promise: Promise<One>): Promise<One> => {
    const one = await promise
    opened.push(one)
    return one
  }
  try {
    const m1 = await open(createCable())
    const m2 = await open(createCable())
    const node = (id: 'a' | 'b') => {
      const links = { m1: m1.link(id), m2: m2.link(id) }
      const peer = id === 'a' ? 'b' : 'a'
      return open(createNode({ id, peer, tables, links, insecure: true, mode: 'manual' }))
    }
    const a = await node('a')
    const b = await node('b')
    await a.promote({ force: true })
    a.tables.sessions.set({ id: 1 }, { count: 1 })
    await a.replicated({ alone: 'wait' })
    m1.cut()
    m2.cut()
    await until('b hears nobody', () => b.status().peer?.alive === false)
    assert.equal([a.role, b.role], ['primary', 'secondary'])
    await b.promote({ force: true })
    assert.equal([b.role, b.status().forced], ['primary', true])
    m1.mend()
    m2.mend()
    await until('a follows', () => a.role === 'secondary')
    assert.is(a.status().history.at(-1)!.reason, 'later-epoch')
    await until('b is protected', () => b.status().protected)
    await b.handover()
    await until('a leads', () => a.role === 'primary')
    assert.is(b.status().forced, false)
  } finally {
    for (const one of opened.reverse()) await one.close()
  }
})

test.run()
