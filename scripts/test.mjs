// Runs the tests: every test/**/*.test.ts in a process of its own, under an outer time-out. Nodes that talk to each
// other mostly wait: beside two such files run two that only calculate, which make way for them.
//   node scripts/test.mjs [--dir DIR] [--at-once N] [part of a path]...     N of each kind
// uvu has no time-out, and a file that forgets .run() ends well without a word: both are failures here. A file that
// needs more than two minutes says so in its first lines: `// time-out: 300 s`.
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { transform } from 'esbuild'

const TIMEOUT_S = 120
const HEAD_LINES = 10
const OUTPUT_MAX = 1 << 20
/** Need the built package, root or a browser, so they run only when --dir names them. */
const ON_DEMAND = ['test/system', 'test/runtime', 'test/package', 'test/page']

/** Calculate all the time, and no time of day or heartbeat matters to what they find. */
const CALCULATING = [
  'test/bench/smoke',
  'test/core/',
  'test/docs/code',
  'test/firewall/',
  'test/hostile/core',
  'test/hostile/engine',
  'test/hostile/wire',
  'test/schema/',
  'test/sim/',
  'test/state/',
  'test/table/',
]
const COMPILED = new URL('./compiled.mjs', import.meta.url).href
/** nice: about a third of what one that waits gets where both want the processor. With 19 a busy neighbour left nothing. */
const NICE = 5
/** They have so many times their time: the time-out is against what hangs, and they yield. */
const PATIENCE = 5
/** Before the command of such a file, where the system has nice(1). */
const YIELDING = process.platform === 'win32' ? [] : ['nice', '-n', `${NICE}`]

const root = fileURLToPath(new URL('..', import.meta.url))
const compiled = mkdtempSync(join(tmpdir(), 'holdfast-compiled-'))
process.on('exit', () => rmSync(compiled, { recursive: true, force: true }))
const { dir, atOnce, filters } = parseArguments(process.argv.slice(2))
const files = findTests(dir).filter(
  (file) => filters.length === 0 || filters.some((part) => file.includes(part)),
)
const queue = files
  .map((file) => ({ file, ...readHead(file), calculates: calculates(file) }))
  // The longest first: several at once end together more often.
  .sort((a, b) => b.timeoutS - a.timeoutS || (a.file < b.file ? -1 : 1))
const lanes = [queue.filter(({ calculates }) => calculates), queue.filter(({ calculates }) => !calculates)]
const running = new Set()
const sum = { passed: 0, failed: 0 }

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => {
    for (const child of running) kill(child)
    process.exit(1)
  })
}

if (queue.length === 0) {
  console.log(`no test file in ${dir}${filters.length > 0 ? ` matches ${filters.join(', ')}` : ''}`)
  sum.failed = 1
}
await compile()
await Promise.all(lanes.flatMap((lane) => Array.from({ length: atOnce }, () => work(lane))))
console.log(`${sum.passed} passed, ${sum.failed} failed`)
process.exitCode = sum.failed > 0 ? 1 : 0

/** All TypeScript that a test may load, once for all of their processes; they start by scripts/compiled.mjs. */
async function compile() {
  const sources = ['bench', 'src', 'test'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true })
      .filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'))
      .map((name) => join(root, folder, name)),
  )
  await Promise.all(sources.map(compileOne))
}

async function compileOne(source) {
  const { code } = await transform(await readFile(source, 'utf8'), {
    loader: 'ts',
    format: 'esm',
    target: `node${process.versions.node}`,
    // What TypeScript itself is told: an import stays one, for what its module does.
    tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true } },
    sourcemap: 'inline',
    sourcesContent: false,
    sourcefile: source,
  })
  const to = join(compiled, relative(root, source)).replace(/ts$/, 'js')
  await mkdir(dirname(to), { recursive: true })
  await writeFile(to, code)
}

async function work(lane) {
  for (let next = lane.shift(); next !== undefined; next = lane.shift()) {
    const started = performance.now()
    const result = judge(await run(next), next)
    const seconds = ((performance.now() - started) / 1000).toFixed(1)
    const failed = Math.max(result.total - result.passed, result.problem === undefined ? 0 : 1)
    sum.passed += result.passed
    sum.failed += failed
    const mark = failed > 0 ? 'FAIL' : 'ok  '
    const skipped = result.skipped > 0 ? `, ${result.skipped} skipped` : ''
    const why = result.problem === undefined ? '' : ` - ${result.problem}`
    console.log(`${mark} ${next.file}  ${result.passed}/${result.total}${skipped}  ${seconds} s${why}`)
    if (failed > 0) console.log(indent(result.output))
  }
}

