// The driver of unstorage, through unstorage and on both nodes of a pair.
import { ConfigError, NotPrimaryError, ValueError } from 'holdfast'
import { createPair } from 'holdfast/testing'
import holdfastDriver, { type HoldfastDriverOptions, storageTable } from 'holdfast/unstorage'
import { createStorage, type Driver, prefixStorage } from 'unstorage'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { until } from '../node/support.ts'
import { alone, failure, PATIENT } from './support.ts'

const test = suite('unstorage')
const items = storageTable({ name: 'items', capacity: 1000, arena: 2 ** 20 })
const node = await alone({ items })
test.after(() => node.close())
test.before.each(() => node.tables.items.clear())

const driver = (options: Partial<HoldfastDriverOptions> = {}): Driver =>
  holdfastDriver({ node, table: node.tables.items, ...options })

test('items of every kind, one and many', async () => {
  const storage = createStorage({ driver: driver() })
  await storage.setItem('s1:a', 'test_data')
  await storage.setItem('s2:a', { json: [1, null] })
  await storage.setItem('s3:a', 7)
  assert.is(await storage.getItem('s1:a'), 'test_data')
  assert.equal(await storage.getItem('s2:a'), { json: [1, null] })
  assert.is(await storage.getItem('s3:a'), 7)
  assert.is(await storage.getItem('none'), null)
  assert.equal([await storage.hasItem('s1:a'), await storage.hasItem('s1:b')], [true, false])
  assert.equal((await storage.getKeys()).sort(), ['s1:a', 's2:a', 's3:a'])
  assert.equal(await storage.getKeys('s1'), ['s1:a'])
  await storage.setItems<object | string>([
    { key: 'm:1', value: 'one' },
    { key: 'm:2', value: { two: 2 } },
  ])
  assert.equal(await storage.getItems(['m:1', 'm:2', 'm:3']), [
    { key: 'm:1', value: 'one' },
    { key: 'm:2', value: { two: 2 } },
    { key: 'm:3', value: null },
  ])
  await storage.removeItem('m:1')
  assert.is(await storage.hasItem('m:1'), false)
  await storage.clear()
  assert.is(node.tables.items.size, 0)
})

test('raw items are bytes', async () => {
  const storage = createStorage({ driver: driver() })
  const bytes = new Uint8Array(70_000).map((_, i) => i)
  await storage.setItemRaw('raw', bytes)
  assert.equal(await storage.getItemRaw('raw'), bytes)
})

test('meta data, mounts, bases and a prefix', async () => {
  const storage = createStorage()
  storage.mount('kept', driver({ base: 'app' }))
  const other = createStorage({ driver: driver({ base: 'other' }) })
  await storage.setItem('kept:x', 1)
  await other.setItem('x', 2)
  await prefixStorage(storage, 'kept').setItem('y', 3)
  await storage.setMeta('kept:x', { owner: 'u' })
  assert.is((await storage.getMeta('kept:x')).owner, 'u')
  assert.equal((await storage.getKeys()).sort(), ['kept:x', 'kept:y'])
  assert.equal(await other.getKeys(), ['x'])
  await storage.clear('kept')
  assert.is(await other.getItem('x'), 2)
  await storage.dispose()
  assert.is(node.role, 'primary')
})

test('an item ends after its ttl, by default or of its own', async () => {
  const storage = createStorage({ driver: driver({ ttl: 60 }) })
  const earliest = Date.now() + 200
  await storage.setItem('short', 'x', { ttl: 0.2 })
  await storage.setItem('long', 'x')
  const { ttl } = await storage.getMeta('long')
  assert.ok((ttl as number) > 50 && (ttl as number) <= 60)
  await until('short has ended', () => !node.tables.items.has({ id: 'short' }))
  assert.ok(Date.now() >= earliest)
  assert.is(await storage.getItem('short'), null)
  assert.equal(await storage.getKeys(), ['long'])
  for (const ttl of [-1, Number.NaN, Number.POSITIVE_INFINITY, 'x'])
    assert.instance(await failure(storage.setItem('wrong', 'x', { ttl })), ValueError)
  for (const wrong of [{ ttl: -1 }, { base: 5 }, { unknown: 1 }])
    assert.throws(
      () => driver(wrong as never),
      (error: unknown) => error instanceof ConfigError,
    )
})

test('on a pair: both read, the primary writes', async () => {
  await using pair = await createPair({ tables: { items }, heartbeat: PATIENT })
  const [a, b] = [pair.a, pair.b].map((each) =>
    createStorage({ driver: holdfastDriver({ node: each, table: each.tables.items, held: true }) }),
  ) as [ReturnType<typeof createStorage>, ReturnType<typeof createStorage>]
  await a.setItem('k', { v: 1 })
  await until('b has it', () => pair.b.tables.items.size === 1)
  assert.equal(await b.getItem('k'), { v: 1 })
  assert.instance(await failure(b.setItem('k', 2)), NotPrimaryError)
  assert.instance(await failure(b.removeItem('k')), NotPrimaryError)
  await pair.a.handover()
  await until('b is protected', () => pair.b.status().protected)
  await b.setItem('k', { v: 2 })
  assert.equal(await b.getItem('k'), { v: 2 })
})

test.run()
