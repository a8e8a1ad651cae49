// The limiter of rate-limiter-flexible: as its own limiter in memory answers, and what it does on both nodes of a pair.
import { ConfigError, NotPrimaryError, TableFullError, ValueError } from 'holdfast'
import { limitTable, RateLimiterHoldfast, type RateLimiterHoldfastOptions } from 'holdfast/rate-limiter'
import { createPair } from 'holdfast/testing'
import {
  BurstyRateLimiter,
  type RateLimiterAbstract,
  RateLimiterMemory,
  RateLimiterQueue,
  RateLimiterRes,
  RateLimiterUnion,
} from 'rate-limiter-flexible'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { until } from '../node/support.ts'
import { Random, replayCommand, runs, seed } from '../support/seed.ts'
import { alone, failure, PATIENT } from './support.ts'

const test = suite('rate-limiter')
const limits = limitTable({ capacity: 1000 })
const node = await alone({ limits, small: limitTable({ name: 'small', capacity: 2 }) })
const { small } = node.tables
test.after(() => node.close())
test.before.each(() => node.tables.limits.clear())

const make = (options: Partial<RateLimiterHoldfastOptions> = {}) =>
  new RateLimiterHoldfast({ node, table: node.tables.limits, points: 5, duration: 60, ...options })

/** What an operation came to, without what depends on the clock. */
async function outcome(act: Promise<unknown>): Promise<unknown> {
  const shown = (value: unknown) => {
    if (!(value instanceof RateLimiterRes)) return value
    const { consumedPoints, remainingPoints, isFirstInDuration, msBeforeNext } = value
    const seconds = msBeforeNext < 0 ? -1 : Math.ceil(msBeforeNext / 10_000)
    return { consumedPoints, remainingPoints, isFirstInDuration, seconds }
  }
  return act.then(
    (value) => ({ gave: shown(value) }),
    // The limiter in memory calls one that blocks the first in its window; those over stores do not.
    (error) => ({
      refused:
        error instanceof Error ? String(error) : { ...(shown(error) as object), isFirstInDuration: false },
    }),
  )
}

test('points that are no number are refused: a limit that compares with them would let everybody pass', async () => {
  for (const wrong of [Number.NaN, Number.POSITIVE_INFINITY, '1' as never]) {
    const error = await failure(make().consume('k', wrong))
    assert.instance(error, ValueError)
    assert.match(String(error), /RateLimiterHoldfast: points .* given; allowed: a number/)
  }
  await make().consume('k', 2)
  assert.instance(await failure(make().consume('k', Number.NaN)), ValueError)
  assert.is((await make().get('k'))!.consumedPoints, 2)
})

test('it answers a random history as the library’s limiter in memory does', async () => {
  const random = new Random(seed)
  for (const options of [
    { points: 5, duration: 60 },
    { points: 3, duration: 60, blockDuration: 120 },
    { points: 4, duration: 0 },
  ]) {
    const ours = make({ ...options, keyPrefix: `p${options.points}` })
    const theirs = new RateLimiterMemory(options)
    for (let i = 0; i < runs(300); i++) {
      const key = `key${random.below(6)}`
      const points = 1 + random.below(3)
      const acts: ((limiter: RateLimiterAbstract) => Promise<unknown>)[] = [
        (limiter) => limiter.consume(key, points),
        (limiter) => limiter.consume(key, points),
        (limiter) => limiter.penalty(key, points),
        (limiter) => limiter.reward(key, points),
        (limiter) => limiter.get(key),
        (limiter) => limiter.set(key, points, 30),
        (limiter) => limiter.block(key, 90),
        (limiter) => limiter.delete(key),
      ]
      const at = random.below(acts.length)
      const act = acts[at]!
      assert.equal(
        await outcome(act(ours)),
        await outcome(act(theirs)),
        `step ${i}, act ${at}; replay: ${replayCommand()}`,
      )
    }
  }
})

