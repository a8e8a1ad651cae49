// time-out: 120 s
// The wall clocks of both nodes are set hours forward and back while they run (libfaketime under each process, with its
// monotonic clock left true): no role changes, nothing expires, nothing is lost; then a failover, with the clocks apart.
// Needs root, iproute2, nftables and libfaketime, and says so where they are missing.
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Random, seed } from '../support/seed.ts'
import { Campaign } from './campaign.ts'
import type { Fault } from './faults.ts'
import { missing, NODES } from './ground.ts'

const test = suite('clocks')
const HOUR_MS = 3_600_000

/** The preloaded library, where a package has put it. */
function library(): string | undefined {
  for (const folder of [
    '/usr/lib/x86_64-linux-gnu',
    '/usr/lib/aarch64-linux-gnu',
    '/usr/lib64',
    '/usr/lib',
  ]) {
    try {
      const name = readdirSync(join(folder, 'faketime')).find((one) => one.startsWith('libfaketimeMT.so'))
      if (name !== undefined) return join(folder, 'faketime', name)
    } catch {
      // Not there.
    }
  }
  return undefined
}

const found = library()
const lacking = missing('ip', 'nft') ?? (found === undefined ? 'libfaketime' : undefined)

if (lacking === undefined) {
  test('wall clocks that step by hours change no role and lose nothing', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'holdfast-clock-'))
    const file = (node: string) => join(folder, node)
    // libfaketime reads an offset in seconds.
    const step = (node: string, seconds: number) =>
      writeFileSync(file(node), `${seconds < 0 ? '' : '+'}${seconds}\n`)
    const campaign = new Campaign(`${process.pid}-c`, new Random(seed))
    try {
      for (const node of NODES) step(node, 0)
      campaign.prefixOf = (node) => [
        'env',
        `LD_PRELOAD=${found}`,
        `FAKETIME_TIMESTAMP_FILE=${file(node)}`,
        'FAKETIME_NO_CACHE=1',
        'FAKETIME_DONT_FAKE_MONOTONIC=1',
      ]
      await campaign.begin()
      const date = async (node: 'a' | 'b') => (await campaign.child(node).ask('date')) as number
      const clocks: Fault = {
        name: 'wall clock stepped',
        outcome: 'none',
        async inflict({ wait }) {
          for (const [a, b] of [
            [7_200, 0],
            [7_200, -7_200],
            [-86_400, 86_400],
            [0, 0],
            [0, 31_536_000],
          ] as const) {
            step('a', a)
            step('b', b)
            await wait(400)
            const apart = ((await date('b')) - (await date('a'))) / 1000
            assert.ok(Math.abs(apart - (b - a)) < 5, `the clocks are ${apart} s apart, not ${b - a}`)
          }
        },
      }
      const killed: Fault = {
        name: 'primary killed, clocks apart',
        outcome: 'takeover',
        async inflict({ kill, primary, untilPromoted }) {
          step(primary, -HOUR_MS / 1000)
          await kill(primary)
          await untilPromoted()
        },
      }
      for (const fault of [clocks, killed, clocks]) await campaign.round(fault)
      const { violations, falsePromotions, failovers } = campaign.summary()
      assert.equal([...violations], [], `seed ${seed}`)
      assert.equal([falsePromotions, failovers], [0, 1])
    } finally {
      await campaign.close()
      rmSync(folder, { recursive: true })
    }
  })
} else {
  test(`SKIPPED: wall clocks of processes need ${lacking}`, () => undefined)
}

test.run()
