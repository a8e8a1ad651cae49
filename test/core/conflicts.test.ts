// What a node gives up when it ceases to be primary, and with which versions it tells of it: two whole nodes in memory at
// a jumped clock, cut apart and mended.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { CONFLICTS_MAX, type Conflict, type ConflictNews } from '../../src/core/conflicts.ts'
import { defineTable } from '../../src/schema/index.ts'
import { type PairNode, startPair } from '../support/core-pair.ts'

const news = (node: PairNode): ConflictNews[] => node.events.filter((event) => event.type === 'conflict')
const told = (node: PairNode): Conflict[] => news(node).flatMap(({ conflicts }) => conflicts)
const short = ({ mine, theirs }: Conflict) => [mine?.id ?? theirs?.id, mine?.n ?? null, theirs?.n ?? null]
const byId = (a: (unknown | null)[], b: (unknown | null)[]) => Number(a[0]) - Number(b[0])

/** Both lead, each for itself; b's epoch is the later one. */
function split(options: Parameters<typeof startPair>[0] = {}, fill = 100) {
  const { pair, a, b } = startPair(options)
  for (let id = 0; id < fill; id++) a.table.set({ id }, { n: 1 })
  a.replica.conflicts.wanted = true
  b.replica.conflicts.wanted = true
  pair.run(1_000)
  pair.cut()
  pair.until('b leads as well', () => b.role === 'primary')
  assert.is(a.role, 'primary')
  const heal = () => {
    pair.mend()
    pair.until('a follows and is synced', () => a.role === 'secondary' && a.replica.isSynced)
    pair.until('everything is told', () => news(a).at(-1)?.done === true)
  }
  return { pair, a, b, heal }
}

test('after a split the losing side tells what it had changed, each with the version that stays', () => {
  const { a, b, heal } = split()
  a.table.update({ id: 1 }, { n: 10 })
  a.table.update({ id: 2 }, { n: 20 })
  b.table.update({ id: 2 }, { n: 21 })
  b.table.update({ id: 3 }, { n: 31 })
  a.table.set({ id: 1_000 }, { n: 7 })
  a.table.delete({ id: 4 })
  b.table.delete({ id: 5 })
  a.table.update({ id: 5 }, { n: 50 })
  a.table.update({ id: 6 }, { n: 60 })
  b.table.update({ id: 6 }, { n: 60 })
  const led = a.epoch
  heal()
  assert.equal(told(a).map(short).sort(byId), [
    [1, 10, 1],
    [2, 20, 21],
    [4, null, 1],
    [5, 50, null],
    [1_000, 7, null],
  ])
  const last = news(a).at(-1)!
  assert.equal([last.cause, last.epoch, last.told, last.untold], ['split', led, 5, 0])
  assert.ok(told(a).every(({ table, unreplicated }) => table === 't' && !unreplicated))
  assert.equal(news(b), [], 'the node that stays gives nothing up')
  assert.is(a.table.get({ id: 1 })?.n, 1, 'what b holds stays')
})

test('a split in which nothing was changed is told, with nothing in it', () => {
  const { a, heal } = split()
  heal()
  assert.equal(
    news(a).map(({ conflicts, told, untold, done }) => [conflicts.length, told, untold, done]),
    [[0, 0, 0, true]],
  )
})

test('nobody listens: nothing is copied, the changes are counted', () => {
  const { a, heal } = split()
  a.replica.conflicts.wanted = false
  for (let id = 0; id < 9; id++) a.table.update({ id }, { n: 2 })
  heal()
  assert.equal(told(a), [])
  assert.is(news(a).at(-1)!.untold, 9)
})

test('a lineage that gives way to an older one tells what it wrote', () => {
  const { pair, a, b } = startPair()
  a.table.set({ id: 1 }, { n: 1 })
  pair.run(15_000)
  pair.cut()
  pair.kill(b)
  const island = pair.start('b', { holdDownMs: 1_000 })
  pair.until('b leads a history of its own', () => island.role === 'primary')
  island.replica.conflicts.wanted = true
  island.table.set({ id: 1 }, { n: 5 })
  island.table.set({ id: 2 }, { n: 6 })
  pair.run(200)
  pair.mend()
  pair.until('b follows', () => island.replica.isSynced)
  pair.until('everything is told', () => news(island).at(-1)?.done === true)
  assert.is(island.change?.reason, 'older-lineage')
  assert.equal(told(island).map(short).sort(byId), [
    [1, 5, 1],
    [2, 6, null],
  ])
  assert.ok(a.epoch > 0 && a.role === 'primary')
})

test('planned changes of role are no conflicts', () => {
  const { pair, a, b } = startPair()
  a.replica.conflicts.wanted = true
  for (let id = 0; id < 50; id++) a.table.set({ id }, { n: 1 })
  a.ask({ type: 'handover', request: 1 })
  pair.until('b leads', () => b.role === 'primary' && a.replica.isSynced)
  for (let id = 0; id < 50; id++) b.table.update({ id }, { n: 2 })
  pair.run(12_000)
  assert.equal(news(a), [])
})

