// The example firewall and conntrackd on the same ground, in turns: `npm run bench:firewall`. Prints a table and writes
// bench/results/firewall.json. What is not installed is skipped, with a line that says so.
import { writeFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { commit as commitOf, machine } from '../lib/results.ts'
import { median } from '../lib/statistics.ts'
import { ConntrackdSide } from './conntrackd-side.ts'
import { missing } from './ground.ts'
import { HoldfastSide } from './holdfast-side.ts'
import {
  commit,
  type FailoverRun,
  failover,
  type Make,
  type Sizes,
  type SteadyRun,
  steady,
} from './measure.ts'
import { type Lost, NeedlessFailover, weight } from './side.ts'

const HELP = `npm run bench:firewall -- [options]

  --rounds <n>    how often each is measured (3)
  --only <side>   holdfast, holdfast-single, conntrackd, conntrackd-keepalived; may be repeated
  --smoke         one small round: results are checked, times mean nothing; writes no file unless --json names one
  --json <file>   where the figures go; default bench/results/firewall.json
  --help          this text`

const FILE = fileURLToPath(new URL('../results/firewall.json', import.meta.url))
const FULL: Sizes = {
  connections: 200,
  churnPerSecond: 200,
  steady: [200, 1000],
  steadyMs: 4000,
  quietMs: 1500,
  afterMs: 2500,
  commit: 50_000,
}
const SMOKE: Sizes = {
  connections: 20,
  churnPerSecond: 50,
  steady: [50],
  steadyMs: 1000,
  quietMs: 500,
  afterMs: 1500,
  commit: 2000,
}

/** Of one side, in all its rounds. */
const NEEDLESS_MAX = 10

interface Lane {
  readonly title: string
  readonly setup: string
  readonly tools: readonly string[]
  /** Patient where it is not measured how soon a loss is noticed. */
  readonly make: (isPatient: boolean) => Make
  /** Measured too: the process alone is killed, and its machine goes on. */
  readonly also?: 'process'
}

const HOLDFAST = ['conntrack', 'perl']
/** Silence of 3.5 x 50 ms, as VRRP every 50 ms waits for 180 ms; as many heartbeats, but patience, where nothing is lost. */
const heartbeat = (isPatient: boolean) => ['--heartbeat', isPatient ? '50,20' : '50,3']
const SPARING = ['--sending', 'single', '--gather', '50']

const LANES: Readonly<Record<string, Lane>> = {
  holdfast: {
    title: 'Holdfast',
    setup: 'examples/firewall, TLS, both links at once; --heartbeat 50,3: silence is a loss after 175 ms',
    tools: HOLDFAST,
    make: (isPatient) => (ground, folder) => new HoldfastSide(ground, folder, heartbeat(isPatient)),
    also: 'process',
  },
  'holdfast-single': {
    title: 'Holdfast, sparing',
    setup: 'the same with --sending single --gather 50: one link at a time, events wait up to 50 ms',
    tools: HOLDFAST,
    make: (isPatient) => (ground, folder) =>
      new HoldfastSide(ground, folder, [...heartbeat(isPatient), ...SPARING]),
  },
  'conntrackd-keepalived': {
    title: 'conntrackd with keepalived',
    setup:
      'FTFW over two links, one active; the loss detected by VRRP every 50 ms (180 ms of silence), which also has the addresses',
    tools: ['conntrack', 'conntrackd', 'keepalived'],
    make: () => (ground, folder) => new ConntrackdSide(ground, folder, true),
  },
  conntrackd: {
    title: 'conntrackd, told at once',
    setup:
      'the same without keepalived: whoever takes a down tells b in the same moment, nothing is detected',
    tools: ['conntrack', 'conntrackd'],
    make: () => (ground, folder) => new ConntrackdSide(ground, folder, false),
  },
}

interface Done {
  readonly failovers: FailoverRun[]
  readonly killed: FailoverRun[]
  readonly steady: SteadyRun[][]
  readonly commits: { commitMs: number }[]
  needless: number
}

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    only: { type: 'string', multiple: true, default: [] },
    smoke: { type: 'boolean', default: false },
    json: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})

