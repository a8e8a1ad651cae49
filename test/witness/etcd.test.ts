// The etcd witness against a real etcd: who gets the lease, how long it lasts, what is told of it. Runs the built package.
import { ConfigError } from 'holdfast'
import { etcd } from 'holdfast/witness/etcd'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { OpenWitness, Witness, WitnessState } from '../../src/witness/witness.ts'
import { until } from '../node/support.ts'
import { Etcd, hasEtcd } from '../support/etcd.ts'

const test = suite('etcd witness')
const { signal } = new AbortController()
const FREE = { holder: '', revision: 0 }

test('options are refused by name', () => {
  const endpoints = ['http://127.0.0.1:2379']
  const refusals: [unknown, RegExp][] = [
    [undefined, /^etcd: nothing given/],
    [{}, /etcd\.endpoints: nothing given/],
    [{ endpoints: [] }, /etcd\.endpoints/],
    [{ endpoints: ['127.0.0.1:2379'] }, /etcd\.endpoints\[0\]/],
    [{ endpoints: ['ftp://127.0.0.1'] }, /etcd\.endpoints\[0\]/],
    [{ endpoints: ['http://me:secret@127.0.0.1'] }, /etcd\.endpoints\[0\]/],
    [{ endpoints, lease: 1_000 }, /etcd\.lease: 1000 given; allowed: a number from 2000/],
    [{ endpoints, lease: 2_500 }, /etcd\.lease: 2500 given; allowed: whole seconds/],
    [{ endpoints, prefix: 7 }, /etcd\.prefix/],
    [{ endpoints, token: 'a\nb' }, /etcd\.token/],
    [{ endpoints, timeout: 5 }, /option 'timeout' given/],
  ]
  for (const [given, message] of refusals) {
    assert.throws(
      () => etcd(given as never),
      (error: unknown) => error instanceof ConfigError && message.test(error.message),
      String(message),
    )
  }
  const { lease, options } = etcd({ endpoints })
  assert.is(lease, 3_000)
  assert.equal(structuredClone(options), options)
})

if (hasEtcd()) {
  let server: Etcd
  test.before(async () => {
    server = await Etcd.start()
  })
  test.after(async () => {
    await server.close()
  })

  /** The witness as a node's sync thread would have it. */
  async function open(holder: string, cluster: string, endpoints = [server.endpoint]): Promise<Witness> {
    const { module, options, lease } = etcd({ endpoints, lease: 2_000 })
    const { openWitness } = (await import(String(module))) as { openWitness: OpenWitness }
    return openWitness(options as never, { cluster, holder, leaseMs: lease })
  }

  test('one of two gets the lease, and keeps it by renewing', async () => {
    const [a, b] = [await open('a/1', 'one'), await open('b/1', 'one')]
    assert.equal(await a.read(signal), FREE)
    const [first, second] = await Promise.all([a.acquire(0, signal), b.acquire(0, signal)])
    assert.is(Number(first.done) + Number(second.done), 1)
    const [winner, loser] = first.done ? [a, b] : [b, a]
    const { holder, revision } = first.done ? first : second
    assert.equal(first.done ? second : first, { holder, revision, done: false })
    const until = performance.now() + 4_000
    while (performance.now() < until) {
      assert.equal(await winner.renew(revision, signal), { holder, revision, done: true })
      assert.is((await loser.acquire(0, signal)).done, false)
      assert.is((await loser.renew(revision, signal)).done, false)
    }
    assert.equal(await loser.release(revision - 1, signal), { holder, revision }, 'not by another revision')
    assert.equal(await winner.release(revision, signal), FREE)
    assert.equal(await winner.renew(revision, signal), { ...FREE, done: false })
  })

  test('a lease that is not renewed lasts for its whole length, and ends', async () => {
    const [a, b] = [await open('a/1', 'ends'), await open('b/1', 'ends')]
    const before = performance.now()
    const { revision } = await a.acquire(0, signal)
    while ((await b.read(signal)).revision === revision) assert.ok(performance.now() - before < 20_000)
    const lasted = performance.now() - before
    console.log(`a lease of 2000 ms, not renewed, ended after ${lasted.toFixed(0)} ms`)
    assert.ok(lasted >= 2_000, `ended after ${lasted} ms`)
    const taken = await b.acquire(0, signal)
    assert.is(taken.done, true)
    assert.ok(taken.revision > revision, 'revisions grow')
    assert.equal(await a.renew(revision, signal), { holder: 'b/1', revision: taken.revision, done: false })
  })

  test('a lease that was given up is taken by its revision, once', async () => {
    const [a, b] = [await open('a/1', 'moves'), await open('b/1', 'moves')]
    const { revision } = await a.acquire(0, signal)
    const moved = await b.acquire(revision, signal)
    assert.is(moved.done, true)
    assert.is((await a.acquire(revision, signal)).done, false)
    assert.is((await a.renew(revision, signal)).done, false)
    assert.equal(await a.read(signal), { holder: 'b/1', revision: moved.revision })
    await b.release(moved.revision, signal)
  })

  test('a lease taken by a call whose answer was lost is renewed by its revision', async () => {
    const a = await open('a/1', 'lost')
    await a.acquire(0, signal)
    const again = await open('a/1', 'lost')
    const { revision } = await again.read(signal)
    assert.is((await again.renew(revision, signal)).done, true)
    await again.release(revision, signal)
  })

  test('changes are told as they happen', async () => {
    const [a, b] = [await open('a/1', 'told'), await open('b/ü', 'told')]
    const told: WitnessState[] = []
    const stop = new AbortController()
    const watching = b.watch!((state) => told.push(state), stop.signal).catch((error) => error)
    let revision = 0
    // The watch says nothing when it begins.
    while (told.length === 0) {
      revision = (await a.acquire(revision, signal)).revision
      await a.read(signal)
    }
    const mine = await b.acquire(revision, signal)
    await b.release(mine.revision, signal)
    await until('the end is told', () => told.at(-1)?.holder === '')
    assert.equal(told.slice(-2), [{ holder: 'b/ü', revision: mine.revision }, FREE])
    assert.ok(
      told.every((state, i) => i === 0 || state.revision === 0 || state.revision > told[i - 1]!.revision),
    )
    stop.abort()
    await watching
  })

  test('a member that is down or silent is passed over', async () => {
    const silent = await Etcd.start()
    try {
      silent.signal('SIGSTOP')
      const endpoints = ['http://127.0.0.1:9', silent.endpoint, `${server.endpoint}/`]
      const a = await open('a/1', 'over', endpoints)
      const began = performance.now()
      assert.equal(await a.read(signal), FREE)
      const tookMs = performance.now() - began
      assert.ok(tookMs < 2_000, `took ${tookMs} ms`)
      const { revision, done } = await a.acquire(0, signal)
      assert.is(done, true)
      await a.release(revision, signal)
    } finally {
      silent.signal('SIGCONT')
      await silent.close()
    }
  })

  test('without any member a call rejects', async () => {
    const a = await open('a/1', 'none', ['http://127.0.0.1:9'])
    const error = await a.read(signal).catch((reason) => reason)
    assert.instance(error, Error)
  })
}

test.run()
