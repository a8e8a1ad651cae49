// The arithmetic of a lease, under answers that are late, lost, twice there or in another order, and clocks that stood
// still: never held for longer than the witness keeps it, whatever comes when.
import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Lease } from '../../src/core/lease.ts'
import type { WitnessAnswer, WitnessCall } from '../../src/core/witness.ts'
import { holds as demand } from '../support/property.ts'
import { TestWitness } from '../support/test-witness.ts'

const L = 1_000
const ME = 'a/1'
const PEER = 'b/1'
const START_WAIT = 1.01 * L

type State = Extract<WitnessAnswer, { type: 'state' }>

function answer(call: WitnessCall, holder: string, revision: number, done = false): State {
  return { call: call.call, type: 'state', state: { holder, revision }, done }
}

function failed(call: WitnessCall): WitnessAnswer {
  return { call: call.call, type: 'failed', reason: 'down' }
}

/** A lease whose start is long ago. */
function grown(now = 0): Lease {
  return new Lease(L, ME, now - 2 * START_WAIT)
}

/** The call that is due at `now`, of the type awaited. */
function call<Type extends WitnessCall['type']>(lease: Lease, now: number, type: Type) {
  const due = lease.handleTimeout(now)
  assert.is(due?.type, type)
  return due as Extract<WitnessCall, { type: Type }>
}

/** Wants and gets the lease at `now`, under a revision; leads. */
function taken(now: number, revision = 7): Lease {
  const lease = grown(now)
  lease.want(now)
  lease.handleAnswer(answer(call(lease, now, 'read'), '', 0), now)
  lease.handleAnswer(answer(call(lease, now, 'acquire'), ME, revision, true), now)
  lease.lead()
  return lease
}

test('a lease counts from before its request, less 1 %', () => {
  const lease = grown()
  lease.want(0)
  lease.handleAnswer(answer(call(lease, 0, 'read'), '', 0), 5)
  assert.is(lease.isHeld(5), false)
  const acquire = call(lease, 5, 'acquire')
  assert.is(acquire.after, 0)
  lease.handleAnswer(answer(acquire, ME, 7, true), 300)
  assert.is(lease.until, 5 + 990)
  assert.equal([lease.isHeld(994.9), lease.isHeld(995)], [true, false])
})

test('an answer after the deadline that it would give is no lease', () => {
  const lease = grown()
  lease.want(0)
  lease.handleAnswer(answer(call(lease, 0, 'read'), '', 0), 0)
  const acquire = call(lease, 0, 'acquire')
  lease.handleAnswer(answer(acquire, ME, 7, true), 990)
  assert.is(lease.isHeld(990), false)
})

test('a late answer never shortens what a later renewal gave, nor does a second copy lengthen it', () => {
  const lease = taken(0)
  const first = call(lease, 200, 'renew')
  const second = call(lease, 400, 'renew')
  assert.is(second.revision, 7)
  lease.handleAnswer(answer(second, ME, 7, true), 450)
  assert.is(lease.until, 400 + 990)
  lease.handleAnswer(answer(first, ME, 7, true), 600)
  assert.is(lease.until, 400 + 990)
  lease.handleAnswer(answer(second, ME, 7, true), 1_300)
  assert.is(lease.until, 400 + 990)
})

test('a state that shows this node as holder, without having renewed, counts for nothing', () => {
  const lease = taken(0)
  lease.handleAnswer(answer(call(lease, 500, 'renew'), ME, 7, false), 510)
  assert.is(lease.until, 990)
})

test('a failed renewal leaves what there is', () => {
  const lease = taken(0)
  lease.handleAnswer(failed(call(lease, 500, 'renew')), 510)
  assert.equal([lease.until, lease.reaches(510)], [990, false])
  lease.handleAnswer(answer(call(lease, 700, 'renew'), ME, 7, true), 710)
  assert.equal([lease.until, lease.reaches(710), lease.lastReason], [1_690, true, ''])
})

test('the word that it is somebody else’s ends it at once, unless it was asked before it was taken', () => {
  const old = grown()
  old.want(0)
  const early = call(old, 0, 'read')
  const late = call(old, 100, 'read')
  old.handleAnswer(answer(early, '', 0), 110)
  old.handleAnswer(answer(call(old, 110, 'acquire'), ME, 9, true), 120)
  old.lead()
  old.handleAnswer(answer(late, PEER, 8), 130)
  assert.is(old.isHeld(130), true)

  const lease = taken(0)
  lease.handleAnswer(answer(call(lease, 300, 'renew'), PEER, 8), 310)
  assert.is(lease.isHeld(310), false)
  // And what was asked before and comes later does not bring it back.
})

test('what is given up is over, its answers are void, and its revision is never used again', () => {
  const lease = taken(0)
  const renewal = call(lease, 300, 'renew')
  assert.is(lease.give(), 7)
  assert.is(lease.isHeld(301), false)
  lease.handleAnswer(answer(renewal, ME, 7, true), 310)
  assert.is(lease.isHeld(310), false)
  lease.want(320)
  lease.handleAnswer(answer(renewal, ME, 7, true), 330)
  // Wanted anew it is acquired after the old revision: the peer, which may do the same, gets it or this node does.
  const again = call(lease, 330, 'acquire')
  assert.is(again.after, 7)
  lease.handleAnswer(answer(again, PEER, 8, false), 340)
  assert.is(lease.isHeld(340), false)
})

