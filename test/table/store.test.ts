// The giving side of a table: what is remembered, what a batch holds, what a digest covers.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Store } from '../../src/core/store.ts'
import { defineTable, string } from '../../src/schema/index.ts'
import {
  allDigests,
  applyBatch,
  connections,
  everything,
  type LooseTable,
  makeNode,
  readState,
  sameDigests,
  setRole,
  tiny,
} from '../support/tables.ts'
import { digest } from '../twins/codec.ts'
import { toHex } from '../twins/schema.ts'
import { twinSchemaOf } from '../twins/values.ts'

const ROOM = 1 << 20
const hex = (bytes: Uint8Array) => toHex(bytes)

test('a table is a store', () => {
  const store: Store = makeNode(tiny(10), 'primary').table
  assert.equal([store.name, store.capacity, store.segments, store.size], ['tiny', 10, 1, 0])
  assert.match(store.schemaHash, /^[0-9a-f]{16}$/)
})

test('nothing is remembered while tracking is off', () => {
  const { table } = makeNode(tiny(10), 'primary')
  table.setTracking(false)
  let calls = 0
  table.onChange = () => calls++
  table.set({ id: 1 })
  table.clear()
  assert.equal([calls, table.changed, table.overflowed, table.encode(ROOM).length], [0, false, false, 0])
})

test('turning tracking on or off forgets what was remembered', () => {
  const { table } = makeNode(tiny(10), 'primary')
  for (const on of [false, true]) {
    table.setTracking(true)
    table.set({ id: 1 }, { value: on ? 1 : 2 })
    assert.is(table.changed, true)
    table.setTracking(on)
    assert.equal([table.changed, table.encode(ROOM).length], [false, 0])
  }
})

test('the first change after a flush is announced, the others are not', () => {
  const { table } = makeNode(tiny(10), 'primary')
  let calls = 0
  table.onChange = () => calls++
  for (let flush = 1; flush < 4; flush++) {
    for (let id = 0; id < 9; id++) table.set({ id }, { value: flush })
    assert.equal([calls, table.changed], [flush, true])
    assert.ok(table.encode(ROOM).length > 0)
    assert.is(table.changed, false)
  }
})

test('the change is already made when it is announced, by whatever made it', () => {
  const { table } = makeNode(tiny(10), 'primary')
  let calls = 0
  table.onChange = () => {
    calls++
    assert.is(table.changed, true)
  }
  const changes = [
    () => table.set({ id: 1 }, { value: 1 }),
    () => table.update({ id: 1 }, { value: 2 }),
    () => Object.assign(table.get({ id: 1 }) as object, { value: 3 }),
    () => table.delete({ id: 1 }),
    () => table.set({ id: 1 }, { value: 1 }),
    () => table.clear(),
  ]
  for (const [i, change] of changes.entries()) {
    change()
    assert.is(calls, i + 1, `${change}`)
    table.encode(ROOM)
  }
})

test('a value set back to what it was costs nothing', () => {
  const { table } = makeNode(tiny(10), 'primary')
  table.set({ id: 1 }, { value: 1 })
  table.encode(ROOM)
  table.update({ id: 1 }, { value: 2 })
  table.update({ id: 1 }, { value: 1 })
  assert.is(table.encode(ROOM).length, 0)
  table.set({ id: 2 })
  table.delete({ id: 2 })
  assert.is(table.encode(ROOM).length, 0)
  assert.is(table.changed, false)
})

test('a session deleted and set again as it was, in its slot, costs nothing', () => {
  const { table } = makeNode(tiny(1), 'primary')
  table.set({ id: 1 }, { value: 1 })
  table.encode(ROOM)
  table.delete({ id: 1 })
  table.set({ id: 1 }, { value: 1 })
  assert.is(table.encode(ROOM).length, 0)
  table.delete({ id: 1 })
  table.set({ id: 1 }, { value: 2 })
  assert.is(hex(table.encode(ROOM)), '01' + '01' + '01' + '02', 'an update')
})

test('a text that a batch made shorter leaves nothing behind', () => {
  const definition = defineTable({ name: 't', key: { id: 'u8' }, fields: { text: string(5) }, capacity: 1 })
  const primary = makeNode(definition, 'primary')
  const secondary = makeNode(definition, 'secondary')
  for (const text of ['abcde', 'a']) {
    primary.table.set({ id: 1 }, { text })
    applyBatch(secondary.table, primary.table.encode(ROOM))
  }
  setRole(secondary, 'primary')
  secondary.table.set({ id: 1 }, { text: 'a' })
  assert.is(secondary.table.encode(ROOM).length, 0, 'nothing differs')
})

