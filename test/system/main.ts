// The campaign's command line: `npm run faults`. Needs root, iproute2 and nftables.
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { hasEtcd } from '../support/etcd.ts'
import { Random } from '../support/seed.ts'
import { Campaign } from './campaign.ts'
import { faultsOf, outcomeOf } from './faults.ts'
import { missing } from './ground.ts'
import type { Mode } from './history.ts'
import { describe } from './tally.ts'

const MODES: readonly Mode[] = ['availability', 'manual', 'witness']

const HELP = `Two nodes in network namespaces, one random fault after another, until so many failovers were seen.

  npm run faults -- [--failovers N] [--seed S]    default: 200 failovers, a seed from the clock

  --only TEXT   only faults whose name contains this
  --except TEXT no fault whose name contains this
  --rounds N    so many rounds instead
  --minutes N   as many rounds as begin within so many minutes instead
  --mode MODE   availability (default), manual: an operator promotes, witness: a real etcd grants the lease
  --lost N      heartbeats that may be missing (default 4, as everywhere; from 8 on also 30 % of loss on both links)
  --starved N   seconds without a pause under starvation (default 2 to 4)
  --json FILE   the summary, for machines
  --help        this

Exit code: 0 nothing found, 1 found something, 2 wrong arguments or no such machine.`

function whole(name: string, text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1)
    throw new Error(`--${name} ${text} given; allowed: a whole number from 1`)
  return value
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      failovers: { type: 'string', default: '200' },
      rounds: { type: 'string' },
      minutes: { type: 'string' },
      mode: { type: 'string', default: 'availability' },
      starved: { type: 'string' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
      only: { type: 'string', default: '' },
      except: { type: 'string' },
      lost: { type: 'string', default: '4' },
      json: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    console.log(HELP)
    return 0
  }
  const lacking = missing('ip', 'nft')
  if (lacking !== undefined) throw new Error(`network namespaces need ${lacking}`)
  const failovers = whole('failovers', values.failovers)
  const rounds = values.rounds === undefined ? Number.POSITIVE_INFINITY : whole('rounds', values.rounds)
  const lost = whole('lost', values.lost)
  const { only, except } = values
  const mode = MODES.find((one) => one === values.mode)
  if (mode === undefined) throw new Error(`--mode ${values.mode} given; allowed: ${MODES.join(', ')}`)
  if (mode === 'witness' && !hasEtcd()) throw new Error('mode witness needs etcd')
  const faults = faultsOf(mode, lost).filter(
    ({ name }) => name.includes(only) && (except === undefined || !name.includes(except)),
  )
  if (faults.length === 0) throw new Error(`--only '${only}', --except '${except ?? ''}': no fault is left`)
  const isBounded = values.rounds !== undefined || values.minutes !== undefined
  if (!isBounded && !faults.some((fault) => outcomeOf(fault, mode) === 'takeover'))
    throw new Error('no fault of these leads to a failover: give --rounds or --minutes')
  const minutes = values.minutes === undefined ? Number.POSITIVE_INFINITY : whole('minutes', values.minutes)
  const until = performance.now() + minutes * 60_000
  const starved = values.starved === undefined ? undefined : 1_000 * whole('starved', values.starved)
  console.log(`seed ${values.seed}`)
  const random = new Random(Number(values.seed))
  const campaign = new Campaign(String(process.pid), random, {
    mode,
    lost,
    ...(starved === undefined ? {} : { starvedMs: [starved, starved] as const }),
  })
  try {
    await campaign.begin()
    for (let done = 0; done < rounds && performance.now() < until; done++) {
      if (!isBounded && campaign.summary().failovers >= failovers) break
      const fault = random.pick(faults)
      await campaign.round(fault)
      const { failovers: seen, violations } = campaign.summary()
      if (done % 20 === 19) console.log(`  ${done + 1} rounds, ${seen} failovers, ${violations.length} found`)
    }
  } finally {
    const summary = campaign.summary()
    console.log(describe(summary))
    if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(summary, null, 2)}\n`)
    await campaign.close()
  }
  return campaign.summary().violations.length === 0 ? 0 : 1
}

main().then(
  (code) => process.exit(code),
  (error: Error) => {
    console.error(error.message)
    process.exit(2)
  },
)
