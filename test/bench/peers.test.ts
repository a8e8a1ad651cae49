// time-out: 240 s
// The comparison with other programs cannot rot: it runs in small against whatever of them is installed, and what it
// checks must hold. conntrackd wants root and network namespaces, so it is measured only by hand.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ALWAYS, PEERS } from '../../bench/peers/list.ts'
import { readPeerResults } from '../../bench/peers/results.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const peers = suite('bench:peers')

function run(...args: string[]): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['--import', 'tsx', 'bench/peers/main.ts', ...args], { cwd: root })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text
      })
    }
    child.on('close', (code) => resolve({ code, output }))
  })
}

peers('every peer that is here is measured in small, and a line says which are not', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-peers-test-'))
  try {
    const file = join(folder, 'peers.json')
    const { code, output } = await run('--smoke', '--json', file, '--only', 'redis', '--only', 'haproxy')
    assert.is(code, 0, output)
    const results = readPeerResults(file)
    for (const { name, title, missing } of PEERS.filter(({ name }) => name !== 'conntrackd')) {
      if (missing() !== undefined && !ALWAYS.includes(name)) {
        assert.ok(output.includes(`SKIPPED ${title}`), `${name} is said to be skipped`)
        assert.match(results.skipped[name]!, /apt-get install/)
        continue
      }
      const peer = results.peers[name]!
      assert.is(peer.sessions, 20_000)
      for (const [figure, { value }] of Object.entries(peer.figures))
        assert.ok(Number.isFinite(value) && value >= 0, `${name} ${figure} ${value}`)
      assert.ok(output.includes(title), `${name} is printed`)
    }
    assert.match(output, /Not claimed/)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

peers('a peer that does not exist is an error, not an empty run', async () => {
  const { code, output } = await run('--only', 'nothing')
  assert.is(code, 2)
  assert.match(output, /--only nothing/)
})

peers('--help names every option and every peer', async () => {
  const { code, output } = await run('--help')
  assert.is(code, 0)
  for (const word of ['--only', '--smoke', '--json', '--help', ...PEERS.map(({ name }) => name)])
    assert.ok(output.includes(word), word)
})

peers.run()