test('the bytes are those the protocol draws', () => {
  const { table } = makeNode(tiny(2), 'primary')
  table.set({ id: 200 }, { value: 1 })
  table.set({ id: 201 }, { value: 2 })
  assert.is(hex(table.encode(ROOM)), '02' + '00c801' + '00c902', 'two creates')
  table.update({ id: 201 }, { value: 3 })
  assert.is(hex(table.encode(ROOM)), '01' + '050103', 'an update of record id 1')
  table.delete({ id: 200 })
  table.set({ id: 202 }, { value: 4 })
  assert.is(hex(table.encode(ROOM)), '01' + '0301ca04', 'another session in slot 0')
  table.clear()
  assert.is(hex(table.encode(ROOM)), '02' + '02' + '02', 'two deletes')
  assert.is(hex(table.image(0)), '00')
})

test('an update of two counters and a port is a few bytes', () => {
  const { table } = makeNode(connections(10), 'primary')
  const key = { proto: 6, srcIp: '10.0.0.1', srcPort: 1024, dstIp: '192.0.2.1', dstPort: 443 }
  table.set(key, { packets: 1e9, bytes: 1e15, natPort: 4000 })
  table.encode(ROOM)
  table.update(key, { packets: 1e9 + 1, bytes: 1e15 + 63, natPort: 3999 })
  assert.is(hex(table.encode(ROOM)), '01' + '01' + '16' + '02' + '7e' + '01')
})

test('a digest is the SipHash of the image under the key, and zero without sessions', () => {
  const { table } = makeNode(tiny(200), 'primary')
  const schema = twinSchemaOf(tiny(200))
  assert.is(hex(table.digests(0, 1)), '00'.repeat(8))
  for (let id = 0; id < 150; id++) {
    table.set({ id }, { value: id })
    const key = Uint8Array.from({ length: 16 }, (_, i) => i * id)
    table.setDigestKey(key)
    assert.is(hex(table.digests(0, 1)), hex(digest(readState(schema, table), 0, key)), `${id + 1} sessions`)
  }
})

test('tables with different hash seeds have equal digests', () => {
  const make = (word: number) =>
    makeNode(everything(3000), 'primary', { hashSeed: [word, ~word, word * 7, 1] }).table
  const [one, other] = [make(1), make(0x5eed)]
  for (let id = 0; id < 2500; id++) {
    for (const table of [one, other])
      table.set({ id, from: '::1', label: '', kind: 'a' } as never, { u53: id * id })
  }
  for (let id = 0; id < 2500; id += 7) {
    for (const table of [one, other]) table.delete({ id, from: '::1', label: '', kind: 'a' } as never)
  }
  // The record ids come from one history, so they are equal too.
  sameDigests(one, other)
})

test('digests differ with one bit of one field, with a key, and with the digest key', () => {
  const { table } = makeNode(tiny(10), 'primary')
  const seen = new Set<string>()
  const see = () => seen.add(hex(allDigests(table)))
  table.set({ id: 1 }, { value: 0 })
  see()
  for (let bit = 1; bit < 256; bit *= 2) {
    table.update({ id: 1 }, { value: bit })
    see()
  }
  table.delete({ id: 1 })
  table.set({ id: 2 }, { value: 0 })
  see()
  table.setDigestKey(new Uint8Array(16).fill(1))
  see()
  assert.is(seen.size, 11)
})

test('reset drops every session and is not tracked', () => {
  const { table } = makeNode(connections(3000), 'primary')
  for (let i = 0; i < 2500; i++) {
    table.set({ proto: 6, srcIp: i, srcPort: 1, dstIp: 1, dstPort: 1 } as never)
  }
  table.encode(ROOM)
  table.reset()
  assert.equal([table.size, table.changed, table.encode(ROOM).length], [0, false, 0])
  assert.equal(allDigests(table), new Uint8Array(24))
  table.set({ proto: 6, srcIp: 1, srcPort: 1, dstIp: 1, dstPort: 1 } as never)
  assert.is(table.size, 1)
})

test('after a reset a table sends what a new one sends', () => {
  const [used, fresh] = [1, 2].map(
    () => makeNode(connections(3000), 'primary', { encodeBytesMax: 4_096 }).table,
  ) as [LooseTable, LooseTable]
  const write = (table: LooseTable) => {
    for (let i = 0; i < 2500; i++) {
      table.set({ proto: 6, srcIp: i, srcPort: 1, dstIp: 1, dstPort: 1 } as never)
    }
  }
  const room = 4_096
  write(used)
  for (let batches = 0; batches < 3; batches++) used.encode(room)
  used.reset()
  write(used)
  write(fresh)
  while (fresh.changed) assert.equal(used.encode(room).slice(), fresh.encode(room).slice())
  assert.is(used.changed, false)
})

test.run()