test('a window ends to the millisecond', async () => {
  const limiter = make({ points: 1, duration: 0.3 })
  const earliest = Date.now() + 300
  await limiter.consume('k')
  const latest = Date.now() + 301
  for (;;) {
    const asked = Date.now()
    const again = await outcome(limiter.consume('k'))
    if ('gave' in (again as object)) {
      assert.ok(Date.now() >= earliest, 'not before its end')
      break
    }
    assert.ok(asked <= latest, `not after its end: ${asked - latest} ms`)
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
})

test('a thousand requests at once get exactly the points there are', async () => {
  const limiter = make({ points: 100 })
  const all = await Promise.allSettled(Array.from({ length: 1000 }, () => limiter.consume('k')))
  assert.is(all.filter(({ status }) => status === 'fulfilled').length, 100)
  assert.is((await limiter.get('k'))!.consumedPoints, 1000)
})

test('it works inside the library’s other limiters', async () => {
  const union = new RateLimiterUnion(make({ keyPrefix: 'u1' }), make({ keyPrefix: 'u2', points: 1 }))
  await union.consume('k')
  assert.ok((await failure(union.consume('k'))) !== undefined)
  const bursty = new BurstyRateLimiter(
    make({ keyPrefix: 'b1', points: 1 }),
    make({ keyPrefix: 'b2', points: 1 }),
  )
  await bursty.consume('k')
  await bursty.consume('k')
  assert.ok((await failure(bursty.consume('k'))) instanceof RateLimiterRes)
  const queue = new RateLimiterQueue(make({ keyPrefix: 'q', points: 2, duration: 1 }), { maxQueueSize: 1 })
  assert.equal([await queue.removeTokens(1, 'k'), await queue.removeTokens(1, 'k')], [1, 0])
  const stopped = make({ keyPrefix: 's', points: 1, inMemoryBlockOnConsumed: 2, inMemoryBlockDuration: 60 })
  await stopped.consume('k')
  await failure(stopped.consume('k'))
  await failure(stopped.consume('k'))
  assert.is((await stopped.get('k'))!.consumedPoints, 2, 'blocked in memory, not counted')
})

test('long keys count, a full table is refused, wrong options are refused', async () => {
  const limiter = make()
  const long = 'x'.repeat(5000)
  await limiter.consume(long, 2)
  await limiter.consume(`${long}y`)
  assert.is((await limiter.get(long))!.consumedPoints, 2)
  const tight = make({ table: small })
  await tight.consume('1')
  await tight.consume('2')
  assert.instance(await failure(tight.consume('3')), TableFullError)
  const insured = make({ table: small, insuranceLimiter: new RateLimiterMemory({ points: 1, duration: 60 }) })
  assert.is((await insured.consume('3')).consumedPoints, 1)
  for (const wrong of [{ storeClient: {} }, { table: undefined }, { alone: 'wait' }])
    assert.throws(
      () => make(wrong as never),
      (error: unknown) => error instanceof ConfigError,
    )
})

test('on a pair: a secondary reads, refuses to count or asks its insurance, and goes on counting', async () => {
  await using pair = await createPair({ tables: { limits }, heartbeat: PATIENT })
  const [a, b] = [pair.a, pair.b].map(
    (each) =>
      new RateLimiterHoldfast({ node: each, table: each.tables.limits, points: 5, duration: 60, held: true }),
  ) as [RateLimiterHoldfast, RateLimiterHoldfast]
  await a.consume('k', 3)
  await until('b has it', () => pair.b.tables.limits.size === 1)
  assert.is((await b.get('k'))!.consumedPoints, 3)
  assert.instance(await failure(b.consume('k')), NotPrimaryError)
  const insured = new RateLimiterHoldfast({
    node: pair.b,
    table: pair.b.tables.limits,
    points: 5,
    duration: 60,
    insuranceLimiter: new RateLimiterMemory({ points: 5, duration: 60 }),
  })
  assert.is((await insured.consume('k')).consumedPoints, 1)
  await pair.a.handover()
  await until('b is protected', () => pair.b.status().protected)
  assert.is((await b.consume('k', 2)).remainingPoints, 0)
  assert.is(((await failure(b.consume('k'))) as RateLimiterRes).consumedPoints, 6)
  assert.instance(await failure(a.consume('k')), NotPrimaryError)
})

test.run()