test('an acquire whose answer was lost is taken up by renewing its revision; counted from that', () => {
  const lease = grown()
  lease.want(0)
  lease.handleAnswer(answer(call(lease, 0, 'read'), '', 0), 0)
  lease.handleAnswer(failed(call(lease, 0, 'acquire')), 300)
  lease.handleAnswer(answer(call(lease, 400, 'acquire'), ME, 7, false), 410)
  assert.is(lease.isHeld(410), false)
  const renew = call(lease, 410, 'renew')
  assert.is(renew.revision, 7)
  lease.handleAnswer(answer(renew, ME, 7, true), 420)
  assert.is(lease.until, 410 + 990)
})

test('one that was taken and is not wanted any more is given back', () => {
  const lease = grown()
  lease.want(0)
  lease.handleAnswer(answer(call(lease, 0, 'read'), '', 0), 0)
  const acquire = call(lease, 0, 'acquire')
  lease.give()
  lease.handleAnswer(answer(acquire, ME, 7, true), 10)
  assert.is(lease.isHeld(10), false)
  const release = call(lease, 200, 'release')
  assert.is(release.revision, 7)
})

test('a process that has just started takes no free lease for a lease and 1 %, but one that is granted', () => {
  const lease = new Lease(L, ME, 0)
  lease.want(0)
  lease.handleAnswer(answer(call(lease, 0, 'read'), '', 0), 1)
  for (let now = 100; now < START_WAIT; now += 100) {
    lease.handleAnswer(answer(call(lease, now, 'read'), '', 0), now + 1)
  }
  call(lease, START_WAIT + 100, 'acquire')

  const granted = new Lease(L, ME, 0)
  granted.want(0, { revision: 4 })
  granted.handleAnswer(answer(call(granted, 0, 'read'), PEER, 4), 1)
  assert.is(call(granted, 1, 'acquire').after, 4)
})

test('somebody else’s lease is not acquired, with a grant of another revision or without', () => {
  const lease = grown()
  lease.want(0, { revision: 4 })
  lease.handleAnswer(answer(call(lease, 0, 'read'), PEER, 5), 1)
  call(lease, 100, 'read')
})

test('a promise keeps the lease from being taken for a lease and 1 %, and voids what was asked before', () => {
  const lease = grown()
  lease.want(0)
  lease.handleAnswer(answer(call(lease, 0, 'read'), '', 0), 0)
  const acquire = call(lease, 0, 'acquire')
  assert.is(lease.bind(L, 1), false, 'it wants the lease')
  lease.give()
  assert.is(lease.bind(L, 2), false, 'it reaches the witness')
  assert.is(lease.bind(L, 600), true)
  lease.want(610)
  lease.handleAnswer(answer(acquire, ME, 7, true), 620)
  assert.is(lease.isHeld(620), false)
  for (let now = 700; now < 600 + START_WAIT; now += 100) {
    const due = lease.handleTimeout(now)
    assert.ok(due === undefined || due.type === 'read')
    if (due !== undefined) lease.handleAnswer(answer(due, '', 0), now)
  }
  call(lease, 600 + START_WAIT + 100, 'acquire')
})

test('the peer’s promise counts from before the question, and only within the reign that asked', () => {
  const lease = taken(0)
  const era = lease.currentEra
  lease.handleBond(500, era)
  assert.equal([lease.until, lease.isByBond], [1_490, true])
  lease.give()
  lease.handleBond(600, era)
  assert.is(lease.isHeld(700), false)
})

test('after a clock gap only what is asked since counts', () => {
  const lease = taken(0)
  const before = call(lease, 300, 'renew')
  lease.handleBond(300, lease.currentEra)
  lease.handleClockGap(400)
  assert.is(lease.isHeld(400), false)
  lease.handleAnswer(answer(before, ME, 7, true), 410)
  lease.handleBond(399, lease.currentEra)
  assert.is(lease.isHeld(410), false)
  const since = call(lease, 420, 'renew')
  lease.handleAnswer(answer(since, ME, 7, true), 430)
  assert.is(lease.until, 420 + 990)
})

test('force needs no lease, and ends when there is one', () => {
  const lease = grown()
  lease.force(0)
  assert.equal([lease.isHeld(1e9), lease.isForced], [true, true])
  lease.handleAnswer(answer(call(lease, 0, 'read'), '', 0), 0)
  lease.handleAnswer(answer(call(lease, 200, 'acquire'), ME, 7, true), 210)
  assert.equal([lease.until, lease.isForced], [1_190, false])
})

