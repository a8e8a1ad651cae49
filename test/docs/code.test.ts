// time-out: 300 s
// Every ts and js block of the documentation is compiled against the package as it is, strictly where it is TypeScript.
// What a block takes for granted stands in a note above it (pages.ts). Each is run as well; by whom is listed here.
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Block, blocksOf, pages, root } from './pages.ts'

const test = suite('code of the documentation')

/** One file to compile, and where its lines stand on the page. */
interface Source {
  readonly path: string
  readonly text: string
  readonly page: string
  readonly isStrict: boolean
  /** By line of the file, from 0: line of the page. */
  readonly lines: readonly number[]
}

const ENDINGS: Record<string, string> = { ts: '.ts', js: '.mjs' }

/** Blocks that are not compiled, by page and first line, and why. */
const UNCHECKED: Record<string, string> = {
  "docs/FROM-REDIS.md: import { RedisStore } from 'connect-redis'":
    'the program that is to be replaced: its packages are not installed here',
}

/** Tests that run the blocks of a page, and how many blocks there are: whoever adds one says here who runs it. */
const RUN: Record<string, readonly [blocks: number, ...tests: string[]]> = {
  'README.md': [1, 'test/package/readme.ts'],
  'docs/BUNDLING.md': [2, 'test/package/bundle.test.ts'],
  'docs/COMMAND.md': [1, 'test/docs/operating.test.ts'],
  'docs/DEPLOYING.md': [2, 'test/docs/operating.test.ts', 'test/docs/programs.test.ts'],
  'docs/EMBEDDING.md': [6, 'test/docs/embedding.test.ts'],
  'docs/FENCING.md': [2, 'test/fencing/recipes.test.ts'],
  'docs/FROM-REDIS.md': [2, 'test/docs/stores.test.ts', 'test/docs/from-redis.test.ts'],
  'docs/GETTING-STARTED.md': [1, 'test/package/getting-started.test.ts'],
  'docs/GUIDE.md': [4, 'test/docs/programs.test.ts', 'test/docs/stores.test.ts'],
  'docs/LIMITS.md': [1, 'test/docs/operating.test.ts'],
  'docs/MANY-CORES.md': [3, 'test/docs/many-cores.test.ts'],
  'docs/OPERATING.md': [6, 'test/docs/operating.test.ts'],
  'docs/SIZING.md': [2, 'test/docs/programs.test.ts'],
  'docs/TUNING.md': [1, 'test/docs/operating.test.ts'],
  'docs/adapters/express-rate-limit.md': [1, 'test/adapters/documented.test.ts'],
  'docs/adapters/express-session.md': [4, 'test/adapters/documented.test.ts', 'test/docs/stores.test.ts'],
  'docs/adapters/keyv.md': [1, 'test/adapters/documented.test.ts'],
  'docs/adapters/rate-limiter.md': [1, 'test/adapters/documented.test.ts'],
  'docs/adapters/unstorage.md': [1, 'test/adapters/documented.test.ts'],
}

/**
 * What is an error in JavaScript too: syntax, modules and names that do not exist, and members that nothing of this package
 * has. Types of other packages are stricter than JavaScript that runs.
 */
const NAMES =
  /error TS(1\d{3}|2304|2305|2307|2552|2724|18004):|error TS2(339|551): .* type '(HoldfastNode|Table|NodeStatus)/

const nameOf = ({ page, code }: Block): string => `${page}: ${code.split('\n', 1)[0]}`

const OPTIONS = {
  target: 'ES2023',
  lib: ['ES2023', 'ESNext.Disposable'],
  module: 'NodeNext',
  types: ['node'],
  typeRoots: [join(root, 'node_modules/@types')],
  moduleDetection: 'force',
  allowJs: true,
  checkJs: true,
  noEmit: true,
  skipLibCheck: true,
}

