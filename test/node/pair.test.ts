// Two nodes in one process over plain TCP: how they find each other, hold the same, and change roles.
import { createNode, NotPrimaryError, NotProtectedError, SessionGoneError } from 'holdfast'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { closing, event, inPair, type Node, pairOptions, protectedPair, until } from './support.ts'

const test = suite('pair')

const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'resolved',
    (error: { code: string }) => error.code,
  )

for (const first of ['a', 'b'] as const) {
  test(`two nodes form a pair when ${first} starts first`, () =>
    closing(async (opened) => {
      const options = await pairOptions()
      const nodes: Partial<Record<'a' | 'b', Node>> = {}
      for (const id of first === 'a' ? (['a', 'b'] as const) : (['b', 'a'] as const)) {
        nodes[id] = await createNode(options[id])
        opened.push(nodes[id]!)
      }
      await Promise.all([nodes.a!.ready(), nodes.b!.ready()])
      assert.is(nodes.a!.role, 'primary')
      assert.is(nodes.b!.role, 'secondary')
      assert.is(nodes.a!.epoch, nodes.b!.epoch)
      assert.is(nodes.a!.status().lineage, nodes.b!.status().lineage)
    }))
}

test('a node that finds no peer becomes primary after the hold-down, and fills one that comes later', () =>
  closing(async (opened) => {
    const options = await pairOptions({ holdDown: 300 })
    const b = await createNode(options.b)
    opened.push(b)
    await b.ready()
    assert.is(b.role, 'primary')
    assert.is(b.status().reason, 'alone')
    assert.is(b.status().protected, false)
    for (let id = 0; id < 5_000; id++) b.tables.sessions.set({ id }, { count: id })
    assert.is(b.status().tables.sessions!.unprotected, 5_000)
    const a = await createNode(options.a)
    opened.push(a)
    await a.ready()
    assert.is(a.role, 'secondary')
    assert.is(a.tables.sessions.size, 5_000)
    assert.is(a.tables.sessions.get({ id: 4_999 })?.count, 4_999)
    await protectedPair(b, a)
    assert.is(b.status().tables.sessions!.unprotected, 0)
  }))

test('a pair forms over IPv6', () =>
  closing(async (opened) => {
    const options = await pairOptions()
    const six = (link: { listen: string; peer: string }) => ({
      listen: link.listen.replace('127.0.0.1', '[::1]'),
      peer: link.peer.replace('127.0.0.1', '[::1]'),
    })
    for (const given of [options.a, options.b]) {
      const { m1, m2 } = given.links
      opened.push(await createNode({ ...given, links: { m1: six(m1), m2: six(m2) } }))
    }
    await protectedPair(...(opened as [Node, Node]))
  }))

test('what is written on the primary appears on the secondary', () =>
  inPair(async (a, b) => {
    a.tables.sessions.set({ id: 1 }, { count: 1 })
    a.tables.sessions.set({ id: 2 }, { count: 2 })
    const view = a.tables.sessions.get({ id: 1 })!
    view.count += 41
    a.tables.sessions.delete({ id: 2 })
    assert.equal(await a.replicated(), { held: true })
    await until('the change is applied', () => b.tables.sessions.get({ id: 1 })?.count === 42)
    assert.is(b.tables.sessions.has({ id: 2 }), false)
  }))

test("one run's writes appear together", () =>
  inPair(async (a, b) => {
    let mixed = 0
    for (let round = 1; round <= 50; round++) {
      for (let id = 0; id < 100; id++) a.tables.sessions.set({ id }, { count: round })
      await a.replicated()
      const counts = new Set([...b.tables.sessions].map((session) => session.count))
      if (counts.size > 1) mixed++
    }
    assert.is(mixed, 0)
  }))

test('replicated() shares one promise among the callers of a turn', () =>
  inPair(async (a) => {
    a.tables.sessions.set({ id: 7 })
    const first = a.replicated()
    assert.is(a.replicated(), first)
    assert.equal(await first, { held: true })
  }))

test('a secondary refuses writes and replicated(), and says where to write', () =>
  inPair(async (_, b) => {
    assert.throws(
      () => b.tables.sessions.set({ id: 1 }),
      (error: unknown) => error instanceof NotPrimaryError,
    )
    assert.is(await codeOf(b.replicated()), 'ERR_NOT_PRIMARY')
  }))

test('without a synced secondary replicated() rejects, waits or resolves as it was told', () =>
  closing(async (opened) => {
    const options = await pairOptions({ holdDown: 300 })
    const a = await createNode(options.a)
    opened.push(a)
    await a.ready()
    a.tables.sessions.set({ id: 1 })
    const error = await a.replicated().catch((reason) => reason)
    assert.instance(error, NotProtectedError)
    assert.equal(await a.replicated({ alone: 'resolve' }), { held: false })
    assert.is(await codeOf(a.replicated({ alone: 'never' as 'wait' })), 'ERR_CONFIG')
    const controller = new AbortController()
    const given = a.replicated({ alone: 'wait', signal: controller.signal }).catch((reason) => reason)
    const patient = a.replicated({ alone: 'wait' })
    controller.abort('enough')
    assert.is(await given, 'enough')
    opened.push(await createNode(options.b))
    assert.equal(await patient, { held: true })
  }))

