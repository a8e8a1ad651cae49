// Further unique keys: what finds a session, what is refused, and what stays as it was.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { KeyTakenError, NotPrimaryError, ValueError } from '../../src/errors.ts'
import { bytes, defineTable, string } from '../../src/schema/index.ts'
import { bytesFor } from '../../src/table/index.ts'
import { applyBatch, byOf, type LooseTable, makeNode, sameDigests, setRole } from '../support/tables.ts'

const ROOM = 1 << 20

const definition = defineTable({
  name: 'nat',
  key: { ip: 'ipv4', port: 'u16' },
  fields: { natIp: 'ipv4', natPort: 'u16', user: string(8), packets: 'u53', cookie: bytes(3) },
  indexes: { reply: ['natIp', 'natPort'], user: ['user'], cookie: ['cookie'] },
  capacity: 4,
})

const key = (n: number) => ({ ip: `10.0.0.${n}`, port: n })
const nat = (n: number) => ({ natIp: '203.0.113.1', natPort: n })

function primary(): LooseTable {
  return makeNode(definition, 'primary').table
}

const at = (table: LooseTable, natPort: number): unknown => byOf(table, 'reply').get(nat(natPort))?.port

function view(table: LooseTable, n: number): Record<string, unknown> {
  return table.get(key(n)) as unknown as Record<string, unknown>
}

/** The write is refused because of an index, and neither content nor journal nor size are other than before. */
function isTaken(table: LooseTable, write: () => unknown, says: RegExp): void {
  const before = [table.size, table.changed, JSON.stringify([...table])]
  assert.throws(write, (error: unknown) => {
    assert.instance(error, KeyTakenError)
    assert.is((error as KeyTakenError).code, 'ERR_KEY_TAKEN')
    assert.match((error as KeyTakenError).message, says)
    return true
  })
  assert.equal([table.size, table.changed, JSON.stringify([...table])], before)
}

test('a session is found by its fields as long as it has them', () => {
  const table = primary()
  table.set(key(1), { ...nat(7), user: 'ann' })
  assert.equal([at(table, 7), byOf(table, 'user').get({ user: 'ann' })?.port], [1, 1])
  table.update(key(1), { natPort: 8 })
  assert.equal([at(table, 7), at(table, 8)], [undefined, 1])
  view(table, 1).natPort = 9
  assert.equal([at(table, 8), at(table, 9), byOf(table, 'reply').has(nat(9))], [undefined, 1, true])
  table.set(key(1), nat(10))
  assert.equal([at(table, 9), at(table, 10), byOf(table, 'user').has({ user: 'ann' })], [undefined, 1, false])
  assert.is(table.delete(key(1)), true)
  assert.is(at(table, 10), undefined)
  table.set(key(2), nat(10))
  assert.is(at(table, 10), 2)
  table.clear()
  assert.is(at(table, 10), undefined)
  table.set(key(3), nat(10))
  table.reset()
  assert.is(at(table, 10), undefined)
})

test('an index gives live views, which write through', () => {
  const table = primary()
  table.set(key(1), { ...nat(7), packets: 1 })
  const session = byOf(table, 'reply').get(nat(7))!
  session.packets = 5
  assert.is(view(table, 1).packets, 5)
  session.natPort = 8
  assert.equal([at(table, 7), at(table, 8)], [undefined, 1])
  table.delete(key(1))
  assert.throws(() => session.packets, /deleted/)
})

test('a key that another session holds is refused, whoever writes it, and nothing is changed', () => {
  const table = primary()
  table.set(key(1), { ...nat(7), user: 'ann', cookie: Uint8Array.of(1, 2, 255) })
  table.set(key(2), { ...nat(8), user: 'bob' })
  table.encode(ROOM)
  const says = /table nat: index reply: natIp "203\.0\.113\.1", natPort 7 .*ip "10\.0\.0\.1", port 1 /
  isTaken(table, () => table.set(key(3), nat(7)), says)
  isTaken(table, () => table.set(key(2), { ...nat(7), user: 'bob' }), says)
  isTaken(table, () => table.update(key(2), { natPort: 7, packets: 9 }), says)
  isTaken(table, () => Object.assign(view(table, 2), { natPort: 7 }), says)
  isTaken(table, () => byOf(table, 'user').update({ user: 'bob' }, { natPort: 7 }), says)
  isTaken(table, () => table.update(key(2), { user: 'ann' }), /index user: user "ann" /)
  isTaken(table, () => table.update(key(2), { cookie: Uint8Array.of(1, 2, 255) }), /cookie 0102ff /)
  assert.is(table.changed, false)
  // The second of two indexes refuses: the first must not have been moved.
  isTaken(table, () => table.update(key(2), { natPort: 9, user: 'ann' }), /index user/)
  assert.equal([at(table, 8), at(table, 9)], [2, undefined])
})

