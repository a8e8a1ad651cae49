// The store of express-session: the compliance suite, what it does on both nodes of a pair, and what it says of errors.
import session, { type SessionData } from 'express-session'
import {
  ArenaFullError,
  ConfigError,
  defineTable,
  NotPrimaryError,
  TableFullError,
  ValueError,
} from 'holdfast'
import { HoldfastStore, type HoldfastStoreOptions, sessionTable } from 'holdfast/express-session'
import { createPair, sessionStoreSuite } from 'holdfast/testing'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { until } from '../node/support.ts'
import { alone, called, failure, PATIENT } from './support.ts'

const MIB = 2 ** 20
const test = suite('express-session')
const sessions = sessionTable({ capacity: 1000, arena: 4 * MIB })

const node = await alone({ sessions, small: sessionTable({ name: 'small', capacity: 2, arena: 65_536 }) })
test.after(() => node.close())
const { small } = node.tables

const store = (options: Partial<HoldfastStoreOptions> = {}) =>
  new HoldfastStore({ node, table: node.tables.sessions, ...options })

const cookie = (maxAge: number | null) => ({
  originalMaxAge: maxAge,
  expires: maxAge === null ? null : new Date(Date.now() + maxAge),
})
const given = (values: object, maxAge: number | null = 60_000) =>
  ({ cookie: cookie(maxAge), ...values }) as unknown as SessionData
const set = (to: HoldfastStore, sid: string, values: object, maxAge?: number | null) =>
  called<void>((done) => to.set(sid, given(values, maxAge), done))
const get = async (from: HoldfastStore, sid: string) =>
  (await called<SessionData | null>((done) => from.get(sid, done))) as
    | Record<string, unknown>
    | null
    | undefined

sessionStoreSuite(test, { create: () => store() })
sessionStoreSuite(test, { create: () => store({ held: true }) })

test('a touch with the cookie that is stored writes neither body nor cookie', async () => {
  const to = store()
  const table = node.tables.sessions
  await set(to, 'touched', { text: 'x'.repeat(5000) })
  const used = table.arena.usedBytes
  const before = table.get({ sid: 'touched' })!.toJSON()
  await until('a millisecond later', () => Date.now() > before.expires - 60_000 + 2)
  await called<void>((done) => to.touch('touched', given({}), done))
  const { expires, ...rest } = table.get({ sid: 'touched' })!.toJSON()
  assert.ok(expires > before.expires)
  assert.equal({ ...rest, expires: before.expires }, before)
  assert.is(table.arena.usedBytes, used)
})

test('a touch with another cookie stores the cookie: a session may be made a long one', async () => {
  const to = store()
  await set(to, 'remembered', { user: 'u' }, 5000)
  await called<void>((done) => to.touch('remembered', given({}, 10_000_000), done))
  const found = await get(to, 'remembered')
  assert.is((found!.cookie as SessionData['cookie']).originalMaxAge, 10_000_000)
  assert.is(found!.user, 'u')
})

test('what does not fit is refused by name, and what was stored stays', async () => {
  const to = store({ table: small })
  await set(to, 'one', { text: 'first' })
  assert.instance(await failure(set(to, 'one', { text: 'x'.repeat(2 * MIB) })), ValueError)
  assert.instance(await failure(set(to, 'one', { text: 'x'.repeat(60_000) })), ArenaFullError)
  assert.is((await get(to, 'one'))!.text, 'first')
  await set(to, 'two', {})
  assert.instance(await failure(set(to, 'three', {})), TableFullError)
  assert.is(await get(to, 'three'), null)
  await called<void>((done) => to.clear(done))
})

test('a session that is too large is refused by its size; nothing of it is in the message', async () => {
  for (const values of [{ text: 'secret'.repeat(200_000) }, { text: '\u20ac'.repeat(400_000) }]) {
    const error = await failure(set(store(), 'large', values))
    assert.instance(error, ValueError)
    assert.match(
      String(error),
      /field body: text of 120\d{4} bytes given; allowed: well-formed text of at most 1048576 bytes/,
    )
  }
  assert.is(await get(store(), 'large'), null)
})

