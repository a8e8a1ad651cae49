// After a split the side that stays may choose the other one: two whole nodes in memory at a jumped clock. Whatever is
// answered, lost or killed in the middle, from the moment they meet at most one of them may write, and one of them leads
// in the end with everything that it had.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Conflict, ConflictNews } from '../../src/core/conflicts.ts'
import { CorePair, type PairNode, type PairNodeOptions, startPair } from '../support/core-pair.ts'
import { Random, replayCommand, runs, seed } from '../support/seed.ts'

const test = suite('choice')
const CHOICE_MS = 3_000
const asked: PairNodeOptions = { choiceMs: CHOICE_MS }
const news = (node: PairNode): ConflictNews[] => node.events.filter((event) => event.type === 'conflict')
const told = (node: PairNode): Conflict[] => news(node).flatMap(({ conflicts }) => conflicts)
const short = ({ mine, theirs }: Conflict) => [mine?.id ?? theirs?.id, mine?.n ?? null, theirs?.n ?? null]
const always =
  (side: 'self' | 'peer', afterMs = 5) =>
  () => ({ side, afterMs })

/** Both lead one lineage, each for itself; b's epoch is the later one, so b is asked. */
function split(options: { a?: PairNodeOptions; b?: PairNodeOptions } = { b: asked }) {
  const { pair, a, b } = startPair(options)
  for (let id = 0; id < 20; id++) a.table.set({ id }, { n: 1 })
  for (const node of [a, b]) node.replica.conflicts.wanted = true
  pair.run(1_000)
  pair.cut()
  pair.until('b leads as well', () => b.role === 'primary')
  for (let id = 0; id < 6; id++) a.table.update({ id }, { n: 10 })
  for (let id = 4; id < 7; id++) b.table.update({ id }, { n: 20 })
  pair.run(500)
  return { pair, a, b }
}

/** Lets time pass until it holds; from when one has given way at most one may write. */
function alone(pair: CorePair, nodes: readonly PairNode[], what: string, holds: () => boolean): void {
  let isMet = false
  pair.until(what, () => {
    isMet ||= nodes.some(({ core }) => core.state.role !== 'primary')
    assert.ok(!isMet || nodes.filter(({ canWrite }) => canWrite).length <= 1, `both may write at ${pair.now}`)
    return holds()
  })
}

const settled = (leads: PairNode, follows: PairNode) => () =>
  leads.role === 'primary' && leads.replica.isProtected && follows.replica.isSynced

/** The one that is outranked has stepped down, and is not fed yet. */
function meet(pair: CorePair, a: PairNode, b: PairNode): void {
  pair.mend()
  pair.until('a has given way and b is asked', () => a.role === 'secondary' && b.chooser.questions.length > 0)
}

test("'peer': the other side leads with all it had, in an epoch above both, and this one tells what it gave up", () => {
  const { pair, a, b } = split()
  const epochs = [a.epoch, b.epoch]
  b.chooser.choose = always('peer', 200)
  meet(pair, a, b)
  assert.ok(b.canWrite && !a.canWrite, 'the one that stays acts until the other has taken over')
  b.table.update({ id: 8 }, { n: 21 })
  alone(pair, [a, b], 'a leads', settled(a, b))
  assert.ok(a.epoch > Math.max(...epochs), `${a.epoch} is above ${epochs}`)
  assert.equal([a.change?.reason, b.roles.at(-1)?.reason], ['chosen', 'chosen'])
  pair.until('b has told', () => news(b).at(-1)?.done === true)
  assert.equal(told(b).map(short), [
    [4, 20, 10],
    [5, 20, 10],
    [6, 20, 1],
    [8, 21, 1],
  ])
  assert.equal([news(b).at(-1)!.cause, news(b).at(-1)!.untold], ['split', 0])
  assert.ok(
    news(a).every(({ told: count, untold }) => count + untold === 0),
    'a gave nothing up',
  )
  assert.equal([a.table.get({ id: 0 })?.n, b.table.get({ id: 6 })?.n, b.chooser.questions.length], [10, 1, 1])
})

