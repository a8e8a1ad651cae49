// A split of two real nodes: what the losing side tells of, and that both sides know of it.
import type { ConflictEvent, SplitEvent } from 'holdfast'
import { createPair } from 'holdfast/testing'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { tables, until } from './support.ts'

const test = suite('conflict')

test('after a split the losing side tells of its changes with both versions', async () => {
  const { a, b, m1, m2, close } = await createPair({ tables })
  try {
    const events: ConflictEvent[] = []
    const splits: [string, SplitEvent][] = []
    for (const node of [a, b]) node.on('split', (event) => splits.push([node.id, event]))
    a.on('conflict', (event) => events.push(event))
    b.on('conflict', () => assert.unreachable('the node that stays gives nothing up'))
    for (let id = 0; id < 1_000; id++) a.tables.sessions.set({ id }, { count: 1 })
    await a.replicated()
    m1.cut()
    m2.cut()
    await until('two primaries', () => a.role === 'primary' && b.role === 'primary')
    const led = a.epoch
    for (let id = 0; id < 600; id++) a.tables.sessions.update({ id }, { count: 2 })
    for (let id = 0; id < 1_000; id++) b.tables.sessions.update({ id }, { note: 'seen' })
    m1.mend()
    m2.mend()
    await until('everything is told', () => events.at(-1)?.done === true)
    const heard = Object.fromEntries(splits)
    assert.ok(splits.length > 0 && splits.length <= 2, `told ${splits.length} times`)
    for (const [id, { mine, theirs }] of splits) {
      assert.equal([mine.epoch, theirs.epoch].sort(), [led, b.epoch].sort(), id)
      assert.is(mine.lineage, theirs.lineage)
    }
    assert.ok(heard.a !== undefined, 'the one that gives way was told of it')
    const conflicts = events.flatMap((event) => event.conflicts)
    assert.is(conflicts.length, events.at(-1)!.told)
    assert.is(events.at(-1)!.untold, 0)
    assert.ok(events.every(({ cause, epoch }) => cause === 'split' && epoch === led))
    const written = conflicts.filter(({ mine }) => mine?.count === 2)
    assert.is(written.length, 600)
    for (const { table, mine, theirs, unreplicated } of written) {
      assert.equal([table, unreplicated, mine?.note], ['sessions', false, 'none'])
      assert.equal(theirs, { id: mine?.id, count: 1, note: 'seen' })
    }
    assert.is(a.role, 'secondary')
    assert.is(a.tables.sessions.get({ id: 7 })?.count, 1)
  } finally {
    await close()
  }
})

test.run()
