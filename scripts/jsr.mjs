// Stages the sources for JSR in build/jsr and publishes them, or tries to: npm run jsr -- --dry-run
// JSR takes TypeScript as it is, with an explicit type on every export (isolatedDeclarations). The manifest is made from
// package.json, so version, entries and dependencies are said once. Adapters stay with npm: the libraries they adapt are
// there, and most have no types that JSR can read.
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const SCOPE = '@holdfast'
const ENTRIES = ['.', './testing', './witness/etcd', './thread']

const root = fileURLToPath(new URL('..', import.meta.url))
const stage = join(root, 'build/jsr')
const { name, version, license, exports, dependencies, peerDependencies } = JSON.parse(
  readFileSync(join(root, 'package.json'), 'utf8'),
)

const source = (entry) => exports[entry].default.replace('./dist/', './src/').replace(/\.js$/, '.ts')

rmSync(stage, { recursive: true, force: true })
mkdirSync(stage, { recursive: true })
for (const path of ['src', 'README.md', 'CHANGELOG.md', 'LICENSE'])
  cpSync(join(root, path), join(stage, path), { recursive: true })
rmSync(join(stage, 'src/adapters'), { recursive: true, force: true })
writeFileSync(
  join(stage, 'jsr.json'),
  JSON.stringify(
    {
      name: `${SCOPE}/${name}`,
      version,
      license,
      exports: Object.fromEntries(ENTRIES.map((entry) => [entry, source(entry)])),
      imports: Object.fromEntries(
        Object.entries({ ...dependencies, ...peerDependencies }).map(([each, range]) => [
          each,
          `npm:${each}@${range}`,
        ]),
      ),
    },
    null,
    2,
  ),
)
const deno = join(root, 'node_modules/.bin/deno')
const { status, error } = spawnSync(deno, ['publish', ...process.argv.slice(2)], {
  cwd: stage,
  stdio: 'inherit',
})
if (error !== undefined) console.error(`jsr: ${error.message}`)
process.exitCode = status ?? 1
