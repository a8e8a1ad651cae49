// What the admin server refuses, each under its name: strangers' sites, wrong tokens, floods, and what is no request.
import { Agent } from 'node:http'
import { connect, type Socket } from 'node:net'
import { createNode, type HoldfastNode, type NodeOptions } from 'holdfast'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { closing, pairOptions, type Tables, until } from '../node/support.ts'
import { type Ask, act, call, listenTo, TOKEN } from './support.ts'

const test = suite('admin server: refusals')

type Opened = { close(): Promise<unknown> }[]

async function alone(
  opened: Opened,
  admin: Partial<NonNullable<NodeOptions['admin']>> = { token: TOKEN },
): Promise<{ node: HoldfastNode<Tables>; address: string }> {
  const { a } = await pairOptions()
  const node = await createNode<Tables>({ ...a, admin: { listen: '127.0.0.1:0', ...admin } })
  opened.push(node)
  return { node, address: node.status().admin! }
}

const refused = (node: HoldfastNode<Tables>, name: string) => node.status().refusals[name] ?? 0

test('a host that a name server could point here is refused, addresses and localhost are not', () =>
  closing(async (opened) => {
    const { node, address } = await alone(opened, { hosts: ['Node-a.example'] })
    const ask = async (host: string) => (await call(address, '/status', { headers: { host } })).status
    for (const host of ['127.0.0.1', 'localhost:9470', '[::1]:9470', '192.0.2.7:80', 'node-A.example:9470']) {
      assert.is(await ask(host), 200, host)
    }
    for (const host of [
      'evil.example',
      'localhost.evil.example',
      '127.0.0.1.evil.example',
      'x@127.0.0.1.nip.io',
    ]) {
      assert.is(await ask(host), 403, host)
    }
    assert.is(refused(node, 'admin-host'), 4)
  }))