test('a session may keep its own key, and take one that was just given up', () => {
  const table = primary()
  table.set(key(1), nat(7))
  table.set(key(1), nat(7))
  table.update(key(1), nat(7))
  view(table, 1).natPort = 7
  assert.is(at(table, 7), 1)
  table.update(key(1), { natPort: 8 })
  table.set(key(2), nat(7))
  assert.equal([at(table, 7), at(table, 8)], [2, 1])
  table.delete(key(2))
  table.update(key(1), nat(7))
  assert.is(at(table, 7), 1)
})

test('sessions whose fields are all zero do not meet, and are not found', () => {
  const table = primary()
  for (const n of [1, 2, 3]) table.set(key(n), { natIp: '0.0.0.0', natPort: 0, user: '' })
  assert.is(table.size, 3)
  assert.is(byOf(table, 'reply').get({ natIp: '0.0.0.0', natPort: 0 }), undefined)
  assert.is(byOf(table, 'user').has({ user: '' }), false)
  table.update(key(1), { natPort: 5 })
  isTaken(table, () => table.update(key(2), { natPort: 5 }), /natIp "0\.0\.0\.0", natPort 5 /)
  table.update(key(1), { natPort: 0 })
  table.update(key(2), { natPort: 5 })
  assert.is(byOf(table, 'reply').get({ natIp: '0.0.0.0', natPort: 5 })?.port, 2)
})

test('a full table says that a key is taken before it says that it is full', () => {
  const table = primary()
  for (const n of [1, 2, 3, 4]) table.set(key(n), nat(n))
  isTaken(table, () => table.set(key(5), nat(4)), /natPort 4 /)
})

test('a session is changed and deleted by an index key', () => {
  const table = primary()
  table.set(key(1), nat(7))
  const reply = byOf(table, 'reply')
  assert.is(reply.update(nat(7), { packets: 3, natPort: 8 }), true)
  assert.equal([view(table, 1).packets, at(table, 8)], [3, 1])
  assert.is(reply.update(nat(7), { packets: 4 }), false)
  assert.equal([reply.update(nat(8), {}), reply.update(nat(7), {})], [true, false])
  assert.equal([reply.delete(nat(7)), reply.delete(nat(8)), table.size], [false, true, 0])
})

test('an index asks the gate and the types as the table does', () => {
  const node = makeNode(definition, 'primary')
  node.table.set(key(1), nat(7))
  const reply = byOf(node.table, 'reply')
  assert.throws(
    () => reply.get({ natIp: 'x', natPort: 1 }),
    (e: unknown) => e instanceof ValueError,
  )
  assert.throws(
    () => reply.has(undefined as never),
    (e: unknown) => e instanceof ValueError,
  )
  assert.throws(
    () => reply.update(nat(9), { packets: -1 }),
    (e: unknown) => e instanceof ValueError,
  )
  setRole(node, 'secondary')
  for (const write of [() => reply.update(nat(7), { packets: 1 }), () => reply.delete(nat(7))]) {
    assert.throws(write, (e: unknown) => e instanceof NotPrimaryError)
  }
  assert.is(at(node.table, 7), 1)
})

test('two sessions that exchange their keys between two flushes have done so on the secondary', () => {
  const [one, two] = [makeNode(definition, 'primary').table, makeNode(definition, 'secondary').table]
  for (const n of [1, 2, 3]) one.set(key(n), nat(n))
  applyBatch(two, one.encode(ROOM))
  one.update(key(1), { natPort: 99 })
  one.update(key(3), { natPort: 1 })
  one.update(key(1), { natPort: 3 })
  // A session that ends hands its key to a new one in a lower and to an old one in a higher slot.
  one.delete(key(2))
  one.set(key(4), nat(2))
  applyBatch(two, one.encode(ROOM))
  for (const table of [one, two]) {
    assert.equal([at(table, 1), at(table, 3), at(table, 2), at(table, 99)], [3, 1, 4, undefined])
  }
  sameDigests(one, two)
})

