// The adapter of Keyv 5: Keyv's own suite, and what it does on both nodes of a pair.
import { setTimeout as wait } from 'node:timers/promises'
import { NotPrimaryError, ValueError } from 'holdfast'
import { KeyvHoldfast, keyvTable } from 'holdfast/keyv5'
import { createPair } from 'holdfast/testing'
import { Keyv, type KeyvStoreAdapter } from 'keyv5'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { until } from '../node/support.ts'
import { keyvSuite, PASSED_OVER, register } from './keyv-suite.ts'
import { alone, failure, PATIENT } from './support.ts'

const test = suite('keyv5')
const cache = keyvTable({ name: 'cache', capacity: 1000, arena: 2 ** 21 })
const node = await alone({ cache })
test.after(() => node.close())

const adapter = (held = false): KeyvStoreAdapter => new KeyvHoldfast({ node, table: node.tables.cache, held })

// As the documentation says, for adapters that Keyv 5 does not know by name.
class Iterable extends Keyv {
  constructor(options: { store: KeyvStoreAdapter }) {
    super(options)
    this.iterator = this.generateIterator((namespace: string) => options.store.iterator!(namespace) as never)
  }
}

const theirs = await keyvSuite()
if (theirs === undefined) console.log(`SKIPPED: Keyv's own suite, ${PASSED_OVER}`)
else {
  const count =
    register(test, theirs.default, Keyv, adapter) +
    register(test, theirs.keyvIteratorTests, Iterable, adapter)
  test('its suite has not shrunk', () => assert.ok(count >= 39, `${count} tests`))
}

test('a value is what was stored: text, bytes, JSON, as Keyv hands it over', async () => {
  const store = adapter()
  await store.set('text', 'näh')
  await store.set('json', { a: [1] })
  await store.set('bytes', new Uint8Array([1, 2]))
  assert.is(await store.get('text'), 'näh')
  assert.equal(await store.get('json'), { a: [1] })
  assert.equal(await store.get('bytes'), new Uint8Array([1, 2]))
  assert.equal(await store.getMany!(['text', 'none']), ['näh', undefined])
})

test('a ttl that is no number is refused, not taken for for ever', async () => {
  for (const wrong of [Number.NaN, Number.POSITIVE_INFINITY, '500' as never])
    assert.instance(await failure(adapter().set('k', 1, wrong)), ValueError)
  assert.is(await adapter().get('k'), undefined)
})

test('an entry ends after its ttl, in the table too', async () => {
  const keyv = new Keyv({ store: adapter() })
  node.tables.cache.clear()
  const earliest = Date.now() + 200
  await keyv.set('short', 'value', 200)
  await keyv.set('long', 'value')
  while ((await keyv.get('short')) !== undefined) {
    assert.ok(Date.now() < earliest + 5000)
    await wait(1)
  }
  assert.ok(Date.now() >= earliest)
  await until('its slot is free', () => node.tables.cache.size === 1)
  assert.is(await keyv.get('long'), 'value')
})

test('on a pair: both read, the primary writes, Keyv tells of a write on the secondary', async () => {
  await using pair = await createPair({ tables: { cache }, heartbeat: PATIENT })
  const [a, b] = [pair.a, pair.b].map(
    (each) => new Keyv({ store: new KeyvHoldfast({ node: each, table: each.tables.cache, held: true }) }),
  ) as [Keyv, Keyv]
  assert.is(await a.set('k', 'v', 60_000), true)
  await until('b has it', () => pair.b.tables.cache.size === 1)
  assert.is(await b.get('k'), 'v')
  const errors: unknown[] = []
  b.on('error', (error) => errors.push(error))
  assert.is(await b.set('k', 'w'), false)
  assert.instance(errors[0], NotPrimaryError)
  const direct = new KeyvHoldfast({ node: pair.b, table: pair.b.tables.cache })
  assert.instance(await failure(direct.delete('k')), NotPrimaryError)
  await pair.a.handover()
  await until('b is protected', () => pair.b.status().protected)
  assert.is(await b.set('k', 'w'), true)
  assert.is(await b.get('k'), 'w')
})

test.run()
