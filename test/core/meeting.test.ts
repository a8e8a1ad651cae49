// Two primaries with histories of their own meet: one stays and one gives way, whatever each has heard of the other. Two
// whole nodes in memory at a jumped clock, whose sessions come and go while they meet.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Link } from '../../src/core/link.ts'
import { Meeting } from '../../src/core/meeting.ts'
import type { Core } from '../../src/core/state.ts'
import { CorePair, type PairNode } from '../support/core-pair.ts'
import { Random, replayCommand, runs, seed } from '../support/seed.ts'
import { aStatus } from '../support/status.ts'

const test = suite('meeting')
const gaveWay = (node: PairNode) =>
  node.roles.filter(({ reason, role }) => reason === 'older-lineage' && role === 'secondary')

/** Both led alone, b for `ms` longer or shorter; gives them at the moment the links are mended. */
function apart(random: Random, ms: number) {
  const pair = new CorePair(undefined, random.u32())
  pair.cut()
  const [first, second] = ms < 0 ? (['a', 'b'] as const) : (['b', 'a'] as const)
  const one = pair.start(first)
  pair.run(Math.abs(ms))
  const other = pair.start(second)
  pair.until('both lead', () => one.role === 'primary' && other.role === 'primary')
  const [a, b] = first === 'a' ? [one, other] : [other, one]
  return { pair, a, b }
}

/** Both led alone, and `id` a younger history in a far later epoch. */
function olderMeetsLater(id: 'a' | 'b') {
  const pair = new CorePair()
  pair.cut()
  const old = pair.start(id === 'a' ? 'b' : 'a')
  pair.run(15_000)
  const young = pair.start(id, { epochFloor: 5_000 })
  pair.until('both lead', () => old.role === 'primary' && young.role === 'primary')
  pair.run(300)
  return { pair, old, young }
}

/** Creates and deletes sessions, so that the number of them is news at any time. */
function churn(node: PairNode, random: Random, ids: number): void {
  if (!node.canWrite) return
  for (let i = random.below(12); i > 0; i--) {
    const id = random.below(ids)
    if (random.chance(0.5)) node.table.set({ id })
    else node.table.delete({ id })
  }
}

test('never do both give way, also when the numbers of their sessions cross and their ages are at the margin', () => {
  const random = new Random(seed)
  let judged = 0
  for (let run = 0; run < runs(40); run++) {
    const near = random.pick([0, 40, 9_990, 10_000, 10_005, -9_995, -10_010])
    const { pair, a, b } = apart(random, near + random.below(20) - 10)
    const ids = 5 + random.below(40)
    for (let step = 0; step < 20; step++) {
      churn(a, random, ids)
      churn(b, random, ids)
      pair.run(random.below(60))
      if (step === 6) pair.mend()
      if (step > 6 && random.chance(0.1)) pair.cut(random.below(2))
      else if (step > 6) pair.mend()
    }
    pair.mend()
    pair.until('one leads and the other is synced', () => {
      return a.replica.isProtected ? b.replica.isSynced : b.replica.isProtected && a.replica.isSynced
    })
    const [left, right] = [gaveWay(a).length, gaveWay(b).length]
    assert.is(left + right, 1, `${left} and ${right} gave way; run ${run}: ${replayCommand()}`)
    judged++
    const [winner, loser] = left === 1 ? [b, a] : [a, b]
    assert.equal([winner.role, loser.role], ['primary', 'secondary'], replayCommand())
    const highest = Math.max(...[...a.roles, ...b.roles].map(({ epoch }) => epoch))
    assert.is(winner.epoch, highest, 'it goes on above both')
  }
  assert.ok(judged > 0)
})

