// Live views of sessions: what they show, what they change, and when they end.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { SessionGoneError } from '../../src/errors.ts'
import { applyBatch, makeNode, type Node, setRole, tiny } from '../support/tables.ts'

const ROOM = 1 << 20
type View = { id: number; value: number; toJSON(): unknown }

function view({ table }: Node, id: number): View {
  const session = table.get({ id })
  assert.ok(session)
  return session as unknown as View
}

function isGone(session: View): void {
  const uses: (() => unknown)[] = [
    () => session.id,
    () => session.value,
    () => session.toJSON(),
    () => {
      session.value = 1
    },
    () => {
      session.value += 1
    },
  ]
  for (const use of uses) {
    assert.throws(
      use,
      (error: unknown) => error instanceof SessionGoneError && error.code === 'ERR_SESSION_GONE',
      `${use}`,
    )
  }
}

test('a view shows what happens to its session', () => {
  const node = makeNode(tiny(10), 'primary')
  node.table.set({ id: 1 }, { value: 1 })
  const session = view(node, 1)
  node.table.update({ id: 1 }, { value: 2 })
  assert.is(session.value, 2)
  assert.equal(session.toJSON(), { id: 1, value: 2 })
  assert.is(JSON.stringify(session), '{"id":1,"value":2}')
})

test('an assignment goes into the table, to other views and to the secondary', () => {
  const node = makeNode(tiny(10), 'primary')
  const other = makeNode(tiny(10), 'secondary')
  node.table.set({ id: 1 }, { value: 1 })
  applyBatch(other.table, node.table.encode(ROOM))
  const session = view(node, 1)
  session.value += 41
  assert.equal([view(node, 1).value, node.table.changed], [42, true])
  applyBatch(other.table, node.table.encode(ROOM))
  assert.is(view(other, 1).value, 42)
})

test('key fields cannot be assigned', () => {
  const node = makeNode(tiny(10), 'primary')
  node.table.set({ id: 1 })
  const session = view(node, 1)
  assert.throws(() => {
    session.id = 2
  })
  assert.equal([session.id, node.table.has({ id: 1 }), node.table.has({ id: 2 })], [1, true, false])
})

test('every get gives a view of its own', () => {
  const node = makeNode(tiny(10), 'primary')
  for (let id = 0; id < 10; id++) node.table.set({ id }, { value: 10 * id })
  const views = Array.from({ length: 10 }, (_, id) => view(node, id))
  for (const [id, session] of views.entries()) assert.equal([session.id, session.value], [id, 10 * id])
})

test('a view ends with its session, and a new session of the same key does not revive it', () => {
  const node = makeNode(tiny(1), 'primary')
  node.table.set({ id: 1 }, { value: 1 })
  const session = view(node, 1)
  node.table.delete({ id: 1 })
  isGone(session)
  node.table.set({ id: 1 }, { value: 2 })
  isGone(session)
  node.table.delete({ id: 1 })
  node.table.set({ id: 2 }, { value: 3 })
  isGone(session)
  assert.equal(view(node, 2).toJSON(), { id: 2, value: 3 })
})

test('a view stays gone however often its slot is used again', () => {
  const node = makeNode(tiny(1), 'primary')
  node.table.set({ id: 1 })
  const session = view(node, 1)
  for (let round = 0; round < 300; round++) {
    node.table.delete({ id: 1 })
    node.table.set({ id: 1 })
    isGone(session)
  }
})

test('clear ends every view', () => {
  const node = makeNode(tiny(10), 'primary')
  node.table.set({ id: 1 })
  node.table.set({ id: 2 })
  const views = [view(node, 1), view(node, 2)]
  node.table.clear()
  for (const session of views) isGone(session)
  node.table.set({ id: 1 })
  node.table.set({ id: 2 })
  for (const session of views) isGone(session)
})

test('a change of role ends every view, on both sides', () => {
  const node = makeNode(tiny(10), 'primary')
  const other = makeNode(tiny(10), 'secondary')
  node.table.set({ id: 1 })
  applyBatch(other.table, node.table.encode(ROOM))
  const views = [view(node, 1), view(other, 1)]
  setRole(node, 'secondary')
  setRole(other, 'primary')
  for (const session of views) isGone(session)
  assert.equal([view(node, 1).value, view(other, 1).value], [0, 0])
})

test('a view on a secondary shows batches as they are applied, and ends with its session', () => {
  const node = makeNode(tiny(10), 'primary')
  const other = makeNode(tiny(10), 'secondary')
  node.table.set({ id: 1 }, { value: 1 })
  applyBatch(other.table, node.table.encode(ROOM))
  const session = view(other, 1)
  node.table.update({ id: 1 }, { value: 2 })
  applyBatch(other.table, node.table.encode(ROOM))
  assert.is(session.value, 2)
  node.table.delete({ id: 1 })
  applyBatch(other.table, node.table.encode(ROOM))
  isGone(session)
})

test('a view on a secondary ends when its slot gets another session in one batch', () => {
  const node = makeNode(tiny(1), 'primary')
  const other = makeNode(tiny(1), 'secondary')
  node.table.set({ id: 1 }, { value: 1 })
  applyBatch(other.table, node.table.encode(ROOM))
  const session = view(other, 1)
  node.table.delete({ id: 1 })
  node.table.set({ id: 2 }, { value: 2 })
  applyBatch(other.table, node.table.encode(ROOM))
  isGone(session)
  assert.is(view(other, 2).value, 2)
})

test('a view on a secondary ends when an image or a reset takes its session', () => {
  const other = makeNode(tiny(10), 'secondary')
  const image = Uint8Array.of(1, 0, 1, 7)
  for (const end of [
    () => assert.is(other.table.stageImage(0, Uint8Array.of(0)), undefined),
    () => other.table.reset(),
  ]) {
    assert.is(other.table.stageImage(0, image), undefined)
    other.table.commit()
    const session = view(other, 1)
    assert.is(session.value, 7)
    end()
    if (other.table.size > 0) other.table.commit()
    isGone(session)
  }
})

test.run()
