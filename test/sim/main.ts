// The simulator's command line: many seeds on all processors, or one seed with its story.
import { fork } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { runSeed } from './run.ts'
import type { StoreKind } from './tables.ts'
import { emptyTally, type Tally, tallyInto } from './tally.ts'
import type { WorkerReport, WorkerTask } from './worker.ts'

const HELP = `Simulates two nodes on two links under random faults, and checks the promises of the design.

  npm run sim -- [--seeds N] [--from S]   runs seeds S, S+1, ... S+N-1 (1,000 from 1)
  npm run sim -- --seed S [--trace]       runs one seed; --trace tells its story, a line per event

  --store wasm|twin   the real tables (default), or their slow twins
  --jobs N            processes at once (default: one per processor)
  --keep-going        goes on after a finding, to the last seed
  --help              this

Exit code: 0 nothing found, 1 found something (the command that replays it is printed), 2 wrong arguments.`

const FINDINGS_SHOWN = 20
const PROGRESS_MS = 10_000

interface Options {
  readonly seeds: number
  readonly from: bigint
  readonly seed: bigint | undefined
  readonly trace: boolean
  readonly store: StoreKind
  readonly jobs: number
  readonly keepGoing: boolean
}

function parse(args: readonly string[]): Options | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seeds: { type: 'string', default: '1000' },
      from: { type: 'string', default: '1' },
      seed: { type: 'string' },
      trace: { type: 'boolean', default: false },
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
  return {
    seeds: Number(whole('seeds', values.seeds)),
    from: whole('from', values.from),
    seed: values.seed === undefined ? undefined : whole('seed', values.seed),
    trace: values.trace,
    store: values.store,
    jobs: Math.max(1, Number(whole('jobs', values.jobs))),
    keepGoing: values['keep-going'],
  }
}

function replayCommand(seed: bigint, store: StoreKind): string {
  return `npm run sim -- --seed ${seed}${store === 'wasm' ? '' : ` --store ${store}`} --trace`
}

function runOne(seed: bigint, options: Options): number {
  const tell = options.trace ? (line: string) => console.log(line) : undefined
  const result = runSeed(seed, { store: options.store, ...(tell === undefined ? {} : { tell }) })
  const seconds = (result.simulatedMs / 1000).toFixed(1)
  console.log(`seed ${seed}: ${seconds} s simulated, ${result.events} events, trace ${result.traceHash}`)
  if (result.finding === undefined) console.log('nothing found')
  else console.log(`FOUND: ${result.finding}`)
  return result.finding === undefined ? 0 : 1
}

async function runMany(options: Options): Promise<number> {
  const started = performance.now()
  const tally = emptyTally()
  const progress = setInterval(() => {
    console.log(`  ${tally.seeds} of ${options.seeds} seeds, ${tally.findings.length} findings`)
  }, PROGRESS_MS)
  const jobs = Math.min(options.jobs, Math.max(1, options.seeds))
  await Promise.all(Array.from({ length: jobs }, (_, job) => runJob(job, jobs, options, tally)))
  clearInterval(progress)
  tell(tally, (performance.now() - started) / 1000, options)
  return tally.findings.length > 0 || tally.seeds < options.seeds ? 1 : 0
}

/** One process that runs every `jobs`-th seed. */
function runJob(job: number, jobs: number, options: Options, tally: Tally): Promise<void> {
  return new Promise((resolve) => {
    const child = fork(fileURLToPath(new URL('./worker.ts', import.meta.url)), {
      execArgv: ['--import', 'tsx'],
    })
    const { from, seeds, store, keepGoing } = options
    const task: WorkerTask = {
      first: `${from + BigInt(job)}`,
      step: jobs,
      end: `${from + BigInt(seeds)}`,
      store,
    }
    child.send(task)
    child.on('message', (report: WorkerReport) => {
      tallyInto(tally, report)
      for (const { seed, finding } of report.findings) console.log(`  FOUND in seed ${seed}: ${finding}`)
      if (report.findings.length > 0 && !keepGoing) child.kill()
    })
    child.on('exit', () => resolve())
  })
}

function tell(tally: Tally, seconds: number, options: Options): void {
  const hours = (tally.simulatedMs / 3_600_000).toFixed(1)
  const rate = (tally.seeds / seconds).toFixed(1)
  console.log(
    `${tally.seeds} seeds in ${seconds.toFixed(1)} s: ${rate} seeds/s, ${hours} hours simulated, ${tally.events} events`,
  )
  const share = (100 * tally.convergedShare).toFixed(0)
  console.log(`slowest agreement after everything was mended: ${share} % of the time allowed`)
  const names = Object.keys(tally.counts).sort()
  const width = Math.max(0, ...names.map((name) => name.length))
  for (const name of names) console.log(`  ${name.padEnd(width)}  ${tally.counts[name]}`)
  for (const { seed, finding } of tally.findings.slice(0, FINDINGS_SHOWN)) {
    console.log(
      `FOUND in seed ${seed}: ${finding}\n    replay: ${replayCommand(BigInt(seed), options.store)}`,
    )
  }
  console.log(tally.findings.length === 0 ? 'nothing found' : `${tally.findings.length} findings`)
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
else process.exitCode = options.seed === undefined ? await runMany(options) : runOne(options.seed, options)
