// The benchmarks: `npm run bench`, `npm run bench -- --help`. Runs the groups of figures one after another, each in a
// process of its own, prints a table and writes bench/results/latest.json. bench/README.md says what each figure means.
import { loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { publish } from './charts/publish.ts'
import { lacking, select } from './lib/catalogue.ts'
import { type Figure, type FigureSpec, toFigure } from './lib/figure.ts'
import { report } from './lib/report.ts'
import { commit, LATEST, machine, readFigures, writeResults } from './lib/results.ts'
import { compile, runGroup } from './lib/run-group.ts'

const HELP = `npm run bench -- [options]

  --only <name>   measure this figure, or all figures whose name begins so; may be repeated.
                  The other figures of the JSON file stay as they are.
  --smoke         small sizes: results are checked, times mean nothing. Writes no file unless --json names one.
  --json <file>   where the figures go; default bench/results/latest.json
  --help          this text`

process.exitCode = await main()

async function main(): Promise<number> {
  let options: ReturnType<typeof parse>
  let specs: readonly FigureSpec[]
  try {
    options = parse()
    specs = select(options.only).filter((spec) => {
      const what = lacking(spec)
      if (what !== undefined) console.error(`${spec.name}: passed over, ${what}`)
      return what === undefined
    })
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${HELP}`)
    return 2
  }
  if (options.help) {
    console.log(HELP)
    return 0
  }
  const file = options.json ?? (options.smoke ? undefined : LATEST)
  const figures: Record<string, Figure> = {}
  let failed = 0
  compile()
  for (const group of new Set(specs.map((spec) => spec.group))) {
    try {
      Object.assign(
        figures,
        await measure(
          specs.filter((spec) => spec.group === group),
          options.smoke,
        ),
      )
    } catch (error) {
      failed++
      console.error((error as Error).message)
      continue
    }
    // After each group, so that a long run that is stopped has not measured in vain.
    if (file !== undefined) save(file, figures)
  }
  if (Object.keys(figures).length > 0) console.log(report(figures, options.smoke))
  if (file === LATEST) for (const path of publish()) console.error(`wrote ${path}`)
  if (options.smoke) console.log('\nsmall sizes: results were checked, the times mean nothing')
  return failed > 0 ? 1 : 0
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
  return values
}

async function measure(specs: readonly FigureSpec[], smoke: boolean): Promise<Record<string, Figure>> {
  const { group } = specs[0]!
  const began = performance.now()
  const [load = 0] = loadavg()
  const note = (text: string) => console.error(`  ${text}`)
  console.error(`${group} ...`)
  const measured = await runGroup(specs, smoke, note)
  console.error(`${group}: ${((performance.now() - began) / 1000).toFixed(1)} s`)
  const date = new Date().toISOString()
  const hash = commit()
  return Object.fromEntries(
    specs.map((spec) => [spec.name, toFigure(spec, measured[spec.name]!, { date, commit: hash, load })]),
  )
}

/** Puts the figures over those of the file, in the order of the catalogue. */
function save(file: string, figures: Readonly<Record<string, Figure>>): void {
  const all = { ...readFigures(file), ...figures }
  const known = select([]).map(({ name }) => name)
  const names = [
    ...known.filter((name) => all[name]),
    ...Object.keys(all).filter((name) => !known.includes(name)),
  ]
  writeResults(file, {
    machine: machine(),
    runtime: `node ${process.version}`,
    commit: commit(),
    date: new Date().toISOString(),
    figures: Object.fromEntries(names.map((name) => [name, all[name]!])),
  })
}
