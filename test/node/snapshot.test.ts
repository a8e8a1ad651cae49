// time-out: 300 s
// Both nodes lost and both started again: the sessions of the younger snapshot are there, in the same lineage, under a
// later epoch; a snapshot that cannot be used is refused, or put aside where that was asked for.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createNode, defineTable, StateError } from 'holdfast'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Child, closing, type Node, type Options, pairOptions, protectedPair, until } from './support.ts'

const test = suite('snapshot')
let root = ''
let options: { a: Options; b: Options }
test.before.each(async () => {
  root = mkdtempSync(join(tmpdir(), 'holdfast-nodes-'))
  const pair = await pairOptions({ holdDown: 600 })
  const kept = (one: Options): Options => ({
    ...one,
    stateDir: join(root, one.id),
    snapshot: { interval: 1_000 },
  })
  options = { a: kept(pair.a), b: kept(pair.b) }
  for (const id of ['a', 'b']) mkdirSync(join(root, id))
})
test.after.each(() => rmSync(root, { recursive: true }))

type Status = ReturnType<Node['status']>
const statusOf = async (child: Child) => (await child.ask('status')) as Status
const childOf = ({ tables: _, ...rest }: Options) => Child.start(rest)
const snapshotOf = (id: string) => join(root, id, 'snapshot')
const age = (id: string) => statSync(snapshotOf(id), { throwIfNoEntry: false })?.mtimeMs ?? 0

/** Waits until the status of a child holds what is asked for. */
async function untilIn(child: Child, what: string, holds: (status: Status) => boolean): Promise<Status> {
  const deadline = performance.now() + 30_000
  for (;;) {
    const status = await statusOf(child)
    if (holds(status)) return status
    if (performance.now() > deadline) throw new Error(`not within 30 s: ${what}`)
  }
}

/** A snapshot later than the last one known, with so many sessions, is there. */
async function nextSnapshot(child: Child, sessions: number): Promise<void> {
  const since = (await statusOf(child)).snapshot?.at ?? 0
  await untilIn(child, `a snapshot of ${sessions} sessions`, ({ snapshot }) => {
    return snapshot !== null && snapshot.at > since && snapshot.sessions === sessions
  })
}

test('both nodes killed and started: every session of the last snapshot, one lineage, a later epoch, a pair again', () =>
  closing(async (opened) => {
    const [a, b] = [await childOf(options.a), await childOf(options.b)]
    opened.push(a, b)
    await a.ask('ready')
    await a.ask('fill', { from: 0, to: 20_000 })
    await nextSnapshot(a, 20_000)
    await nextSnapshot(b, 20_000)
    const before = await statusOf(a)
    a.signal('SIGKILL')
    b.signal('SIGKILL')
    await Promise.all([a.close(), b.close()])

    const nodes = await Promise.all([createNode(options.a), createNode(options.b)])
    opened.push(...nodes)
    await Promise.all(nodes.map((node) => node.ready()))
    const [primary, secondary] = nodes[0].role === 'primary' ? nodes : [nodes[1], nodes[0]]
    await protectedPair(primary, secondary)
    for (const node of nodes) {
      assert.is(node.tables.sessions.size, 20_000)
      for (const session of node.tables.sessions) {
        if (session.count !== session.id * 3 || session.note !== 'seen') assert.unreachable(`${session.id}`)
      }
    }
    assert.is(primary.status().lineage, before.lineage, 'the same history')
    assert.ok(primary.epoch > before.epoch)
    assert.is((await primary.verify()).equal, true)
    primary.tables.sessions.set({ id: 20_000 }, { count: 1 })
    assert.equal(await primary.replicated(), { held: true })
  }))

test('of snapshots of different ages the younger wins, whichever node has the higher priority', () =>
  closing(async (opened) => {
    const [a, b] = [await childOf(options.a), await childOf(options.b)]
    opened.push(a, b)
    await a.ask('ready')
    await a.ask('fill', { from: 0, to: 1_000 })
    await nextSnapshot(a, 1_000)
    await nextSnapshot(b, 1_000)
    // a, of the higher priority, dies with this snapshot; b goes on alone.
    await a.close()
    await untilIn(b, 'b acts', ({ role }) => role === 'primary')
    for (let id = 1_000; id < 1_010; id++) assert.is(await b.ask('write', { id, count: id * 3 }), 'written')
    await nextSnapshot(b, 1_010)
    await b.close()
    assert.ok(age('b') > age('a'))

    const nodes = await Promise.all([createNode(options.a), createNode(options.b)])
    opened.push(...nodes)
    await protectedPair(nodes[1], nodes[0])
    for (const node of nodes) assert.is(node.tables.sessions.size, 1_010)
  }))

