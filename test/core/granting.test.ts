// A grant binds whoever gave it. What becomes of the role when the two are parted right after one, in each mode; and what
// a witness changes in the life of a pair.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { FrameType } from '../../src/wire/constants.ts'
import { type CorePair, type PairNode, startPair } from '../support/core-pair.ts'

const BOUND_MS = 225
const LEASE_MS = 2_000

/** Never two gates open, whatever else. */
function watch(pair: CorePair, nodes: readonly PairNode[]): void {
  const look = () => {
    assert.ok(nodes.filter((node) => node.canWrite).length < 2, `two gates open at ${pair.now}`)
    pair.after(1, look)
  }
  look()
}

/** a hands over; both links are cut in the moment in which its GRANT leaves. */
function partedByGrant(mode: 'availability' | 'manual' | 'witness') {
  const leaseMs = mode === 'witness' ? LEASE_MS : 0
  const given = startPair({ a: { mode, leaseMs }, b: { mode, leaseMs } })
  const { pair, a } = given
  const send = pair.send.bind(pair)
  let granted = false
  pair.send = (node, stream, bytes) => {
    if (node === a && bytes[4] === FrameType.GRANT && !granted) {
      granted = true
      pair.cut()
    }
    send(node, stream, bytes)
  }
  a.ask({ type: 'handover', request: 1 })
  pair.until('a has granted', () => granted)
  return given
}

test('availability: a grant that nobody heard: its giver resumes after the bound, above what it granted', () => {
  const { pair, a, b } = partedByGrant('availability')
  const { granted } = a.core.state
  const partedAt = pair.now
  pair.until('a acts again', () => a.canWrite)
  assert.ok(pair.now - partedAt >= BOUND_MS - 50, `after ${pair.now - partedAt} ms`)
  assert.ok(a.epoch > granted, `epoch ${a.epoch} after granting ${granted}`)
  // b has not heard the grant and takes over as well, as the mode has it; at heal the later epoch stays.
  pair.until('b acts', () => b.canWrite)
  pair.mend()
  pair.until('one primary', () => [a, b].filter((node) => node.canWrite).length === 1)
  pair.until('synced', () => a.replica.isSynced || b.replica.isSynced)
})

test('manual: the giver stays fenced until it hears the peer', () => {
  const { pair, a, b } = partedByGrant('manual')
  pair.run(20 * BOUND_MS)
  assert.equal([a.role, a.canWrite, b.role, b.canWrite], ['secondary', false, 'secondary', false])
  pair.mend()
  pair.until('one of them acts', () => a.canWrite || b.canWrite)
  pair.until('the other is synced', () => a.replica.isSynced || b.replica.isSynced)
  assert.is(a.canWrite && b.canWrite, false)
})

test('manual: or until promote()', () => {
  const { pair, a, b } = partedByGrant('manual')
  const { granted } = a.core.state
  pair.run(4 * BOUND_MS)
  a.ask({ type: 'promote', request: 2, force: false })
  pair.until('a acts', () => a.canWrite)
  pair.until('a is answered', () => a.answer(2) === 'done')
  assert.ok(a.epoch > granted)
  assert.is(b.canWrite, false)
})

for (const who of ['a', 'b'] as const) {
  test(`witness: the lease says who acts; here ${who}, which alone reaches it`, () => {
    const { pair, a, b } = partedByGrant('witness')
    watch(pair, [a, b])
    const { granted } = a.core.state
    pair.witness!.isLost[who === 'a' ? 'b' : 'a'] = true
    const [acts, waits] = who === 'a' ? [a, b] : [b, a]
    pair.until('it acts', () => acts.canWrite)
    if (who === 'a') assert.ok(a.epoch > granted)
    pair.run(4 * LEASE_MS)
    assert.equal([acts.canWrite, waits.canWrite], [true, false])
    pair.witness!.isLost.a = false
    pair.witness!.isLost.b = false
    pair.mend()
    pair.until('the other is synced', () => waits.replica.isSynced)
    assert.is(acts.canWrite, true)
  })
}

test('witness: with both reaching it one of them acts, soon', () => {
  const { pair, a, b } = partedByGrant('witness')
  watch(pair, [a, b])
  const partedAt = pair.now
  pair.until('one acts', () => a.canWrite || b.canWrite)
  assert.ok(pair.now - partedAt < BOUND_MS + LEASE_MS, `after ${pair.now - partedAt} ms`)
})

// ---- The witness in the life of a pair

const UNDER = {
  a: { mode: 'witness', leaseMs: LEASE_MS },
  b: { mode: 'witness', leaseMs: LEASE_MS },
} as const

