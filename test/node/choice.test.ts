// After a split of two real nodes the application of the side that stays is asked, and what it answers is done.
import type { ConflictEvent, ConflictHook, SplitChoice } from 'holdfast'
import { createPair } from 'holdfast/testing'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { tables, until } from './support.ts'

const test = suite('choice')

/** Both lead: a has changed 300 sessions and has one more, b has changed 100; then the links are mended. */
async function split(onConflict: ConflictHook, conflictTimeout = 10_000) {
  const pair = await createPair({ tables, onConflict, conflictTimeout, heartbeat: { lost: 20 } })
  const { a, b, m1, m2 } = pair
  const [errors, given]: [Error[], ConflictEvent[]] = [[], []]
  for (const node of [a, b]) {
    node.on('error', (error) => errors.push(error))
    node.on('conflict', (event) => given.push(event))
  }
  for (let id = 0; id < 1_000; id++) a.tables.sessions.set({ id }, { count: 1 })
  await a.replicated()
  m1.cut()
  m2.cut()
  await until('two primaries', () => a.role === 'primary' && b.role === 'primary')
  for (let id = 0; id < 300; id++) a.tables.sessions.update({ id }, { count: 2 })
  a.tables.sessions.set({ id: 5_000 }, { count: 7 })
  for (let id = 250; id < 350; id++) b.tables.sessions.update({ id }, { note: 'seen' })
  const epochs = [a.epoch, b.epoch]
  const mend = () => {
    m1.mend()
    m2.mend()
  }
  return { ...pair, errors, given, epochs, mend }
}

test("'peer': the chosen side goes on, and the other tells what that costs", async () => {
  const asked: SplitChoice[] = []
  const { a, b, errors, given, epochs, mend, close } = await split(async (choice) => {
    asked.push(choice)
    return choice.theirs.id === 'a' ? 'peer' : 'self'
  })
  try {
    mend()
    await until('a leads, and b has told', () => a.status().protected && given.at(-1)?.done === true)
    assert.equal([asked.length, b.role, a.tables.sessions.get({ id: 5_000 })?.count], [1, 'secondary', 7])
    const { mine, theirs, apartMs } = asked[0]!
    assert.equal([mine.id, theirs.id, mine.sessions], ['b', 'a', 1_000])
    // At most: what was changed just before the cut counts as long as it is not known to be confirmed.
    assert.ok(mine.changed! >= 100 && theirs.changed! >= 301, `${mine.changed} and ${theirs.changed}`)
    assert.is(mine.lineage, theirs.lineage)
    assert.ok(apartMs! > 0 && theirs.epoch === epochs[0] && mine.epoch === epochs[1])
    assert.ok(a.epoch > Math.max(...epochs), 'above both')
    const last = a.status().history.at(-1)!
    assert.equal([last.role, last.reason], ['primary', 'chosen'])
    assert.match(last.message, 'onConflict')
    const conflicts = given.flatMap((event) => event.conflicts)
    assert.equal([conflicts.length, given.at(-1)?.untold, errors], [100, 0, []])
    assert.equal(conflicts[0]!.mine, { id: 250, count: 1, note: 'seen' })
    assert.equal(conflicts[0]!.theirs, { id: 250, count: 2, note: 'none' })
  } finally {
    await close()
  }
})

const WRONG: readonly [string, ConflictHook, RegExp][] = [
  [
    'throws',
    () => {
      throw new RangeError('no idea')
    },
    /onConflict threw RangeError: no idea; this node stays/,
  ],
  ['answers something else', () => 'both' as never, /answered 'both'; allowed: 'self' or 'peer'/],
  ['never answers', () => new Promise(() => {}), /did not answer within 700 ms \(conflictTimeout\)/],
]
for (const [what, hook, message] of WRONG) {
  test(`a hook that ${what} is told as an error, and the later epoch stays`, async () => {
    const { a, b, errors, given, epochs, mend, close } = await split(hook, 700)
    try {
      mend()
      await until('b leads, and a has told', () => b.status().protected && given.at(-1)?.done === true)
      assert.equal([a.role, b.epoch], ['secondary', epochs[1]])
      assert.is(a.tables.sessions.get({ id: 0 })?.count, 1)
      assert.is(errors.length, 1)
      assert.is((errors[0] as Error & { code?: string }).code, 'ERR_CHOICE')
      assert.match(errors[0]!.message, message)
    } finally {
      await close()
    }
  })
}

test.run()
