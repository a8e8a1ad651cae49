// The validators of the campaign find what they are there for: each kind of breach is planted once.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Content, History } from './history.ts'

const test = suite('history')

/** Epoch 10 of a1 held three writes; b1 was promoted to 13 with this content. */
function told(content: Content): History {
  const history = new History()
  const role = { told: 'role', role: 'primary', reason: 'peer-died' } as const
  history.handle('a1', { ...role, epoch: 10, content: [] }, 0)
  history.handle(
    'a1',
    {
      told: 'held',
      epoch: 10,
      writes: [
        [1, 1],
        [2, 2],
        [1, 3],
      ],
    },
    1,
  )
  history.handle('b1', { ...role, epoch: 13, content }, 2)
  return history
}

const GOOD: Content = [
  [1, 10, 3],
  [2, 10, 2],
]

test('a history in which nothing went wrong', () => {
  const history = told(GOOD)
  history.handle('b1', { told: 'held', epoch: 13, writes: [[2, 1]] }, 3)
  const content: Content = [
    [2, 13, 1],
    [1, 10, 3],
  ]
  history.settle({ a: content, b: [...content].reverse() })
  assert.equal(history.violations, [])
  assert.equal([history.heldWrites, history.lostWrites], [4, 0])
})

test('a write that was held and is not in the next reign is lost, whether replaced, old or absent', () => {
  for (const content of [[[2, 10, 2]], [[1, 10, 1], GOOD[1]!], [[1, 9, 9], GOOD[1]!]] as Content[]) {
    const history = told(content)
    history.settle({ a: GOOD, b: GOOD })
    assert.is(history.lostWrites, 1)
    assert.match(history.violations[0]!, /b1, promoted to 13, holds .* of session 1/)
  }
})

test('a write that was held is owed for ever', () => {
  const history = told(GOOD)
  history.settle({ a: GOOD, b: GOOD })
  history.settle({ a: [GOOD[0]!], b: [GOOD[0]!] })
  assert.is(history.lostWrites, 2)
})

test('news of a reign that comes late is held against the reigns after it', () => {
  const history = told(GOOD)
  history.handle('a1', { told: 'held', epoch: 10, writes: [[2, 9]] }, 4)
  history.settle({ a: GOOD, b: GOOD })
  assert.is(history.lostWrites, 3)
})

test('two primaries of one epoch, an earlier reign at a receiver, a difference between the nodes', () => {
  const history = told(GOOD)
  history.handle('b1', { told: 'effect', epoch: 13 }, 3)
  history.handle('a1', { told: 'effect', epoch: 10 }, 3)
  assert.equal(history.effects, { accepted: 1, refused: 1 })
  assert.equal(history.violations, [])
  history.handle('a1', { told: 'effect', epoch: 13 }, 4)
  history.handle('a1', { told: 'poison', text: 'x' }, 5)
  const other: Content = [[1, 13, 4], GOOD[1]!]
  history.settle({ a: GOOD, b: other })
  assert.equal(history.violations, [
    "epoch 13 was b1's, and a1 acted in it",
    'a1 told poison: x',
    'the nodes do not hold the same',
  ])
})

test('what was deleted may be gone, and may not come back', () => {
  const history = told(GOOD)
  history.handle('b1', { told: 'deleting', epoch: 13, deletes: [[1, 5]] }, 3)
  history.handle('b1', { told: 'held', epoch: 13, writes: [[1, 5]] }, 3)
  history.settle({ a: [GOOD[1]!], b: [GOOD[1]!] })
  assert.equal(history.violations, [])
  history.settle({ a: GOOD, b: GOOD })
  assert.match(history.violations[0]!, /a holds 10\/3 of session 1, of which 13\/5 was held/)
})

test('a delete of which nobody knows whether it was done excuses that the session is gone, and nothing later', () => {
  const history = told(GOOD)
  history.handle('b1', { told: 'deleting', epoch: 13, deletes: [[1, 5]] }, 3)
  history.settle({ a: GOOD, b: GOOD })
  assert.equal(history.violations, [])
  history.handle('b1', { told: 'held', epoch: 13, writes: [[1, 6]] }, 4)
  history.settle({ a: [GOOD[1]!], b: [GOOD[1]!] })
  assert.match(history.violations[0]!, /a holds nothing of session 1, of which 13\/6 was held/)
})

test("in mode 'manual' a promotion that nobody ordered", () => {
  const history = new History('manual')
  const role = { told: 'role', role: 'primary', reason: 'operator', content: [] } as const
  history.order('a1')
  history.handle('a1', { ...role, epoch: 10 }, 0)
  assert.equal(history.violations, [])
  history.handle('a1', { ...role, epoch: 12, reason: 'peer-silent' }, 0)
  assert.equal(history.violations, ['a1 promoted itself in mode manual, to 12 (peer-silent)'])
})

test("in mode 'witness' a write of a reign after one of a later reign; in the others that is a split", () => {
  for (const mode of ['witness', 'availability'] as const) {
    const history = new History(mode)
    history.handle('a1', { told: 'acted', epoch: 10, from: 100, to: 200 }, 0)
    history.handle('b1', { told: 'acted', epoch: 13, from: 201, to: 300 }, 0)
    history.settle({ a: [], b: [] })
    assert.equal(history.violations, [])
    history.handle('b1', { told: 'acted', epoch: 13, from: 400, to: 500 }, 0)
    history.handle('a1', { told: 'acted', epoch: 10, from: 390, to: 401 }, 0)
    history.settle({ a: [], b: [] })
    assert.equal(history.violations, mode === 'witness' ? ['a1 wrote in 10 1.0 ms after b1 did in 13'] : [])
  }
})

test.run()
