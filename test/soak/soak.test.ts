// time-out: 300 s
// The soak in the normal test run: each fault once, briefly, and alone the two judges it relies on.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { seed } from '../support/seed.ts'
import { judge } from './account.ts'
import { MemoryTrend } from './memory.ts'
import { ROUNDS } from './rounds.ts'
import { Soak } from './soak.ts'

const test = suite('soak')
const ROUND_MS = 600
const CALLS_PER_SECOND = 4_000

const told = (atMs: number, event: string, text: string) => ({ atMs, event, text })

test('a pair is whole after each fault, and says nothing without a cause', async () => {
  const lines: string[] = []
  const rounds = Object.keys(ROUNDS).length
  const soak = new Soak({
    rounds,
    roundMs: ROUND_MS,
    seed: Math.abs(seed),
    load: CALLS_PER_SECOND,
    tell: (line) => lines.push(line),
  })
  const result = await soak.run()
  const story = `replay: npm run soak -- --quick --seed ${Math.abs(seed)}\n${lines.join('\n')}`
  assert.equal(result.violations, [], story)
  assert.is(Object.keys(result.rounds).length, rounds)
  assert.ok(result.calls > 0)
})

test('a change of role needs a cause', () => {
  const a = { id: 'a' as const, name: 'a1', told: [], standstills: [] }
  const b = {
    id: 'b' as const,
    name: 'b1',
    told: [told(5_000, 'role', 'primary peer-silent')],
    standstills: [],
  }
  assert.is(judge([a, b], [], []).violations.length, 1)
  assert.equal(judge([a, b], [/^b primary peer-silent/], []), { violations: [], excused: 0 })
})

test('that the peer or the carrier stood still is one, that the node itself did is not', () => {
  const stood = [{ fromMs: 4_200, toMs: 4_500 }]
  const a = {
    id: 'a' as const,
    name: 'a1',
    told: [told(5_100, 'role', 'secondary later-epoch')],
    standstills: [],
  }
  const b = {
    id: 'b' as const,
    name: 'b1',
    told: [told(5_000, 'role', 'primary peer-silent')],
    standstills: [],
  }
  assert.equal(judge([{ ...a, standstills: stood }, b], [], []), { violations: [], excused: 2 })
  assert.equal(judge([a, b], [], stood), { violations: [], excused: 2 })
  assert.is(judge([a, { ...b, standstills: stood }], [], []).violations.length, 2)
  assert.is(judge([a, b], [], [{ fromMs: 2_000, toMs: 2_500 }]).violations.length, 2)
})

test('poison, errors and unsynced segments never have one', () => {
  const a = { id: 'a' as const, name: 'a1', told: [told(1, 'unsynced', 'proof')], standstills: [] }
  assert.is(judge([a], [/./], [{ fromMs: 0, toMs: 2 }]).violations.length, 1)
})

test('memory that grows is found, memory that warms up is not', () => {
  const grows = new MemoryTrend()
  const warms = new MemoryTrend()
  for (let i = 0; i < 40; i++) {
    grows.add('a1', { rssMib: 100 + 3 * i, heapMib: 5 })
    warms.add('a1', { rssMib: 100 + Math.min(3 * i, 20), heapMib: 5 + (i % 2) })
  }
  assert.match(grows.violations()[0]!, /^rss of a1 grew by/)
  assert.equal(warms.violations(), [])
})

test.run()
