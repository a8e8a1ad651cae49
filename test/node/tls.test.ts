// Who is let in on a link: the pinned peer over TLS 1.3, and nobody else.
import net from 'node:net'
import tls from 'node:tls'
import { createNode, type NodeOptions } from 'holdfast'
import { makeIdentity, type TestIdentity } from 'holdfast/testing'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { closing, type Node, pairOptions, protectedPair, type Tables, until } from './support.ts'

const { makeAuthority } = await import(new URL('../support/authority.mjs', import.meta.url).href)

const test = suite('tls')
const [a, b, stranger] = (await Promise.all(['a', 'b', 'stranger'].map(makeIdentity))) as [
  TestIdentity,
  TestIdentity,
  TestIdentity,
]

type Identity = NonNullable<NodeOptions<Tables>['identity']>
const identityOf = (own: TestIdentity, ...trusted: TestIdentity[]): Identity => ({
  ...own,
  trust: trusted.map(({ cert }) => cert),
})

async function nodes(
  opened: { close(): Promise<unknown> }[],
  identityA: Identity,
  identityB: Identity,
): Promise<{ a: Node; b: Node }> {
  const options = await pairOptions({ holdDown: 700 })
  const start = async (id: 'a' | 'b', identity: Identity) => {
    const node = await createNode({ ...options[id], insecure: false, identity })
    opened.push(node)
    return node
  }
  return { a: await start('a', identityA), b: await start('b', identityB) }
}

test('nodes that pin each other form a pair', () =>
  closing(async (opened) => {
    const pair = await nodes(opened, identityOf(a, b), identityOf(b, a))
    await protectedPair(pair.a, pair.b)
    pair.a.tables.sessions.set({ id: 1 }, { count: 11 })
    assert.equal(await pair.a.replicated(), { held: true })
    assert.equal(pair.a.status().refusals, {})
  }))

test('a second certificate in trust lets a renewed peer in', () =>
  closing(async (opened) => {
    const pair = await nodes(opened, identityOf(a, stranger, b), identityOf(b, a))
    await protectedPair(pair.a, pair.b)
  }))

/** A self-signed certificate for b without key identifiers. */
async function selfSigned(from: string, to: string): Promise<TestIdentity> {
  await import('reflect-metadata')
  const x509 = await import('@peculiar/x509')
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: [{ CN: ['b'] }],
    notBefore: new Date(from),
    notAfter: new Date(to),
    signingAlgorithm: algorithm,
    keys,
  })
  const key = x509.PemConverter.encode(await crypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY')
  return { cert: certificate.toString('pem'), key }
}

test('two trusted certificates that TLS cannot tell apart are refused at the start', async () => {
  const [one, other] = [
    await selfSigned('2000-01-01', '2099-01-01'),
    await selfSigned('2000-01-01', '2099-01-01'),
  ]
  const { a: options } = await pairOptions()
  try {
    await createNode({ ...options, insecure: false, identity: identityOf(a, one, other) })
    assert.unreachable('it was accepted')
  } catch (error) {
    assert.is((error as { code?: string }).code, 'ERR_CONFIG')
    assert.match((error as Error).message, /^identity\.trust\[1\]: has the subject of identity\.trust\[0\]/)
  }
})

test('certificates are renewed one node at a time, with every session kept', () =>
  closing(async (opened) => {
    const renewed = await makeIdentity('a')
    const options = await pairOptions({ holdDown: 700 })
    const start = async (id: 'a' | 'b', identity: Identity) => {
      const node = await createNode({ ...options[id], insecure: false, identity })
      opened.push(node)
      return node
    }
    const oldA = await start('a', identityOf(a, b))
    const oldB = await start('b', identityOf(b, a))
    await protectedPair(oldA, oldB)
    for (let id = 0; id < 100; id++) oldA.tables.sessions.set({ id }, { count: id })
    // First both certificates are trusted, then the new one is shown, then the old one is trusted no more.
    await oldB.close()
    const both = await start('b', identityOf(b, a, renewed))
    await protectedPair(oldA, both)
    await oldA.close()
    await until('b acts', () => both.role === 'primary')
    const newA = await start('a', identityOf(renewed, b))
    await protectedPair(both, newA)
    await both.close()
    await until('a acts', () => newA.role === 'primary')
    const newB = await start('b', identityOf(b, renewed))
    await protectedPair(newA, newB)
    assert.is(newB.tables.sessions.size, 100)
    assert.is(newB.tables.sessions.get({ id: 99 })?.count, 99)
  }))

