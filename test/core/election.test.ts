// Who should be primary: each comparator of the order of claims, and the rule for two primaries.
import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { compareClaims, comparePrimaries, nextEpoch, placeOf } from '../../src/core/election.ts'
import type { NodeStatus } from '../../src/wire/status.ts'
import { aStatus } from '../support/status.ts'

const options = { uptimeMarginMs: 300_000, override: false }
const L = 'aaaaaaaaaaaaaaaa'
const M = 'bbbbbbbbbbbbbbbb'
const full = { lineage: L, complete: true, epoch: 5, sequence: 10 }

function claim(a: Partial<NodeStatus>, b: Partial<NodeStatus>, override = false) {
  const verdict = compareClaims(
    { id: 'a', status: aStatus(a) },
    { id: 'b', status: aStatus(b) },
    { ...options, override },
  )
  return `${verdict.order > 0 ? 'a' : 'b'} by ${verdict.by}`
}

const table: [string, Partial<NodeStatus>, Partial<NodeStatus>, string][] = [
  ['a complete state beats none', full, {}, 'a by state'],
  ['a partial state beats none', { lineage: L }, {}, 'a by state'],
  ['a complete state beats a partial one', { ...full, complete: false, epoch: 9 }, full, 'b by state'],
  ['within a lineage the later epoch', { ...full, epoch: 6, sequence: 0 }, full, 'a by position'],
  ['within an epoch the later sequence', full, { ...full, sequence: 11 }, 'b by position'],
  ['the older lineage', full, { ...full, lineage: M, lineageAgeMs: 10_001 }, 'b by lineage'],
  [
    'about equally old: more sessions',
    { ...full, sessions: 2, lineageAgeMs: 9_000 },
    { ...full, lineage: M, sessions: 3 },
    'b by sessions',
  ],
  ['about equally old and equally full: the smaller id', full, { ...full, lineage: M }, 'a by id'],
  [
    'one that is in maintenance gives way',
    { maintenance: true, priority: 200 },
    { failed: 9 },
    'b by maintenance',
  ],
  ['but not if it holds more', { ...full, maintenance: true }, { ...full, sequence: 9 }, 'a by position'],
  ['fewer failed monitors', { failed: 1 }, {}, 'b by health'],
  ['more links heard', { hears: 1 }, { hears: 3 }, 'b by links'],
  ['uptime beyond the margin', { priority: 200 }, { uptimeMs: 300_001 }, 'b by uptime'],
  ['priority within the margin', { priority: 200 }, { uptimeMs: 300_000 }, 'a by priority'],
  ['the smaller id when all is equal', {}, {}, 'a by id'],
]
for (const [name, a, b, expected] of table) {
  test(`claims: ${name}`, () => assert.is(claim(a, b), expected))
}

test('claims: with override priority comes before uptime', () => {
  assert.is(claim({ priority: 200 }, { uptimeMs: 900_000 }, true), 'a by priority')
  assert.is(claim({ priority: 128 }, { uptimeMs: 900_000 }, true), 'a by id')
})

test('claims: whoever compares, one of two nodes wins', () => {
  const status = fc.record({
    lineage: fc.constantFrom(L, M, aStatus().lineage),
    complete: fc.boolean(),
    epoch: fc.nat(3),
    sequence: fc.nat(3),
    hears: fc.nat(3),
    failed: fc.nat(1),
    priority: fc.nat(2),
    sessions: fc.nat(3),
    uptimeMs: fc.constantFrom(0, 1, 400_000),
    lineageAgeMs: fc.constantFrom(0, 5_000, 20_000),
  })
  fc.assert(
    fc.property(status, status, fc.boolean(), (a, b, override) => {
      const x = { id: 'x', status: aStatus(a) }
      const y = { id: 'y', status: aStatus(b) }
      const forth = compareClaims(x, y, { ...options, override })
      const back = compareClaims(y, x, { ...options, override })
      assert.ok(forth.order !== 0)
      assert.is(Math.sign(forth.order), -Math.sign(back.order))
      assert.is(forth.by, back.by)
    }),
    { numRuns: 2_000 },
  )
})

test('two primaries of one lineage: the later epoch stays, whatever the rest', () => {
  const a = { id: 'a', status: aStatus({ ...full, epoch: 8, sessions: 0 }) }
  const b = { id: 'b', status: aStatus({ ...full, epoch: 7, sessions: 1_000, lineageAgeMs: 1e9 }) }
  assert.ok(comparePrimaries(a, b).order > 0)
})

test('two primaries of different lineages: an empty new one never beats a full old one by its epoch', () => {
  const empty = { id: 'a', status: aStatus({ lineage: M, complete: true, epoch: 1e9, lineageAgeMs: 10 }) }
  const filled = { id: 'b', status: aStatus({ ...full, epoch: 2, sessions: 5, lineageAgeMs: 60_000 }) }
  assert.ok(comparePrimaries(empty, filled).order < 0)
  const young = { id: 'b', status: aStatus({ ...full, epoch: 2, sessions: 5, lineageAgeMs: 5 }) }
  assert.ok(comparePrimaries(empty, young).order < 0)
})

test('the two nodes of a pair never open the same epoch', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), fc.string({ minLength: 1 }), fc.nat(), (id, peer, above) => {
      fc.pre(id !== peer)
      const mine = nextEpoch(placeOf(id, peer), above)
      const theirs = nextEpoch(placeOf(peer, id), above)
      assert.ok(mine > above && theirs > above && mine <= above + 2 && theirs <= above + 2)
      assert.not.equal(mine % 2, theirs % 2)
    }),
  )
})

test.run()
