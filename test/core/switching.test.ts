// When a living primary gives its role away by itself, when it does not, and what operators may ask: two whole nodes in
// memory at a jumped clock.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Damping, dampingOf, SWITCHING_DEFAULTS } from '../../src/core/damping.ts'
import { prefersPeer } from '../../src/core/election.ts'
import type { NodeStatus } from '../../src/wire/status.ts'
import { CorePair, type PairNode, startPair } from '../support/core-pair.ts'
import { aStatus } from '../support/status.ts'

const SWITCHING = { holdDownMs: 3_000, windowMs: 60_000, changes: 2, longestMs: 20_000 }
const say = (node: PairNode, failed: number) => node.ask({ type: 'health', failed })
const maintain = (node: PairNode, on: boolean) => node.ask({ type: 'maintenance', request: 900, on })
const story = (node: PairNode) => node.roles.map(({ role, reason }) => `${role} ${reason}`)

const preferences: [string, Partial<NodeStatus>, Partial<NodeStatus>, boolean, string | undefined][] = [
  ['nothing differs', {}, {}, true, undefined],
  ['it is in maintenance', { maintenance: true }, { failed: 9 }, false, 'maintenance'],
  ['the other is', { failed: 9 }, { maintenance: true, priority: 200 }, true, undefined],
  [
    'both are: health decides',
    { maintenance: true, failed: 2 },
    { maintenance: true, failed: 1 },
    false,
    'health',
  ],
  ['its monitors weigh more', { failed: 2, priority: 200 }, { failed: 1 }, true, 'health'],
  ['the other ones weigh more', { failed: 1 }, { failed: 2, priority: 200 }, true, undefined],
  ['the other has the higher priority', {}, { priority: 200 }, true, 'override'],
  ['without override priority does not count', {}, { priority: 200 }, false, undefined],
  ['nor do uptime, links and sessions', { hears: 1 }, { uptimeMs: 1e9, sessions: 9 }, true, undefined],
]
for (const [name, mine, theirs, override, expected] of preferences) {
  test(`a primary's preference: ${name}`, () =>
    assert.is(prefersPeer(aStatus(mine), aStatus(theirs), { override }), expected))
}

test('damping: each change within the window beyond those allowed doubles the hold-down, up to its bound', () => {
  const at = (changes: number[], now: number): Damping => dampingOf(changes, 0, SWITCHING, now)
  assert.equal(at([], 1_000), { changes: 0, holdDownMs: 3_000, leftMs: 2_000 }, 'the start counts')
  assert.equal(at([5_000, 6_000], 7_000), { changes: 2, holdDownMs: 3_000, leftMs: 2_000 })
  assert.equal(at([5_000, 6_000, 7_000], 8_000), { changes: 3, holdDownMs: 6_000, leftMs: 5_000 })
  assert.equal(at([5_000, 6_000, 7_000, 8_000, 9_000], 9_000).holdDownMs, 20_000)
  assert.equal(at([5_000, 6_000, 7_000], 66_000).changes, 1, 'what is older than the window is forgotten')
  assert.equal(at([5_000, 6_000, 7_000], 90_000), { changes: 0, holdDownMs: 3_000, leftMs: 0 })
  const many = Array.from({ length: 64 }, (_, i) => i)
  assert.is(dampingOf(many, 0, SWITCHING_DEFAULTS, 64).holdDownMs, SWITCHING_DEFAULTS.longestMs)
})

test('a primary whose monitors fail hands over once the hold-down is over, and what was written goes along', () => {
  const { pair, a, b } = startPair({ a: { switching: SWITCHING }, b: { switching: SWITCHING } })
  const since = pair.now
  a.table.set({ id: 1 }, { n: 7 })
  say(a, 2)
  say(b, 1)
  pair.until('b leads', () => b.role === 'primary')
  assert.ok(pair.now - since > 1_500, 'not before')
  assert.equal([a.change?.reason, b.change?.reason], ['health', 'health'])
  assert.is(b.table.get({ id: 1 })?.n, 7)
  assert.ok(b.epoch > 0 && a.core.state.granted === b.epoch)
  pair.run(20_000)
  assert.is(b.role, 'primary', 'it stays there')
  say(a, 0)
  pair.run(20_000)
  assert.is(b.role, 'secondary', 'and goes back to the healthier')
})

