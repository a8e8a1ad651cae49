// Two replicas with real tables, wired by hand at a jumped clock: when a pair becomes equal by difference, when by
// comparing everything, what it says of its progress, and what resync() answers.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Side, Wired } from '../../bench/lib/wired.ts'
import { Replica } from '../../src/core/replica.ts'
import { defineTable } from '../../src/schema/index.ts'
import { createTable } from '../../src/table/index.ts'
import { FrameType } from '../../src/wire/constants.ts'
import { sameDigests } from '../support/tables.ts'

const WORD = 5
const SESSIONS = 20_000
const definition = defineTable({ name: 't', key: { id: 'u32' }, fields: { n: 'u32' }, capacity: SESSIONS })

function node(random = 0.5) {
  const gate = { words: Int32Array.of(WORD), open: -1 }
  const table = createTable(definition, { gate })
  return { table, replica: new Replica({ stores: [table], gate, flushInterval: 1, random: () => random }) }
}

/** A pair that is synced, and has had the time for a checkpoint. */
function start() {
  const [a, b] = [node(), node()]
  const wired = new Wired(a.replica, b.replica, WORD)
  const [first, second] = wired.sides
  wired.lead(first)
  for (let id = 0; id < SESSIONS; id++) a.table.set({ id })
  wired.attach(first, second)
  wired.settle()
  assert.ok(a.replica.isProtected && b.replica.isSynced)
  /** Goes on for a while, with writes. */
  const live = () => {
    for (let n = 1; n < 5; n++) {
      wired.now += 150
      a.table.update({ id: n }, { n: wired.now })
      wired.settle()
    }
  }
  live()
  const equal = () => {
    assert.ok(a.replica.isProtected !== b.replica.isProtected)
    sameDigests(a.table as never, b.table as never)
  }
  wired.types.clear()
  return { a, b, wired, first, second, live, equal }
}

const count = (wired: Wired, type: number) => wired.types.get(type) ?? 0
const answers = (side: Side) => side.events.flatMap((one) => (one.type === 'resynced' ? [one.done] : []))

test('a secondary that comes back gets what changed, also what was lost on its way, and no image', () => {
  const { a, b, wired, first, second, equal } = start()
  // Sent, and never received: an acknowledgement from before does not confirm the checkpoint in it, or the bases would
  // not meet.
  wired.isCut = true
  const applied = b.replica.position.sequence
  for (let n = 0; n < 4; n++) {
    wired.now += 150
    a.table.update({ id: 3_000 + n }, { n: 1 })
    wired.settle()
    const ack = { attach: 1, received: applied, applied, awaited: 0 }
    a.replica.handleMessage({ type: 'ack', ...ack }, wired.now)
  }
  wired.cut()
  wired.now += 10_000
  for (let id = 0; id < 40; id++) a.table.update({ id: id * 100 }, { n: 2 })
  wired.attach(first, second)
  wired.turn()
  assert.is(b.replica.isSynced, false)
  wired.settle()
  equal()
  assert.equal([count(wired, FrameType.OWED), count(wired, FrameType.IMAGE)], [1, 0])
  assert.ok(b.table.get({ id: 3_900 })?.n === 2 && b.table.get({ id: 3_003 })?.n === 1)
  assert.ok(wired.bytes > 0)
})

test('two that led apart send each other what either changed', () => {
  const { a, b, wired, first, second, equal } = start()
  wired.cut()
  wired.lead(second)
  for (let id = 0; id < 20; id++) a.table.update({ id: id * 100 }, { n: 7 })
  for (let id = 0; id < 20; id++) b.table.delete({ id: 4_000 + id })
  wired.attach(second, first)
  wired.settle()
  equal()
  assert.equal([count(wired, FrameType.OWED), count(wired, FrameType.IMAGE)], [1, 0])
  assert.equal([a.table.size, a.table.get({ id: 100 })?.n], [SESSIONS - 20, 0])
})

