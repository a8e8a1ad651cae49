// A web session store on two real nodes: long keys, texts and blobs of any length, through replication and a handover;
// and an arena that is too small for the pair.
import {
  ArenaFullError,
  createNode,
  defineTable,
  type HoldfastNode,
  type NodeOptions,
  string,
} from 'holdfast'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { closing, pairOptions, until } from './support.ts'

const test = suite('arena')

const table = (arena: number) =>
  defineTable({
    name: 'web',
    key: { id: string(255) },
    fields: { user: 'u32', data: 'text', avatar: 'blob' },
    capacity: 2000,
    arena,
  })
type Tables = { web: ReturnType<typeof table> }

async function twoNodes(
  arenas: readonly [number, number],
  opened: { close(): Promise<unknown> }[],
): Promise<readonly [HoldfastNode<Tables>, HoldfastNode<Tables>]> {
  const { a, b } = await pairOptions({ holdDown: 300 })
  const make = async (options: object, arena: number) => {
    const tables: Tables = { web: table(arena) }
    const node = await createNode<Tables>({ ...options, tables } as NodeOptions<Tables>)
    opened.push(node)
    return node
  }
  const first = await make(a, arenas[0])
  await first.ready()
  return [first, await make(b, arenas[1])]
}

test('texts and blobs of any length arrive, change by their middle, and survive a change of roles', () =>
  closing(async (opened) => {
    const [a, b] = await twoNodes([24 << 20, 24 << 20], opened)
    const id = (n: number) => `${'session-'.repeat(30)}${n}`
    const { web } = a.tables
    const data = JSON.stringify({ cart: ['☃'.repeat(300_000)] })
    for (let n = 0; n < 300; n++) web.set({ id: id(n) }, { user: n, data: `{"n":${n}}` })
    web.set({ id: id(1000) }, { data, avatar: new Uint8Array(1 << 20).fill(9) })
    await until('the pair is protected', () => a.status().protected)
    const session = web.get({ id: id(1000) })!
    session.data = data.replace('☃☃', '☃é☃')
    await a.replicated({ alone: 'wait' })
    const there = b.tables.web.get({ id: id(1000) })!
    await until('the change is applied', () => there.data.includes('é'))
    assert.is(there.data, session.data)
    assert.equal(there.avatar, new Uint8Array(1 << 20).fill(9))
    const { arena } = a.status().tables.web!
    assert.equal(b.status().tables.web!.arena, arena)
    assert.ok(arena!.usedBytes > 2_000_000 && arena!.limitBytes < arena!.bytes)
    assert.throws(
      () => {
        for (let n = 0; n < 40; n++) web.set({ id: id(2000 + n) }, { avatar: new Uint8Array(1 << 20) })
      },
      (error: unknown) => error instanceof ArenaFullError && error.code === 'ERR_ARENA_FULL',
    )
    await until('the backlog is gone', () => a.status().protected)
    assert.is((await a.verify()).equal, true)
    await a.handover()
    await until('b is primary', () => b.role === 'primary')
    b.tables.web.update({ id: id(7) }, { data: 'x'.repeat(100_000) })
    await until('the pair is protected the other way', () => b.status().protected)
    await until('a has it', () => a.tables.web.get({ id: id(7) })?.data.length === 100_000)
  }))

test('a secondary with a smaller arena than its primary: both say capacity', () =>
  closing(async (opened) => {
    const [a, b] = await twoNodes([4 << 20, 2 << 20], opened)
    for (const node of [a, b]) {
      await until('status shows it', () => node.status().links.m1.lastReason.includes('capacity'))
    }
    assert.is(a.role, 'primary')
  }))

test.run()