test('a table has up to four indexes of up to eight fields, of any length', () => {
  const names = Array.from({ length: 53 }, (_, i) => `f${i}`)
  const wide = defineTable({
    name: 'wide',
    key: { id: 'u32' },
    fields: {
      ...Object.fromEntries(names.slice(0, 50).map((name) => [name, 'u8' as const])),
      ...{ long: string(255), longer: string(255), raw: bytes(255) },
    },
    indexes: {
      low: names.slice(0, 8) as never,
      high: names.slice(42, 50) as never,
      mixed: ['f0', 'f40', 'long', 'longer', 'raw'] as never,
      last: ['raw'] as never,
    },
    capacity: 3000,
  })
  const table = makeNode(wide, 'primary').table
  const fields = (id: number) => ({
    ...{ f7: id & 255, f6: id >> 8, f42: id >> 8, f49: id & 255 },
    ...{ long: 'l'.repeat(id % 256), longer: `${id}`, raw: new Uint8Array(255).fill(id & 255, id >> 8) },
  })
  for (let id = 1; id <= 3000; id++) table.set({ id }, fields(id) as never)
  for (let id = 1; id <= 3000; id++) {
    const row = { ...Object.fromEntries(names.slice(0, 50).map((name) => [name, 0])), ...fields(id) }
    for (const name of ['low', 'high', 'mixed']) assert.is(byOf(table, name).get(row)?.id, id, name)
  }
  const free = { ...fields(3001), f0: 1, f43: 1, raw: new Uint8Array(255) }
  assert.throws(() => table.set({ id: 3001 }, { ...free, raw: fields(5).raw } as never), /index last/)
})

test('an index costs a cache line for seven sessions', () => {
  const sized = (indexes: Record<string, never>) =>
    bytesFor(
      defineTable({
        ...{ name: 't', key: { id: 'u32' }, fields: { a: 'u32', b: 'u32' }, capacity: 1_000_000 },
        indexes,
      }),
    )
  const none = sized({})
  const one = sized({ a: ['a'] as never })
  const two = sized({ a: ['a'] as never, b: ['b'] as never })
  for (const more of [one - none, two - one]) assert.ok(Math.abs(more - (64 / 7) * 1e6) < 1e5, `${more}`)
})

test('an index does not wear out, whatever way its keys go', () => {
  const worn = defineTable({
    name: 'worn',
    key: { id: 'u16' },
    fields: { tag: 'u32' },
    indexes: { tag: ['tag'] },
    capacity: 100,
  })
  // Each way ends the keys of all sessions; what it left in the index would soon fill it, and new keys find no room.
  const ways: Record<string, (from: LooseTable, to: LooseTable, tag: number) => void> = {
    delete: (from) => {
      for (let id = 0; id < 100; id++) from.delete({ id })
    },
    'delete by the key': (from, _, tag) => {
      for (let id = 0; id < 100; id++) byOf(from, 'tag').delete({ tag: tag + id })
    },
    replace: (from) => {
      for (let id = 0; id < 100; id++) from.set({ id })
    },
    update: (from) => {
      for (let id = 0; id < 100; id++) from.update({ id }, { tag: 0 })
    },
    'change through views': (from) => {
      for (const session of from) (session as unknown as { tag: number }).tag = 0
    },
    clear: (from) => from.clear(),
    'replace by an image': (from, to) => {
      from.clear()
      from.encode(ROOM)
      assert.is(to.stageImage(0, Uint8Array.of(0)), undefined)
      to.commit()
    },
    reset: (from, to) => {
      from.reset()
      to.reset()
    },
  }
  for (const [name, way] of Object.entries(ways)) {
    const [from, to] = [makeNode(worn, 'primary').table, makeNode(worn, 'secondary').table]
    for (let tag = 1; tag < 2000; tag += 100) {
      for (let id = 0; id < 100; id++) from.set({ id }, { tag: tag + id })
      applyBatch(to, from.encode(ROOM))
      for (const table of [from, to]) {
        for (let id = 0; id < 100; id++) assert.is(byOf(table, 'tag').get({ tag: tag + id })?.id, id, name)
      }
      way(from, to, tag)
      applyBatch(to, from.encode(ROOM))
    }
  }
})