for (const asks of ['primary', 'secondary'] as const) {
  test(`resync() of the ${asks} compares everything, and finds what nobody noted`, () => {
    const { a, b, wired, first, second, live, equal } = start()
    // A change behind the replica's back.
    b.table.setTracking(false)
    b.table.setAwaited(0, b.table.segments, false)
    const spoilt = createTable(definition, { gate: { words: Int32Array.of(1), open: 1 } })
    for (let id = 0; id < SESSIONS; id++) spoilt.set({ id }, { n: 9 })
    b.table.stageImage(2, spoilt.image(2))
    b.table.commit()
    const side = asks === 'primary' ? first : second
    const token = side.replica.resync(wired.now)
    assert.is(side.replica.resync(wired.now), token, 'who asks while it runs waits for the same')
    // Batches that come before the RESYNC keep the secondary synced, and it must not offer a base for that.
    a.table.update({ id: 2_500 }, { n: 77 })
    if (asks === 'primary') assert.is(a.replica.isProtected, false)
    assert.equal(answers(side), [])
    wired.settle()
    assert.equal(answers(side), [true])
    assert.equal([count(wired, FrameType.RESYNC), count(wired, FrameType.OWED)], [1, 0])
    assert.ok(count(wired, FrameType.DIGESTS) > 0 && count(wired, FrameType.SAME) > 0)
    assert.is(count(wired, FrameType.IMAGE), 1, 'the one segment that differs')
    equal()
    live()
    assert.ok(side.replica.resync(wired.now) > token)
    wired.settle()
    assert.equal(answers(side), [true, true])
  })
}

test('a batch on its way when the secondary asks does not turn the comparison into one by difference', () => {
  const { a, b, wired, second, equal } = start()
  a.table.update({ id: 1 }, { n: 5 })
  wired.now += 10
  a.replica.handleTimeout(wired.now)
  b.replica.resync(wired.now)
  // Applied before the request goes out.
  for (const message of a.replica.takeMessages()) {
    if (message.type === 'frame') b.replica.handleMessage({ type: 'frame', frame: message.frame }, wired.now)
  }
  assert.ok(b.replica.isSynced)
  wired.settle()
  assert.equal([count(wired, FrameType.BASE), answers(second)], [0, [true]])
  equal()
})

test('a comparison that was asked for goes on in the next attachment, in full', () => {
  const { wired, first, second, equal } = start()
  first.replica.resync(wired.now)
  wired.turn()
  wired.attach(first, second)
  wired.settle()
  assert.equal(answers(first), [true])
  assert.is(count(wired, FrameType.OWED), 0)
  equal()
})

test('resync() is given up when there is no pair, or it parts', () => {
  const { wired, first, second } = start()
  first.replica.resync(wired.now)
  second.replica.resync(wired.now)
  wired.cut()
  wired.settle()
  for (const side of wired.sides) {
    assert.equal(answers(side), [false])
    side.replica.resync(wired.now)
    wired.settle()
    assert.equal(answers(side), [false, false])
  }
  wired.now += 1_000
  wired.attach(first, second)
  wired.settle()
  assert.ok(second.replica.isSynced)
})

test('progress counts down to nothing, by segments or by records', () => {
  for (const mode of ['full', 'difference'] as const) {
    const { a, wired, first, second } = start()
    assert.equal([first.replica.progress, second.replica.progress], [undefined, undefined])
    wired.cut()
    assert.equal([first.replica.progress, second.replica.progress], [undefined, undefined])
    const changed = mode === 'full' ? SESSIONS : 500
    for (let id = 0; id < changed; id++) a.table.update({ id }, { n: 3 })
    wired.attach(first, second)
    const seen = wired.sides.map(() => [] as { left: number; of: number }[])
    do {
      wired.now++
      for (const [i, { replica }] of wired.sides.entries()) {
        const { progress } = replica
        if (progress?.mode === mode) seen[i]!.push(progress)
      }
    } while (wired.turn())
    for (const [i, side] of wired.sides.entries()) {
      assert.is(side.replica.progress, undefined)
      assert.ok(seen[i]!.length > 1, `${mode}: shown on ${i}`)
      assert.ok(seen[i]!.every(({ left, of }) => left >= 0 && left <= of))
      const most = seen[i]!.at(-1)!
      // Those in the last checkpoints are owed too.
      if (mode === 'full') assert.is(most.of, a.table.segments)
      else assert.ok(most.of >= changed && most.of < changed + 10, `${most.of} records`)
      // So few records come in one batch.
      if (mode === 'full') assert.ok(most.left < most.of)
    }
  }
})

test.run()
