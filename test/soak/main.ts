// The soak's command line: two real nodes in two processes over TLS, under load and one fault after another.
import { parseArgs } from 'node:util'
import { churnArena } from '../support/arena-churn.ts'
import { Random } from '../support/seed.ts'
import { GROWTH_MIB_MAX } from './memory.ts'
import { ROUNDS } from './rounds.ts'
import { Soak, type SoakResult } from './soak.ts'

const HELP = `Runs two nodes for minutes under load and faults, and compares them at quiet points.

  npm run soak -- [--minutes N] [--seed S]    default: 10 minutes, a seed from the clock
  npm run soak -- --quick                     each kind of fault once, in short rounds

  --only TEXT  only rounds whose name contains this
  --load N     calls a second (default 20000)
  --help       this

Exit code: 0 nothing found, 1 found something, 2 wrong arguments.`

const QUICK = { rounds: Object.keys(ROUNDS).length, roundMs: 1_000, load: 5_000 } as const
const ROUND_MS = 10_000
/** Bytes of the arena that is churned before the pair starts, and how much. */
const ARENA = 33_554_432
const ARENA_WRITES_PER_MINUTE = 20_000

function number(name: string, text: string): number {
  const value = Number(text)
  if (!(value > 0)) throw new Error(`--${name} ${text} given; allowed: a number above 0`)
  return value
}

function tell({
  minutes,
  rounds,
  calls,
  p999Us,
  callMsMax,
  verified,
  excused,
  memory,
  violations,
}: SoakResult): void {
  console.log(`${minutes.toFixed(1)} minutes, ${calls} calls, compared ${verified} times`)
  console.log(`slowest round: p99.9 of a call ${p999Us} us; longest call ${callMsMax.toFixed(1)} ms`)
  console.log(`changes of role because the machine stood still: ${excused}`)
  for (const [name, count] of Object.entries(rounds)) console.log(`  ${name}: ${count}`)
  console.log(
    `memory at most: ${memory.rssMibMax.toFixed(0)} MiB resident, ${memory.heapMibMax.toFixed(0)} MiB heap`,
  )
  for (const { process, samples, growth } of memory.trends()) {
    console.log(
      `  ${process}: ${growth.rss.toFixed(1)} MiB resident and ${growth.heap.toFixed(1)} MiB heap more in ${samples} samples; allowed: ${GROWTH_MIB_MAX.rss} and ${GROWTH_MIB_MAX.heap}`,
    )
  }
  for (const violation of violations) console.log(`FOUND: ${violation}`)
  console.log(violations.length === 0 ? 'nothing found' : `${violations.length} findings`)
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '10' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
      load: { type: 'string', default: '20000' },
      only: { type: 'string', default: '' },
      quick: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    console.log(HELP)
    return 0
  }
  const seed = number('seed', values.seed)
  console.log(`seed ${seed}`)
  const sizes = values.quick
    ? QUICK
    : { minutes: number('minutes', values.minutes), roundMs: ROUND_MS, load: number('load', values.load) }
  const arena = churnArena({
    random: new Random(seed),
    arena: ARENA,
    writes: values.quick ? 2_000 : ARENA_WRITES_PER_MINUTE * number('minutes', values.minutes),
    flushEvery: 40,
  })
  console.log(
    `arena: ${arena.writes} writes at up to ${(100 * arena.useMax).toFixed(1)} % use, ${arena.refused} refused by the sum, none by placement`,
  )
  const result = await new Soak({
    ...sizes,
    seed,
    only: values.only,
    tell: (line) => console.log(`  ${line}`),
  }).run()
  tell(result)
  return result.violations.length === 0 ? 0 : 1
}

main().then(
  (code) => process.exit(code),
  (error: Error) => {
    console.error(error.message)
    process.exit(2)
  },
)
