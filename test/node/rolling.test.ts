// time-out: 200 s
// A rolling upgrade: two builds of a schema as a pair, the newer one with further fields, in either role; what does not go
// together is refused with the table and the field on both sides, while the primary goes on.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createNode, defineTable, type HoldfastNode, type NodeOptions, string } from 'holdfast'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { closing, type Node, pairOptions, protectedPair, until } from './support.ts'

const test = suite('rolling upgrade')

const FIELDS = { count: 'u53', note: ['none', 'seen'] } as const
const define = <const Fields extends object>(fields: Fields) =>
  defineTable({ name: 'sessions', key: { id: 'u32' }, fields: fields as never, capacity: 30_000 })
const old = { sessions: define(FIELDS) }
const next = { sessions: define({ ...FIELDS, user: 'u32', label: string(8) }) }

/** As the tests drive it: the fields of either build. */
interface Loose {
  readonly size: number
  set(key: object, fields?: object): void
  update(key: object, fields: object): boolean
  get(key: object): Record<string, unknown> | undefined
}
const sessionsOf = (node: Node) => node.tables.sessions as unknown as Loose
const start = (options: object, tables: object) =>
  createNode({ ...options, tables } as unknown as NodeOptions) as unknown as Promise<Node>

test('the older build leads, the newer one joins, takes over, and hands back: nothing either knows is lost', () =>
  closing(async (opened) => {
    const options = await pairOptions({ holdDown: 400 })
    const a = await start(options.a, old)
    opened.push(a)
    await a.ready()
    for (let id = 0; id < 3_000; id++) sessionsOf(a).set({ id }, { count: id, note: 'seen' })
    const b = await start(options.b, next)
    opened.push(b)
    await protectedPair(a, b)
    assert.is(sessionsOf(b).size, 3_000)
    assert.equal([sessionsOf(b).get({ id: 7 })?.count, sessionsOf(b).get({ id: 7 })?.user], [7, 0])
    assert.is((await a.verify()).equal, true)

    await a.handover()
    await protectedPair(b, a)
    for (let id = 0; id < 1_000; id++)
      sessionsOf(b).update({ id }, { count: id + 1, user: id, label: `n${id}` })
    sessionsOf(b).set({ id: 5_000 }, { user: 9 })
    assert.equal(await b.replicated(), { held: true })
    // Held is received; it is applied a moment later.
    await until('a has applied it', () => sessionsOf(a).get({ id: 5_000 }) !== undefined)
    assert.is(sessionsOf(a).get({ id: 7 })?.count, 8)
    assert.ok(sessionsOf(a).get({ id: 5_000 }))
    assert.is((await b.verify()).equal, true, 'equal in what both know')

    await b.handover()
    await protectedPair(a, b)
    sessionsOf(a).update({ id: 7 }, { count: 99 })
    assert.equal(await a.replicated(), { held: true })
    await until('b has applied it', () => sessionsOf(b).get({ id: 7 })?.count === 99)
    const seven = sessionsOf(b).get({ id: 7 })!
    assert.equal([seven.count, seven.user, seven.label], [99, 7, 'n7'], 'what is its own stays')
    await a.resync()
    assert.is(sessionsOf(b).get({ id: 8 })?.user, 8, 'also when everything is compared')
    assert.is((await a.verify()).equal, true)
  }))

test('the newer build leads; the older one is killed off and comes back new: then all fields are there', () =>
  closing(async (opened) => {
    const options = await pairOptions({ holdDown: 400 })
    const a = await start(options.a, next)
    opened.push(a)
    await a.ready()
    for (let id = 0; id < 2_000; id++) sessionsOf(a).set({ id }, { count: id, user: id + 1, label: 'x' })
    const b = await start(options.b, old)
    opened.push(b)
    await protectedPair(a, b)
    assert.is(sessionsOf(b).size, 2_000)
    await b.close()
    const again = await start(options.b, next)
    opened.push(again)
    await protectedPair(a, again)
    for (let id = 0; id < 2_000; id++) {
      const session = sessionsOf(again).get({ id })!
      if (session.user !== id + 1 || session.label !== 'x') assert.unreachable(`${id}`)
    }
    assert.is((await a.verify()).equal, true)
  }))

