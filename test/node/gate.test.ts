// node.gate(): effects run only on a node that acts, under an epoch by which a receiver tells reigns apart.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { ClosedError, createNode, FencedError, NotPrimaryError } from 'holdfast'
import { createPair } from 'holdfast/testing'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { recipe } from '../support/recipe.ts'
import { closing, inPair, type Node, PATIENT, pairOptions, tables, until } from './support.ts'

const test = suite('gate')

const errorOf = (promise: Promise<unknown>): Promise<Error & { code?: string; cause?: unknown }> =>
  promise.then(
    () => assert.unreachable('it resolved'),
    (error) => error,
  )

const never = () => new Promise<never>(() => {})

test('an effect runs on the primary, at once, with its epoch, and gives what it gives', () =>
  inPair(async (a) => {
    let ran = false
    const given = a.gate((epoch, signal) => {
      ran = true
      assert.is(epoch, a.epoch)
      assert.is(signal.aborted, false)
      return 7
    })
    assert.is(ran, true, 'before gate() has returned')
    assert.is(await given, 7)
    assert.is(await a.gate(async () => 'later'), 'later')
    const failure = new Error('of its own')
    assert.is(
      await errorOf(
        a.gate(() => {
          throw failure
        }),
      ),
      failure,
    )
    assert.is(await errorOf(a.gate(() => Promise.reject(failure))), failure)
  }))

test('on a secondary, a starting and a closed node it is not run at all', () =>
  inPair(async (a, b) => {
    const effect = () => assert.unreachable('it ran')
    assert.instance(await errorOf(b.gate(effect)), NotPrimaryError)
    assert.is((await errorOf(a.gate('x' as never))).code, 'ERR_CONFIG')
    await closing(async (opened) => {
      const { a: options } = await pairOptions()
      const node = await createNode(options)
      opened.push(node)
      assert.is(node.role, 'starting')
      assert.instance(await errorOf(node.gate(effect)), NotPrimaryError)
    })
    await b.close()
    assert.instance(await errorOf(b.gate(effect)), ClosedError)
  }))

test('a handover ends what is under way: the signal aborts, and the outcome is said to be unknown', () =>
  inPair(async (a, b) => {
    const { epoch } = a
    const seen: unknown[] = []
    let finish = (_: unknown) => {}
    const obeying = errorOf(
      a.gate((_, signal) => {
        signal.addEventListener('abort', () => seen.push(signal.reason))
        return new Promise((_resolve, reject) => {
          finish = reject
        })
      }),
    )
    const deaf = errorOf(a.gate(never))
    await a.handover()
    const error = await deaf
    assert.instance(error, FencedError)
    assert.is((error as FencedError).epoch, epoch)
    assert.match(error.message, 'node')
    assert.is(await obeying, seen[0])
    finish(new Error('what it says later is heard by nobody'))
    assert.ok((await b.gate((later) => later)) > epoch)
  }))

test('an effect that ends after the gate was shut is not said to be done, and what it failed with is told', () =>
  inPair(async (a, b) => {
    const calm = errorOf(
      a.gate(async () => {
        await until('b acts', () => b.role === 'primary')
      }),
    )
    await b.promote()
    assert.instance(await calm, FencedError)
    await until('b is protected', () => b.status().protected)
    // In one run: no message can have come, only the word can tell.
    const failure = new Error('torn')
    let asked: Promise<void> | undefined
    const torn = errorOf(
      b.gate(() => {
        asked = a.promote()
        const deadline = performance.now() + 5_000
        while (performance.now() < deadline) {
          try {
            b.tables.sessions.set({ id: 1 })
          } catch {
            throw failure
          }
        }
      }),
    )
    const error = await torn
    assert.instance(error, FencedError)
    assert.is(error.cause, failure)
    await asked
  }))

test('closing ends what is under way', () =>
  inPair(async (a) => {
    const effect = errorOf(a.gate(never))
    await a.close()
    assert.instance(await effect, FencedError)
  }))

test('of two primaries a receiver that keeps to the rule obeys one: no lower epoch after a higher', async () => {
  const { Fence } = await recipe()
  const fence = new Fence()
  const accepted: number[] = []
  const refused: number[] = []
  const server = createServer((request, response) => {
    const header = String(request.headers['holdfast-epoch'])
    response.statusCode = fence.admit(header)
    ;(response.statusCode === 200 ? accepted : refused).push(Number(header))
    response.end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const send = (node: Node) =>
    node.gate(async (epoch, signal) => {
      const { status } = await fetch(url, { headers: { 'holdfast-epoch': String(epoch) }, signal })
      return status
    })
  const { a, b, m1, m2, close } = await createPair({ tables, heartbeat: PATIENT })
  try {
    assert.is(await send(a), 200)
    m1.cut()
    m2.cut()
    await until('two primaries', () => a.role === 'primary' && b.role === 'primary')
    assert.is(await send(a), 200, 'nobody has heard of b yet')
    const answers = await Promise.all(Array.from({ length: 40 }, (_, i) => send(i % 2 === 0 ? a : b)))
    assert.ok(answers.includes(200) && answers.includes(412))
    assert.equal([await send(a), await send(b)], [412, 200])
    m1.mend()
    m2.mend()
    await until('the later epoch stays', () => a.role === 'secondary')
    assert.is(await send(b), 200)
    assert.equal(
      accepted,
      [...accepted].sort((one, other) => one - other),
    )
    assert.ok(refused.every((epoch) => epoch < b.epoch))
  } finally {
    await close()
    server.closeAllConnections()
    server.close()
  }
})

test.run()