test('a node that went on alone within one reign is the younger one, though the positions were equal', () =>
  closing(async (opened) => {
    const [a, b] = [
      await childOf({ ...options.a, priority: 1 }),
      await childOf({ ...options.b, priority: 9 }),
    ]
    opened.push(a, b)
    await a.ask('ready')
    const leads = (await statusOf(a)).role === 'primary'
    const [first, second] = leads ? [a, b] : [b, a]
    await first.ask('fill', { from: 0, to: 500 })
    await nextSnapshot(first, 500)
    await nextSnapshot(second, 500)
    // The secondary dies; the primary goes on in the same reign with nobody to send frames to.
    await second.close()
    await untilIn(first, 'it is alone', (status) => !status.protected)
    for (let id = 500; id < 520; id++) assert.is(await first.ask('write', { id, count: id * 3 }), 'written')
    await nextSnapshot(first, 520)
    await first.close()
    const nodes = await Promise.all([
      createNode({ ...options.a, priority: 1 }),
      createNode({ ...options.b, priority: 9 }),
    ])
    opened.push(...nodes)
    const [expected, other] = leads ? nodes : [nodes[1], nodes[0]]
    await protectedPair(expected, other)
    for (const node of nodes) assert.is(node.tables.sessions.size, 520)
  }))

test('a node that closes writes what it has; one that starts alone goes on with it, and time has passed for its sessions', () =>
  closing(async (opened) => {
    const brief = defineTable({
      name: 'brief',
      key: { id: 'u32' },
      fields: { value: 'u32', name: 'text' },
      indexes: { value: ['value'] },
      capacity: 1_000,
      arena: 1 << 20,
      timeout: 3_600,
    })
    const alone = { ...options.a, tables: { brief } } as unknown as Parameters<typeof createNode>[0]
    const start = async () =>
      (await createNode(alone)) as unknown as Awaited<ReturnType<typeof createNode<{ brief: typeof brief }>>>
    const first = await start()
    opened.push(first)
    await first.ready()
    const lineage = first.status().lineage
    for (let id = 0; id < 500; id++)
      first.tables.brief.set({ id }, { value: id + 1, name: `n${id}`.repeat(id % 50) })
    first.tables.brief.set({ id: 900 }, { value: 7_000 }, { timeout: 0.0625 })
    await first.close()
    assert.equal(readdirSync(join(root, 'a')).sort(), ['epoch', 'snapshot'])
    const second = await start()
    opened.push(second)
    assert.is(second.role, 'starting')
    assert.ok(second.tables.brief.size >= 500, 'loaded before it has a role')
    await second.ready()
    assert.is(second.role, 'primary')
    assert.is(second.status().lineage, lineage)
    assert.ok(second.epoch > first.epoch)
    assert.is(second.tables.brief.by.value.get({ value: 8 })?.name, 'n7'.repeat(7))
    assert.is(second.tables.brief.has({ id: 900 }), false, 'its time was over while nobody ran')
    second.tables.brief.update({ id: 7 }, { name: 'changed' })
    await second.close()
    const third = await start()
    opened.push(third)
    assert.is(third.tables.brief.get({ id: 7 })?.name, 'changed')
  }))

test('an old primary that returns with its snapshot joins as secondary: what the other has since wins', () =>
  closing(async (opened) => {
    const a = await childOf(options.a)
    opened.push(a)
    const b = await createNode(options.b)
    opened.push(b)
    await a.ask('ready')
    await a.ask('fill', { from: 0, to: 5_000 })
    await nextSnapshot(a, 5_000)
    await a.close()
    await until('b acts', () => b.role === 'primary')
    b.tables.sessions.delete({ id: 3 })
    b.tables.sessions.set({ id: 4 }, { count: 44 })
    const { epoch } = b
    const again = await createNode(options.a)
    opened.push(again)
    assert.is(again.tables.sessions.size, 5_000, 'it has its snapshot')
    await protectedPair(b, again)
    assert.is(b.epoch, epoch)
    assert.is(again.tables.sessions.size, 4_999)
    assert.is(again.tables.sessions.get({ id: 4 })?.count, 44)
    assert.is((await b.verify()).equal, true)
  }))

test('a damaged snapshot is refused; told to, the node puts it aside, says so and starts empty', () =>
  closing(async (opened) => {
    const first = await createNode(options.a)
    opened.push(first)
    await first.ready()
    first.tables.sessions.set({ id: 1 }, { count: 1 })
    await first.close()
    const bytes = readFileSync(snapshotOf('a'))
    bytes[bytes.length >> 1]! ^= 4
    writeFileSync(snapshotOf('a'), bytes)
    let message = ''
    await createNode(options.a).catch((error: Error) => {
      assert.instance(error, StateError)
      message = error.message
    })
    assert.match(
      message,
      /the snapshot .* is damaged: its checksum does not fit\. Restore it or remove it; with snapshot:/,
    )
    const told: string[] = []
    const second = await createNode({ ...options.a, snapshot: { unusable: 'empty' } })
    opened.push(second)
    second.on('error', (error) => told.push(error.message))
    await second.ready()
    assert.is(second.tables.sessions.size, 0)
    assert.match(told.join(), /It was put aside as .*snapshot\.unusable; this node started without sessions/)
  }))

test('snapshots are taken while a primary writes without a pause', () =>
  closing(async (opened) => {
    const node = await createNode({ ...options.a, snapshot: { interval: 1_000 } })
    opened.push(node)
    await node.ready()
    for (let id = 0; id < 30_000; id++) node.tables.sessions.set({ id }, { count: id })
    let count = 0
    await until('a snapshot is taken while it writes', () => {
      for (let i = 0; i < 500; i++) node.tables.sessions.update({ id: (count * 7 + i) % 30_000 }, { count })
      count++
      return (node.status().snapshot?.at ?? 0) > 0 && count > 3_000
    })
    assert.is(node.status().snapshot?.sessions, 30_000)
  }))

test.run()