const REFUSED: [string, object, string][] = [
  [
    'another type',
    define({ count: 'u32', note: ['none', 'seen'] }),
    "schema: table sessions: field count is u53 on 'a', u32 on 'b'",
  ],
  [
    'a field in between',
    define({ count: 'u53', more: 'u8', note: ['none', 'seen'] }),
    "schema: table sessions: field 2 is note on 'a', more on 'b'",
  ],
  [
    'another key',
    defineTable({ name: 'sessions', key: { id: 'u16' }, fields: FIELDS, capacity: 30_000 }),
    "schema: table sessions: key field id is u32 on 'a', u16 on 'b'",
  ],
  [
    'a timeout',
    defineTable({ name: 'sessions', key: { id: 'u32' }, fields: FIELDS, capacity: 30_000, timeout: 5 }),
    "schema: table sessions: timeout and expiry (ticks) are none on 'a', 80 idle on 'b'",
  ],
]

for (const [what, sessions, message] of REFUSED) {
  test(`${what}: refused with what differs on both sides, and the primary goes on`, () =>
    closing(async (opened) => {
      const options = await pairOptions({ holdDown: 400 })
      const a = await start(options.a, old)
      opened.push(a)
      await a.ready()
      sessionsOf(a).set({ id: 1 }, { count: 1 })
      const { epoch } = a
      const told: string[][] = [[], []]
      a.on('link', ({ reason }) => told[0]!.push(reason))
      const b = (await start(
        { ...options.b, mode: 'manual' },
        { sessions },
      )) as HoldfastNode as unknown as Node
      opened.push(b)
      b.on('link', ({ reason }) => told[1]!.push(reason))
      const mirrored = message.replace(/(is|are) (.*) on 'a', (.*) on 'b'/, "$1 $3 on 'b', $2 on 'a'")
      const tells = (line: string) => line.endsWith(message) || line.endsWith(mirrored)
      await until('both tell it', () => told.every((lines) => lines.some(tells)))
      await until('both show it', () => [a, b].every((node) => tells(node.status().links.m1.lastReason)))
      assert.equal([a.role, a.epoch], ['primary', epoch])
      sessionsOf(a).set({ id: 2 }, { count: 2 })
      assert.is(sessionsOf(a).size, 2)
    }))
}

test('a snapshot of the older build is loaded by the newer one, not the other way round', () =>
  closing(async (opened) => {
    const root = mkdtempSync(join(tmpdir(), 'holdfast-rolling-'))
    opened.push({ close: async () => rmSync(root, { recursive: true }) })
    mkdirSync(join(root, 'a'))
    const { a: options } = await pairOptions({ holdDown: 300 })
    const kept = { ...options, stateDir: join(root, 'a'), snapshot: {} }
    const first = await start(kept, old)
    opened.push(first)
    await first.ready()
    for (let id = 0; id < 500; id++) sessionsOf(first).set({ id }, { count: id })
    await first.close()
    const second = await start(kept, next)
    opened.push(second)
    await second.ready()
    assert.is(sessionsOf(second).size, 500)
    assert.equal([sessionsOf(second).get({ id: 9 })?.count, sessionsOf(second).get({ id: 9 })?.user], [9, 0])
    sessionsOf(second).update({ id: 9 }, { user: 5 })
    await second.close()
    const third = await start(kept, next)
    opened.push(third)
    assert.is(sessionsOf(third).get({ id: 9 })?.user, 5)
    await third.close()
    let message = ''
    await start(kept, old).catch((error: Error) => {
      message = error.message
    })
    assert.match(message, /does not go with the tables: table sessions: field user is only there/)
  }))

test.run()
