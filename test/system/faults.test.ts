// time-out: 240 s
// Every fault of a campaign once, in random order, in network namespaces: kills, stops, cuts, loss, starvation. Needs root,
// iproute2 and nftables, and says so where they are missing. The long form is `npm run faults`.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Random, replayCommand, seed } from '../support/seed.ts'
import { Campaign, describe } from './campaign.ts'
import { FAULTS } from './faults.ts'
import { missing } from './ground.ts'

const test = suite('faults')
const lacking = missing('ip', 'nft')

if (lacking === undefined) {
  test('no fault loses what was held, promotes falsely, gives an epoch two primaries, or leaves a difference', async () => {
    const random = new Random(seed)
    const campaign = new Campaign(`${process.pid}-f`, random)
    try {
      await campaign.begin()
      for (const fault of random.shuffle([...FAULTS])) {
        try {
          await campaign.round(fault)
        } catch (error) {
          if (error instanceof Error) error.message = `${fault.name}: ${error.message}`
          throw error
        }
      }
      const summary = campaign.summary()
      console.log(`\n${describe(summary)}`)
      assert.equal([...summary.violations], [], `seed ${seed}: ${replayCommand()}`)
      assert.is(summary.failovers, FAULTS.filter(({ promotes }) => promotes).length)
      assert.ok(summary.heldWrites > 1_000 && summary.effects.accepted > 100)
    } finally {
      await campaign.close()
    }
  })
} else {
  test(`SKIPPED: network namespaces need ${lacking}`, () => undefined)
}

test.run()