test('nothing is handed to a secondary that is as ill, not synced, gone or forbidden to lead by itself', () => {
  const options = { switching: { ...SWITCHING, holdDownMs: 0 } }
  const { pair, a, b } = startPair({ a: options, b: options })
  say(b, 3)
  pair.run(200)
  say(a, 3)
  pair.run(10_000)
  assert.is(a.role, 'primary')
  pair.kill(b)
  say(a, 9)
  pair.run(10_000)
  assert.ok(a.role === 'primary' && a.canWrite)
  const forced = startPair({ a: options, b: options })
  forced.b.ask({ type: 'promote', request: 1, force: true })
  forced.pair.until('b leads', () => forced.b.role === 'primary')
  assert.is(forced.b.core.state.forced, true)
  say(forced.b, 9)
  forced.pair.run(10_000)
  assert.is(forced.b.role, 'primary', 'forced: monitors do not move it')
  forced.b.ask({ type: 'unforce', request: 2 })
  forced.pair.until('a leads', () => forced.a.role === 'primary')
  assert.is(forced.b.change?.reason, 'health')
})

test('in manual mode neither monitors nor override move the role; maintenance does', () => {
  const options = { mode: 'manual', override: true, switching: { ...SWITCHING, holdDownMs: 0 } } as const
  const pair = new CorePair()
  const a = pair.start('a', { ...options, priority: 200 })
  const b = pair.start('b', { ...options, priority: 100 })
  pair.run(3_000)
  b.ask({ type: 'promote', request: 1, force: true })
  pair.until('b is protected', () => b.replica.isProtected)
  b.ask({ type: 'unforce', request: 2 })
  say(b, 5)
  pair.run(5_000)
  assert.is(b.role, 'primary')
  maintain(b, true)
  pair.until('a leads', () => a.role === 'primary', 2_000)
  assert.equal([a.change?.reason, b.change?.reason], ['maintenance', 'maintenance'])
})

test('with override the node of the higher priority takes the role back, after the hold-down and not before', () => {
  const options = { override: true, switching: SWITCHING }
  const { pair, a, b } = startPair({ a: options, b: options })
  pair.kill(a)
  pair.until('b leads', () => b.role === 'primary')
  b.table.set({ id: 3 }, { n: 3 })
  const again = pair.start('a', { ...options, priority: 200 })
  const since = pair.now
  pair.until('a leads again', () => again.role === 'primary')
  assert.ok(pair.now - since >= SWITCHING.holdDownMs, `${pair.now - since} ms`)
  assert.is(again.change?.reason, 'override')
  assert.is(again.table.get({ id: 3 })?.n, 3)
  pair.run(30_000)
  assert.is(again.role, 'primary')
})

test('without override it does not', () => {
  const { pair, a, b } = startPair({ a: { switching: SWITCHING }, b: { switching: SWITCHING } })
  pair.kill(a)
  pair.until('b leads', () => b.role === 'primary')
  const again = pair.start('a', { priority: 65_535 })
  pair.until('a is synced', () => again.replica.isSynced)
  pair.run(30_000)
  assert.is(again.role, 'secondary')
})

test('a monitor that flaps moves the role ever more rarely, and never so rarely as not at all', () => {
  const options = { switching: SWITCHING }
  const { pair, a, b } = startPair({ a: options, b: options })
  const times: number[] = []
  let last = a.role
  for (let second = 0; second < 120; second++) {
    const primary = a.role === 'primary' ? a : b
    say(a, primary === a ? 1 : 0)
    say(b, primary === b ? 1 : 0)
    pair.run(1_000)
    if (a.role !== last) times.push(pair.now)
    last = a.role
  }
  const gaps = times.slice(1).map((at, i) => at - times[i]!)
  assert.ok(gaps[0]! < 5_000, `${gaps}`)
  assert.ok(Math.max(...gaps) >= 12_000, `${gaps}`)
  assert.ok(
    gaps.every((gap) => gap <= SWITCHING.longestMs + 2_000),
    `${gaps}`,
  )
  assert.ok(times.length < 12, `${times.length} handovers in 120 s`)
})

