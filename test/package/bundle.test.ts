// time-out: 300 s
// A program bundled as docs/BUNDLING.md says: two processes of it, without node_modules, are a pair, and the second goes on
// when the first is killed. Without the thread's file it is told what is missing.
import { cpSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { blocksOf, filesOf } from '../docs/pages.ts'
import { places, project, root, run, temporary, Watched, write } from './support.ts'

const test = suite('bundle')

const SERVER = `
import { readFileSync } from 'node:fs'
import { createNode, defineTable } from 'holdfast'

const [id, peer] = process.argv.slice(2)
const sessions = defineTable({ name: 'sessions', key: { id: 'u32' }, fields: { count: 'u53' }, capacity: 1000 })
const place = JSON.parse(readFileSync(\`\${id}.json\`, 'utf8'))
const node = await createNode({ id, peer, tables: { sessions }, admin: { listen: '127.0.0.1:0' }, ...place })
console.log('admin', node.status().admin)
const table = node.tables.sessions
node.on('role', ({ role }) => console.log(role, table.size, table.get({ id: 7 })?.count))
node.on('synced', () => console.log('synced', table.size))
await node.ready()
if (node.role === 'primary') {
  table.set({ id: 7 }, { count: 42 })
  await node.replicated({ alone: 'wait' })
  console.log('held')
}
`

/** The bundle, with everything that a pair of it needs, in a folder without node_modules. */
async function bundled(): Promise<string> {
  const build = filesOf('docs/BUNDLING.md').get('build.mjs')!
  const folder = project(
    { 'server.mjs': SERVER, 'build.mjs': build },
    `file:${join(root, 'node_modules/esbuild')}`,
  )
  run(process.execPath, ['build.mjs'], folder)
  const alone = temporary()
  cpSync(join(folder, 'dist'), alone, { recursive: true })
  const { a, b } = await places()
  write(alone, {
    'package.json': '{"type":"module"}',
    'a.json': JSON.stringify(a),
    'b.json': JSON.stringify(b),
  })
  return alone
}

test('two processes of a minified bundle are a pair, and the second goes on', async () => {
  const folder = await bundled()
  assert.equal(
    readdirSync(folder).filter((name) => name.endsWith('.js')),
    ['holdfast-thread.js', 'server.js'],
  )
  const command = [process.execPath, 'server.js']
  await killOne(command, command, folder)
})

/** A pair of these two commands; the first is killed, the second has what it held. */
async function killOne(first: readonly string[], second: readonly string[], folder: string): Promise<void> {
  const a = new Watched([...first, 'a', 'b'], folder)
  await a.says(/primary 0/)
  const b = new Watched([...second, 'b', 'a'], folder)
  try {
    await a.says(/held/)
    await b.says(/synced 1/)
    for (const node of [a, b]) {
      const [, address] = await node.says(/admin (\S+)/)
      assert.is((await fetch(`${address}/ready`)).status, 200)
    }
    a.kill()
    await b.says(/primary 1 42/)
  } finally {
    a.kill()
    b.kill()
    await Promise.all([a.ends(), b.ends()])
  }
}

test('a bundle without the file of the sync thread is told which one is missing', async () => {
  const folder = await bundled()
  rmSync(join(folder, 'holdfast-thread.js'))
  const a = new Watched([process.execPath, 'server.js', 'a', 'b'], folder)
  assert.is(await a.ends(), 1)
  assert.match(
    a.output,
    /^\S+ \[SyncThreadError\]: the sync thread ended: .*holdfast-thread\.js.*docs\/BUNDLING\.md[\s\S]*ERR_SYNC_THREAD/m,
  )
})

test('Bun makes a bundle and a single executable that run as a pair', async () => {
  const bun = join(root, 'node_modules/.bin/bun')
  const folder = project({ 'server.mjs': SERVER, ...Object.fromEntries(filesOf('docs/BUNDLING.md')) })
  const commands = blocksOf('docs/BUNDLING.md').find(({ code }) => code.startsWith('bun build'))!
  for (const line of commands.code.trim().split('\n')) run(bun, line.split(' ').slice(1), folder)
  const { a, b } = await places()
  const alone = temporary()
  cpSync(join(folder, 'dist'), alone, { recursive: true })
  cpSync(join(folder, 'server'), join(alone, 'server'))
  write(alone, { 'a.json': JSON.stringify(a), 'b.json': JSON.stringify(b) })
  await killOne([bun, 'server.js'], [join(alone, 'server')], alone)
})

test.run()
