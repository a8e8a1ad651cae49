// Runs every planted bug until a check of the simulator catches it, and prints what that took.
import { fork } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { plant, ROOT, uproot } from './mutant-tree.ts'
import type { Mutant } from './mutants/mutant.ts'
import { MUTANTS } from './mutants.ts'
import type { WorkerReport, WorkerTask } from './worker.ts'
import { endOf } from './worker-end.ts'

export interface MutantOptions {
  /** Parts of names; none: all. */
  readonly names: readonly string[]
  readonly from: bigint
  /** After so many without a finding a mutant has survived. */
  readonly seedsMax: number
  readonly jobs: number
  /** Put the table into docs/PROMISES.md. */
  readonly write: boolean
}

/** What a mutant that does no harm has to stand. */
const HARMLESS_SEEDS = 200
/** No seed takes so long: a run that says nothing meanwhile does not end. */
const SILENT_MS = 120_000
const PAGE = join(ROOT, 'docs/PROMISES.md')
const [BEGIN, END] = ['<!-- mutants: npm run sim -- --mutants --write -->', '<!-- /mutants -->']

interface Outcome {
  readonly mutant: Mutant
  readonly seeds: number
  /** What the check said; undefined: nothing was found. */
  readonly finding: string | undefined
  readonly seconds: number
}

/** Exit code: 0 if everything is as it should be. */
export async function runMutants(options: MutantOptions): Promise<number> {
  const { names } = options
  const chosen = MUTANTS.filter(({ name }) => names.length === 0 || names.some((part) => name.includes(part)))
  if (chosen.length === 0) {
    console.error(
      `no mutant is called like ${names.join(', ')}; allowed: ${MUTANTS.map(({ name }) => name).join(', ')}`,
    )
    return 2
  }
  const queue = [...chosen]
  const outcomes = new Map<Mutant, Outcome>()
  const work = async () => {
    for (let mutant = queue.shift(); mutant !== undefined; mutant = queue.shift()) {
      const outcome = await runOne(mutant, options)
      outcomes.set(mutant, outcome)
      console.log(lineOf(outcome))
      if (options.write && outcome.seeds > 0) writeTable([outcome], options)
    }
  }
  await Promise.all(Array.from({ length: options.jobs }, work))
  const all = chosen.map((mutant) => outcomes.get(mutant)!)
  const wrong = all.filter(
    ({ mutant, finding }) => (finding === undefined) !== (mutant.harmless !== undefined),
  )
  const harmless = all.filter(({ mutant }) => mutant.harmless !== undefined).length
  console.log(
    `${all.length - harmless} mutants and ${harmless} harmless ones, ${wrong.length} not as they should be`,
  )
  return wrong.length > 0 ? 1 : 0
}

async function runOne(mutant: Mutant, options: MutantOptions): Promise<Outcome> {
  const started = performance.now()
  let tree: string
  try {
    tree = plant(mutant)
  } catch (error) {
    // One text that moved must not stop the others.
    console.log(`  ${(error as Error).message}`)
    return { mutant, seeds: 0, finding: undefined, seconds: 0 }
  }
  const most = mutant.harmless === undefined ? options.seedsMax : Math.min(HARMLESS_SEEDS, options.seedsMax)
  const { seeds, finding } =
    mutant.test === undefined
      ? await runTree(tree, options.from, most)
      : { seeds: 1, finding: await runTest(tree, mutant.test.path) }
  uproot(tree)
  return { mutant, seeds, finding, seconds: (performance.now() - started) / 1000 }
}