test('an id that is too long is no session’s, and refused by set with what to do', async () => {
  const to = store()
  const long = 'x'.repeat(49)
  assert.is(await get(to, long), null)
  await called<void>((done) => to.destroy(long, done))
  await called<void>((done) => to.touch(long, given({}), done))
  const error = await failure(set(to, long, {}))
  assert.instance(error, ValueError)
  assert.match(String(error), /49 bytes given; allowed: 48; define the table with a larger idBytes/)
})

test('a session is JSON: a Date becomes a string, a BigInt is refused, a serializer may do otherwise', async () => {
  const to = store()
  await set(to, 'dated', { at: new Date(0) })
  assert.is((await get(to, 'dated'))!.at, '1970-01-01T00:00:00.000Z')
  const error = await failure(set(to, 'dated', { n: 1n }))
  assert.instance(error, ValueError)
  assert.match(String(error), /BigInt/)
  assert.is((await get(to, 'dated'))!.at, '1970-01-01T00:00:00.000Z')
  const own = store({
    serializer: {
      stringify: (value) => JSON.stringify(value, (_, v) => (typeof v === 'bigint' ? `${v}n` : v)),
      parse: (text) => JSON.parse(text, (_, v) => (/^\d+n$/.test(v) ? BigInt(v.slice(0, -1)) : v)),
    },
  })
  await set(own, 'big', { n: 2n ** 70n })
  assert.is((await get(own, 'big'))!.n, 2n ** 70n)
})

test('all gives each session with its id', async () => {
  const to = store()
  await called<void>((done) => to.clear(done))
  await set(to, 'x', { n: 1 })
  await set(to, 'y', { n: 2 }, null)
  const found = await called<(SessionData & { id: string })[]>((done) => to.all(done))
  assert.equal(found!.map(({ id }) => id).sort(), ['x', 'y'])
})

test('wrong options are refused by name', () => {
  const other = defineTable({ name: 'other', key: { sid: 'u8' }, fields: {}, capacity: 1 })
  const wrong: [object, RegExp][] = [
    [{ table: { definition: other } }, /a table with sid given; allowed: .*sessionTable/],
    [{ table: undefined }, /table undefined given/],
    [{ node: {} }, /node .* given; allowed: what createNode/],
    [{ held: 'yes' }, /held 'yes' given/],
    [{ alone: 'wait' }, /alone 'wait' given; allowed: with held: true/],
    [{ held: true, alone: 'never' }, /alone 'never' given/],
    [{ serializer: {} }, /serializer .* given/],
    [{ ttl: 5 }, /option ttl given; allowed: node, table/],
  ]
  for (const [options, message] of wrong) {
    try {
      store(options as never)
      assert.unreachable(String(message))
    } catch (error) {
      assert.instance(error, ConfigError)
      assert.match((error as Error).message, message)
    }
  }
})

test('on a pair: connect and disconnect follow the role, a secondary reads, and refuses writes', async () => {
  await using pair = await createPair({ tables: { sessions }, heartbeat: PATIENT })
  const words: string[] = []
  const [a, b] = [pair.a, pair.b].map((each) => {
    const made = new HoldfastStore({ node: each, table: each.tables.sessions, held: true, alone: 'reject' })
    for (const word of ['connect', 'disconnect']) made.on(word, () => words.push(`${each.id} ${word}`))
    return made
  }) as [HoldfastStore, HoldfastStore]
  await until('b says it', () => words.length > 0)
  assert.equal(words, ['b disconnect'])
  assert.equal([a.connected, b.connected], [true, false])

  await set(a, 'user', { name: 'u' })
  await until('b has it', () => pair.b.tables.sessions.has({ sid: 'user' }))
  assert.is((await get(b, 'user'))!.name, 'u')
  for (const write of [
    set(b, 'user', {}),
    called<void>((done) => b.destroy('user', done)),
    called<void>((done) => b.touch('user', given({}), done)),
    called<void>((done) => b.clear(done)),
  ])
    assert.instance(await failure(write), NotPrimaryError)

  words.length = 0
  await pair.a.handover()
  await until('both say it', () => words.length === 2)
  assert.equal(words.sort(), ['a disconnect', 'b connect'])
  await until('b is protected', () => pair.b.status().protected)
  await set(b, 'user', { name: 'v' })
  assert.is((await get(b, 'user'))!.name, 'v')
  assert.instance(await failure(set(a, 'user', {})), NotPrimaryError)
})

