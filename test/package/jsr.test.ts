// time-out: 300 s
// The sources as JSR would publish them: deno publish takes them (explicit types on every export, nothing missing), and a
// pair runs from them under Deno, sync threads included, without a build.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { root, run, temporary, write } from './support.ts'

const test = suite('jsr')

const PAIR = `
import { defineTable } from 'holdfast'
import { createPair } from 'holdfast/testing'
const sessions = defineTable({ name: 'sessions', key: { id: 'u32' }, fields: { count: 'u53' }, capacity: 100 })
// With the patience of a busy machine: what is tried here is that the sources run, not how soon silence is seen.
const pair = await createPair({ tables: { sessions }, heartbeat: { lost: 30 } })
pair.a.tables.sessions.set({ id: 1 }, { count: 5 })
await pair.a.handover()
while (pair.b.role !== 'primary') await new Promise((done) => pair.b.once('role', done))
console.log('b', pair.b.role, pair.b.tables.sessions.get({ id: 1 })?.count)
await pair.close()
Deno.exit(0)
`

test('deno publish takes the sources, and a pair runs from them', () => {
  const npm = ['run', '--silent', 'jsr', '--', '--dry-run', '--allow-dirty']
  run('npm', npm, root)
  const stage = join(root, 'build/jsr')
  const manifest = JSON.parse(readFileSync(join(stage, 'jsr.json'), 'utf8')) as {
    version: string
    exports: Record<string, string>
    imports: Record<string, string>
  }
  for (const path of Object.values(manifest.exports)) assert.ok(existsSync(join(stage, path)), path)
  assert.ok(existsSync(join(stage, 'src/table/wasm-bytes.ts')))

  const folder = temporary()
  const own = Object.entries(manifest.exports).map(([entry, path]) => [
    entry.replace('.', 'holdfast'),
    new URL(path, `file://${stage}/`).href,
  ])
  write(folder, {
    'pair.ts': PAIR,
    'deno.json': JSON.stringify({ imports: { ...manifest.imports, ...Object.fromEntries(own) } }),
  })
  const deno = join(root, 'node_modules/.bin/deno')
  const printed = run(deno, ['run', '--allow-all', '--no-prompt', '--no-check', 'pair.ts'], folder)
  assert.is(printed, 'b primary 5\n')
})

test.run()
