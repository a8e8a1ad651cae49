// The witness on this runtime: a node alone takes the lease of a real etcd, keeps it while its application stands still,
// shuts its gate by its own clock when nobody renews, and gives the lease back. Passed over where etcd is not installed.
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createNode } from 'holdfast'
import { freeAddress } from 'holdfast/testing'
import { etcd } from 'holdfast/witness/etcd'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { keyOf, pairOptions, sessions, until } from './pair.mjs'

const test = suite('witness')
const LEASE_MS = 2_000
const isInstalled = spawnSync('etcd', ['--version']).error === undefined

async function withEtcd(body) {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-etcd-'))
  const [client, peer] = (await Promise.all([freeAddress(), freeAddress()])).map(
    (address) => `http://${address}`,
  )
  const args = [
    ...['--data-dir', directory, '--name', 'one', '--log-level', 'error', '--unsafe-no-fsync'],
    ...['--listen-client-urls', client, '--advertise-client-urls', client],
    ...[
      '--listen-peer-urls',
      peer,
      '--initial-advertise-peer-urls',
      peer,
      '--initial-cluster',
      `one=${peer}`,
    ],
  ]
  const server = spawn('etcd', args, { stdio: 'ignore' })
  try {
    const health = () =>
      fetch(`${client}/health`).then(
        (answer) => answer.text(),
        () => '',
      )
    const deadline = performance.now() + 20_000
    while (!(await health()).includes('true')) assert.ok(performance.now() < deadline, 'etcd starts')
    await body(client, server)
  } finally {
    server.kill('SIGKILL')
    rmSync(directory, { recursive: true, force: true })
  }
}

function block(ms) {
  const end = performance.now() + ms
  while (performance.now() < end);
}

const codeOfWrite = (node) => {
  try {
    node.tables.sessions.set(keyOf(1))
    return ''
  } catch ({ code }) {
    return code
  }
}

if (!isInstalled) console.log('SKIPPED: etcd is not installed (Debian: etcd-server)')

test('a node acts under the lease of etcd, and only so long', async () => {
  if (!isInstalled) return
  await withEtcd(async (endpoint, server) => {
    const options = await pairOptions({
      mode: 'witness',
      witness: etcd({ endpoints: [endpoint], lease: LEASE_MS }),
    })
    const node = await createNode({ ...options.a, tables: { sessions }, holdDown: 300 })
    try {
      await node.ready()
      assert.is(node.status().witness.by, 'lease')
      block(2 * LEASE_MS)
      assert.is(codeOfWrite(node), '', 'the sync thread renewed meanwhile')
      server.kill('SIGKILL')
      // Whether the sync thread says so or not: the writer itself refuses when the lease has run out.
      block(LEASE_MS)
      assert.is(codeOfWrite(node), 'ERR_NOT_PRIMARY')
      await until('the node has stepped down', () => node.role === 'secondary')
      assert.is(node.status().reason, 'lease-lost')
    } finally {
      await node.close()
    }
  })
})

test.run()
