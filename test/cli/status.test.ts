// holdfast status and watch: a running pair through its admin addresses, in 80 columns, and what they say where nobody answers.
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { createNode } from 'holdfast'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { closing, pairOptions, protectedPair, until } from '../node/support.ts'
import { ended, holdfast, inFolder, start } from './support.ts'

const { painter, statusPage } = await import(new URL('../../dist/cli/status-view.js', import.meta.url).href)
const test = suite('status')

test('both nodes of a pair, by port and by unix socket: a page of at most 80 columns, JSON, and an exit code', () =>
  inFolder(async (folder) => {
    const options = await pairOptions()
    const socket = join(folder, 'b.sock')
    await closing(async (opened) => {
      const a = await createNode({ ...options.a, admin: { listen: '127.0.0.1:0' } })
      opened.push(a)
      const b = await createNode({ ...options.b, admin: { listen: socket } })
      opened.push(b)
      await protectedPair(a, b)
      for (let id = 0; id < 12_345; id++) a.tables.sessions.set({ id }, { count: id })
      await a.replicated()
      const address = a.status().admin!.replace('http://', '')
      const primary = await holdfast(['status', address])
      assert.equal([primary.code, primary.error], [0, ''])
      assert.match(primary.out, /^a {2}PRIMARY {2}protected {2}epoch \d+\n/)
      assert.match(primary.out, /^peer {3}b, secondary, synced$/m)
      assert.match(primary.out, /^m1 {5}up /m)
      assert.match(primary.out, /^sessions +12,345 +30 k +41\.\d % +0 +0$/m)
      for (const line of primary.out.split('\n')) assert.ok(line.length <= 80, line)
      assert.not.ok(primary.out.includes('\u001b'))
      const secondary = await holdfast(['status', socket])
      assert.is(secondary.code, 0)
      assert.match(secondary.out, /^b {2}SECONDARY {2}synced/)
      const { role, tables } = JSON.parse((await holdfast(['status', `http://${address}`, '--json'])).out)
      assert.equal([role, tables.sessions.sessions], ['primary', 12_345])
      await b.close()
      await until('a stands alone', () => !a.status().protected)
      const alone = await holdfast(['status', address])
      assert.is(alone.code, 1)
      assert.match(alone.out, /unprotected/)
      assert.match(alone.out, /^m2 {5}DOWN/m)
    })
  }))

test('watch prints a line each time where there is no terminal, and goes on when the node is gone', () =>
  closing(async (opened) => {
    const options = await pairOptions({ holdDown: 300 })
    const a = await createNode({ ...options.a, admin: { listen: '127.0.0.1:0' } })
    opened.push(a)
    await a.ready()
    const address = a.status().admin!.replace('http://', '')
    const two = await holdfast(['watch', address, '--interval', '0.1', '--count', '2'])
    assert.match(two.out, /^(\S+Z a primary epoch \d+ unprotected sessions 0 lag 0 m1 down m2 down\n){2}$/)
    assert.is(two.code, 1)
    const child = start(['watch', address, '--interval', '0.1'])
    let out = ''
    child.stdout!.on('data', (bytes) => (out += bytes))
    const end = ended(child)
    await until('it sees the node', () => / a primary /.test(out))
    await a.close()
    await until('it sees that nobody answers', () => /nothing listens/.test(out))
    child.kill('SIGTERM')
    await end
  }))

test('where nobody answers, or somebody else, it says what to do', () =>
  closing(async (opened) => {
    const { createServer } = await import('node:http')
    const server = createServer((_, answer) => answer.end('hello'))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    opened.push({ close: async () => void server.close() })
    const { port } = server.address() as { port: number }
    for (const [args, what, code] of [
      [['127.0.0.1:1'], /nothing listens at 127\.0\.0\.1:1: start the node with the option admin/, 1],
      [['/none/of/that.sock'], /nothing listens at/, 1],
      [['./none.sock'], /nothing listens at \.\/none\.sock.*listen: '\//, 1],
      [['none.invalid'], /no such host; a socket's path begins with/, 1],
      [[`127.0.0.1:${port}`], /not as the admin server of a node/, 1],
      [['https://127.0.0.1:1'], /speaks http/, 1],
      [['a b'], /is no address/, 1],
      [['a', 'b'], /allowed: one/, 2],
      [['--fast'], /--fast/, 2],
    ] as const) {
      const outcome = await holdfast(['status', ...args])
      assert.match(outcome.error, what)
      assert.is(outcome.code, code)
    }
  }))

test('the page stays in 80 columns whatever a node says, with and without colours', async () => {
  const link = {
    up: false,
    rttMs: 12_345.6,
    gapMs: 99_999,
    lossShare: 1,
    stream: false,
    heartbeats: false,
    bytesSent: 9e14,
    bytesReceived: 9e14,
    lastReason: 'refused by peer: '.repeat(20),
  }
  const change = {
    at: 0,
    role: 'secondary',
    epoch: 1,
    reason: 'application-stalled',
    by: null,
    message: 'word '.repeat(60),
    durationMs: 1e9,
    position: { epoch: 1, sequence: 1 },
    sessions: 1e9,
    maintenance: false,
  }
  const status = {
    id: 'n'.repeat(20),
    role: 'secondary',
    epoch: 2 ** 52,
    lineage: '',
    reason: 'none',
    acting: false,
    protected: false,
    synced: false,
    resync: { mode: 'difference', left: 4e9, of: 4e9 },
    peer: { id: 'p'.repeat(20), role: 'secondary', synced: true, alive: false, maintenance: true },
    links: { m1: link, m2: { ...link, rttMs: null, gapMs: null } },
    witness: null,
    lag: { batches: 1e9, ms: 1e9 },
    tables: { ['t'.repeat(60)]: { sessions: 4e9, capacity: 4e9, unprotected: 4e9, refused: 4e9 } },
    maintenance: true,
    forced: true,
    health: { failed: 255, monitors: { ['m'.repeat(90)]: { healthy: false } } },
    damping: { changes: 9, holdDownMs: 1, leftMs: 1e9 },
    snapshot: null,
    history: Array.from({ length: 64 }, () => change),
    refusals: Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`reason-${i}`, 1e9])),
    version: '0.1.0',
    runtime: { name: 'node', version: '20.20.2' },
    startedAt: 0,
    uptimeMs: 1e12,
  }
  const plain = statusPage(status, painter(false)) as string
  for (const line of plain.split('\n')) assert.ok(line.length <= 80, `${line.length}: ${line}`)
  assert.is(stripVTControlCharacters(statusPage(status, painter(true))), plain)
})

test.run()