test('renewals come often enough to outlive two that fail, and no call is made more than ten times a lease without news', () => {
  const lease = taken(0)
  let calls = 0
  for (let now = 0; now < 10 * L; now++) {
    const due = lease.handleTimeout(now)
    if (due === undefined) continue
    calls++
    lease.handleAnswer(calls % 3 === 0 ? answer(due, ME, 7, true) : failed(due), now)
    assert.is(lease.isHeld(now), true, `at ${now}`)
  }
  assert.ok(calls <= 100, `${calls} calls`)
})

// ---- Two nodes and a witness, in any order

/** Two leases, their witness and their links, for some seconds in which everything is late, lost or twice there. */
class History {
  readonly random: () => number
  now = 0
  private readonly store = new TestWitness(L)
  private readonly rates: readonly [number, number]
  private readonly names = ['a/1', 'b/1']
  private readonly leases: [Lease, Lease]
  /** Events to come. */
  private readonly queue: { at: number; run: () => void }[] = []
  private isDown = false
  /** How often each node acted. */
  readonly acted = { lease: 0, bond: 0 }

  constructor(random: () => number) {
    this.random = random
    this.rates = [this.between(0.99, 1.01), this.between(0.99, 1.01)]
    this.leases = [this.fresh(0), this.fresh(1)]
  }

  private fresh(node: 0 | 1): Lease {
    return new Lease(L, this.names[node]!, this.clock(node))
  }

  private between(low: number, high: number): number {
    return low + this.random() * (high - low)
  }

  private clock(node: 0 | 1): number {
    return this.now * this.rates[node]
  }

  private later(run: () => void): void {
    const delay = this.random() < 0.85 ? this.between(0, 20) : this.between(0, 1.5 * L)
    this.queue.push({ at: this.now + delay, run })
  }

  private ask(node: 0 | 1, due: WitnessCall): void {
    const lease = this.leases[node]
    const name = this.names[node]!
    const tell = (one: WitnessAnswer) => {
      const copies = this.random() < 0.05 ? 2 : 1
      for (let i = 0; i < copies; i++) {
        this.later(() => {
          if (this.leases[node] === lease) lease.handleAnswer(one, this.clock(node))
        })
      }
    }
    this.later(() => {
      const isLost = this.isDown || this.random() < 0.05
      const executed = isLost && this.random() < 0.5 ? undefined : this.store.execute(name, due, this.now)
      tell(isLost || executed === undefined ? failed(due) : executed)
    })
  }

  private askPeer(node: 0 | 1): void {
    const lease = this.leases[node]
    const [sentAt, era] = [this.clock(node), lease.currentEra]
    const peer = (1 - node) as 0 | 1
    this.later(() => {
      if (!this.leases[peer].bind(L, this.clock(peer))) return
      this.later(() => {
        if (this.leases[node] === lease) lease.handleBond(sentAt, era)
      })
    })
  }

  step(): void {
    this.now += 10
    if (this.random() < 0.01) this.isDown = !this.isDown
    this.queue.sort((a, b) => a.at - b.at)
    while (this.queue.length > 0 && this.queue[0]!.at <= this.now) this.queue.shift()!.run()
    for (const node of [0, 1] as const) this.act(node)
    const holds = this.leases.map((lease, node) => lease.isHeld(this.clock(node as 0 | 1)))
    assert.not.ok(holds[0] && holds[1], `both hold after ${this.now} ms`)
  }

  private act(node: 0 | 1): void {
    const lease = this.leases[node]
    const at = this.clock(node)
    const peer = (1 - node) as 0 | 1
    const due = lease.handleTimeout(at)
    if (due !== undefined) this.ask(node, due)
    if (lease.mode === 'idle' && this.random() < 0.02) lease.want(at)
    else if (lease.mode === 'wanting' && lease.isHeld(at)) lease.lead()
    else if (lease.mode === 'leading' && !lease.isHeld(at)) lease.give()
    else if (lease.mode === 'leading') {
      this.acted[lease.isByBond ? 'bond' : 'lease']++
      if (this.random() < 0.1) this.askPeer(node)
      if (this.random() < 0.01) {
        const revision = lease.give()
        this.later(() => {
          if (this.leases[peer].mode !== 'leading') this.leases[peer].want(this.clock(peer), { revision })
        })
      }
    }
    if (lease.mode !== 'idle' && this.random() < 0.005) lease.give()
    if (this.random() < 0.002) lease.handleClockGap(at)
    if (this.random() < 0.002) {
      this.names[node] += '+'
      this.leases[node] = this.fresh(node)
    }
  }
}

test('whatever is late, lost, repeated or restarted, never do both hold', () => {
  const acted = { lease: 0, bond: 0 }
  demand(
    fc.property(fc.integer(), (seed) => {
      let state = seed | 0
      // mulberry32, by Tommy Ettinger.
      const history = new History(() => {
        state = (state + 0x6d2b79f5) | 0
        let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
        mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
        return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
      })
      while (history.now < 12 * L) history.step()
      acted.lease += history.acted.lease
      acted.bond += history.acted.bond
    }),
    400,
  )
  assert.ok(acted.lease > 0 && acted.bond > 0, `acted for ${acted.lease} and ${acted.bond} steps`)
})

test.run()