test('held: a set is answered when the secondary has it, and one without a secondary as `alone` says', async () => {
  await using pair = await createPair({ tables: { sessions }, heartbeat: PATIENT })
  const table = pair.a.tables.sessions
  const held = new HoldfastStore({ node: pair.a, table, held: true })
  const strict = new HoldfastStore({ node: pair.a, table, held: true, alone: 'reject' })
  for (let i = 0; i < 50; i++) {
    await set(held, `s${i}`, { i })
    assert.is(pair.a.status().protected, true)
  }
  pair.m1.cut()
  pair.m2.cut()
  await until('a is alone', () => !pair.a.status().protected)
  await set(held, 'alone', {})
  assert.is(((await failure(set(strict, 'strict', {}))) as { code: string }).code, 'ERR_NOT_PROTECTED')
})

test('a touch of a long session is a few bytes on a link', async () => {
  await using pair = await createPair({ tables: { sessions }, heartbeat: PATIENT })
  const to = new HoldfastStore({ node: pair.a, table: pair.a.tables.sessions })
  const ids = Array.from({ length: 200 }, (_, i) => `s${i}`)
  // The sync thread tells it about once a second; a second change was counted after the call.
  const sent = async () => {
    const counted = () => pair.a.status().links.m1.bytesSent
    for (let i = 0; i < 2; i++) {
      const last = counted()
      await until('bytes are counted anew', () => counted() !== last)
    }
    return counted()
  }
  for (const sid of ids) await set(to, sid, { text: 'x'.repeat(5000) })
  await pair.a.replicated()
  const before = await sent()
  const began = performance.now()
  for (let round = 0; round < 5; round++) {
    const now = Date.now()
    await until('a millisecond later', () => Date.now() > now)
    for (const sid of ids) await called<void>((done) => to.touch(sid, given({ text: 'stale' }), done))
    await pair.a.replicated()
  }
  // Besides: a keep-alive each interval, and frames around batches.
  const bytes = ((await sent()) - before) / (5 * ids.length)
  const intervals = (performance.now() - began) / PATIENT.interval
  console.log(`${bytes.toFixed(1)} bytes for each touch, with all that went over the link meanwhile`)
  assert.ok(bytes < 50 + intervals / 10, `${bytes} bytes`)
})

test('the middleware goes on without a session on a node that is not primary', async () => {
  await using pair = await createPair({ tables: { sessions }, heartbeat: PATIENT })
  const words: string[] = []
  const middleware = (of: 'a' | 'b') => {
    const made = new HoldfastStore({ node: pair[of], table: pair[of].tables.sessions })
    const handler = session({ store: made, secret: 'secret', resave: false, saveUninitialized: false })
    for (const word of ['connect', 'disconnect']) made.on(word, () => words.push(`${of} ${word}`))
    return handler
  }
  const [onA, onB] = [middleware('a'), middleware('b')]
  await until('b says it', () => words.length > 0)
  const through = async (of: typeof onA) => {
    const req = { headers: {}, url: '/', originalUrl: '/' } as Record<string, unknown>
    const res = { end() {}, write() {}, writeHead() {}, on() {} }
    await new Promise<void>((resolve) => of(req as never, res as never, () => resolve()))
    return typeof req.session
  }
  assert.equal([await through(onA), await through(onB)], ['object', 'undefined'])
  await pair.a.handover()
  await until('both say it', () => words.includes('a disconnect') && words.includes('b connect'))
  assert.equal([await through(onA), await through(onB)], ['undefined', 'object'])
})

test.run()