function runTree(
  tree: string,
  from: bigint,
  most: number,
): Promise<{ seeds: number; finding: string | undefined }> {
  return new Promise((resolve) => {
    const child = fork(join(tree, 'test/sim/worker.ts'), {
      execArgv: ['--import', 'tsx'],
      cwd: ROOT,
      silent: true,
    })
    let seeds = 0
    let finding: string | undefined
    let errors = ''
    child.stderr?.setEncoding('utf8').on('data', (text) => {
      errors += text
    })
    const giveUp = () => {
      finding ??= 'the run does not end'
      child.kill('SIGKILL')
    }
    let silence = setTimeout(giveUp, SILENT_MS)
    child.on('message', (report: WorkerReport) => {
      clearTimeout(silence)
      silence = setTimeout(giveUp, SILENT_MS)
      seeds += report.seeds
      finding ??= report.findings[0]?.finding
    })
    void endOf(child).then((code) => {
      clearTimeout(silence)
      if (code !== 0 && finding === undefined)
        finding = `the run ends with ${code}: ${errors.trim().split('\n').at(-1)}`
      resolve({ seeds: finding === undefined ? seeds : Math.max(seeds, 1), finding })
    })
    const task: WorkerTask = {
      first: `${from}`,
      step: 1,
      end: `${from + BigInt(most)}`,
      seconds: undefined,
      store: 'wasm',
      stops: true,
    }
    child.send(task)
  })
}

/** What the first test that fails is called; undefined: none does. */
function runTest(tree: string, path: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const child = fork(join(tree, path), { execArgv: ['--import', 'tsx'], cwd: ROOT, silent: true })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text) => {
        output += text
      })
    }
    const patience = setTimeout(() => child.kill('SIGKILL'), SILENT_MS)
    // Not 'exit', which may come before the last words.
    child.on('close', (code) => {
      clearTimeout(patience)
      const failed = /FAIL {2}(.*)/.exec(output)?.[1]
      if (code !== 0 && failed === undefined) console.log(`  ${path} does not run:\n${output}`)
      resolve(failed)
    })
  })
}

/** What a check said, without the numbers and names of this run. */
export function checkOf(finding: string): string {
  return finding
    .split('\n')[0]!
    .replace(/\b[ab]\d+\b/g, 'node')
    .replace(/[0-9a-f]{16}/g, 'lineage')
    .replace(/\d+(\.\d+)?/g, 'n')
    .replace(/\|/g, '/')
    .slice(0, 110)
}

function verdictOf({ mutant, finding, seeds }: Outcome): string {
  if (finding !== undefined && mutant.test !== undefined)
    return `no seed, ${mutant.test.why}; \`${mutant.test.path}\` ${finding.replace(/\|/g, '/')}`
  if (finding !== undefined) return checkOf(finding)
  return mutant.harmless === undefined ? `NOT FOUND in ${seeds} seeds` : `harmless: ${mutant.harmless}`
}

function lineOf(outcome: Outcome): string {
  const { mutant, seeds, seconds } = outcome
  return `  ${mutant.name.padEnd(28)} ${`${seeds}`.padStart(6)} seeds ${seconds.toFixed(1).padStart(6)} s  ${verdictOf(outcome)}`
}

/** Puts what was run into the table, which keeps the rows of the others. */
function writeTable(outcomes: readonly Outcome[], { from }: MutantOptions): void {
  const page = readFileSync(PAGE, 'utf8')
  const [start, end] = [page.indexOf(BEGIN), page.indexOf(END)]
  if (start < 0 || end < 0) throw new Error(`${PAGE} has no place for the table: ${BEGIN} ... ${END}`)
  const rows = new Map<string, string>()
  for (const line of page.slice(start, end).split('\n')) rows.set(line.split(' | ')[0]!, line)
  for (const outcome of outcomes) {
    const { mutant, seeds } = outcome
    const count = mutant.test === undefined ? seeds : '-'
    rows.set(`| ${mutant.name}`, `| ${mutant.name} | ${mutant.bug} | ${count} | ${verdictOf(outcome)} |`)
  }
  const table = [
    BEGIN,
    '',
    `Seeds from ${from} on, one after the other, until the first finding. A harmless one ran ${HARMLESS_SEEDS} seeds without any.`,
    '',
    '| mutant | the bug | seeds | the check that caught it |',
    '|---|---|---|---|',
    ...MUTANTS.flatMap(({ name }) => rows.get(`| ${name}`) ?? []),
    '',
    END,
  ].join('\n')
  writeFileSync(PAGE, page.slice(0, start) + table + page.slice(end + END.length))
}
