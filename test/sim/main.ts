// The simulator's command line: many seeds on all processors, one seed with its story, planted bugs, or golden stories.
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { runCampaign } from './campaign.ts'
import { runMutants } from './mutant-runs.ts'
import { runSeed } from './run.ts'
import { compareStories } from './story-files.ts'
import type { StoreKind } from './tables.ts'

const HELP = `Simulates two nodes on two links under random faults, and checks the promises of the design.

  npm run sim -- [--seeds N] [--from S]     runs seeds S, S+1, ... S+N-1 (1,000 from 1)
  npm run sim -- --seconds T                as many seeds as can be begun in T seconds
  npm run sim -- --seed S [--trace]         runs one seed; --trace tells its story, a line per event
  npm run sim -- --mutants [NAME]... [--write]   plants bugs and runs each until it is caught; --seeds N bounds each
                                            (20,000); --write puts the table into docs/PROMISES.md
  npm run sim -- --stories [NAME]... [--write]   compares the golden stories, or writes them anew

  --store wasm|twin   the real tables (default), or their slow twins
  --jobs N            processes at once (default: one per processor)
  --keep-going        goes on after a finding, to the last seed
  --help              this

Exit code: 0 nothing found, 1 found something (the command that replays it is printed), 2 wrong arguments.`

const SEEDS = 1_000
const MUTANT_SEEDS = 20_000
/** More than any time allows. */
const ENDLESS_SEEDS = 2 ** 40

type Mode = 'seeds' | 'seed' | 'mutants' | 'stories'

interface Options {
  readonly mode: Mode
  readonly seeds: number | undefined
  readonly from: bigint
  readonly seconds: number
  readonly seed: bigint
  readonly trace: boolean
  readonly store: StoreKind
  readonly jobs: number
  readonly keepGoing: boolean
  readonly write: boolean
  readonly names: readonly string[]
}

function parse(args: readonly string[]): Options | undefined {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      seeds: { type: 'string' },
      from: { type: 'string', default: '1' },
      seconds: { type: 'string' },
      seed: { type: 'string' },
      trace: { type: 'boolean', default: false },
      mutants: { type: 'boolean', default: false },
      stories: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
      store: { type: 'string', default: 'wasm' },
      jobs: { type: 'string', default: String(availableParallelism()) },
      'keep-going': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return undefined
  const whole = (name: string, text: string): bigint => {
    if (!/^\d+$/.test(text)) throw new Error(`--${name} ${text} given; allowed: a whole number`)
    return BigInt(text)
  }
  if (values.store !== 'wasm' && values.store !== 'twin') {
    throw new Error(`--store ${values.store} given; allowed: wasm, twin`)
  }
  const mode = values.mutants
    ? 'mutants'
    : values.stories
      ? 'stories'
      : values.seed === undefined
        ? 'seeds'
        : 'seed'
  if (positionals.length > 0 && mode !== 'mutants' && mode !== 'stories') {
    throw new Error(`${positionals.join(' ')} given; names go with --mutants or --stories`)
  }
  return {
    mode,
    seeds: values.seeds === undefined ? undefined : Number(whole('seeds', values.seeds)),
    from: whole('from', values.from),
    seconds:
      values.seconds === undefined ? Number.POSITIVE_INFINITY : Number(whole('seconds', values.seconds)),
    seed: whole('seed', values.seed ?? '0'),
    trace: values.trace,
    store: values.store,
    jobs: Math.max(1, Number(whole('jobs', values.jobs))),
    keepGoing: values['keep-going'],
    write: values.write,
    names: positionals,
  }
}

function runOne({ seed, trace, store }: Options): number {
  const tell = trace ? (line: string) => console.log(line) : undefined
  const result = runSeed(seed, { store, ...(tell === undefined ? {} : { tell }) })
  const seconds = (result.simulatedMs / 1000).toFixed(1)
  console.log(`seed ${seed}: ${seconds} s simulated, ${result.events} events, trace ${result.traceHash}`)
  if (result.finding === undefined) console.log('nothing found')
  else console.log(`FOUND: ${result.finding}`)
  return result.finding === undefined ? 0 : 1
}

async function run(options: Options): Promise<number> {
  switch (options.mode) {
    case 'seed':
      return runOne(options)
    case 'mutants':
      return await runMutants({ ...options, seedsMax: options.seeds ?? MUTANT_SEEDS })
    case 'stories':
      return compareStories(options.names, options.write, (line) => console.log(line))
    case 'seeds': {
      const byDefault = Number.isFinite(options.seconds) ? ENDLESS_SEEDS : SEEDS
      return await runCampaign({ ...options, seeds: options.seeds ?? byDefault })
    }
  }
}

// A reader that has seen enough (`| head`) is no error.
process.stdout.on('error', () => process.exit())

let options: Options | undefined
try {
  options = parse(process.argv.slice(2))
} catch (error) {
  console.error((error as Error).message)
  process.exit(2)
}
if (options === undefined) console.log(HELP)
else process.exitCode = await run(options)
