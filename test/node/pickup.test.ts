// Sessions that are held back, between two nodes: what is not sent, what a promise covers, and what a change of role
// does with them.
import { createNode, defineTable, type HoldfastNode, NotProtectedError, SessionGoneError } from 'holdfast'
import { createPair } from 'holdfast/testing'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { closing, PATIENT, pairOptions, protectedPair, until } from './support.ts'

const test = suite('pickup')

/** Longer than any test: what leaves was asked for. */
const DELAY_SECONDS = 3_600

function tablesOf(delay: number) {
  return {
    flows: defineTable({
      name: 'flows',
      key: { id: 'u32' },
      fields: { n: 'u32', kind: ['shared', 'local', 'broken'] },
      capacity: 20_000,
      pickup: {
        delay,
        filter: ({ kind }) => {
          if (kind === 'broken') throw new Error('a filter that fails')
          return kind !== 'local'
        },
      },
    }),
  }
}
type Node = HoldfastNode<ReturnType<typeof tablesOf>>

async function inPair(delay: number, body: (a: Node, b: Node) => Promise<void>): Promise<void> {
  await closing(async (opened) => {
    const options = await pairOptions()
    const nodes: Node[] = []
    for (const one of [options.a, options.b]) {
      const node = await createNode({ ...one, tables: tablesOf(delay) })
      opened.push(node)
      nodes.push(node)
    }
    const [a, b] = nodes as [Node, Node]
    await protectedPair(a as never, b as never)
    await body(a, b)
  })
}

test('a session is on the secondary once its delay is over, and only if the filter agrees', () =>
  inPair(0.05, async (a, b) => {
    const errors: Error[] = []
    a.on('error', (error) => errors.push(error))
    a.tables.flows.set({ id: 1 }, { kind: 'shared' })
    a.tables.flows.set({ id: 2 }, { kind: 'local' })
    a.tables.flows.set({ id: 3 }, { kind: 'broken' })
    await a.replicated()
    assert.is(b.tables.flows.size, 0)
    await until('both are picked up', () => b.tables.flows.size === 2)
    assert.equal(
      [1, 2, 3].map((id) => b.tables.flows.has({ id })),
      [true, false, true],
    )
    assert.equal(errors.map(String), ['Error: a filter that fails'])
    assert.is(a.status().tables.flows!.unprotected, 1)
    a.tables.flows.set({ id: 2 }, { kind: 'shared' })
    await until('the replaced one too', () => b.tables.flows.size === 3)
    assert.is((await a.verify()).equal, true)
    assert.is(a.status().tables.flows!.unprotected, 0)
  }))

test("replicated() leaves young sessions where they are, and takes them with pickup: 'now'", () =>
  inPair(DELAY_SECONDS, async (a, b) => {
    for (let id = 0; id < 10_000; id++) a.tables.flows.set({ id }, { n: id })
    a.tables.flows.set({ id: 10_000 }, { kind: 'local' })
    assert.equal(await a.replicated(), { held: true })
    assert.equal([b.tables.flows.size, a.status().tables.flows!.unprotected], [0, 10_001])
    assert.is((await a.verify()).equal, true)
    assert.equal(await a.replicated({ pickup: 'now' }), { held: true })
    await until('applied', () => b.tables.flows.size === 10_000)
    assert.is(b.tables.flows.get({ id: 9_999 })?.n, 9_999)
    assert.is(a.status().tables.flows!.unprotected, 1)
    assert.equal(await a.replicated({ pickup: 'now' }), { held: true }, 'with nothing to pick up')
  }))

test('a handover takes young sessions along; what a filter refused is dropped and counted', () =>
  inPair(DELAY_SECONDS, async (a, b) => {
    for (let id = 0; id < 6_000; id++) a.tables.flows.set({ id }, { kind: id % 3 === 0 ? 'local' : 'shared' })
    await a.handover()
    await until('b leads', () => b.role === 'primary')
    assert.is(b.tables.flows.size, 4_000)
    await protectedPair(b as never, a as never)
    const { sessions, unreplicatedDropped } = a.status().tables.flows!
    assert.equal([sessions, unreplicatedDropped], [4_000, 2_000])
    const { equal, position } = await b.verify()
    assert.equal([equal, position.epoch], [true, b.epoch])
  }))

test('a primary that loses its role to a cut drops what it alone had', async () => {
  const pair = await createPair({ tables: tablesOf(DELAY_SECONDS), heartbeat: PATIENT })
  try {
    const { a, b, m1, m2 } = pair
    a.tables.flows.set({ id: 1 })
    await a.replicated({ pickup: 'now' })
    a.tables.flows.set({ id: 2 })
    const view = a.tables.flows.get({ id: 2 })!
    for (const cable of [m1, m2]) cable.cut()
    await until('b leads alone', () => b.role === 'primary')
    for (const cable of [m1, m2]) cable.mend()
    await until('one of them follows', () => a.role !== b.role)
    const [leader, follower] = a.role === 'primary' ? [a, b] : [b, a]
    await protectedPair(leader as never, follower as never)
    assert.is(follower.id, 'a')
    assert.throws(
      () => view.n,
      (error: unknown) => error instanceof SessionGoneError,
    )
    const { flows } = a.tables
    assert.equal(
      [flows.size, flows.has({ id: 2 }), a.status().tables.flows!.unreplicatedDropped],
      [1, false, 1],
    )
    assert.is((await b.verify()).equal, true)
    b.tables.flows.set({ id: 3 })
    await b.replicated({ pickup: 'now' })
    await until('applied', () => flows.has({ id: 3 }))
  } finally {
    await pair.close()
  }
})

test("pickup: 'now' without a secondary does as alone says, and a lone primary goes on picking up", () =>
  closing(async (opened) => {
    const { a: options } = await pairOptions({ holdDown: 300 })
    const a = await createNode({ ...options, tables: tablesOf(0.02) })
    opened.push(a)
    await a.ready()
    a.tables.flows.set({ id: 1 }, { kind: 'local' })
    assert.equal(await a.replicated({ pickup: 'now', alone: 'resolve' }), { held: false })
    await a.replicated({ pickup: 'now' }).then(
      () => assert.unreachable('resolved'),
      (error) => assert.instance(error, NotProtectedError),
    )
    assert.is(a.tables.flows.size, 1)
  }))

test.run()