if (options.help) console.log(HELP)
else process.exitCode = await main()

async function main(): Promise<number> {
  const unknown = options.only.find((name) => !(name in LANES))
  if (unknown !== undefined) {
    console.error(`--only ${unknown}: no such side; there are ${Object.keys(LANES).join(', ')}`)
    return 2
  }
  const skipped: Record<string, string> = {}
  const chosen = Object.entries(LANES).filter(([name, { title, tools }]) => {
    if (options.only.length > 0 && !options.only.includes(name)) return false
    const absent = missing(['ip', 'nft', ...tools])
    if (absent === undefined) return true
    skipped[name] = absent
    console.error(`SKIPPED ${title}: it needs ${absent}`)
    return false
  })
  const sizes = options.smoke ? SMOKE : FULL
  const rounds = options.smoke ? 1 : Number(options.rounds)
  const [before = 0] = loadavg()
  const done = new Map<string, Done>(
    chosen.map(([name]) => [name, { failovers: [], killed: [], steady: [], commits: [], needless: 0 }]),
  )
  for (let round = 1; round <= rounds; round++) {
    for (const [name, lane] of chosen) {
      const say = (text: string) => console.error(`  ${round}: ${lane.title}: ${text}`)
      await measure(lane, done.get(name)!, sizes, say)
    }
  }
  const [after = 0] = loadavg()
  const results = {
    machine: machine(),
    runtime: `node ${process.version}`,
    commit: commitOf(),
    date: new Date().toISOString(),
    load: { before, after, weight: weight() },
    sizes,
    sides: Object.fromEntries(chosen.map(([name, lane]) => [name, figures(lane, done.get(name)!, sizes)])),
    skipped,
  }
  print(results.sides, sizes)
  const file = options.json ?? (options.smoke || options.only.length > 0 ? undefined : FILE)
  // Lists of numbers stay on one line.
  const text = JSON.stringify(results, null, 2).replace(/\[[\s\d.,eE+-]*\]/g, (list) =>
    list.replace(/\s+/g, ' ').replace('[ ', '[').replace(' ]', ']'),
  )
  if (file !== undefined) writeFileSync(file, `${text}\n`)
  return Object.values(results.sides).some(
    ({ figures }) => figures['machine_lost.survivors']!.value < sizes.connections,
  )
    ? 1
    : 0
}

/** A run in which b took over before anything was lost measures nothing: it is counted, and done once more. */
async function lossOf(
  lane: Lane,
  done: Done,
  sizes: Sizes,
  what: Lost,
  say: (text: string) => void,
): Promise<FailoverRun> {
  for (;;) {
    try {
      return await failover(lane.make(false), sizes, what)
    } catch (error) {
      if (!(error instanceof NeedlessFailover) || ++done.needless > NEEDLESS_MAX) throw error
      say(`${error.message}; once more`)
    }
  }
}

async function measure(lane: Lane, done: Done, sizes: Sizes, say: (text: string) => void): Promise<void> {
  const lose = (what: Lost) => lossOf(lane, done, sizes, what, say)
  const run = await lose('machine')
  done.failovers.push(run)
  say(`${run.survivors} of ${sizes.connections} survive, longest gap ${run.gapMaxMs.toFixed(0)} ms`)
  if (lane.also !== undefined) {
    const killed = await lose(lane.also)
    done.killed.push(killed)
    say(`process killed: ${killed.survivors} survive, longest gap ${killed.gapMaxMs.toFixed(0)} ms`)
  }
  const costs: SteadyRun[] = []
  for (const rate of sizes.steady) {
    const cost = await steady(lane.make(true), sizes, rate)
    costs.push(cost)
    const { a, b } = cost.cpuUs
    say(`${rate}/s: ${cost.bytesPerEvent.toFixed(1)} B, ${a.toFixed(0)} + ${b.toFixed(0)} us an event`)
  }
  done.steady.push(costs)
  const many = await commit(lane.make(true), sizes.commit)
  done.commits.push(many)
  say(`${sizes.commit} connections committed in ${many.commitMs.toFixed(0)} ms`)
}

