// time-out: 300 s
// What is in the packed package: what its entries reach, the documentation, and nothing else; publint and
// are-the-types-wrong have no complaint.
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { packed, project, root, run } from './support.ts'

const test = suite('tarball')

const { declarationOf, entries, reached } = (await import(`${root}scripts/declarations.mjs` as string)) as {
  declarationOf(path: string): string
  entries(exports: object, condition: string): string[]
  reached(root: string, starts: readonly string[], find?: (path: string) => string): Set<string>
}

const folder = join(project({}), 'node_modules/holdfast')
const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
  exports: Record<string, { types?: string; default?: string } | string>
  bin?: Record<string, string>
  scripts: Record<string, string>
  dependencies: Record<string, string>
  devDependencies: Record<string, string>
  peerDependencies: Record<string, string>
  peerDependenciesMeta: Record<string, { optional?: boolean }>
}
const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((path) => statSync(join(folder, path)).isFile())
  .map((path) => path.replaceAll('\\', '/'))

test('publint has no complaint', () => {
  run(join(root, 'node_modules/.bin/publint'), [packed(), '--strict'], root)
})

test('are-the-types-wrong has no complaint about an ESM-only package', () => {
  run(join(root, 'node_modules/.bin/attw'), [packed(), '--profile', 'esm-only'], root)
})

test('every entry is there, with its types', () => {
  for (const [name, entry] of Object.entries(manifest.exports)) {
    for (const path of typeof entry === 'string' ? [entry] : [entry.types, entry.default]) {
      assert.ok(path !== undefined && files.includes(path.replace('./', '')), `${name}: ${path}`)
    }
  }
  for (const path of Object.values(manifest.bin ?? {}))
    assert.ok(files.includes(path.replace('./', '')), path)
})

test('nothing is in it but what the entries reach, and the documentation', () => {
  const starts = [...entries(manifest.exports, 'default'), ...Object.values(manifest.bin ?? {})]
  const code = reached(
    folder,
    starts.map((path) => path.replace('./', '')),
  )
  const types = reached(folder, entries(manifest.exports, 'types'), declarationOf)
  const superfluous = files.filter((path) => {
    if (/^(README|CHANGELOG)\.md$|^LICENSE$|^package\.json$|^docs\//.test(path)) return false
    if (/^(dist\/admin\/page|examples)\//.test(path)) return false // served, or run by a command, not imported
    if (path.endsWith('.d.ts')) return !types.has(path)
    // A file of types only is a file without code.
    return (
      !code.has(path) &&
      readFileSync(join(folder, path), 'utf8')
        .replace(/\/\/.*|\/\*[\s\S]*?\*\//g, '')
        .trim() !== 'export {};'
    )
  })
  assert.equal(superfluous, [])
})

test('no file tells of the machine it was made on, and no source map points out of the package', () => {
  for (const path of files) {
    assert.not.match(path, /\.map$|\.tsbuildinfo$|(^|\/)\./)
    const text = readFileSync(join(folder, path), 'latin1')
    for (const word of [root.replace(/\/$/, ''), homedir()].filter((each) => each.length > 5)) {
      assert.not.ok(text.includes(word), `${path}: ${word}`)
    }
  }
})

test('installing it runs nothing, and brings one package', () => {
  for (const name of ['preinstall', 'install', 'postinstall', 'prepare'])
    assert.not.ok(name in manifest.scripts, name)
  assert.equal(Object.keys(manifest.dependencies), ['@assemblyscript/loader'])
  for (const name of Object.keys(manifest.peerDependencies)) {
    assert.is(manifest.peerDependenciesMeta[name]?.optional, true, `${name} is optional`)
  }
  assert.equal(
    readdirSync(join(folder, '..'))
      .filter((name) => !name.startsWith('.'))
      .sort(),
    ['@assemblyscript', 'holdfast'],
  )
})

test('its size', () => {
  const unpacked = files.reduce((sum, path) => sum + statSync(join(folder, path)).size, 0)
  const { size } = statSync(packed())
  console.log(
    `${files.length} files, ${(size / 1e3).toFixed(0)} kB packed, ${(unpacked / 1e6).toFixed(2)} MB unpacked`,
  )
  assert.ok(size < 1_000_000, `${size} bytes packed`)
})

test.run()
