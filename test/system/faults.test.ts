// time-out: 400 s
// Every fault of a campaign once, in random order, in network namespaces: kills, stops, cuts, loss, starvation; in mode
// 'availability', then in the two others those that are of another outcome there. Needs root, iproute2 and nftables, and says
// so where they are missing. The long form is `npm run faults`.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { hasEtcd } from '../support/etcd.ts'
import { Random, replayCommand, seed } from '../support/seed.ts'
import { Campaign } from './campaign.ts'
import { type Fault, faultsOf, outcomeOf } from './faults.ts'
import { missing } from './ground.ts'
import type { Mode } from './history.ts'
import { describe } from './tally.ts'

const test = suite('faults')
const lacking = missing('ip', 'nft')
const LOST = 4

async function campaign(mode: Mode, choose: (fault: Fault) => boolean): Promise<void> {
  const random = new Random(seed)
  const faults = faultsOf(mode, LOST).filter(choose)
  const one = new Campaign(`${process.pid}-f`, random, { mode, lost: LOST })
  try {
    await one.begin()
    for (const fault of random.shuffle([...faults])) {
      try {
        await one.round(fault)
      } catch (error) {
        if (error instanceof Error) error.message = `${fault.name}: ${error.message}`
        throw error
      }
    }
    const summary = one.summary()
    console.log(`\n${describe(summary)}`)
    assert.equal([...summary.violations], [], `seed ${seed}: ${replayCommand()}`)
    assert.is(summary.failovers, faults.filter((fault) => outcomeOf(fault, mode) === 'takeover').length)
    assert.ok(summary.heldWrites > 50 * faults.length && summary.effects.accepted > 10 * faults.length)
  } finally {
    await one.close()
  }
}

/** Where a mode decides otherwise, and one ordinary takeover. */
const isOfOtherOutcome = (mode: Mode) => (fault: Fault) =>
  fault.mode === mode || outcomeOf(fault, mode) !== fault.outcome || fault.name === 'primary killed'

if (lacking === undefined) {
  test('no fault loses what was held, promotes falsely, gives an epoch two primaries, or leaves a difference', () =>
    campaign('availability', () => true))

  test("in mode 'manual' nobody is promoted but by an operator", () =>
    campaign('manual', isOfOtherOutcome('manual')))

  if (hasEtcd())
    test("in mode 'witness' nothing is written in a reign once something was in a later one", () =>
      campaign('witness', isOfOtherOutcome('witness')))
} else {
  test(`SKIPPED: network namespaces need ${lacking}`, () => undefined)
}

test.run()
