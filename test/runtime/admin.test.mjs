// The admin server on this runtime: status, events, metrics, actions, its bounds, and that it ends with the node.
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { get } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createNode } from 'holdfast'
import { createPair } from 'holdfast/testing'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { pairOptions, sessions, until } from './pair.mjs'

const test = suite('admin')
const tables = { sessions }
const token = 'a-token-of-this-test'

async function withPair(body) {
  const pair = await createPair({ tables, admin: { listen: '127.0.0.1:0', token } })
  try {
    await body(pair.a, pair.b)
  } finally {
    await pair.close()
  }
}

const at = (node) => node.status().admin

test('status, health and metrics are served, and actions done', () =>
  withPair(async (a, b) => {
    const status = await (await fetch(`${at(a)}/status`)).json()
    assert.is(status.role, 'primary')
    assert.ok(['node', 'deno', 'bun'].includes(status.runtime.name))
    assert.is((await fetch(`${at(a)}/primary`)).status, 200)
    assert.is((await fetch(`${at(b)}/primary`)).status, 503)
    assert.is((await fetch(`${at(b)}/ready`)).status, 200)
    assert.match(await (await fetch(`${at(b)}/metrics`)).text(), 'holdfast_role{node="b",role="secondary"} 1')
    const act = (name, headers) => fetch(`${at(a)}/actions/${name}`, { method: 'POST', headers })
    assert.is((await act('verify', {})).status, 401)
    const headers = { authorization: `Bearer ${token}` }
    assert.is((await (await act('verify', headers)).json()).equal, true)
    assert.is((await act('handover', headers)).status, 200)
    await until('b leads', () => b.role === 'primary')
  }))

test('events come as they happen and end with the node', () =>
  withPair(async (a, b) => {
    const { body } = await fetch(`${at(b)}/events`)
    let text = ''
    let ended = false
    const reading = (async () => {
      const decoder = new TextDecoder()
      for await (const chunk of body) text += decoder.decode(chunk, { stream: true })
      ended = true
    })()
    await until('a first status', () => text.includes('event: status\n'))
    await a.handover()
    await until('the role', () => /event: role\ndata: \{"role":"primary"/.test(text))
    await b.close()
    await until('the end', () => ended)
    await reading
    assert.match(text, /event: role\ndata: \{"role":"stopped"/)
  }))

test('connections beyond the bound are closed and counted, strangers refused', () =>
  withPair(async (a) => {
    const { hostname, port } = new URL(at(a))
    assert.is((await fetch(`${at(a)}/status`, { headers: { origin: 'http://evil.example' } })).status, 403)
    const open = () => {
      const socket = connect(Number(port), hostname)
      socket.on('error', () => {})
      return socket
    }
    const sockets = Array.from({ length: 70 }, open)
    await until('six are refused', () => (a.status().refusals['admin-connections'] ?? 0) >= 6)
    for (const socket of sockets) socket.destroy()
  }))

test('a unix socket serves, and is gone after the node', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-admin-'))
  const listen = join(folder, 'admin.sock')
  const { a: options } = await pairOptions()
  const node = await createNode({ ...options, tables, admin: { listen } })
  try {
    const code = await new Promise((resolve, reject) => {
      const request = get({ socketPath: listen, path: '/status', agent: false }, (response) => {
        response.resume()
        response.on('end', () => resolve(response.statusCode))
      })
      request.on('error', reject)
    })
    assert.is(code, 200)
  } finally {
    await node.close()
    assert.not(existsSync(listen))
    rmSync(folder, { recursive: true })
  }
})

test.run()