test('a link that spoilt memory left behind finds nothing, and an image mends the rest', () => {
  const [one, two] = [makeNode(definition, 'primary').table, makeNode(definition, 'secondary').table]
  one.set(key(1), nat(7))
  one.set(key(2), nat(8))
  applyBatch(two, one.encode(ROOM))
  const { engine } = two as unknown as { engine: { u16: Uint16Array; core: { recordsAt(): number } } }
  const offset = definition.layout.values.find(({ name }) => name === 'natPort')!.offset
  engine.u16[(engine.core.recordsAt() + offset) >>> 1] = 5000
  two.setAwaited(0, 1, true)
  assert.is(two.stageImage(0, one.image(0)), undefined)
  two.commit()
  two.setAwaited(0, 1, false)
  sameDigests(one, two)
  assert.equal([at(two, 7), at(two, 8), at(two, 5000)], [1, 2, undefined])
  // The link is still there twice; the session is not.
  one.delete(key(1))
  applyBatch(two, one.encode(ROOM))
  assert.equal([at(two, 7), two.size], [undefined, 1])
})

test('a session that has expired is found by no key and holds none', () => {
  const dying = defineTable({
    name: 'dying',
    key: { id: 'u16' },
    fields: { x: 'u32', y: 'u32', z: 'u32' },
    indexes: { xy: ['x', 'y'], xz: ['x', 'z'] },
    capacity: 10,
    timeout: 600,
  })
  const [one, two] = [makeNode(dying, 'primary').table, makeNode(dying, 'secondary').table]
  one.set({ id: 1 }, { x: 1, y: 1 }, { timeout: 10 })
  one.set({ id: 2 }, { y: 1, z: 1 })
  one.set({ id: 3 }, { x: 1, y: 9, z: 1 })
  applyBatch(two, one.encode(ROOM))
  assert.is(byOf(two, 'xy').get({ x: 1, y: 1 })?.id, 1)
  for (const table of [one, two]) {
    table.setTime(1000)
    assert.is(byOf(table, 'xy').get({ x: 1, y: 1 }), undefined)
  }
  assert.is(one.changed, false)
  // xy is free again, for who held it has expired; xz is not. What has expired leaves all the same, and is told.
  const session = one.get({ id: 2 }) as unknown as { x: number }
  assert.throws(
    () => {
      session.x = 1
    },
    (error: unknown) => error instanceof KeyTakenError && /index xz/.test(error.message),
  )
  assert.equal([one.changed, one.size, session.x], [true, 2, 0])
  one.delete({ id: 3 })
  session.x = 1
  applyBatch(two, one.encode(ROOM))
  sameDigests(one, two)
  for (const table of [one, two]) assert.is(byOf(table, 'xy').get({ x: 1, y: 1 })?.id, 2)
})

test('what spoilt memory never linked is not taken away from others', () => {
  const full = defineTable({
    name: 'full',
    key: { id: 'u16' },
    fields: { tag: 'u32' },
    indexes: { tag: ['tag'] },
    capacity: 5000,
  })
  const [one, two] = [makeNode(full, 'primary').table, makeNode(full, 'secondary').table]
  for (let id = 0; id < 5000; id++) one.set({ id }, { tag: 1 + id })
  applyBatch(two, one.encode(ROOM))
  const { engine } = two as unknown as { engine: { u32: Uint32Array; core: { recordsAt(): number } } }
  const { layout } = full
  // Once: what is counted down twice would not show.
  const at = engine.core.recordsAt() + 500 * layout.recordBytes + layout.values[0]!.offset
  engine.u32[at >>> 2] = 1_000_000
  two.setAwaited(0, 1, true)
  assert.is(two.stageImage(0, one.image(0)), undefined)
  two.commit()
  for (let id = 0; id < 5000; id++) assert.is(byOf(two, 'tag').get({ tag: 1 + id })?.id, id)
})

test.run()
