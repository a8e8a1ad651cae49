// From one identity to the next on a running pair: nothing is cut, no role changes, and afterwards the old one is worthless.
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import tls from 'node:tls'
import { ClosedError, ConfigError, createNode, IdentityError, readIdentity } from 'holdfast'
import { makeIdentity, type TestIdentity } from 'holdfast/testing'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { bothLinks, closing, type Node, type Options, pairOptions, protectedPair } from './support.ts'

const test = suite('identity')
const [a, b, newA, newB, stranger] = (await Promise.all(
  ['a', 'b', 'a', 'b', 'stranger'].map(makeIdentity),
)) as [TestIdentity, TestIdentity, TestIdentity, TestIdentity, TestIdentity]
const identityOf = (own: TestIdentity, ...trusted: TestIdentity[]) => ({
  ...own,
  trust: trusted.map(({ cert }) => cert),
})

async function inTlsPair(
  body: (nodeA: Node, nodeB: Node, options: { a: Options; b: Options }) => Promise<void>,
) {
  await closing(async (opened) => {
    const options = await pairOptions()
    const nodeA = await createNode({ ...options.a, insecure: false, identity: identityOf(a, b) })
    opened.push(nodeA)
    const nodeB = await createNode({ ...options.b, insecure: false, identity: identityOf(b, a) })
    opened.push(nodeB)
    await protectedPair(nodeA, nodeB)
    await bothLinks(nodeA, nodeB)
    await body(nodeA, nodeB, options)
  })
}

/** The certificate shown at a node's m1, as PEM. */
function shownAt(options: Options): Promise<string> {
  const [host, port] = options.links.m1.listen.split(':') as [string, string]
  return new Promise((resolve, reject) => {
    const socket = tls.connect({ host, port: Number(port), rejectUnauthorized: false }, () => {
      resolve(socket.getPeerX509Certificate()!.toString().trim())
      socket.destroy()
    })
    socket.on('error', reject)
  })
}

test('a pair under load goes from both old identities to both new ones: no role changes, no link goes down', () =>
  inTlsPair(async (nodeA, nodeB, options) => {
    const told: unknown[] = []
    for (const node of [nodeA, nodeB]) {
      node.on('role', (event) => told.push(event))
      node.on('link', (event) => told.push(event))
      node.on('unsynced', (event) => told.push(event))
      node.on('error', (event) => told.push(event))
    }
    let id = 0
    let unheld = 0
    const load = setInterval(() => {
      for (let i = 0; i < 20; i++) nodeA.tables.sessions.set({ id: id++ % 20_000 }, { count: id })
      nodeA.replicated().catch(() => unheld++)
    }, 5)
    try {
      await nodeA.reloadIdentity(identityOf(a, b, newB))
      await nodeB.reloadIdentity(identityOf(b, a, newA))
      await nodeA.reloadIdentity(identityOf(newA, b, newB))
      await nodeB.reloadIdentity(identityOf(newB, a, newA))
      await nodeA.reloadIdentity(identityOf(newA, newB))
      await nodeB.reloadIdentity(identityOf(newB, newA))
    } finally {
      clearInterval(load)
    }
    await nodeA.replicated()
    assert.equal(told, [])
    assert.is(unheld, 0)
    assert.equal([nodeA.role, nodeB.role], ['primary', 'secondary'])
    assert.is((await nodeA.verify()).equal, true)
    assert.is(await shownAt(options.a), newA.cert.trim())
    assert.is(await shownAt(options.b), newB.cert.trim())
    const { links } = nodeB.status()
    assert.ok(links.m1.up && links.m2.up)
  }))