test("another site's page can neither read nor act; its own page and programs can", () =>
  closing(async (opened) => {
    const { node, address } = await alone(opened)
    const { host } = new URL(address)
    const ask = async (headers: Record<string, string>, options: Ask = {}) =>
      (await call(address, '/status', { ...options, headers: { host, ...headers } })).status
    assert.is(await ask({}), 200)
    assert.is(await ask({ origin: `http://${host}` }), 200)
    assert.is(await ask({ 'sec-fetch-site': 'same-origin' }), 200)
    assert.is(
      await ask({ 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }),
      200,
      'a link to the page',
    )
    assert.is(await ask({ origin: 'https://evil.example' }), 403)
    assert.is(await ask({ origin: 'null' }), 403)
    assert.is(await ask({ origin: 'http://127.0.0.1:1' }), 403, 'another port is another site')
    assert.is(await ask({ 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' }), 403)
    assert.is(refused(node, 'admin-origin'), 4)
    const headers = { host, origin: 'https://evil.example', authorization: `Bearer ${TOKEN}` }
    assert.is((await call(address, '/actions/verify', { method: 'POST', headers })).status, 403)
    assert.is((await call(address, '/status')).headers['access-control-allow-origin'], undefined)
  }))

test('actions want the token; without one configured they are off and say what to do', () =>
  closing(async (opened) => {
    const { node, address } = await alone(opened)
    for (const token of ['wrong', `${TOKEN}x`, TOKEN.slice(0, -1), TOKEN.toUpperCase()]) {
      const { status, headers, json } = await act(address, 'maintenance', { on: true }, token)
      assert.is(status, 401)
      assert.is(headers['www-authenticate'], 'Bearer')
      assert.is(json.error.code, 'admin-token')
    }
    assert.is((await call(address, '/actions/maintenance', { method: 'POST' })).status, 401)
    assert.is(refused(node, 'admin-token'), 5)
    assert.is(node.status().maintenance, false)
    await node.close()
    const other = await alone(opened, {})
    const off = await act(other.address, 'verify')
    assert.is(off.status, 403)
    assert.match(off.json.error.message, 'admin: { token }')
    assert.is(refused(other.node, 'admin-actions-off'), 1)
  }))

test('wrong paths, methods and bodies are refused by name', () =>
  closing(async (opened) => {
    const { node, address } = await alone(opened)
    assert.is((await call(address, '/nothing')).status, 404)
    assert.is((await call(address, '/../../etc/passwd')).status, 404)
    const method = await call(address, '/status', { method: 'DELETE' })
    assert.is(method.status, 405)
    assert.is(method.headers.allow, 'GET, HEAD')
    assert.is((await call(address, '/actions/verify')).status, 405)
    assert.is((await act(address, 'maintenance', { on: true, long: 'x'.repeat(2000) })).status, 413)
    const send = async (body: string, type: string) => {
      const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': type }
      return (await call(address, '/actions/maintenance', { method: 'POST', headers, body })).status
    }
    assert.is(await send('{"on":true}', 'text/plain'), 415)
    assert.is(await send('{"on":', 'application/json'), 400)
    assert.is(await send('[]', 'application/json'), 400)
    assert.is(await send('', 'application/json'), 400)
    assert.is(refused(node, 'admin-route'), 2)
    assert.is(refused(node, 'admin-method'), 2)
    assert.is(refused(node, 'admin-body'), 5)
    assert.is(node.status().maintenance, false)
  }))

test('what is no request is dropped, and a flood of connections and streams meets its bound', () =>
  closing(async (opened) => {
    const { node, address } = await alone(opened)
    const { hostname, port } = new URL(address)
    const open = (): Socket => {
      const socket = connect({ host: hostname, port: Number(port) })
      socket.on('error', () => {})
      opened.push({ close: async () => socket.destroy() })
      return socket
    }
    open().write('\x16\x03\x01 no request\r\n\r\n')
    await until('it was dropped', () => refused(node, 'admin-malformed') === 1)
    open().write(`GET /status HTTP/1.1\r\nhost: 127.0.0.1\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`)
    await until('the long head was dropped', () => refused(node, 'admin-malformed') === 2)
    for (let i = 0; i < 8; i++) opened.push(await listenTo(address))
    const ninth = await call(address, '/events')
    assert.is(ninth.status, 503)
    assert.is(ninth.json.error.code, 'admin-streams')
    for (let i = 0; i < 70; i++) open()
    await until('connections beyond the bound are closed', () => refused(node, 'admin-connections') >= 14)
    await node.close()
  }))

test('requests sent without waiting for answers meet their bound; who waits is served on and on', () =>
  closing(async (opened) => {
    const { node, address } = await alone(opened)
    const { hostname, port } = new URL(address)
    const socket = connect({ host: hostname, port: Number(port) })
    opened.push({ close: async () => socket.destroy() })
    socket.on('error', () => {})
    socket.on('data', () => {})
    assert.is(refused(node, 'admin-requests'), 0)
    socket.write('GET /metrics HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n'.repeat(1000))
    await until('the connection is closed', () => socket.destroyed)
    assert.ok(refused(node, 'admin-requests') > 0)
    const before = refused(node, 'admin-requests')
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    opened.push({ close: async () => agent.destroy() })
    for (let i = 0; i < 100; i++) assert.is((await call(address, '/alive', { agent })).status, 200)
    assert.is(refused(node, 'admin-requests'), before)
  }))

test('a client that does not read its stream is cut off, and the others are served', () =>
  closing(async (opened) => {
    const { node, address } = await alone(opened)
    const { hostname, port } = new URL(address)
    const socket = connect({ host: hostname, port: Number(port) })
    socket.on('error', () => {})
    opened.push({ close: async () => socket.destroy() })
    socket.pause()
    socket.write('GET /events HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n')
    const reader = await listenTo(address)
    opened.push(reader)
    await reader.next('a status', ({ name }) => name === 'status')
    // Told as the node would: each is read by one and piles up for the other.
    const { channel } = await import('node:diagnostics_channel')
    const error = new Error('x'.repeat(65_536))
    await until('it is cut off', () => {
      channel('holdfast:error').publish({ id: node.id, node, event: error })
      return refused(node, 'admin-slow') === 1
    })
    const heard = reader.events.length
    await until('the other goes on', () => reader.events.length > heard)
    assert.is(refused(node, 'admin-slow'), 1)
  }))

test('who begins a request and does not end it is dropped after ten seconds', () =>
  closing(async (opened) => {
    const { node, address } = await alone(opened)
    const { hostname, port } = new URL(address)
    const begun = performance.now()
    const starts = [
      '',
      'GET /status HTTP/1.1\r\nhost: 127',
      `POST /actions/verify HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer ${TOKEN}\r\ncontent-length: 9\r\n\r\n{`,
    ]
    let ended = 0
    for (const start of starts) {
      const socket = connect({ host: hostname, port: Number(port) })
      socket.on('error', () => {})
      socket.on('close', () => ended++)
      opened.push({ close: async () => socket.destroy() })
      if (start !== '') socket.write(start)
    }
    await until('all are dropped', () => ended === starts.length)
    assert.ok(performance.now() - begun >= 9_900)
    assert.is(refused(node, 'admin-malformed'), starts.length)
    assert.is((await act(address, 'maintenance', { on: false })).status, 200)
  }))

test('options are checked at the door', async () => {
  const { a } = await pairOptions()
  const cases: [unknown, string][] = [
    [true, 'admin: true given'],
    [{}, 'admin.listen: nothing given'],
    [{ listen: 9470 }, 'admin.listen: 9470 given'],
    [{ listen: 'localhost:9470' }, "admin.listen: 'localhost:9470' given"],
    [{ listen: '0.0.0.0:9470' }, 'allowed: a loopback address or the path of a unix socket'],
    [{ listen: '10.0.0.1:9470' }, 'allowed: a loopback address or the path of a unix socket'],
    [{ listen: `/${'x'.repeat(120)}` }, 'a path of at most 103 bytes'],
    [{ listen: '127.0.0.1:0', token: 'short' }, 'admin.token: '],
    [{ listen: '127.0.0.1:0', hosts: ['a b'] }, 'admin.hosts: an array given'],
    [{ listen: '127.0.0.1:0', port: 1 }, "option 'port' given"],
  ]
  for (const [admin, message] of cases) {
    let error: { code?: string; message?: string } = {}
    await createNode({ ...a, admin: admin as never }).catch((caught) => (error = caught))
    assert.is(error.code, 'ERR_CONFIG', message)
    assert.match(error.message!, message)
  }
})

test.run()
