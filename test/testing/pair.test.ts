// A pair of nodes with their cables, from the built package: the sync thread is a worker, which the loader of
// TypeScript does not reach.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { until } from './peer.ts'

const holdfast: typeof import('../../src/index.ts') = await import('holdfast' as string)
const testing: typeof import('../../src/testing/index.ts') = await import('holdfast/testing' as string)

const test = suite('pair')

const users = holdfast.defineTable({
  name: 'users',
  key: { id: 'u32' },
  fields: { visits: 'u53' },
  capacity: 100,
})

test('begins with a primary and a synced secondary', async () => {
  const { a, b, close } = await testing.createPair({ tables: { users } })
  try {
    assert.equal([a.role, b.role], ['primary', 'secondary'])
    assert.ok(a.status().protected)
    a.tables.users.set({ id: 7 }, { visits: 1 })
    assert.equal(await a.replicated(), { held: true })
    await until('the secondary shows it', () => b.tables.users.get({ id: 7 })?.visits === 1)
  } finally {
    await close()
  }
})

test('takes real identities, and options of one node', async () => {
  const [a, b] = await Promise.all([testing.makeIdentity('a'), testing.makeIdentity('b')])
  const pair = await testing.createPair({
    tables: { users },
    a: { identity: { ...a, trust: [b.cert] }, priority: 1 },
    b: { identity: { ...b, trust: [a.cert] }, priority: 0 },
  })
  await pair.close()
})

test('goes on over one cable, and splits when both are cut', async () => {
  const { a, b, m1, m2, close } = await testing.createPair({ tables: { users } })
  try {
    m1.cut()
    await until('the first link is missed', () => !a.status().links.m1.up && !b.status().links.m1.up)
    a.tables.users.set({ id: 1 }, { visits: 1 })
    assert.equal(await a.replicated(), { held: true })
    m2.cut()
    await until('the secondary promotes itself', () => b.role === 'primary')
    assert.is(b.tables.users.get({ id: 1 })?.visits, 1)
    m1.mend()
    m2.mend()
    await until('one of them steps down', () => a.role === 'secondary')
    await a.ready()
  } finally {
    await close()
  }
})

test('is gone after close', async () => {
  const { a, b, close } = await testing.createPair({ tables: { users } })
  await close()
  assert.equal([a.role, b.role], ['stopped', 'stopped'])
  await close()
})

test.run()
