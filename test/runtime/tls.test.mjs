// Who is not let in on this runtime: without a certificate, with a foreign one, below TLS 1.3, with one that a trusted one
// has issued; and servers of that kind are not spoken to. The stranger is always Node, whose TLS can do all of this.
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { createNode } from 'holdfast'
import { makeIdentity } from 'holdfast/testing'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { makeAuthority } from '../support/authority.mjs'
import { pairOptions, sessions, until } from './pair.mjs'

const test = suite('tls')
const tables = { sessions }
const node = process.env.HOLDFAST_NODE ?? process.execPath
const [authority, stranger] = [await makeAuthority('issued'), await makeIdentity('stranger')]

function startStranger(what) {
  const path = fileURLToPath(new URL('./stranger.mjs', import.meta.url))
  const child = spawn(node, [path, JSON.stringify(what)], { stdio: ['pipe', 'pipe', 'inherit'] })
  const answers = []
  createInterface({ input: child.stdout }).on('line', (line) => answers.push(JSON.parse(line)))
  return { child, answers }
}

/** A node alone, started as the one of two that listens ('b') or dials ('a'). */
async function withNode(id, change, body) {
  const options = await pairOptions({ holdDown: 60_000 })
  change(options)
  const one = await createNode({ ...options[id], tables })
  try {
    await body(one, options)
  } finally {
    await one.close()
  }
}

const trustAuthority = (options) => {
  options.a.identity = { ...options.a.identity, trust: [authority.cert] }
  options.b.identity = { ...options.b.identity, trust: [authority.cert] }
}

const VISITORS = [
  ['without a certificate', () => ({}), 'tls-handshake'],
  ['with a foreign certificate', () => ({ ...stranger }), 'tls-handshake'],
  [
    "with the peer's certificate and TLS 1.2",
    ({ a }) => ({ cert: a.identity.cert, key: a.identity.key, maxVersion: 'TLSv1.2' }),
    'tls-handshake',
  ],
  ['with a certificate that a trusted one has issued', () => authority.issued, 'tls-certificate'],
]

for (const [what, identityOf, name] of VISITORS) {
  test(`a visitor ${what} hears nothing and is counted as ${name}`, () =>
    withNode('b', name === 'tls-certificate' ? trustAuthority : () => {}, async (b, options) => {
      const { listen } = options.b.links.m1
      const { answers } = startStranger({ dials: listen, options: identityOf(options) })
      await until('the visitor has gone', () => answers.length > 0)
      assert.equal(answers, [{ heard: 0 }])
      await until('it was counted', () => (b.status().refusals[name] ?? 0) > 0)
      assert.is(b.status().peer, null)
      assert.is(b.role, 'starting')
    }))
}

const SERVERS = [
  ['with a foreign certificate', () => ({ ...stranger })],
  [
    "with the peer's certificate and TLS 1.2",
    ({ b }) => ({ cert: b.identity.cert, key: b.identity.key, maxVersion: 'TLSv1.2' }),
  ],
  ['with a certificate that a trusted one has issued', () => authority.issued],
  ['without TLS', () => ({})],
]

for (const [what, identityOf] of SERVERS) {
  test(`a server ${what} is not told a word`, () =>
    withNode('a', what.includes('issued') ? trustAuthority : () => {}, async (a, options) => {
      const { peer } = options.a.links.m1
      const { child, answers } = startStranger({ listens: peer, options: identityOf(options) })
      await until('it listens', () => answers.length > 0)
      const closed = () => !['', 'ECONNREFUSED', 'dial-timeout'].includes(a.status().links.m1.lastReason)
      await until('the node has turned away', closed)
      child.stdin.end()
      await until('it answers', () => answers.length > 1)
      const [, { heard, visits }] = answers
      assert.ok(visits > 0)
      // Without TLS the first words of a handshake are all that is heard; inside TLS nothing at all.
      if (what !== 'without TLS') assert.is(heard, 0)
      assert.is(a.status().peer, null)
      assert.is(a.status().links.m1.up, false)
    }))
}

test('a renewed certificate of the same name is let in beside the old one', async () => {
  const options = await pairOptions()
  const renewed = await makeIdentity('a')
  const a = await createNode({ ...options.a, identity: { ...options.a.identity, ...renewed }, tables })
  const trust = [...options.b.identity.trust, renewed.cert]
  const b = await createNode({ ...options.b, identity: { ...options.b.identity, trust }, tables })
  try {
    await until('they are a pair', () => a.status().protected && b.status().synced)
  } finally {
    await b.close()
    await a.close()
  }
})

test('a running pair takes new identities, one node after the other, and no link goes down', async () => {
  const options = await pairOptions()
  const [old, { identity: ofB }] = [options.a.identity, options.b]
  const renewed = await makeIdentity('a')
  const a = await createNode({ ...options.a, tables })
  const b = await createNode({ ...options.b, tables })
  try {
    await until('they are a pair', () => a.status().protected && b.status().synced)
    const told = []
    for (const node of [a, b])
      for (const name of ['role', 'link', 'error']) node.on(name, (event) => told.push(event))
    await b.reloadIdentity({ ...ofB, trust: [...ofB.trust, renewed.cert] })
    await a.reloadIdentity({ ...old, ...renewed })
    await b.reloadIdentity({ ...ofB, trust: [renewed.cert] })
    assert.equal(told, [])
    assert.ok(a.status().protected)
  } finally {
    await b.close()
    await a.close()
  }
})

test.run()
