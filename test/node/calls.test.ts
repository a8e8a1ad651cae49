// What the methods of a node refuse at the door, and that a signal may be given to any number of calls.
import type { HoldfastNode } from 'holdfast'
import { ConfigError, createNode, ValueError } from 'holdfast'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Aborts } from '../../src/aborts.ts'
import { closing, inPair, pairOptions } from './support.ts'

const test = suite('calls')

const CALLS = 20_000
/** A thousandfold of what one listener costs; a listener for each call costs seconds. */
const CPU_MS_MAX = 1_000

/** What is called on a node that starts, and what the error must say. */
const REFUSED: [string, (node: HoldfastNode) => Promise<unknown>, RegExp][] = [
  [
    'replicated(null)',
    (node) => node.replicated(null as never),
    /^replicated\(options\): null given; allowed: an object with signal, alone, pickup$/,
  ],
  [
    'a signal that is none',
    (node) => node.replicated({ signal: {} as never }),
    /^signal: an object given; allowed: an AbortSignal$/,
  ],
  ['a signal that is null', (node) => node.replicated({ signal: null as never }), /^signal: null given/],
  [
    'alone by another name',
    (node) => node.replicated({ alone: 'maybe' as never }),
    /^alone: 'maybe' given; allowed: 'reject', 'wait' or 'resolve'$/,
  ],
  [
    'pickup by another name',
    (node) => node.replicated({ pickup: 'later' as never }),
    /^pickup: 'later' given; allowed: 'due' or 'now'$/,
  ],
  ['alone as a number', (node) => node.replicated({ alone: 1 as never }), /^alone: 1 given/],
  [
    'a misspelt option',
    (node) => node.replicated({ signl: undefined } as never),
    /^replicated: option 'signl' given/,
  ],
  ['ready(null)', (node) => node.ready(null as never), /^ready\(options\): null given/],
  ['a signal of ready that is none', (node) => node.ready({ signal: 5 as never }), /^signal: 5 given/],
  ['promote(null)', (node) => node.promote(null as never), /^promote\(options\): null given/],
  ['force as a text', (node) => node.promote({ force: 'yes' as never }), /^force: 'yes' given/],
]

test('wrong options of a call reject it with a ConfigError before anything else', () =>
  closing(async (opened) => {
    const node = await createNode((await pairOptions()).a)
    opened.push(node)
    for (const [what, call, message] of REFUSED) {
      const error = await call(node as unknown as HoldfastNode).then(
        () => assert.unreachable(`${what}: accepted`),
        (refused: Error) => refused,
      )
      assert.instance(error, ConfigError, what)
      assert.match((error as Error).message, message, what)
    }
  }))

test('an event that does not exist and a listener that is no function are refused', () =>
  closing(async (opened) => {
    const node = await createNode((await pairOptions()).a)
    opened.push(node)
    for (const method of ['on', 'once', 'off'] as const) {
      const unknown = () => node[method]('nope' as never, () => {})
      assert.throws(
        unknown,
        /^event: 'nope' given; allowed: role, link, witness, peer, synced, unsynced, poison, expired, evicted, split, conflict, monitor, error$/,
      )
      assert.throws(unknown, (error: Error) => error instanceof ConfigError)
      assert.throws(() => node[method]('toString' as never, () => {}), /^event: 'toString' given/)
      assert.throws(
        () => node[method]('role', 5 as never),
        /^listener of 'role': 5 given; allowed: a function$/,
      )
    }
  }))

test('a key or fields that are no object are a ValueError that names the table', () =>
  inPair(async (a) => {
    const { sessions } = a.tables
    for (const call of [
      () => sessions.set(null as never),
      () => sessions.get(null as never),
      () => sessions.delete(undefined as never),
      () => sessions.set({ id: 1 }, null as never),
      () => sessions.update({ id: 1 }, 'count' as never),
    ]) {
      assert.throws(call, (error: Error) => error instanceof ValueError)
      assert.throws(call, /^table sessions: (key|fields) (null|undefined|"count") given; allowed: an object$/)
    }
    assert.is(sessions.size, 0)
  }))

test('many calls with one signal cost little and print no warning', () =>
  inPair(async (a) => {
    const warnings: string[] = []
    const warn = (warning: Error) => warnings.push(warning.message)
    process.on('warning', warn)
    const { signal } = new AbortController()
    const before = process.cpuUsage()
    await Promise.all(Array.from({ length: CALLS }, () => a.replicated({ signal })))
    const { user, system } = process.cpuUsage(before)
    process.off('warning', warn)
    assert.equal(warnings, [])
    assert.ok((user + system) / 1000 < CPU_MS_MAX, `${(user + system) / 1000} ms of CPU`)
  }))

test('an abort gives up every call that waits, and no call begins afterwards', () =>
  closing(async (opened) => {
    const node = await createNode((await pairOptions()).a)
    opened.push(node)
    const controller = new AbortController()
    const { signal } = controller
    const calls = [node.ready({ signal }), node.ready({ signal })]
    const reason = new Error('enough')
    controller.abort(reason)
    calls.push(node.ready({ signal }))
    for (const { status, ...rest } of await Promise.allSettled(calls)) {
      assert.is(status, 'rejected')
      assert.is((rest as { reason?: unknown }).reason, reason)
    }
  }))

test('a signal carries one listener while anything waits on it, and none afterwards', async () => {
  const { signal } = new AbortController()
  let listeners = 0
  const counted = {
    aborted: false,
    addEventListener: (type: 'abort', listener: () => void) => {
      listeners++
      signal.addEventListener(type, listener)
    },
    removeEventListener: () => {
      listeners--
    },
  }
  const aborts = new Aborts()
  let settle!: () => void
  const first = aborts.orAborted(counted, () => new Promise<void>((resolve) => (settle = resolve)))
  const second = aborts.orAborted(counted, () => Promise.reject(new Error('no')))
  assert.is(listeners, 1)
  await second.catch(() => {})
  assert.is(listeners, 1)
  settle()
  await first
  assert.is(listeners, 0)
})

test.run()