test('both nodes may take their new identity at the same moment', () =>
  inTlsPair(async (nodeA, nodeB) => {
    const { epoch } = nodeA
    await Promise.all([
      nodeA.reloadIdentity(identityOf(a, b, newB)),
      nodeB.reloadIdentity(identityOf(b, a, newA)),
    ])
    await Promise.all([
      nodeA.reloadIdentity(identityOf(newA, b, newB)),
      nodeB.reloadIdentity(identityOf(newB, newA, a)),
    ])
    await protectedPair(nodeA, nodeB)
    assert.equal([nodeA.role, nodeB.role, nodeA.epoch], ['primary', 'secondary', epoch])
    await bothLinks(nodeA, nodeB)
  }))

test('a certificate that the peer does not trust costs no connection, and the error says so; trusted later, it is taken', () =>
  inTlsPair(async (nodeA, nodeB) => {
    const { epoch } = nodeA
    const refused = await nodeA.reloadIdentity(identityOf(newA, b)).then(
      () => undefined,
      (error) => error,
    )
    assert.instance(refused, IdentityError)
    assert.is(refused.code, 'ERR_IDENTITY')
    assert.match(refused.message, /m1 still has one under the old \(.+\).*tried again/)
    assert.equal([nodeA.role, nodeA.epoch, nodeA.status().protected], ['primary', epoch, true])
    const { m1, m2 } = nodeA.status().links
    assert.ok(m1.up && m2.up)
    await nodeB.reloadIdentity(identityOf(b, newA))
    assert.ok(nodeA.status().protected)
  }))

test('what is no identity is refused and changes nothing; a node without TLS has none to reload', () =>
  closing(async (opened) => {
    const options = await pairOptions()
    const node = await createNode({ ...options.a, insecure: false, identity: identityOf(a, b) })
    opened.push(node)
    const rejected = async (
      call: () => Promise<unknown>,
      kind: typeof ConfigError | typeof ClosedError,
      what: RegExp,
    ) => {
      const error = await call().then(
        () => undefined,
        (cause) => cause,
      )
      assert.instance(error, kind)
      assert.match(error.message, what)
    }
    await rejected(
      () => node.reloadIdentity({ ...b, key: a.key, trust: [a.cert] }),
      ConfigError,
      /does not belong/,
    )
    await rejected(() => node.reloadIdentity(undefined as never), ConfigError, /identity/)
    assert.is(await shownAt(options.a), a.cert.trim())
    await node.reloadIdentity(identityOf(stranger, b))
    assert.is(await shownAt(options.a), stranger.cert.trim())
    await node.close()
    await rejected(() => node.reloadIdentity(identityOf(a, b)), ClosedError, /closed/)
    const plain = await createNode(options.b)
    opened.push(plain)
    await rejected(() => plain.reloadIdentity(identityOf(a, b)), ConfigError, /insecure/)
  }))

test('an identity file is JSON or PEM; what is wrong with one is said without a word of its key', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-identity-'))
  const file = (name: string, content: string) => {
    writeFileSync(join(folder, name), content)
    chmodSync(join(folder, name), 0o600)
    return join(folder, name)
  }
  try {
    const whole = identityOf(a, b)
    assert.equal(await readIdentity(file('a.json', JSON.stringify(whole))), whole)
    const pem = await readIdentity(file('a.pem', `${a.cert}\n${a.key}\n${b.cert}\n`))
    assert.equal(
      [pem.cert, pem.key, ...pem.trust].map((text) => text.trim()),
      [a.cert, a.key, b.cert].map((text) => text.trim()),
    )
    for (const [content, what] of [
      [`{"key": "${a.key}"`, /not JSON/],
      [JSON.stringify({ ...whole, trust: [] }), /identity\.trust/],
      [JSON.stringify({ ...whole, key: b.key }), /does not belong/],
      [a.cert, /its private key/],
    ] as const) {
      const error = await readIdentity(file('wrong', content)).then(
        () => undefined,
        (cause) => cause,
      )
      assert.instance(error, ConfigError)
      assert.match(error.message, what)
      assert.not.match(error.message, a.key.split('\n')[1]!)
    }
    const missing = await readIdentity(join(folder, 'none')).catch((error) => error)
    assert.match(missing.message, /ENOENT/)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test.run()
