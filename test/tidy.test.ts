// House rules as a test: arrows between folders go one way, the core knows no clock and no socket, files stay rooms.
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'

const root = fileURLToPath(new URL('..', import.meta.url))
const LINES_MAX = 400

function files(folder: string, ending = '.ts'): string[] {
  const found: string[] = []
  for (const name of readdirSync(join(root, folder)).sort()) {
    const path = join(folder, name)
    if (name === 'node_modules') continue
    if (statSync(join(root, path)).isDirectory()) found.push(...files(path, ending))
    else if (path.endsWith(ending)) found.push(path)
  }
  return found
}

const read = (path: string) => readFileSync(join(root, path), 'utf8')

/** Modules a file imports: relative ones as paths from the root, others by name. */
function imports(path: string): string[] {
  const names = [...read(path).matchAll(/^\s*(?:import|export)\b[^'"]*?from\s+['"]([^'"]+)['"]/gm)].map(
    (m) => m[1]!,
  )
  return names.map((name) => (name.startsWith('.') ? relative(root, join(root, dirname(path), name)) : name))
}

/** What each folder of src may import, besides itself. */
const ARROWS: Record<string, RegExp> = {
  'src/wire': /^$/,
  'src/schema': /^src\/errors\.ts$/,
  'src/table': /^(src\/((errors|histogram)\.ts|schema\/.*|table\/.*)|@assemblyscript\/loader)$/,
  'src/core': /^src\/wire\//,
  'src/state': /^(src\/(core|wire)\/|src\/errors\.ts|node:)/,
  'src/io': /^(src\/(core|wire|io|state)\/|src\/errors\.ts|src\/witness\/witness\.ts|node:)/,
  'src/adapters': /^(src\/index\.ts|node:|express-session$|rate-limiter-flexible($|\/))/,
  'src/admin': /^(src\/((index|version)\.ts|metrics\/)|node:)/,
  'src/cli': /^(src\/(index|version)\.ts|src\/testing\/index\.ts|node:)/,
  'src/metrics': /^(src\/(index|version)\.ts|node:diagnostics_channel$|@opentelemetry\/api$)/,
  'src/witness': /^(src\/(errors|option-kinds|signals|core\/witness)\.ts|node:)/,
}

for (const [folder, allowed] of Object.entries(ARROWS)) {
  test(`${folder} imports only what its place allows`, () => {
    for (const path of files(folder)) {
      const wrong = imports(path).filter((name) => !name.startsWith(`${folder}/`) && !allowed.test(name))
      assert.equal(wrong, [], path)
    }
  })
}

test('assembly imports only itself', () => {
  for (const path of files('assembly')) {
    const wrong = imports(path).filter((name) => !name.startsWith('assembly/'))
    assert.equal(wrong, [], path)
  }
})

test('examples import the package by its name', () => {
  for (const path of [...files('examples', '.mjs'), ...files('examples', '.ts')]) {
    const wrong = imports(path).filter((name) => name.startsWith('src/') || name.startsWith('dist/'))
    assert.equal(wrong, [], path)
  }
})

test('src/core and src/wire read no clock, no randomness, no timer and no global of a runtime', () => {
  const banned =
    /\b(Date\.now|new Date|performance\.|Math\.random|setTimeout|setInterval|setImmediate|process\.|globalThis)/
  for (const path of [...files('src/core'), ...files('src/wire')]) {
    const code = read(path).replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '')
    assert.not.match(code, banned, path)
  }
})

test('src/core and src/wire keep no state of their own between instances', () => {
  for (const path of [...files('src/core'), ...files('src/wire')])
    assert.not.match(read(path), /^(export )?let /m, path)
})

test('no import goes in a circle', () => {
  const graph = new Map(files('src').map((path) => [path, imports(path)]))
  const done = new Set<string>()
  const walk = (path: string, trail: string[]): void => {
    assert.ok(!trail.includes(path), [...trail, path].join(' -> '))
    if (done.has(path)) return
    for (const next of graph.get(path) ?? []) walk(next, [...trail, path])
    done.add(path)
  }
  for (const path of graph.keys()) walk(path, [])
})

test(`files are rooms: at most ${LINES_MAX} lines, and they begin by saying what they are for`, () => {
  for (const path of [...files('src'), ...files('assembly'), ...files('test'), ...files('bench')]) {
    if (path.endsWith('wasm-bytes.ts')) continue
    const text = read(path)
    assert.ok(text.split('\n').length - 1 <= LINES_MAX, `${path} has ${text.split('\n').length - 1} lines`)
    assert.match(text, /^(#!.*\n)?(\/\/|\/\*)/, `${path} starts with a comment`)
  }
})

test('every test file runs its tests', () => {
  for (const path of files('test', '.test.ts')) assert.match(read(path), /\.run\(\)/, path)
})

test('no left-over markers, no exclusive or skipped tests', () => {
  for (const folder of ['src', 'assembly', 'test', 'bench', 'examples', 'scripts', 'docs']) {
    for (const path of [...files(folder, ''), 'README.md']) {
      if (path.includes('results') || path.endsWith('tidy.test.ts')) continue
      assert.not.match(read(path), /\b(TODO|FIXME|XXX|HACK)\b/, path)
      if (path.endsWith('.ts')) assert.not.match(read(path), /\btest\.(only|skip)\(/, path)
    }
  }
})

test.run()