test('a handover moves the role with everything in it, and back', () =>
  inPair(async (a, b) => {
    const roles: string[] = []
    a.on('role', ({ role, reason }) => roles.push(`a ${role} ${reason}`))
    b.on('role', ({ role, reason }) => roles.push(`b ${role} ${reason}`))
    for (let id = 0; id < 1_000; id++) a.tables.sessions.set({ id }, { count: id })
    const epoch = a.epoch
    await a.handover()
    await until('b acts', () => b.role === 'primary' && roles.length === 2)
    assert.equal(roles.sort(), ['a secondary handover', 'b primary handover'])
    assert.ok(b.epoch > epoch)
    assert.is(b.tables.sessions.size, 1_000)
    await protectedPair(b, a)
    b.tables.sessions.set({ id: 1_000 })
    await b.handover()
    await until('a acts', () => a.role === 'primary')
    assert.is(a.tables.sessions.size, 1_001)
    assert.is(await codeOf(b.handover()), 'ERR_HANDOVER')
  }))

test('promote() on the secondary takes the role by grant', () =>
  inPair(async (a, b) => {
    a.tables.sessions.set({ id: 3 }, { count: 9 })
    await b.promote()
    assert.is(b.role, 'primary')
    await until('a follows', () => a.role === 'secondary')
    assert.is(b.tables.sessions.get({ id: 3 })?.count, 9)
    assert.is(b.status().reason, 'operator')
  }))

test('a view ends with the role it was taken in', () =>
  inPair(async (a, b) => {
    a.tables.sessions.set({ id: 1 }, { count: 5 })
    const view = a.tables.sessions.get({ id: 1 })!
    await a.handover()
    assert.throws(
      () => view.count,
      (error: unknown) => error instanceof SessionGoneError,
    )
    await until('b acts', () => b.role === 'primary')
    assert.is(b.tables.sessions.get({ id: 1 })?.count, 5)
  }))

test('closing the primary hands over first: nothing is lost and the other acts at once', () =>
  inPair(async (a, b) => {
    for (let id = 0; id < 500; id++) a.tables.sessions.set({ id }, { count: id })
    const closed = a.close()
    assert.is(a.close(), closed)
    await closed
    assert.is(a.role, 'stopped')
    await until('b acts', () => b.role === 'primary')
    assert.is(b.tables.sessions.size, 500)
    assert.is(b.status().history.at(-1)!.reason, 'handover')
    for (const call of [
      () => a.replicated(),
      () => a.ready(),
      () => a.handover(),
      () => a.verify(),
      () => a.resync(),
    ]) {
      assert.is(await codeOf(call()), 'ERR_CLOSED')
    }
    assert.throws(() => a.tables.sessions.set({ id: 1 }))
  }))

test('verify() proves from either side that both hold the same', () =>
  inPair(async (a, b) => {
    for (let id = 0; id < 3_000; id++) a.tables.sessions.set({ id }, { count: id })
    for (const node of [a, b]) {
      const { equal, position, segments } = await node.verify()
      assert.is(equal, true)
      assert.is(position.epoch, a.epoch)
      assert.ok(position.sequence > 0)
      assert.is(segments, 30)
    }
  }))

test('verify() without a peer is refused', () =>
  closing(async (opened) => {
    const options = await pairOptions({ holdDown: 300 })
    const a = await createNode(options.a)
    opened.push(a)
    assert.is(await codeOf(a.verify()), 'ERR_VERIFY')
    await a.ready()
    assert.is(await codeOf(a.verify()), 'ERR_VERIFY')
  }))

test('resync() from either side ends with a synced pair, and status() shows it on its way', () =>
  inPair(async (a, b) => {
    for (let id = 0; id < 30_000; id++) a.tables.sessions.set({ id }, { count: id })
    await a.replicated({ alone: 'wait' })
    await protectedPair(a, b)
    for (const node of [a, b]) {
      assert.is(node.status().resync, null)
      const unsynced = event(a, 'synced', ({ synced }: { synced: boolean }) => !synced)
      const first = node.resync()
      if (node === a) assert.equal(a.status().resync, { mode: 'full', left: 30, of: 30 })
      assert.is(node.resync(), first, 'one promise while it runs')
      assert.is(await first, undefined)
      await unsynced
      await protectedPair(a, b)
      assert.equal([a.status().resync, b.status().resync], [null, null])
      assert.equal([b.tables.sessions.size, (await node.verify()).equal], [30_000, true])
    }
  }))

test('resync() without a peer is refused, and given up when the peer goes', () =>
  closing(async (opened) => {
    const options = await pairOptions({ holdDown: 300 })
    const a = await createNode(options.a)
    opened.push(a)
    assert.is(await codeOf(a.resync()), 'ERR_NOT_PROTECTED')
    await a.ready()
    assert.is(await codeOf(a.resync()), 'ERR_NOT_PROTECTED')
    const b = await createNode(options.b)
    opened.push(b)
    await protectedPair(a, b)
    const [, given] = await Promise.all([b.close(), codeOf(b.resync())])
    assert.ok(['ERR_CLOSED', 'ERR_NOT_PROTECTED', 'resolved'].includes(given), given)
    assert.is(await codeOf(b.resync()), 'ERR_CLOSED')
  }))

test('in manual mode a node decides nothing by itself', () =>
  closing(async (opened) => {
    const options = await pairOptions({ mode: 'manual', holdDown: 300 })
    const a = await createNode(options.a)
    opened.push(a)
    assert.is(await codeOf(a.promote()), 'ERR_PROMOTE')
    await a.promote({ force: true })
    assert.is(a.role, 'primary')
    const b = await createNode(options.b)
    opened.push(b)
    await protectedPair(a, b)
    await a.close()
    await until('b has seen it', () => b.status().peer?.alive === false || b.role === 'primary')
  }))

test('abort of the signal closes the node', () =>
  closing(async (opened) => {
    const controller = new AbortController()
    const options = await pairOptions({ signal: controller.signal })
    const a = await createNode(options.a)
    opened.push(a)
    controller.abort()
    await until('a has ended', () => a.role === 'stopped')
    const refused = await createNode(options.b).catch((reason) => reason)
    assert.is(refused, controller.signal.reason)
  }))

test.run()
