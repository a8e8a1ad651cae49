// Programs of pages that are run as they stand there: what SIZING.md prints, what DEPLOYING.md's health checks answer.
import { spawnSync } from 'node:child_process'
import type { AddressInfo, Server } from 'node:net'
import type { HoldfastNode } from 'holdfast'
import { createPair } from 'holdfast/testing'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { tables } from '../node/support.ts'
import { blocksOf, root } from './pages.ts'
import { programOf } from './program.ts'

const test = suite('programs of the documentation')

const printed = (folder: string, file: string): string =>
  spawnSync(process.execPath, ['--import', 'tsx', `${folder}/${file}`], { cwd: root, encoding: 'utf8' })
    .stdout

test('docs/SIZING.md: the sizes it tells are what its program prints', () => {
  const folder = programOf('docs/SIZING.md')
  const told = blocksOf('docs/SIZING.md').find(({ language }) => language === 'text')!
  assert.is(printed(folder, 'sizing.ts'), told.code)
  assert.is(printed(folder, 'arena.ts'), '256000000\n')
})

test('docs/DEPLOYING.md: the health checks tell the primary, and who is ready', async () => {
  const { healthServer } = (await import(`${programOf('docs/DEPLOYING.md')}/health.mjs`)) as {
    healthServer(node: HoldfastNode): Server
  }
  const pair = await createPair({ tables })
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