test('witness: a handover takes a few round trips, not a lease', () => {
  const { pair, a, b } = startPair(UNDER)
  watch(pair, [a, b])
  const began = pair.now
  a.ask({ type: 'handover', request: 1 })
  pair.until('b acts', () => b.canWrite)
  assert.ok(pair.now - began < LEASE_MS / 20, `${pair.now - began} ms`)
  pair.until('a is answered', () => a.answer(1) === 'done')
  assert.match(pair.witness!.holder(pair.now), /^b\//)
})

test('witness: a killed primary is replaced when its lease has ended, and not before', () => {
  const { pair, a, b } = startPair(UNDER)
  const { now } = pair
  pair.kill(a)
  pair.until('b acts', () => b.canWrite)
  assert.ok(pair.now - now > LEASE_MS / 2 && pair.now - now < 1.2 * LEASE_MS, `${pair.now - now} ms`)
  assert.is(b.change?.reason, 'peer-died')
})

test('witness: with both links cut the primary goes on and the secondary waits', () => {
  const { pair, a, b } = startPair(UNDER)
  watch(pair, [a, b])
  pair.cut()
  const { epoch } = a
  pair.run(10 * LEASE_MS)
  assert.equal([a.canWrite, a.epoch, b.canWrite], [true, epoch, false])
})

test('witness: a primary cut off from everybody stops by its own clock, then the secondary acts', () => {
  const { pair, a, b } = startPair(UNDER)
  watch(pair, [a, b])
  pair.cut()
  pair.witness!.isLost.a = true
  const { now } = pair
  pair.until('a has stopped', () => !a.canWrite)
  assert.ok(pair.now - now <= LEASE_MS)
  pair.until('a has stepped down', () => a.role === 'secondary', 10)
  assert.is(a.core.state.reason, 'lease-lost')
  pair.until('b acts', () => b.canWrite)
  assert.ok(pair.now - now < 1.5 * LEASE_MS)
})

test('witness: a primary that alone loses the witness hands over to the secondary, with all it has', () => {
  const { pair, a, b } = startPair(UNDER)
  watch(pair, [a, b])
  pair.witness!.isLost.a = true
  const { now } = pair
  pair.until('b acts', () => b.canWrite)
  assert.is(b.change?.reason, 'witness-lost')
  assert.ok(pair.now - now < LEASE_MS, `${pair.now - now} ms`)
  pair.until('a is synced', () => a.replica.isSynced)
})

test('witness: when it is lost the primary goes on by the secondary’s word; a secondary that restarts does not forget it', () => {
  const { pair, a, b } = startPair(UNDER)
  const { epoch } = a
  const nodes = [a, b]
  watch(pair, nodes)
  pair.witness!.isLost.a = true
  pair.witness!.isLost.b = true
  pair.run(5 * LEASE_MS)
  assert.equal([a.canWrite, a.epoch, b.role], [true, epoch, 'secondary'])
  // b promised, dies, and its next process finds the lease free and no peer.
  pair.kill(b)
  pair.cut()
  pair.witness!.isLost.b = false
  const again = pair.start('b', { ...UNDER.b, holdDownMs: 100, epochFloor: 1e6 })
  nodes.push(again)
  pair.until('the new process acts', () => again.canWrite)
  assert.is(a.canWrite, false)
})

test('witness: who missed a reign of its primary, and hears that it leads no more, is synced with nobody', () => {
  const { pair, a, b } = startPair(UNDER)
  const lose = (on: boolean) => {
    for (const id of ['a', 'b'] as const) pair.witness!.isLost[id] = on
  }
  const { epoch } = a
  pair.cut()
  lose(true)
  pair.until('a has lost its lease', () => a.role === 'secondary')
  pair.witness!.isLost.a = false
  pair.until('a leads again, unheard', () => a.canWrite)
  assert.ok(a.epoch > epoch)
  lose(true)
  pair.until('a has lost it again', () => a.role === 'secondary')
  pair.mend()
  pair.until('b hears a', () => b.core.peer.alive && b.core.peer.status?.epoch === a.epoch)
  // Its two threads, and the two ways of news, have settled what they heard.
  pair.run(5)
  pair.run(LEASE_MS, () => {
    assert.is(b.replica.isSynced, false, `synced at ${pair.now}`)
    return false
  })
  lose(false)
  pair.until('one leads, and the other is synced', () => a.replica.isSynced || b.replica.isSynced)
})

test('witness: an empty node that leads after another has lost its lease gives way to what that one holds', () => {
  const { pair, a: first, b: second } = startPair(UNDER)
  pair.cut()
  pair.kill(first)
  pair.kill(second)
  const b = pair.start('b', { ...UNDER.b, epochFloor: 1e6 })
  pair.until('b leads', () => b.canWrite)
  b.table.set({ id: 1 }, { n: 5 })
  pair.witness!.isLost.b = true
  const a = pair.start('a', UNDER.a)
  pair.until('a leads', () => a.canWrite)
  assert.equal([b.role, b.core.state.reason, a.table.size], ['secondary', 'lease-lost', 0])
  assert.ok(a.epoch < b.epoch)
  pair.witness!.isLost.b = false
  pair.mend()
  pair.until('b leads again, and a is synced', () => b.canWrite && a.replica.isSynced)
  assert.equal([a.table.get({ id: 1 })?.n, b.table.get({ id: 1 })?.n], [5, 5])
})

test('witness: handovers are refused while the secondary does not reach it, and the gate stays open', () => {
  const { pair, a } = startPair(UNDER)
  pair.witness!.isLost.b = true
  pair.run(LEASE_MS)
  a.ask({ type: 'handover', request: 1 })
  pair.until('a is answered', () => a.answer(1) !== undefined)
  assert.match(a.answer(1)!, /does not reach the witness/)
  assert.is(a.canWrite, true)
})

test('witness: after a clock gap the gate is shut for one round trip, and the role stays', () => {
  const { pair, a } = startPair(UNDER)
  const { epoch } = a
  a.toCore((now) => a.core.handleClockGap(now))
  assert.is(a.canWrite, false)
  pair.until('the gate is open again', () => a.canWrite)
  assert.is(a.epoch, epoch)
  pair.witness!.isLost.a = true
  pair.cut()
  a.toCore((now) => a.core.handleClockGap(now))
  pair.until('a has stepped down', () => a.role === 'secondary', LEASE_MS)
})

test('witness: a node whose peer has none is refused by name', () => {
  assert.throws(() => startPair({ a: UNDER.a }), /not within/)
  const { pair, b } = startPair(UNDER)
  pair.kill(b)
  const other = pair.start('b', { mode: 'availability' })
  pair.run(2_000)
  assert.ok((other.core.links[0]?.lastReason ?? '').includes('mode'), other.core.links[0]?.lastReason)
})

test.run()
