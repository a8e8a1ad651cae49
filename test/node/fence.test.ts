// What happens when the sync thread ends: nobody writes any more, everybody who waits is told, the peer takes over.
import { createNode, type LinkEvent, NotPrimaryError, SyncThreadError } from 'holdfast'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { closing, inPair, type Node, pairOptions, until } from './support.ts'

const test = suite('fence')
// The built file itself: how a sync thread is made to fail is no part of the public API.
const { NodeRuntime } = await import(new URL('../../dist/node-runtime.js', import.meta.url).href)

/** Makes the node's sync thread throw where nobody catches: a frame of its own that is none. */
function breakThread(node: Node): void {
  const runtime = runtimes.get(node.id)!
  runtime.thread.send([{ type: 'frame', sequence: 1, attach: 1, frame: new Uint8Array(5) }])
}

const runtimes = new Map<string, { thread: { send(messages: unknown[]): void } }>()
const start = NodeRuntime.prototype.start
NodeRuntime.prototype.start = function (this: { id: string; thread: never }) {
  runtimes.set(this.id, this)
  return start.call(this)
}

test('a node whose sync thread dies is fenced and stopped, and its peer takes over', () =>
  inPair(async (a, b) => {
    a.tables.sessions.set({ id: 1 }, { count: 1 })
    await a.replicated()
    const errors: Error[] = []
    const roles: string[] = []
    a.on('error', (error) => errors.push(error))
    a.on('role', ({ role, reason }) => roles.push(`${role} ${reason}`))
    a.tables.sessions.set({ id: 9 })
    breakThread(a)
    const waiting = a.replicated({ alone: 'wait' }).catch((error) => error)
    const asked = a.verify().catch((error) => error)
    await until('a has stopped', () => a.role === 'stopped' && roles.length > 0)
    assert.throws(
      () => a.tables.sessions.set({ id: 2 }),
      (error: unknown) => error instanceof NotPrimaryError,
    )
    assert.equal(roles, ['stopped sync-thread'])
    assert.is(errors.length, 1)
    assert.instance(errors[0], SyncThreadError)
    assert.match(errors[0]!.message, /own frame is/)
    for (const error of [await waiting, await asked]) assert.instance(error, SyncThreadError)
    await until('b acts', () => b.role === 'primary')
    assert.is(b.status().reason, 'peer-died')
    assert.is(b.tables.sessions.get({ id: 1 })?.count, 1)
    await a.close()
  }))

test('the gate is shut before the thread reports its end', () =>
  inPair(async (a) => {
    breakThread(a)
    // No turn of the event loop passes here: only shared memory can tell.
    const deadline = performance.now() + 5_000
    let code: string | undefined
    while (code === undefined && performance.now() < deadline) {
      try {
        a.tables.sessions.set({ id: 3 })
      } catch (error) {
        code = (error as { code: string }).code
      }
    }
    assert.is(code, 'ERR_NOT_PRIMARY')
    assert.is(a.role, 'primary')
    await until('a has stopped', () => a.role === 'stopped')
  }))

test('an error event that nobody listens to harms nobody', () =>
  inPair(async (a) => {
    breakThread(a)
    await until('a has stopped', () => a.role === 'stopped')
    await a.close()
  }))

test('a link that cannot have its port is told of and tried again; without any link there is no node', () =>
  closing(async (opened) => {
    const options = await pairOptions({ holdDown: 300 })
    const a = await createNode(options.a)
    opened.push(a)
    const { m1, m2 } = options.a.links
    const other = await pairOptions({ holdDown: 300 })
    const error = await createNode({ ...options.a, id: 'c' }).catch((reason) => reason)
    assert.is(error.code, 'ERR_CONFIG')
    for (const { listen } of [m1, m2]) assert.match(error.message, listen)
    const half = await createNode({ ...other.a, links: { ...other.a.links, m2: options.a.links.m2 } })
    opened.push(half)
    const told = await new Promise<LinkEvent>((resolve) => half.once('link', resolve))
    assert.equal([told.link, told.up], ['m2', false])
    assert.match(told.reason, m2.listen)
    await until('the status tells, too', () => half.status().links.m2.lastReason === told.reason)
    await half.ready()
    await a.close()
    const b = await createNode({
      ...other.b,
      links: { ...other.b.links, m2: { listen: m2.peer, peer: m2.listen } },
    })
    opened.push(b)
    await until('the second link is there', () => half.status().links.m2.up && b.status().links.m2.up)
  }))

test.run()