test('values of any length are in both versions', () => {
  const pages = defineTable({
    name: 'pages',
    key: { id: 'u32' },
    fields: { page: 'text', data: 'blob' },
    capacity: 100,
    arena: 1 << 20,
  })
  const { a, b, heal } = split({ tables: [pages] }, 0)
  a.table.set({ id: 1 }, { page: 'é'.repeat(5_000), data: Uint8Array.of(1, 2) } as never)
  b.table.set({ id: 1 }, { page: 'short', data: Uint8Array.of(3) } as never)
  a.table.set({ id: 2 }, { page: 'same', data: Uint8Array.of(4) } as never)
  b.table.set({ id: 2 }, { page: 'same', data: Uint8Array.of(4) } as never)
  heal()
  assert.equal(told(a), [
    {
      table: 'pages',
      mine: { id: 1, page: 'é'.repeat(5_000), data: Uint8Array.of(1, 2) },
      theirs: { id: 1, page: 'short', data: Uint8Array.of(3) },
      unreplicated: false,
    },
  ])
})

test('what pickup held back leaves through a conflict at any demotion, and the rest of it does not', () => {
  const held = defineTable({
    name: 'held',
    key: { id: 'u32' },
    fields: { n: 'u32' },
    capacity: 1_000,
    pickup: { delay: 60, filter: ({ n }) => n !== 9 },
  })
  const { pair, a, b } = startPair({ tables: [held] })
  a.replica.conflicts.wanted = true
  a.table.set({ id: 1 }, { n: 1 })
  a.table.set({ id: 2 }, { n: 9 })
  a.ask({ type: 'handover', request: 1 })
  pair.until('b leads', () => b.role === 'primary' && a.replica.isSynced)
  pair.until('everything is told', () => news(a).at(-1)?.done === true)
  assert.equal(told(a), [{ table: 'held', mine: { id: 2, n: 9 }, theirs: null, unreplicated: true }])
  assert.is(news(a).at(-1)!.cause, 'demotion')
  assert.is(b.table.get({ id: 1 })?.n, 1, 'a handover picks up the young')
})

test('after a split both what was held back and what was changed is told', () => {
  const held = defineTable({
    name: 'held',
    key: { id: 'u32' },
    fields: { n: 'u32' },
    capacity: 1_000,
    pickup: { delay: 0.5 },
  })
  const { pair, a, b, heal } = split({ tables: [held] }, 10)
  a.table.update({ id: 1 }, { n: 5 })
  for (let id = 100; id < 400; id++) a.table.set({ id }, { n: 3 })
  heal()
  const kinds = told(a).map(({ unreplicated, ...one }) => [...short({ ...one, unreplicated }), unreplicated])
  assert.is(kinds.length, 301)
  assert.equal(
    kinds.filter(([, , , unreplicated]) => !unreplicated),
    [[1, 5, 1, false]],
  )
  assert.ok(b.table.size === 10 && pair.now > 0)
})

test('what cannot be told in time is counted, and kept no longer', () => {
  const { pair, a } = split()
  for (let id = 0; id < 30; id++) a.table.update({ id }, { n: 2 })
  // It hears of the later reign, and then loses its peer before it is fed.
  pair.isCut[0] = false
  pair.until('a steps down', () => a.role === 'secondary')
  pair.cut()
  const b = pair.other(a)!
  pair.kill(b)
  const since = pair.now
  a.core.options satisfies object
  pair.run(500)
  if (a.role === 'primary') {
    assert.equal([news(a).at(-1)?.untold, told(a).length], [0, 0], 'it leads with all it had')
    assert.is(a.table.get({ id: 3 })?.n, 2)
    return
  }
  pair.until('the rest is counted', () => news(a).at(-1)?.done === true, 12_000)
  assert.is(news(a).at(-1)!.untold, 30)
  assert.ok(pair.now - since >= 9_000)
})

test('in manual mode, where nobody takes over, the time ends it', () => {
  const { pair, a, b } = startPair()
  a.replica.conflicts.wanted = true
  pair.run(500)
  a.replica.handleMessage(
    {
      type: 'role',
      role: 'secondary',
      epoch: a.epoch,
      lineage: a.core.state.lineage,
      reason: 'later-epoch',
      word: 0,
      position: { epoch: 0, sequence: 0 },
      durationMs: 0,
    },
    pair.now,
  )
  b.isHung = true
  a.settleReplica()
  const since = pair.now
  pair.until('it is over', () => news(a).length > 0, 22_000)
  assert.ok(pair.now - since >= 19_999, 'twice the time: the other side may take as long to choose')
  assert.equal(
    news(a).map(({ done, told: count }) => [done, count]),
    [[true, 0]],
  )
})

test('sessions beyond the bound are counted, not copied', () => {
  const large = defineTable({
    name: 't',
    key: { id: 'u32' },
    fields: { n: 'u32' },
    capacity: CONFLICTS_MAX + 5_000,
  })
  const { a, heal } = split({ tables: [large] }, 0)
  for (let id = 0; id < CONFLICTS_MAX + 1_000; id++) a.table.set({ id }, { n: 1 })
  heal()
  const last = news(a).at(-1)!
  assert.is(last.told, told(a).length)
  assert.is(last.told + last.untold, CONFLICTS_MAX + 1_000)
  assert.ok(last.told <= CONFLICTS_MAX && last.told > 10_000, `${last.told}`)
})

test.run()
