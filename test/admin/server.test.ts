// The admin server of real nodes: what it shows, what it does, and what it tells as it happens.
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ConfigError, createNode, type NodeOptions } from 'holdfast'
import { createPair, type Pair } from 'holdfast/testing'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { closing, PATIENT, pairOptions, type Tables, tables, until } from '../node/support.ts'
import { act, call, type Heard, listenTo, TOKEN } from './support.ts'

const test = suite('admin server')
const admin = { listen: '127.0.0.1:0', token: TOKEN }

type Opened = { close(): Promise<unknown> }[]

async function pairWithAdmin(opened: Opened, more: Partial<NodeOptions<Tables>> = {}): Promise<Pair<Tables>> {
  const pair = await createPair({ tables, admin, heartbeat: PATIENT, ...more })
  opened.push(pair)
  return pair
}

/** Where a node's admin server listens. */
const at = (node: Pair<Tables>['a']): string => node.status().admin!

test('/status is node.status() with version, runtime, start and uptime', () =>
  closing(async (opened) => {
    const { a } = await pairWithAdmin(opened)
    a.tables.sessions.set({ id: 1 }, { count: 1 })
    const { status, headers, json } = await call(at(a), '/status')
    assert.is(status, 200)
    assert.is(headers['cache-control'], 'no-store')
    const manifest = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8'))
    assert.is(json.version, manifest.version)
    assert.equal(json.runtime, { name: 'node', version: process.versions.node })
    assert.ok(Math.abs(Date.now() - json.startedAt - json.uptimeMs) < 1000, 'uptime counts from the start')
    assert.is(json.role, 'primary')
    assert.is(json.acting, true)
    assert.is(json.peer.id, 'b')
    assert.is(json.tables.sessions.sessions, 1)
    assert.is(json.links.m1.up, true)
    assert.equal(
      Object.keys(a.status()).filter((name) => !(name in json)),
      [],
    )
  }))

test('/primary is 200 only where the node may act, /ready on both of a synced pair', () =>
  closing(async (opened) => {
    const { a, b } = await pairWithAdmin(opened)
    assert.equal((await call(at(a), '/primary')).json, {
      ok: true,
      role: 'primary',
      epoch: a.epoch,
      reason: '',
    })
    const other = await call(at(b), '/primary')
    assert.is(other.status, 503)
    assert.is(other.json.reason, 'secondary')
    for (const node of [a, b]) {
      assert.is((await call(at(node), '/ready')).status, 200)
      assert.is((await call(at(node), '/alive')).status, 200)
    }
    await a.handover()
    await until('b is told', () => b.role === 'primary')
    assert.is((await call(at(b), '/primary')).status, 200)
    assert.is((await call(at(a), '/primary')).status, 503)
    assert.is((await call(at(a), '/primary', { method: 'HEAD' })).status, 503)
  }))

test('a node that starts is not ready and says so; a primary is none before onPromote has ended', () =>
  closing(async (opened) => {
    const { a: options } = await pairOptions({ holdDown: 400 })
    let promoted!: () => void
    const onPromote = () => new Promise<void>((resolve) => (promoted = resolve))
    const node = await createNode({ ...options, admin, onPromote })
    opened.push(node)
    const address = node.status().admin!
    const early = await call(address, '/ready')
    assert.is(early.status, 503)
    assert.is(early.json.reason, 'no role has been decided yet')
    await until('the hook runs', () => promoted !== undefined)
    for (const path of ['/primary', '/ready']) {
      const { status, json } = await call(address, path)
      assert.is(status, 503)
      assert.is(json.reason, 'primary, but onPromote has not finished')
    }
    promoted()
    await node.ready()
    let last = 0
    while (last !== 200) last = (await call(address, '/primary')).status
  }))

test('/events begins with the status, goes on with it, and tells a handover as it happens', () =>
  closing(async (opened) => {
    const { a, b, m1 } = await pairWithAdmin(opened)
    const reader = await listenTo(at(b))
    opened.push(reader)
    const first = await reader.next('a first status', ({ name }) => name === 'status')
    assert.is(first.data.id, 'b')
    assert.is(first.data.role, 'secondary')
    // A pair can be protected over one link, while the other is still being dialled.
    await until('m1 is up', () => b.status().links.m1.up)
    m1.cut()
    const isLoss = ({ name, data }: Heard) => name === 'link' && data.link === 'm1' && !data.up
    const { data } = await reader.next('the loss of m1', isLoss)
    assert.is.not(data.reason, '')
    m1.mend()
    await until('m1 is back', () => b.status().links.m1.up)
    await a.handover()
    const role = await reader.next('the new role', ({ name }) => name === 'role')
    assert.is(role.data.role, 'primary')
    assert.is(role.data.reason, 'handover')
    assert.match(role.data.message, 'handed its role over')
    await reader.next('a status as primary', ({ name, data }) => name === 'status' && data.role === 'primary')
    await b.close()
    await until('the stream ends with the node', () => reader.ended)
    const stopped = reader.events.filter(({ name }) => name === 'role').at(-1)!
    assert.is(stopped.data.role, 'stopped')
  }))

