// Links that are cut, one or both, for datagrams only or for all: what the pair does meanwhile and afterwards.
import type { HoldfastNode } from 'holdfast'
import { type Cable, createPair } from 'holdfast/testing'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Tables, tables, until } from './support.ts'

const test = suite('links')

type Nodes = {
  a: HoldfastNode<Tables>
  b: HoldfastNode<Tables>
  m1: Cable
  m2: Cable
  roles: string[]
}

async function inCabledPair(body: (pair: Nodes) => Promise<void>, options = {}): Promise<void> {
  const pair = await createPair({ tables, ...options })
  const roles: string[] = []
  for (const node of [pair.a, pair.b]) {
    node.on('role', ({ role, reason }) => roles.push(`${node.id} ${role} ${reason}`))
  }
  try {
    await body({ ...pair, roles } as unknown as Nodes)
  } finally {
    await pair.close()
  }
}

for (const cut of ['m1', 'm2'] as const) {
  test(`with ${cut} cut nothing is lost, nothing waits and no role changes`, () =>
    inCabledPair(async ({ a, b, roles, ...cables }) => {
      let longestMs = 0
      for (let round = 0; round < 200; round++) {
        if (round === 50) cables[cut].cut()
        const began = performance.now()
        a.tables.sessions.set({ id: round }, { count: round })
        assert.equal(await a.replicated(), { held: true })
        longestMs = Math.max(longestMs, performance.now() - began)
      }
      await until('the cut is seen', () => !a.status().links[cut].up)
      assert.is(a.status().protected, true)
      assert.ok(longestMs < 225, `an answer waited ${longestMs} ms`)
      cables[cut].mend()
      await until('the link is back', () => a.status().links[cut].up && b.status().links[cut].up)
      await until('b holds them', () => b.tables.sessions.size === 200)
      assert.equal(roles, [])
      assert.is((await a.verify()).equal, true)
    }))
}

for (const cut of ['m1', 'm2'] as const) {
  test(`sending singly, the loss of ${cut} loses nothing and is a short gap`, () =>
    inCabledPair(
      async ({ a, b, roles, ...cables }) => {
        let longestMs = 0
        for (let round = 0; round < 200; round++) {
          if (round === 50) cables[cut].cut()
          const began = performance.now()
          a.tables.sessions.set({ id: round }, { count: round })
          assert.equal(await a.replicated(), { held: true })
          longestMs = Math.max(longestMs, performance.now() - began)
        }
        // Sooner than the bound after which the dead link is given up.
        assert.ok(longestMs < 225, `an answer waited ${longestMs} ms`)
        await until('the cut is seen', () => !a.status().links[cut].up)
        assert.is(a.status().protected, true)
        cables[cut].mend()
        await until('b holds them', () => b.tables.sessions.size === 200)
        assert.equal(roles, [])
        assert.is((await a.verify()).equal, true)
      },
      { sending: 'single' },
    ))
}

test('datagrams that do not pass are an alarm, not a death', () =>
  inCabledPair(async ({ a, b, m1, m2, roles }) => {
    m1.impair({ loss: 1 })
    m2.impair({ loss: 1 })
    await until(
      'heartbeats are missed',
      () => !a.status().links.m1.heartbeats && !b.status().links.m2.heartbeats,
    )
    assert.is(a.status().links.m1.stream, true)
    assert.is(a.status().protected, true)
    a.tables.sessions.set({ id: 1 })
    assert.equal(await a.replicated(), { held: true })
    assert.equal(roles, [])
  }))

test('with both links cut both act, and the pair is one again after the cut', () =>
  inCabledPair(async ({ a, b, m1, m2 }) => {
    a.tables.sessions.set({ id: 1 }, { count: 1 })
    await a.replicated()
    m1.cut()
    m2.cut()
    await until('b acts alone', () => b.role === 'primary')
    b.tables.sessions.set({ id: 1 }, { count: 2 })
    m1.mend()
    m2.mend()
    await until('one of them follows', () => a.role === 'secondary' && a.status().synced)
    assert.is(b.role, 'primary')
    await until('b knows', () => b.status().protected)
    assert.is(a.tables.sessions.get({ id: 1 })?.count, 2)
    assert.is((await b.verify()).equal, true)
  }))

test.run()