function sourcesOf(page: string): Source[] {
  const folder = page.replace(/\.md$/, '').replaceAll('/', '.')
  let before: { lines: string[]; numbers: number[] } = { lines: [], numbers: [] }
  return blocksOf(page)
    .filter(({ language }) => language in ENDINGS)
    .filter((block) => !(nameOf(block) in UNCHECKED))
    .map((block, i) => {
      const own = linesOf(block)
      const goesOn = block.notes.has('continues')
      const given = (block.notes.get('given') ?? '').split('\n').filter((line) => line !== '')
      const lines = [...(goesOn ? before.lines : []), ...given, ...own]
      const numbers = [
        ...(goesOn ? before.numbers : []),
        ...given.map(() => block.line - 1),
        ...own.map((_, offset) => block.line + offset),
      ]
      before = { lines, numbers }
      // Declarations want a file of the other kind; how strictly it is taken stays as the block says.
      const ending = given.length > 0 ? '.ts' : ENDINGS[block.language]
      const name = block.notes.get('file') ?? `block-${i + 1}${ending}`
      const isStrict = block.language === 'ts'
      return { path: join(folder, name), text: lines.join('\n'), page, isStrict, lines: numbers }
    })
}

const linesOf = ({ code }: Block): string[] => code.trimEnd().split('\n')

/** What the compiler says of the sources, at the lines of their pages. */
function compile(sources: readonly Source[], strict: boolean): string[] {
  if (sources.length === 0) return []
  mkdirSync(join(root, 'build'), { recursive: true })
  const folder = mkdtempSync(join(root, 'build/docs-'))
  try {
    for (const { path, text } of sources) {
      mkdirSync(dirname(join(folder, path)), { recursive: true })
      writeFileSync(join(folder, path), text)
    }
    const files = sources.map(({ path }) => path)
    writeFileSync(
      join(folder, 'tsconfig.json'),
      JSON.stringify({ compilerOptions: { ...OPTIONS, strict }, files }),
    )
    const tsc = join(root, 'node_modules/typescript/bin/tsc')
    const { stdout, stderr } = spawnSync(process.execPath, [tsc, '-p', folder, '--pretty', 'false'], {
      cwd: folder,
      encoding: 'utf8',
    })
    return (stdout + stderr)
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => atPage(line, sources))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function atPage(message: string, sources: readonly Source[]): string {
  const [, path = '', line = '', rest = ''] = /^(.+?)\((\d+),\d+\): (.*)$/.exec(message) ?? []
  const source = sources.find((each) => relative('.', each.path) === relative('.', path))
  return source === undefined ? message : `${source.page}:${source.lines[Number(line) - 1]}: ${rest}`
}

const sources = pages().flatMap(sourcesOf)

test('every TypeScript block compiles, strictly', () => {
  const typed = sources.filter(({ isStrict }) => isStrict)
  assert.ok(typed.length >= 5, `${typed.length} blocks`)
  assert.equal(compile(typed, true), [])
})

test('every JavaScript block names what there is', () => {
  const untyped = sources.filter(({ isStrict }) => !isStrict)
  const wrong = compile(untyped, false).filter((line) => NAMES.test(line))
  assert.equal(wrong, [])
})

test('each block is run by a test that names its page', () => {
  const counts: Record<string, number> = {}
  for (const { page } of sources) counts[page] = (counts[page] ?? 0) + 1
  assert.equal(counts, Object.fromEntries(Object.entries(RUN).map(([page, [blocks]]) => [page, blocks])))
  for (const [page, [, ...tests]] of Object.entries(RUN)) {
    const name = page.startsWith('docs/adapters/') ? page.slice('docs/adapters/'.length, -3) : page
    for (const test of tests)
      assert.ok(readFileSync(join(root, test), 'utf8').includes(name), `${test}: ${name}`)
  }
})

test('what is not compiled is there, and has a reason', () => {
  const names = pages().flatMap(blocksOf).map(nameOf)
  for (const [name, reason] of Object.entries(UNCHECKED)) {
    assert.ok(names.includes(name), name)
    assert.ok(reason.length > 20, name)
  }
})

test('a wrong name in a block would be found, at its line', () => {
  const text = "import { defineTable, createNodes } from 'holdfast'\ndefineTable({ name: 1 })"
  const found = compile([{ path: 'a/b.ts', text, page: 'docs/A.md', isStrict: true, lines: [7, 8] }], true)
  assert.match(found[0]!, /^docs\/A\.md:7: error TS\d+: .*createNodes/)
  assert.ok(
    found.some((line) => line.startsWith('docs/A.md:8: ')),
    found.join('\n'),
  )
})

test.run()