test('status comes at most four times a second', () =>
  closing(async (opened) => {
    const { a } = await pairWithAdmin(opened)
    const reader = await listenTo(at(a))
    opened.push(reader)
    const begun = performance.now()
    await until('nine of them', () => reader.events.filter(({ name }) => name === 'status').length >= 9)
    assert.ok(performance.now() - begun >= 1900, 'eight intervals of a quarter of a second')
  }))

test('whoever has the token hands over, sets maintenance, compares and proves', () =>
  closing(async (opened) => {
    const { a, b } = await pairWithAdmin(opened, { switchHoldDown: 60_000 })
    a.tables.sessions.set({ id: 1 }, { count: 1 })
    const proof = await act(at(b), 'verify')
    assert.is(proof.status, 200)
    assert.is(proof.json.equal, true)
    assert.equal((await act(at(a), 'resync')).json, { resynced: true })
    const handed = await act(at(a), 'handover')
    assert.is(handed.status, 200)
    await until('b leads', () => b.role === 'primary')
    const refused = await act(at(a), 'handover')
    assert.is(refused.status, 409)
    assert.is(refused.json.error.code, 'ERR_HANDOVER')
    assert.equal((await act(at(a), 'maintenance', { on: true })).json, { maintenance: true })
    await until('a is in maintenance', () => a.status().maintenance)
    assert.is((await act(at(a), 'maintenance', { on: 'yes' })).status, 400)
    assert.equal((await act(at(a), 'maintenance', { on: false })).json, { maintenance: false })
  }))

test('/routes lists every route there is', () =>
  closing(async (opened) => {
    const { a } = await pairWithAdmin(opened)
    const { status, text } = await call(at(a), '/routes')
    assert.is(status, 200)
    const routes = [...text.matchAll(/^(GET|POST) +(\/\S*)/gm)].map(([, method, path]) => ({ method, path }))
    assert.ok(routes.length >= 9)
    for (const { method, path } of routes) {
      if (path === '/events') continue
      assert.is.not((await call(at(a), path!, { method: method! })).status, 404, path)
    }
  }))

test('closing the node frees the port, and a node that cannot have it does not start', () =>
  closing(async (opened) => {
    const { a: options, b: other } = await pairOptions()
    const first = await createNode({ ...options, admin })
    opened.push(first)
    const listen = new URL(first.status().admin!).host
    let failure: unknown
    await createNode({ ...other, admin: { listen } }).catch((error) => (failure = error))
    assert.instance(failure, ConfigError)
    assert.match(
      (failure as Error).message,
      `admin.listen: '${listen}' given; cannot listen there (EADDRINUSE)`,
    )
    await first.close()
    const probe = createServer()
    await new Promise<void>((resolve, reject) => {
      probe.on('error', reject)
      probe.listen(Number(listen.split(':')[1]), '127.0.0.1', () => resolve())
    })
    probe.close()
  }))

test('a unix socket is for this user only, is taken over from the dead, and is removed', () =>
  closing(async (opened) => {
    const folder = mkdtempSync(join(tmpdir(), 'holdfast-admin-'))
    opened.push({ close: async () => rmSync(folder, { recursive: true }) })
    const listen = join(folder, 'admin.sock')
    await leaveSocketBehind(listen)
    const { a: options } = await pairOptions()
    const node = await createNode({ ...options, admin: { listen, token: TOKEN } })
    opened.push(node)
    assert.is(node.status().admin, `unix:${listen}`)
    assert.is(statSync(listen).mode & 0o777, 0o600)
    assert.is((await call(`unix:${listen}`, '/status')).json.id, 'a')
    assert.is((await act(`unix:${listen}`, 'maintenance', { on: true })).status, 200)
    await node.close()
    assert.not(existsSync(listen))
  }))

/** Listens in a process that is killed. */
async function leaveSocketBehind(path: string): Promise<void> {
  const { spawn } = await import('node:child_process')
  const program = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`
  const child = spawn(process.execPath, ['-e', program])
  await new Promise((resolve) => child.once('exit', resolve))
  assert.ok(existsSync(path))
}

test.run()