test("'self': it goes on as without the option, and the other side is not fed before the answer", () => {
  const { pair, a, b } = split()
  b.chooser.choose = always('self', 700)
  meet(pair, a, b)
  const { epoch } = b
  pair.run(650)
  assert.equal([a.table.get({ id: 0 })?.n, a.role], [10, 'secondary'], 'it holds what it led')
  alone(pair, [a, b], 'b leads', settled(b, a))
  assert.equal([b.epoch, a.table.get({ id: 0 })?.n], [epoch, 1])
  pair.until('a has told', () => news(a).at(-1)?.done === true)
  assert.is(told(a).length, 6)
})

test('it is asked with what both sides are, and with how long they were apart', () => {
  const { pair, a, b } = split()
  const led = [a, b].map(({ epoch, core }) => ({ epoch, lineage: core.state.lineage }))
  b.chooser.choose = always('self')
  meet(pair, a, b)
  const [{ mine, theirs, apartMs }] = b.chooser.questions as [(typeof b.chooser.questions)[number]]
  assert.equal([mine.id, theirs.id, mine.sessions, theirs.sessions], ['b', 'a', 20, 20])
  assert.equal([mine.changed, theirs.changed], [3, 6])
  assert.equal([theirs.epoch, theirs.lineage], [led[0]!.epoch, led[0]!.lineage])
  assert.equal([mine.epoch, mine.position.epoch], [led[1]!.epoch, led[1]!.epoch])
  assert.ok(apartMs! > 500 && apartMs! < 3_000, `${apartMs}`)
  assert.ok(mine.lineageAgeMs > 1_000 && theirs.uptimeMs > 1_000)
})

test('no answer in time, and an answer after it: the rule decides', () => {
  const { pair, a, b } = split()
  b.chooser.choose = always('peer', CHOICE_MS + 200)
  meet(pair, a, b)
  const since = pair.now
  alone(pair, [a, b], 'b leads', settled(b, a))
  assert.ok(pair.now - since >= CHOICE_MS && pair.now - since < CHOICE_MS + 200)
  pair.run(1_000)
  assert.equal([b.chooser.over, b.role, a.role], [['late'], 'primary', 'secondary'])
})

test('an application thread that stands still is not waited for longer', () => {
  const { pair, a, b } = split()
  pair.mend()
  b.isHung = true
  pair.until('a follows', () => a.role === 'secondary')
  pair.run(CHOICE_MS + 500)
  b.wake()
  pair.until('b leads', settled(b, a))
  assert.equal(b.chooser.over, ['late'])
})

test('only the side that stays is asked, and once', () => {
  const { pair, a, b } = split({ a: asked, b: asked })
  a.chooser.choose = always('peer')
  b.chooser.choose = always('peer')
  pair.mend()
  alone(pair, [a, b], 'a leads', settled(a, b))
  pair.run(5_000)
  assert.equal([a.chooser.questions.length, b.chooser.questions.length, a.role], [0, 1, 'primary'])
})

test('histories of their own: either side may be chosen, whichever node judges', () => {
  for (const old of ['a', 'b'] as const) {
    const pair = new CorePair(undefined, 7)
    pair.cut()
    const elder = pair.start(old, asked)
    pair.run(15_000)
    const younger = pair.start(old === 'a' ? 'b' : 'a', asked)
    pair.until('both lead', () => elder.role === 'primary' && younger.role === 'primary')
    for (const node of [elder, younger]) node.replica.conflicts.wanted = true
    elder.table.set({ id: 1 }, { n: 1 })
    younger.table.set({ id: 2 }, { n: 2 })
    pair.run(500)
    elder.chooser.choose = always('peer', 300)
    younger.chooser.choose = always('peer', 300)
    const epochs = Math.max(elder.epoch, younger.epoch)
    pair.mend()
    pair.until('the younger leads', settled(younger, elder))
    pair.run(3_000)
    assert.equal(
      [elder.chooser.questions.length, younger.chooser.questions.length, younger.role],
      [1, 0, 'primary'],
      old,
    )
    assert.equal([younger.table.size, elder.table.size, elder.table.get({ id: 2 })?.n], [1, 1, 2], old)
    assert.ok(younger.epoch > epochs)
    assert.equal(told(elder).map(short), [[1, 1, null]])
    assert.equal(elder.chooser.questions[0]!.apartMs, null, 'they had never met')
  }
})