test('a primary in maintenance hands over at once, comes to rest, and is elected only when nothing else lives', () => {
  const { pair, a, b } = startPair()
  maintain(a, true)
  pair.until('b leads', () => b.role === 'primary', 1_000)
  pair.until('b is protected', () => b.replica.isProtected)
  assert.is(b.core.peer.status?.maintenance, true)
  b.ask({ type: 'handover', request: 5 })
  a.ask({ type: 'promote', request: 6, force: false })
  pair.run(500)
  assert.match(b.answer(5)!, 'maintenance')
  assert.match(a.answer(6)!, 'maintenance(false)')
  pair.kill(b)
  pair.until('a leads', () => a.role === 'primary')
  assert.equal([a.change?.reason, a.change?.maintenance], ['peer-died', true])
  const again = pair.start('b')
  pair.until(
    'b leads again: it is synced, and a is still in maintenance',
    () => again.role === 'primary',
    3_000,
  )
  assert.is(again.change?.reason, 'maintenance')
  maintain(a, false)
  pair.run(20_000)
  assert.is(again.role, 'primary', 'nobody takes it back')
})

test('of two nodes that start, the one in maintenance gives way, whatever its priority; alone it leads', () => {
  const pair = new CorePair()
  const a = pair.start('a', { priority: 200, holdDownMs: 2_000 })
  maintain(a, true)
  pair.run(100)
  const b = pair.start('b', { priority: 1, holdDownMs: 2_000 })
  pair.until('b leads', () => b.role === 'primary')
  assert.equal([b.change?.reason, b.change?.by], ['fresh-start', 'maintenance'])
  assert.is(
    a.roles.some(({ role }) => role === 'primary'),
    false,
  )
  const alone = new CorePair()
  const one = alone.start('a')
  maintain(one, true)
  alone.until('it leads', () => one.role === 'primary')
  assert.is(one.change?.maintenance, true)
})

test('both in maintenance: the role stays where it is, and a full node does not give it to an empty one', () => {
  const { pair, a, b } = startPair()
  maintain(b, true)
  pair.run(200)
  maintain(a, true)
  pair.run(10_000)
  assert.is(a.role, 'primary')
  maintain(b, false)
  pair.until('b leads', () => b.role === 'primary', 1_000)
})

test('forced failover in manual mode with a silent peer, and undone when the links heal', () => {
  const { pair, a, b } = startPairInManualMode()
  a.table.set({ id: 1 }, { n: 1 })
  pair.run(500)
  pair.cut()
  pair.run(2_000)
  assert.equal([a.role, b.role], ['primary', 'secondary'], 'manual: nobody acts by itself')
  b.ask({ type: 'promote', request: 1, force: true })
  pair.until('b leads', () => b.role === 'primary' && b.answer(1) !== undefined, 100)
  assert.is(b.answer(1), 'done')
  assert.is(b.table.get({ id: 1 })?.n, 1)
  assert.is(b.core.state.forced, true)
  pair.mend()
  pair.until('a follows', () => a.role === 'secondary')
  assert.equal([a.change?.reason, story(b).at(-1)], ['later-epoch', 'primary operator'])
  pair.until('b is protected', () => b.replica.isProtected)
  b.ask({ type: 'handover', request: 2 })
  pair.until('a leads', () => a.role === 'primary' && b.answer(2) !== undefined)
  assert.is(b.answer(2), 'done')
  assert.is(b.core.state.forced, false, 'with the role the force is gone')
})

test('force promotes a node without a complete state when nobody is heard, and never from a living primary', () => {
  const alone = new CorePair()
  const empty = alone.start('b', { mode: 'manual' })
  alone.run(2_000)
  empty.ask({ type: 'promote', request: 1, force: false })
  alone.run(100)
  assert.match(empty.answer(1)!, 'holds no state')
  empty.ask({ type: 'promote', request: 2, force: true })
  alone.run(100)
  assert.equal([empty.answer(2), empty.role], ['done', 'primary'])
  const { pair, a, b } = startPairInManualMode()
  // Its tables' side hangs, so it can never be synced again.
  b.isHung = true
  pair.cut()
  pair.run(1_000)
  pair.mend()
  pair.run(1_000)
  b.ask({ type: 'promote', request: 3, force: true })
  pair.run(8_000)
  assert.match(b.answer(3)!, 'did not hand over')
  assert.ok(a.canWrite)
})

/** a leads, by its operator. */
function startPairInManualMode() {
  const pair = new CorePair()
  const a = pair.start('a', { mode: 'manual' })
  const b = pair.start('b', { mode: 'manual' })
  a.ask({ type: 'promote', request: 99, force: true })
  pair.until('a is protected', () => a.replica.isProtected && b.replica.isSynced)
  return { pair, a, b }
}

test.run()
