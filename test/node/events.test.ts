// Listeners and hooks: in which order they run, and that none of them can hurt the node.
import type { RoleEvent } from 'holdfast'
import { createNode } from 'holdfast'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Emitter } from '../../src/events.ts'
import { closing, inPair, pairOptions, until } from './support.ts'

const test = suite('events')
const peer = (alive: boolean) => ({ id: 'b', alive })

test('listeners run in order, once() once, off() no more', () => {
  const emitter = new Emitter()
  const heard: string[] = []
  const first = () => heard.push('first')
  emitter.add('peer', first, false)
  emitter.add('peer', () => heard.push('once'), true)
  emitter.add('peer', ({ alive }) => heard.push(`last ${alive}`), false)
  emitter.emit('peer', peer(true))
  emitter.remove('peer', first)
  emitter.emit('peer', peer(false))
  assert.equal(heard, ['first', 'once', 'last true', 'last false'])
})

test('a listener that throws or rejects is reported and stops nobody', async () => {
  const emitter = new Emitter()
  const errors: string[] = []
  let heard = 0
  const thrower = () => {
    throw new Error('thrown')
  }
  emitter.add('peer', thrower, false)
  emitter.add('peer', async () => Promise.reject('rejected'), false)
  emitter.add('peer', () => heard++, false)
  emitter.add('error', (error) => errors.push(error.message), false)
  emitter.add('error', thrower, false)
  emitter.emit('peer', peer(true))
  await until('both are reported', () => errors.length === 2)
  assert.is(heard, 1)
  assert.equal(errors, ['thrown', 'rejected'])
})

test('a listener removed by another still hears the event under way, and no later one', () => {
  const emitter = new Emitter()
  let heard = 0
  const second = () => heard++
  emitter.add('peer', () => emitter.remove('peer', second), true)
  emitter.add('peer', second, false)
  emitter.emit('peer', peer(true))
  emitter.emit('peer', peer(true))
  assert.is(heard, 1)
})

test('onPromote runs before the role event and may write; onDemote runs when the role is lost', () =>
  closing(async (opened) => {
    const story: string[] = []
    const tell = (what: string) => (event: RoleEvent) => {
      story.push(`${what} ${event.role} ${event.reason}`)
    }
    const options = await pairOptions()
    const a = await createNode({ ...options.a, onDemote: tell('onDemote') })
    opened.push(a)
    const b = await createNode({
      ...options.b,
      async onPromote(event) {
        await Promise.resolve()
        b.tables.sessions.set({ id: 1 }, { count: 1 })
        tell('onPromote')(event)
      },
    })
    opened.push(b)
    b.on('role', tell('b'))
    a.on('role', tell('a'))
    await until('a is protected', () => a.status().protected)
    story.length = 0
    await a.handover()
    await until('both told', () => story.length === 4)
    assert.equal(
      story.filter((line) => !line.includes('secondary')),
      ['onPromote primary handover', 'b primary handover'],
    )
    assert.equal(
      story.filter((line) => line.includes('secondary')),
      ['onDemote secondary handover', 'a secondary handover'],
    )
  }))

test('a hook that fails is reported, and the role goes on', () =>
  closing(async (opened) => {
    const options = await pairOptions({ holdDown: 300 })
    const errors: string[] = []
    const a = await createNode({
      ...options.a,
      onPromote() {
        throw new Error('no port')
      },
    })
    opened.push(a)
    a.on('error', (error) => errors.push(error.message))
    const told = new Promise((resolve) => a.once('role', resolve))
    await told
    assert.is(a.role, 'primary')
    assert.equal(errors, ['no port'])
  }))

test('a hook may await close(); others that close wait for the hook', () =>
  closing(async (opened) => {
    const options = await pairOptions()
    const story: string[] = []
    const b = await createNode(options.b)
    opened.push(b)
    const a = await createNode({
      ...options.a,
      async onDemote() {
        await a.close()
        story.push('hook')
      },
    })
    opened.push(a)
    a.on('error', ({ message }) => story.push(message))
    a.on('role', ({ role }) => story.push(role))
    await until('a is protected', () => a.status().protected)
    story.length = 0
    await a.close()
    assert.equal(story, ['hook', 'secondary', 'stopped'])
  }))

test('a node closed during its handover resolves it once the peer has the role', () =>
  inPair(async (a, b) => {
    a.tables.sessions.set({ id: 1 })
    const handover = a.handover()
    const closed = a.close()
    await handover
    await closed
    await until('b acts', () => b.role === 'primary')
    assert.is(b.tables.sessions.size, 1)
    const late = await a.handover().catch((error) => error.code)
    assert.is(late, 'ERR_CLOSED')
  }))

test('a role event carries code, sentence, epoch and report', () =>
  inPair(async (a, b) => {
    for (let id = 0; id < 10; id++) a.tables.sessions.set({ id })
    await a.replicated()
    const told = new Promise<RoleEvent>((resolve) => b.once('role', resolve))
    await a.close()
    const event = await told
    assert.is(event.role, 'primary')
    assert.is(event.reason, 'handover')
    assert.match(event.message, /^The primary handed its role over as planned\.$/)
    assert.is(event.epoch, b.epoch)
    assert.ok(event.durationMs >= 0)
    assert.is(event.report.sessions, 10)
    assert.equal(event.report.missing, [])
    assert.ok(event.report.position.sequence > 0)
  }))

test('a logger hears of roles and links', () =>
  closing(async (opened) => {
    const lines: string[] = []
    const log = (level: string) => (_: object, message: string) => {
      lines.push(`${level} ${message}`)
      throw new Error('a logger that throws harms nobody')
    }
    const logger = { info: log('info'), warn: log('warn'), error: log('error') }
    const options = await pairOptions({ holdDown: 300 })
    const a = await createNode({ ...options.a, logger })
    await a.ready()
    const b = await createNode(options.b)
    await until('the links are up', () => a.status().links.m1.up && a.status().links.m2.up)
    await b.close()
    opened.push(a, b)
    await until('their end is told', () => lines.some((line) => line.startsWith('warn m2 is down')))
    assert.ok(lines.some((line) => /^info primary in epoch \d+: No peer was found/.test(line)))
    assert.ok(lines.includes('info m1 is up'))
  }))

test.run()
