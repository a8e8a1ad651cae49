// Which of two links carries what only one carries, with a jumped clock.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { LinkChoice, type Way } from '../../src/core/sending.ts'

const INTERVAL = 50
const up = (roundTripMs: number | null = null): Way => ({ stream: {}, roundTripMs })
const down: Way = { stream: undefined, roundTripMs: null }

function begun(links: readonly Way[]): (links: readonly Way[], acknowledged: number, now: number) => number {
  const choice = new LinkChoice()
  choice.begin(links)
  return (now, acknowledged, at) => choice.choose(now, true, acknowledged, INTERVAL, at)
}

test('the quicker link carries, the first one if none is known to be quicker', () => {
  assert.is(begun([up(), up()])([up(), up()], 0, 0), 0)
  assert.is(begun([up(9), up(1)])([up(9), up(1)], 0, 0), 1)
  assert.is(begun([down, up()])([down, up()], 0, 0), 1)
})

test('a link that ends is replaced at once, and stays so when it is back', () => {
  const choose = begun([up(), up()])
  assert.is(choose([up(), up()], 0, 0), 0)
  assert.is(choose([down, up()], 0, 1), 1)
  assert.is(choose([up(), up()], 0, 2), 1)
  assert.is(choose([down, down], 0, 3), 1)
})

test('a link on which nothing is acknowledged for an interval gives way; if that does not help, later and later', () => {
  const both = [up(), up()]
  const choose = begun(both)
  assert.is(choose(both, 0, 1_000), 0)
  assert.is(choose(both, 0, 1_049), 0)
  assert.is(choose(both, 0, 1_050), 1)
  assert.is(choose(both, 0, 1_149), 1)
  assert.is(choose(both, 0, 1_150), 0)
  assert.is(choose(both, 0, 1_349), 0)
  assert.is(choose(both, 0, 1_350), 1)
  assert.is(choose(both, 5, 1_500), 1, 'progress')
  assert.is(choose(both, 5, 1_549), 1)
  assert.is(choose(both, 5, 1_550), 0)
})

test('nothing gives way while nothing is outstanding, or while there is no other link', () => {
  const choice = new LinkChoice()
  const both = [up(), up()]
  choice.begin(both)
  for (let now = 0; now < 1_000; now += 100) assert.is(choice.choose(both, false, 0, INTERVAL, now), 0)
  assert.is(choice.choose(both, true, 0, INTERVAL, 1_000), 0)
  assert.is(choice.choose([up(), down], true, 0, INTERVAL, 2_000), 0)
})

test.run()
