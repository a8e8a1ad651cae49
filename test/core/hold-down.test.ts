// How long a new node looks for its peer: also after it has met it, as long as it holds nothing of it.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { NO_LINEAGE } from '../../src/wire/status.ts'
import { CorePair } from '../support/core-pair.ts'

const HOLD_DOWN_MS = 1_000
const BOUND_MS = 225

/** b has heard a's hello, and nothing else, when both links are cut. */
function partedAtHello(options: { promoteUnsynced?: boolean } = {}) {
  const pair = new CorePair()
  pair.latencyMs = 10
  const a = pair.start('a', { priority: 200 })
  pair.until('a leads', () => a.canWrite)
  const startedAt = pair.now
  const b = pair.start('b', { priority: 100, ...options })
  pair.until('b follows', () => b.role === 'secondary')
  assert.is(b.core.state.lineage, NO_LINEAGE)
  pair.cut()
  return { pair, a, b, startedAt }
}

test('a new node that hears no more of its peer leads when its hold-down is over, not at the detection bound', () => {
  const { pair, b, startedAt } = partedAtHello()
  assert.not(pair.run(3 * BOUND_MS, () => b.canWrite))
  pair.until('b leads', () => b.canWrite)
  assert.ok(pair.now - startedAt >= HOLD_DOWN_MS)
  assert.is(b.change?.reason, 'alone')
})

test('and follows it when it hears it again before', () => {
  const { pair, a, b } = partedAtHello()
  pair.run(2 * BOUND_MS)
  pair.mend()
  pair.until('b is synced', () => b.replica.isSynced)
  assert.equal([a.canWrite, b.canWrite], [true, false])
})

test('nor does it lead at all where nothing unsynced may', () => {
  const { pair, b } = partedAtHello({ promoteUnsynced: false })
  assert.not(pair.run(10 * HOLD_DOWN_MS, () => b.canWrite))
})

test.run()
