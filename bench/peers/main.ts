// Holdfast and other ways to keep sessions in a second process, in one run: `npm run bench:peers`. Prints a table and
// writes bench/results/peers.json. What is not installed is skipped, with a line that says so.
import { fork } from 'node:child_process'
import { loadavg } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { publish } from '../charts/publish.ts'
import { commit, machine } from '../lib/results.ts'
import { compile } from '../lib/run-group.ts'
import { ALWAYS, PEERS } from './list.ts'
import type { MeasureMessage } from './measure.ts'
import { peerReport } from './report.ts'
import { PEERS_FILE, type PeerResult, writePeerResults } from './results.ts'

const HELP = `npm run bench:peers -- [options]

  --only <peer>   measure this one; may be repeated: ${PEERS.map(({ name }) => name).join(', ')}
  --smoke         small sizes: results are checked, times mean nothing. Writes no file unless --json names one.
  --json <file>   where the figures go; default bench/results/peers.json
  --help          this text`

const root = fileURLToPath(new URL('../..', import.meta.url))
const PROGRAM = join(root, 'build/bench/peers/measure.js')
const LIMIT_MS = 40 * 60_000

process.exitCode = await main()

async function main(): Promise<number> {
  let options: ReturnType<typeof parse>
  try {
    options = parse()
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${HELP}`)
    return 2
  }
  if (options.help) {
    console.log(HELP)
    return 0
  }
  const chosen = PEERS.filter(({ name }) => options.only.length === 0 || options.only.includes(name))
  const skipped: Record<string, string> = {}
  for (const peer of chosen) {
    const missing = peer.missing()
    if (missing === undefined) continue
    skipped[peer.name] = missing
    console.error(`SKIPPED ${peer.title}: ${missing}`)
  }
  compile()
  const [load = 0] = loadavg()
  let peers: Readonly<Record<string, PeerResult>>
  try {
    const names = chosen.map(({ name }) => name).filter((name) => skipped[name] === undefined)
    peers = await measure(options.smoke, names)
  } catch (error) {
    console.error((error as Error).message)
    return 1
  }
  const results = {
    machine: machine(),
    runtime: `node ${process.version}`,
    commit: commit(),
    date: new Date().toISOString(),
    load: Number(load.toPrecision(3)),
    peers,
    skipped,
  }
  console.log(peerReport(results))
  const file = options.json ?? (options.smoke || options.only.length > 0 ? undefined : PEERS_FILE)
  if (file !== undefined) writePeerResults(file, results)
  if (file === PEERS_FILE) for (const path of publish()) console.error(`wrote ${path}`)
  if (options.smoke) console.log('\nsmall sizes: results were checked, the times mean nothing')
  return 0
}

function parse() {
  const { values } = parseArgs({
    options: {
      only: { type: 'string', multiple: true, default: [] },
      smoke: { type: 'boolean', default: false },
      json: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  const known = PEERS.map(({ name }) => name)
  for (const name of values.only)
    if (!known.includes(name)) throw new Error(`--only ${name}: no such peer; there are ${known.join(', ')}`)
  // Whatever is looked at, it is compared with these.
  return { ...values, only: values.only.length > 0 ? [...new Set([...ALWAYS, ...values.only])] : [] }
}

function measure(smoke: boolean, names: readonly string[]): Promise<Readonly<Record<string, PeerResult>>> {
  return new Promise((resolve, reject) => {
    const child = fork(PROGRAM, [smoke ? 'smoke' : 'full', ...names], { cwd: root, execArgv: [] })
    let results: Readonly<Record<string, PeerResult>> | undefined
    const timer = setTimeout(() => child.kill('SIGTERM'), LIMIT_MS)
    child.on('message', (message: MeasureMessage) => {
      if (message.type === 'note') console.error(`  ${message.text}`)
      else results = message.results
    })
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      if (code === 0 && results !== undefined) resolve(results)
      else reject(new Error(`measuring ended with ${signal ?? code}`))
    })
  })
}
