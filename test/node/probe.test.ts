// probePeer: what it sees of a peer, what it says where there is none, and that a running pair does not mind.
import { ConfigError, createNode, probePeer } from 'holdfast'
import { makeIdentity, type TestIdentity } from 'holdfast/testing'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { closing, PATIENT, pairOptions, sessions, until } from './support.ts'

const test = suite('probe')
const [a, b, stranger] = (await Promise.all(['a', 'b', 'c'].map(makeIdentity))) as [
  TestIdentity,
  TestIdentity,
  TestIdentity,
]

test('beside a running pair it hears the other node on both links, and neither node notices', async () => {
  const options = await pairOptions()
  await closing(async (opened) => {
    const nodeA = await createNode(options.a)
    opened.push(nodeA)
    const nodeB = await createNode(options.b)
    opened.push(nodeB)
    await until('they are a pair', () => nodeA.status().protected && nodeB.status().synced)
    const told: unknown[] = []
    for (const node of [nodeA, nodeB])
      for (const name of ['role', 'link', 'peer', 'error'] as const)
        node.on(name, (event) => told.push(event))
    for (let i = 0; i < 10; i++) {
      const { m1, m2 } = await probePeer(options.a)
      for (const [link, one] of Object.entries({ m1, m2 })) {
        assert.is(one.fault, null)
        assert.is(one.address, options.a.links[link as 'm1' | 'm2'].peer)
        assert.ok(one.connectMs! >= 0 && one.certified === null)
        const { tables, ...peer } = one.peer!
        assert.equal([peer.id, peer.cluster, peer.link, peer.role], ['b', 'holdfast', link, 'secondary'])
        assert.equal(peer.heartbeat, PATIENT)
        assert.equal(tables, [{ name: 'sessions', schemaHash: sessions.schemaHash, capacity: 30_000 }])
      }
    }
    assert.equal(told, [])
    assert.ok(nodeA.status().protected)
    assert.equal([nodeA.status().refusals, nodeB.status().refusals], [{}, {}])
  })
})

test('over TLS it proves itself; a node that does not trust it, or that it does not trust, is told from one', () =>
  closing(async (opened) => {
    const options = await pairOptions({ holdDown: 60_000 })
    const secured = (own: TestIdentity, ...trusted: TestIdentity[]) => ({
      insecure: false,
      identity: { ...own, trust: trusted.map(({ cert }) => cert) },
    })
    opened.push(await createNode({ ...options.b, ...secured(b, a) }))
    const good = await probePeer({ ...options.a, ...secured(a, b) })
    assert.equal([good.m1.certified, good.m1.peer?.id, good.m2.fault], [true, 'b', null])
    const untrusting = await probePeer({ ...options.a, ...secured(a, stranger) })
    assert.equal([untrusting.m1.certified, untrusting.m1.peer], [false, null])
    assert.ok(untrusting.m1.fault !== null && untrusting.m1.connectMs !== null)
    const untrusted = await probePeer({ ...options.a, ...secured(stranger, b) })
    assert.is(untrusted.m2.peer, null)
    assert.ok(untrusted.m2.fault !== null)
  }))

test('where nobody listens it says so, and wrong options are refused as createNode refuses them', async () => {
  const options = await pairOptions()
  const { m1, m2 } = await probePeer(options.a, { timeout: 500 })
  assert.equal([m1.fault, m1.connectMs, m2.fault, m2.peer], ['ECONNREFUSED', null, 'ECONNREFUSED', null])
  const wrong = await probePeer({ ...options.a, peer: 'a' }).catch((error) => error)
  assert.instance(wrong, ConfigError)
  const late = await probePeer(options.a, { timeout: 0 }).catch((error) => error)
  assert.match(late.message, /^timeout: /)
})

test.run()
