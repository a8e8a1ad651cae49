// Programs of pages that are run as they stand there: what SIZING.md prints, what DEPLOYING.md's health checks answer.
import { spawnSync } from 'node:child_process'
import type { AddressInfo, Server } from 'node:net'
import type { HoldfastNode } from 'holdfast'
import { createPair } from 'holdfast/testing'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { PATIENT, tables, until } from '../node/support.ts'
import { blocksOf, root, textOf } from './pages.ts'
import { programOf } from './program.ts'

const test = suite('programs of the documentation')

/** What the guide's block on many sessions takes for granted, for real. */
const MANY = `import { defineTable } from 'holdfast'
import { createPair } from 'holdfast/testing'
const connections = defineTable({ name: 'connections', key: { proto: 'u8', srcIp: 'ipv4', srcPort: 'u16', dstIp: 'ipv4', dstPort: 'u16' },
  fields: { state: ['syn', 'established', 'closing'], packets: 'u53', bytes: 'u53', natIp: 'ipv4', natPort: 'u16' }, capacity: 1000 })
const pair = await createPair({ tables: { connections } })
const table = pair.a.tables.connections
const flow = { proto: 6, srcIp: '192.0.2.7', srcPort: 40001, dstIp: '198.51.100.7', dstPort: 443 }
const other = { ...flow, srcPort: 40002 }
const count = 2, sources = Uint32Array.of(0xc0000207, 0xc0000208), lengths = [100, 200]`

const printed = (folder: string, file: string): string =>
  spawnSync(process.execPath, ['--import', 'tsx', `${folder}/${file}`], { cwd: root, encoding: 'utf8' })
    .stdout

test('docs/GUIDE.md: the blocks on long values and on many sessions in a call run as they stand there', () => {
  const blocks = blocksOf('docs/GUIDE.md').map(({ code }) => code)
  const web = blocks.find((code) => code.startsWith('const web = '))!
  const many = blocks.find((code) => code.startsWith('table.setMany'))!
  const folder = programOf('docs/GUIDE.md', {
    'web.ts': `import { defineTable, string } from 'holdfast'\n${web}\nconsole.log(web.arena, web.schemaHash.length)`,
    'many.ts': `${MANY}\n${many}\nconsole.log(rows.found.slice(0, 2).join(), table.get(flow)?.bytes, table.size)\nawait pair.close()`,
  })
  assert.is(printed(folder, 'web.ts'), '536870912 16\n')
  // The first row is the flow, which had no bytes, and 100 more; the second has a key that nobody holds.
  assert.is(printed(folder, 'many.ts'), '1,0 100 2\n')
})

test('docs/SIZING.md: the sizes it tells are what its program prints', () => {
  const folder = programOf('docs/SIZING.md')
  const told = blocksOf('docs/SIZING.md').find(({ language }) => language === 'text')!
  assert.is(printed(folder, 'sizing.ts'), told.code)
  assert.is(printed(folder, 'arena.ts'), '256000000\n')
})

test('docs/TUNING.md: its times of silence are what interval and lost give', () => {
  const rows = [...textOf('docs/TUNING.md').matchAll(/^\| [^|]+ \| (\d+) \| (\d+) \| (\d+) ms \|$/gm)]
  assert.ok(rows.length >= 4)
  for (const [row, interval, lost, bound] of rows) {
    assert.is(Number(bound), Number(interval) * Number(lost) + Number(interval) / 2, row)
  }
})

test('docs/DEPLOYING.md: the health checks tell the primary, and who is ready', async () => {
  const { healthServer } = (await import(`${programOf('docs/DEPLOYING.md')}/health.mjs`)) as {
    healthServer(node: HoldfastNode): Server
  }
  const pair = await createPair({ tables, heartbeat: PATIENT })
  const servers = [pair.a, pair.b].map((node) => healthServer(node as unknown as HoldfastNode))
  const ask = async (at: number, path: string) => {
    const { port } = servers[at]!.address() as AddressInfo
    return (await fetch(`http://127.0.0.1:${port}${path}`)).status
  }
  const answers = async () => [
    await Promise.all(['/alive', '/ready', '/primary', '/other'].map((path) => ask(0, path))),
    await Promise.all(['/alive', '/ready', '/primary', '/other'].map((path) => ask(1, path))),
  ]
  try {
    for (const server of servers) await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    assert.equal(await answers(), [
      [200, 200, 200, 503],
      [200, 200, 503, 503],
    ])
    await pair.a.close()
    // Its own application may hear of its role a moment after the other's.
    await until('b leads', () => pair.b.role === 'primary')
    assert.equal(await answers(), [
      [503, 503, 503, 503],
      [200, 200, 200, 503],
    ])
  } finally {
    for (const server of servers) server.close()
    await pair.close()
  }
})

test.run()