test('a certificate whose time is over is refused, though it is the one trusted', () =>
  closing(async (opened) => {
    const over = await selfSigned('2000-01-01', '2001-01-01')
    const pair = await nodes(opened, identityOf(a, over), identityOf(over, a))
    await until('both gave up looking', () => pair.a.role === 'primary' && pair.b.role === 'primary')
    assert.equal([pair.a.status().peer, pair.b.status().peer], [null, null])
  }))

test('a peer with another certificate is refused, whoever dials', () =>
  closing(async (opened) => {
    const wrongB = await nodes(opened, identityOf(a, b), identityOf(stranger, a))
    await until('a gave up looking', () => wrongB.a.role === 'primary')
    assert.is(wrongB.a.status().peer, null)
    assert.is(wrongB.b.status().peer, null)
    assert.ok(wrongB.a.status().links.m1.lastReason !== '')
    const wrongA = await nodes(opened, identityOf(stranger, b), identityOf(b, a))
    await until('b gave up looking', () => wrongA.b.role === 'primary')
    assert.is(wrongA.b.status().peer, null)
    assert.ok(wrongA.b.status().refusals['tls-handshake']! > 0)
  }))

test('a certificate issued by a trusted one is not a trusted one', () =>
  closing(async (opened) => {
    const { cert, issued } = await makeAuthority('b')
    const pair = await nodes(opened, { ...a, trust: [cert] }, identityOf(issued, a))
    await until('both gave up looking', () => pair.a.role === 'primary' && pair.b.role === 'primary')
    assert.is(pair.a.status().peer, null)
    assert.is(pair.b.status().peer, null)
    assert.is(pair.a.status().links.m1.lastReason, 'certificate not trusted')
    const listener = await nodes(opened, identityOf(issued, b), { ...b, trust: [cert] })
    await until('the listener gave up looking', () => listener.b.role === 'primary')
    assert.is(listener.b.status().peer, null)
    assert.ok(listener.b.status().refusals['tls-certificate']! > 0)
  }))

/** Dials a node's m1 as somebody else; gives what came back before the end. */
function visit(options: tls.ConnectionOptions & { host: string; port: number }): Promise<{ heard: number }> {
  return new Promise((resolve) => {
    const socket = tls.connect({ rejectUnauthorized: false, ...options })
    let heard = 0
    socket.on('data', (bytes) => {
      heard += bytes.length
    })
    socket.on('error', () => {})
    socket.once('close', () => resolve({ heard }))
  })
}

test('without the right certificate, or below TLS 1.3, a visitor hears nothing', () =>
  closing(async (opened) => {
    const options = await pairOptions()
    const node = await createNode({ ...options.a, insecure: false, identity: identityOf(a, b) })
    opened.push(node)
    const [host, port] = options.a.links.m1.listen.split(':') as [string, string]
    const address = { host, port: Number(port) }
    assert.equal(await visit(address), { heard: 0 })
    assert.equal(await visit({ ...address, ...stranger }), { heard: 0 })
    assert.equal(await visit({ ...address, ...b, maxVersion: 'TLSv1.2' }), { heard: 0 })
    await until('they were counted', () => (node.status().refusals['tls-handshake'] ?? 0) >= 3)
    assert.is(node.status().peer, null)
  }))

test('idle strangers do not keep the peer out', () =>
  closing(async (opened) => {
    const options = await pairOptions()
    const [host, port] = options.b.links.m1.listen.split(':') as [string, string]
    const nodeB = await createNode({ ...options.b, insecure: false, identity: identityOf(b, a) })
    opened.push(nodeB)
    const idle = Array.from({ length: 30 }, () => net.connect({ host, port: Number(port) }))
    for (const socket of idle) socket.on('error', () => {})
    opened.push({ close: async () => void idle.map((socket) => socket.destroy()) })
    await until('they are connected', () => idle.every((socket) => !socket.connecting))
    const nodeA = await createNode({ ...options.a, insecure: false, identity: identityOf(a, b) })
    opened.push(nodeA)
    await until('m1 is up', () => nodeA.status().links.m1.up && nodeB.status().links.m1.up)
  }))

test.run()