test('of two clearly different ages the older stays, whichever node it is', () => {
  const random = new Random(seed)
  for (const ms of [-15_000, 15_000]) {
    const { pair, a, b } = apart(random, ms)
    const [old, young] = ms < 0 ? [a, b] : [b, a]
    for (let id = 0; id < 100; id++) young.table.set({ id })
    pair.run(500)
    pair.mend()
    pair.until('one gives way', () => gaveWay(a).length + gaveWay(b).length > 0)
    pair.until('it is settled', () => old.replica.isProtected && young.replica.isSynced)
    assert.equal([gaveWay(old).length, gaveWay(young).length, old.table.size], [0, 1, 0])
  }
})

test('of two about equally old the one with more sessions stays, then the smaller id', () => {
  const random = new Random(seed)
  for (const [fillA, fillB, winner] of [
    [3, 9, 'b'],
    [9, 3, 'a'],
    [4, 4, 'a'],
  ] as const) {
    const { pair, a, b } = apart(random, 100)
    for (let id = 0; id < fillA; id++) a.table.set({ id })
    for (let id = 0; id < fillB; id++) b.table.set({ id })
    pair.run(500)
    pair.mend()
    pair.until('it is settled', () => a.replica.isProtected || b.replica.isProtected)
    assert.is(a.role === 'primary' ? 'a' : 'b', winner)
    assert.is(gaveWay(winner === 'a' ? b : a).length, 1)
  }
})

test('both restarted empty: it is a fresh start, decided by priority; one restarted: the other keeps what it has', () => {
  const random = new Random(seed)
  const pair = new CorePair(undefined, random.u32())
  const a = pair.start('a', { priority: 1 })
  const b = pair.start('b', { priority: 200 })
  pair.until('b leads', () => b.replica.isProtected)
  assert.equal([b.change?.reason, b.change?.by], ['fresh-start', 'priority'])
  b.table.set({ id: 1 }, { n: 5 })
  pair.run(500)
  pair.cut()
  pair.until('both lead', () => a.role === 'primary')
  pair.kill(b)
  const again = pair.start('b', { priority: 200, holdDownMs: 5_000 })
  pair.run(300)
  pair.mend()
  pair.until('a is protected', () => a.replica.isProtected && again.replica.isSynced)
  assert.is(again.table.get({ id: 1 })?.n, 5)
  pair.kill(a)
  pair.kill(again)
  const [a3, b3] = [pair.start('a', { priority: 200 }), pair.start('b', { priority: 1 })]
  pair.until('a leads', () => a3.replica.isProtected)
  assert.equal([a3.change?.reason, a3.table.size, b3.table.size], ['fresh-start', 0, 0])
})

test('it is judged by what the other says after it was met, not by what lay in a socket', () => {
  const links = [new Link(0), new Link(1)]
  const meeting = new Meeting({ place: 0, boundMs: 225, links } as unknown as Core)
  const status = aStatus({ role: 'primary', epoch: 7 })
  const worse = () => ({ order: -1, by: 'sessions' }) as const
  assert.is(meeting.decide(status, worse, 1_000), 'wait')
  links[1]!.echoed = 999
  assert.is(meeting.decide(status, worse, 1_010), 'wait')
  links[1]!.echoed = 1_000
  assert.is(meeting.decide(status, worse, 1_020), 'leave')
  // The next reign is met anew, and streams alone prove it by time.
  const next = { ...status, epoch: 9 }
  assert.is(meeting.decide(next, worse, 2_000), 'wait')
  assert.is(meeting.decide(next, worse, 4_249), 'wait')
  assert.is(meeting.decide(next, worse, 4_250), 'leave')
})

test('who led a later epoch follows the other only when that one has gone on above it', () => {
  for (const id of ['a', 'b'] as const) {
    const { pair, old, young } = olderMeetsLater(id)
    const led = young.epoch
    const { feed } = young.core as unknown as { feed: { following: { epoch: number } | undefined } }
    pair.mend()
    pair.until('it is settled', () => {
      const epoch = feed.following?.epoch
      assert.ok(epoch === undefined || epoch > led, `${id} led ${led} and follows ${epoch}`)
      return old.replica.isProtected && young.replica.isSynced
    })
    assert.ok(old.epoch > led, id)
    assert.is(gaveWay(young).length, 1)
  }
})

test.run()