test('in mode manual the same is chosen, and whoever is lost then is not replaced', () => {
  const manual = { mode: 'manual', ...asked } as const
  const pair = new CorePair()
  const a = pair.start('a', manual)
  a.ask({ type: 'promote', request: 1, force: true })
  pair.until('a leads', () => a.role === 'primary')
  const b = pair.start('b', manual)
  pair.until('b is synced', () => b.replica.isSynced)
  pair.cut()
  pair.until('b has lost a', () => !b.core.peer.alive)
  b.ask({ type: 'promote', request: 2, force: true })
  pair.until('b leads too', () => b.role === 'primary')
  b.chooser.choose = always('peer')
  pair.mend()
  alone(pair, [a, b], 'a leads', settled(a, b))
  assert.is(a.change?.reason, 'chosen')
  pair.kill(a)
  pair.run(5_000)
  assert.is(b.role, 'secondary')
})

test('cut or killed at any moment of it: one leads in the end with what it had, and never do two act while they hear each other', () => {
  const random = new Random(seed)
  let chosen = 0
  for (let run = 0; run < runs(60); run++) {
    const { pair, a, b } = split({ a: asked, b: asked })
    const side = random.pick(['self', 'peer', 'peer', 'peer'] as const)
    const afterMs = random.pick([0, 1, 30, 400, CHOICE_MS - 5, CHOICE_MS, CHOICE_MS + 60])
    for (const node of [a, b]) node.chooser.choose = always(side, afterMs)
    pair.mend()
    pair.run(random.pick([20, 60, 450, CHOICE_MS + 80]) * (random.below(1_000) / 1_000))
    const fault = random.pick(['cut', 'kill a', 'kill b', 'one link', 'none'] as const)
    if (fault === 'cut') pair.cut()
    if (fault === 'one link') pair.cut(random.below(2))
    if (fault === 'kill a') pair.kill(a)
    if (fault === 'kill b') pair.kill(b)
    const where = `run ${run}, ${side} after ${afterMs} ms, ${fault}: ${replayCommand()}`
    pair.run(random.pick([100, 1_000, 4_000]) * (random.below(1_000) / 1_000))
    if (fault.startsWith('kill')) {
      const left = fault === 'kill a' ? b : a
      pair.until(`${where}: the other leads`, () => left.role === 'primary' && left.canWrite)
      const n = [left.table.get({ id: 0 })?.n, left.table.get({ id: 6 })?.n].join()
      assert.ok(['10,1', '1,20'].includes(n), `${where}: holds ${n}`)
      continue
    }
    pair.mend()
    alone(pair, [], `${where}: settled`, () => settled(a, b)() || settled(b, a)())
    const [leads, follows] = a.role === 'primary' ? [a, b] : [b, a]
    const n = [leads.table.get({ id: 0 })?.n, leads.table.get({ id: 6 })?.n].join()
    // Fed before a cut, either may lead with what the other had: but with one of the two, whole.
    assert.ok(['10,1', '1,20'].includes(n), `${where}: holds ${n}`)
    assert.is(follows.table.get({ id: 0 })?.n, leads.table.get({ id: 0 })?.n, where)
    assert.is(leads.epoch, Math.max(...[...a.roles, ...b.roles].map(({ epoch }) => epoch)), where)
    const isChosen = leads.change?.reason === 'chosen'
    if (isChosen) chosen++
    if (side === 'self') assert.ok(!isChosen, where)
    if (side === 'peer' && afterMs < CHOICE_MS - 60 && fault === 'none') assert.ok(isChosen, where)
    pair.until(`${where}: told`, () => news(follows).at(-1)?.done === true)
  }
  assert.ok(chosen > 0)
})

test.run()
