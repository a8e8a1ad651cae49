// Many seeds over some processes, and what they had in them: faults by phase, checks made, hours simulated.
import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { pairTable, rarePairs } from './phases.ts'
import { FAULTS } from './plan.ts'
import { REGRESSIONS } from './regressions.ts'
import { runSeed } from './run.ts'
import type { StoreKind } from './tables.ts'
import { addRun, emptyTally, type Tally, tallyInto } from './tally.ts'
import type { WorkerReport, WorkerTask } from './worker.ts'
import { endOf } from './worker-end.ts'

export interface CampaignOptions {
  readonly seeds: number
  readonly from: bigint
  /** No seed is begun after so many seconds; infinity: all are run. */
  readonly seconds: number
  readonly store: StoreKind
  readonly jobs: number
  readonly keepGoing: boolean
}

const FINDINGS_SHOWN = 20
const PROGRESS_MS = 10_000
/** A pair of fault and phase that a run over many seeds should have had so often. */
const RARE = 100
const RARE_SHOWN = 12

export function replayCommand(seed: bigint, store: StoreKind): string {
  return `npm run sim -- --seed ${seed}${store === 'wasm' ? '' : ` --store ${store}`} --trace`
}

/** Exit code: 0 if nothing was found. */
export async function runCampaign(options: CampaignOptions): Promise<number> {
  const started = performance.now()
  const tally = emptyTally()
  const known = runRegressions(tally)
  if (known > 0 && !options.keepGoing) return 1
  const progress = setInterval(() => {
    const all = Number.isFinite(options.seconds) ? '' : ` of ${options.seeds}`
    console.log(`  ${tally.seeds}${all} seeds, ${tally.findings.length} findings`)
  }, PROGRESS_MS)
  const jobs = Math.min(options.jobs, Math.max(1, options.seeds))
  const ends = await Promise.all(Array.from({ length: jobs }, (_, job) => runJob(job, jobs, options, tally)))
  clearInterval(progress)
  tell(tally, (performance.now() - started) / 1000, options)
  return tally.findings.length > 0 || ends.some((code) => code !== 0) ? 1 : 0
}

function runRegressions(tally: Tally): number {
  for (const { seed, store, what } of REGRESSIONS) {
    const result = runSeed(seed, { store })
    addRun(tally, result)
    if (result.finding === undefined) continue
    console.log(
      `  FOUND AGAIN (${what}) in seed ${seed}: ${result.finding}\n    replay: ${replayCommand(seed, store)}`,
    )
  }
  if (REGRESSIONS.length > 0) console.log(`  ${REGRESSIONS.length} seeds that once found something`)
  return tally.findings.length
}

/** One process that runs every `jobs`-th seed; gives its exit code, 0 also if a finding ended it. */
function runJob(job: number, jobs: number, options: CampaignOptions, tally: Tally): Promise<number> {
  return new Promise((resolve) => {
    const child = fork(fileURLToPath(new URL('./worker.ts', import.meta.url)), {
      execArgv: ['--import', 'tsx'],
    })
    const { from, seeds, seconds, store, keepGoing } = options
    const task: WorkerTask = {
      first: `${from + BigInt(job)}`,
      step: jobs,
      end: `${from + BigInt(seeds)}`,
      seconds: Number.isFinite(seconds) ? seconds : undefined,
      store,
      stops: !keepGoing,
    }
    child.send(task)
    child.on('message', (report: WorkerReport) => {
      tallyInto(tally, report)
      for (const { seed, finding } of report.findings) console.log(`  FOUND in seed ${seed}: ${finding}`)
    })
    void endOf(child).then((code) => {
      if (code !== 0) console.log(`  a process ended with ${code}`)
      resolve(code ?? 1)
    })
  })
}

function tell(tally: Tally, seconds: number, options: CampaignOptions): void {
  const hours = (tally.simulatedMs / 3_600_000).toFixed(1)
  const rate = (tally.seeds / seconds).toFixed(1)
  console.log(
    `${tally.seeds} seeds in ${seconds.toFixed(1)} s: ${rate} seeds/s, ${hours} hours simulated, ${tally.events} events`,
  )
  const share = (100 * tally.convergedShare).toFixed(0)
  console.log(`slowest agreement after everything was mended: ${share} % of the time allowed`)
  const names = Object.keys(tally.counts)
    .filter((name) => !name.includes(' @ '))
    .sort()
  const width = Math.max(0, ...names.map((name) => name.length))
  for (const name of names) console.log(`  ${name.padEnd(width)}  ${tally.counts[name]}`)
  console.log('faults by what the pair was going through:')
  for (const line of pairTable(FAULTS, tally.counts)) console.log(line)
  const rare = rarePairs(FAULTS, tally.counts, RARE)
  const shown = rare.length > RARE_SHOWN ? `${rare.slice(0, RARE_SHOWN).join(', ')}, ...` : rare.join(', ')
  console.log(`${rare.length} pairs were hit less than ${RARE} times${rare.length > 0 ? `: ${shown}` : ''}`)
  for (const { seed, finding } of tally.findings.slice(0, FINDINGS_SHOWN)) {
    console.log(
      `FOUND in seed ${seed}: ${finding}\n    replay: ${replayCommand(BigInt(seed), options.store)}`,
    )
  }
  console.log(tally.findings.length === 0 ? 'nothing found' : `${tally.findings.length} findings`)
}