/** One file in one child; resolves when it has ended, by itself or by the time-out. */
function run({ file, timeoutS, calculates }) {
  return new Promise((resolve) => {
    const node = [process.execPath, '--enable-source-maps', '--import', COMPILED, file]
    const [command, ...args] = [...(calculates ? YIELDING : []), ...node]
    const child = spawn(command, args, {
      cwd: root,
      env: {
        ...process.env,
        HOLDFAST_COMPILED: compiled,
        NO_COLOR: '1',
        FORCE_COLOR: '0',
        NODE_NO_WARNINGS: '1',
      },
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group of its own, so that a time-out also ends what the test has started.
      detached: true,
    })
    running.add(child)
    if (calculates) yieldGroup(child)
    let output = ''
    let timedOut = false
    const take = (chunk) => {
      output = (output + chunk).slice(-OUTPUT_MAX)
    }
    child.stdout.setEncoding('utf8').on('data', take)
    child.stderr.setEncoding('utf8').on('data', take)
    const timer = setTimeout(() => {
      timedOut = true
      kill(child)
    }, timeoutS * 1000)
    child.on('error', (error) => take(`${error}\n`))
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      running.delete(child)
      // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are escape sequences
      resolve({ output: output.replace(/\x1b\[[0-9;]*m/g, ''), code, signal, timedOut })
    })
  })
}

/** Where Linux schedules sessions as groups, a nice value counts within its group only; this one is the group's. */
function yieldGroup({ pid }) {
  try {
    writeFileSync(`/proc/${pid}/autogroup`, `${NICE}`)
  } catch {
    // There are no such groups here.
  }
}

function kill(child) {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch {
    // It has ended meanwhile.
  }
}

/** What uvu's last summary says, and what it cannot say: `problem` counts as one failure. */
function judge({ output, code, signal, timedOut }, { timeoutS, notRun }) {
  const last = (word) =>
    Number([...output.matchAll(new RegExp(`^ {2}${word}: +(\\d+)`, 'gm'))].at(-1)?.[1] ?? Number.NaN)
  const total = last('Total')
  const counted = Number.isInteger(total)
  const result = {
    output,
    total: counted ? total : 0,
    passed: counted ? last('Passed') : 0,
    skipped: counted ? last('Skipped') : 0,
  }
  const tellsFailure = counted && result.passed < result.total
  if (timedOut) result.problem = `timed out after ${timeoutS} s`
  else if (signal !== null) result.problem = `killed by ${signal}`
  else if (!counted && code !== 0) result.problem = `ended with ${code} before its tests did`
  else if (!counted) result.problem = 'ran no test: is .run() called?'
  else if (total === 0) result.problem = 'has no test'
  else if (notRun.length > 0)
    result.problem = `never calls ${notRun.map((name) => `${name}.run()`).join(', ')}`
  else if (code !== 0 && !tellsFailure) result.problem = `all passed, but it ended with ${code}`
  return result
}

function calculates(file) {
  return CALCULATING.some((of) => file.startsWith(of))
}

function readHead(file) {
  const text = readFileSync(join(root, file), 'utf8')
  const head = text.split('\n', HEAD_LINES).join('\n')
  const asked = Number(/\/\/ time-out: (\d+) s/.exec(head)?.[1] ?? TIMEOUT_S)
  const timeoutS = calculates(file) ? PATIENCE * asked : asked
  const suites = [...text.matchAll(/\bconst (\w+) = suite[<(]/g)].map((match) => match[1])
  return { timeoutS, notRun: suites.filter((name) => !text.includes(`${name}.run()`)) }
}

function findTests(from) {
  const start = join(root, from)
  if (!existsSync(start)) return []
  const found = readdirSync(start, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.test.ts'))
    .map((entry) =>
      relative(root, join(entry.parentPath ?? entry.path, entry.name))
        .split(sep)
        .join('/'),
    )
  const asked = relative(root, start).split(sep).join('/')
  return found.filter(
    (file) => !ON_DEMAND.some((on) => file.startsWith(`${on}/`) && !`${asked}/`.startsWith(`${on}/`)),
  )
}

function parseArguments(args) {
  const filters = []
  let dir = 'test'
  let atOnce = 2
  for (let i = 0; i < args.length; i++) {
    if (args[i] === '--dir') {
      const given = args[++i]
      if (given === undefined) throw new Error('--dir needs a folder')
      dir = given
    } else if (args[i] === '--at-once') atOnce = Number(args[++i])
    else filters.push(args[i])
  }
  if (!(atOnce >= 1)) throw new Error('--at-once needs a number from 1')
  return { dir, atOnce, filters }
}

function indent(text) {
  return text.trimEnd().replace(/^/gm, '    ')
}