interface Figure {
  readonly value: number
  readonly runs: readonly number[]
}

function figures({ title, setup }: Lane, done: Done, sizes: Sizes) {
  const of = <Run>(runs: readonly Run[], value: (run: Run) => number): Figure => {
    const all = runs.map((run) => Number(value(run).toPrecision(4)))
    return { value: median(all), runs: all }
  }
  const loss = (runs: readonly FailoverRun[], name: string): Record<string, Figure> => ({
    [`${name}.survivors`]: of(runs, (run) => run.survivors),
    [`${name}.wrong_bytes`]: of(runs, (run) => run.wrongBytes),
    [`${name}.gap_p50_ms`]: of(runs, (run) => run.gapP50Ms),
    [`${name}.gap_max_ms`]: of(runs, (run) => run.gapMaxMs),
    [`${name}.quiet_gap_max_ms`]: of(runs, (run) => run.quietGapMaxMs),
    [`${name}.serving_ms`]: of(runs, (run) => run.servingMs),
    [`${name}.commit_ms`]: of(runs, (run) => run.commitMs),
    ...(runs.some((run) => Number.isFinite(run.noticedMs))
      ? {
          [`${name}.noticed_ms`]: of(runs, (run) => run.noticedMs),
          [`${name}.written_ms`]: of(runs, (run) => run.writtenMs),
        }
      : {}),
    // A process that is killed leaves its machine forwarding for a while, so there is no silence to find.
    ...(name === 'machine_lost' ? { [`${name}.first_byte_ms`]: of(runs, (run) => run.firstByteMs) } : {}),
  })
  const cost = (rate: number, i: number): Record<string, Figure> => {
    const runs = done.steady.map((one) => one[i]!)
    return {
      [`churn${rate}.events_per_s`]: of(runs, (run) => (run.events * 1000) / sizes.steadyMs),
      [`churn${rate}.bytes_per_event`]: of(runs, (run) => run.bytesPerEvent),
      [`churn${rate}.bytes_per_event_m1`]: of(runs, (run) => run.bytesPerEventM1),
      [`churn${rate}.cpu_us_per_event_a`]: of(runs, (run) => run.cpuUs.a),
      [`churn${rate}.cpu_us_per_event_b`]: of(runs, (run) => run.cpuUs.b),
    }
  }
  const list = Object.assign(
    loss(done.failovers, 'machine_lost'),
    done.killed.length > 0 ? loss(done.killed, 'process_killed') : {},
    ...sizes.steady.map(cost),
    {
      needless_failovers: { value: done.needless, runs: [done.needless] },
      [`commit${sizes.commit}.commit_ms`]: of(done.commits, (run) => run.commitMs),
    },
  ) as Record<string, Figure>
  return { title, setup, figures: list }
}

function print(sides: Readonly<Record<string, ReturnType<typeof figures>>>, sizes: Sizes): void {
  const all = Object.values(sides)
  if (all.length === 0) return
  console.log(
    `| ${sizes.connections} connections, ${sizes.churnPerSecond} short ones/s | ${all.map(({ title }) => title).join(' | ')} |`,
  )
  console.log(`| --- |${' --- |'.repeat(all.length)}`)
  for (const name of new Set(all.flatMap(({ figures }) => Object.keys(figures)))) {
    const cells = all.map(({ figures }) => {
      if (figures[name] === undefined) return '-'
      const { value, runs } = figures[name]
      return `${value} [${Math.min(...runs)} .. ${Math.max(...runs)}]`
    })
    console.log(`| ${name} | ${cells.join(' | ')} |`)
  }
}
