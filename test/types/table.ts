// Types only: compiled by `npm run check`, never run. A wrong name or type must not compile.

import type { Store } from '../../src/core/store.ts'
import type { TablesOf } from '../../src/node.ts'
import { bytes, defineTable, string, type ValueOf } from '../../src/schema/index.ts'
import { createTable, openGate } from '../../src/table/index.ts'

const connections = defineTable({
  name: 'connections',
  key: { proto: 'u8', srcIp: 'ipv4', zone: string(8) },
  fields: {
    state: ['syn', 'established'],
    packets: 'u53',
    open: 'bool',
    nat: 'ip',
    cookie: bytes(8),
    note: string(20),
    page: 'text',
    raw: 'blob',
  },
  indexes: { reply: ['nat', 'open'], cookie: ['cookie'] },
  capacity: 100,
  arena: 65_536,
})

export const filtered = defineTable({
  name: 'filtered',
  key: { proto: 'u8' },
  fields: { state: ['syn', 'established'], packets: 'u53' },
  capacity: 100,
  pickup: { delay: 0.5, filter: ({ proto, state }) => proto === 6 && state === 'established' },
})

export const misfiltered = defineTable({
  name: 'misfiltered',
  key: { proto: 'u8' },
  fields: { state: ['syn', 'established'] },
  capacity: 100,
  pickup: {
    // @ts-expect-error: no such state
    filter: ({ state }) => state === 'closed',
  },
})

const table = createTable(connections, { gate: openGate() })
const key = { proto: 6, srcIp: '10.0.0.1', zone: 'a' }

/** Compiles only if the two types are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const same = <T extends true>(_: T): void => undefined

/** The replica drives a table as a store. */
export const store: Store = table

export function rightUse(): void {
  table.set(key)
  table.set(key, { state: 'established', packets: 1, open: true, nat: '::1', note: 'x' })
  table.set({ proto: 6, srcIp: 0x0a000001, zone: 'a' }, { cookie: new Uint8Array(8) })
  table.set({ proto: 6, srcIp: [10, 0, 0, 1], zone: 'a' }, { packets: undefined })
  const packet = { proto: 6, srcIp: '10.0.0.1', zone: 'a', length: 1400 }
  const session = table.get(packet)
  if (session === undefined) return
  same<Same<typeof session.state, 'syn' | 'established'>>(true)
  same<Same<typeof session.packets, number>>(true)
  same<Same<typeof session.open, boolean>>(true)
  same<Same<typeof session.nat, string>>(true)
  same<Same<typeof session.cookie, Uint8Array>>(true)
  same<Same<typeof session.page, string>>(true)
  same<Same<typeof session.raw, Uint8Array>>(true)
  same<Same<typeof session.srcIp, string>>(true)
  same<Same<ValueOf<readonly ['a', 'b']>, 'a' | 'b'>>(true)
  session.packets += packet.length
  session.state = 'syn'
  for (const each of table) same<Same<typeof each.zone, string>>(true)
  const values = session.toJSON()
  same<Same<typeof values.note, string>>(true)
  const back = table.by.reply.get({ nat: '10.0.0.1', open: true })
  same<Same<typeof back, typeof session | undefined>>(true)
  const known: boolean = table.by.cookie.has({ cookie: new Uint8Array(8) })
  table.by.reply.update(session, { packets: 1 })
  table.by.cookie.delete(packetOf(session))
  void known
  const had: boolean = table.update(session, { open: false })
  const gone: boolean = table.delete(key) && table.has(key)
  void [had, gone]
}

export function rightBatches(): void {
  const rows = table.rows(100, { fields: ['packets', 'state'] })
  const row: number = rows.add(key, { packets: 1 })
  rows.add(key)
  same<Same<typeof rows.columns.packets, Float64Array>>(true)
  same<Same<typeof rows.columns.srcIp, Uint32Array>>(true)
  same<Same<typeof rows.columns.state, Uint8Array>>(true)
  const state: 'syn' | 'established' = rows.get(row, 'state')
  const zone: string = rows.get(row, 'zone')
  const { packets, srcIp }: { packets: number; srcIp: string } = rows.read(row)
  const found: number = table.getMany(rows) + table.updateMany(rows) + table.deleteMany(rows)
  const { created, replaced } = table.setMany(rows)
  const all = table.rows(1)
  all.add(key, { cookie: new Uint8Array(8), note: 'x' })
  const sessions = table.getMany([key])
  same<Same<(typeof sessions)[0], ReturnType<typeof table.get>>>(true)
  table.setMany([[key, { state: 'syn' }], [key]])
  table.updateMany(new Map([[key, { packets: 1 }]]))
  table.deleteMany(new Set([key]))
  void [state, zone, packets, srcIp, found, created, replaced]
}

export function wrongBatches(): void {
  // @ts-expect-error no such field
  table.rows(1, { fields: ['packet'] })
  const rows = table.rows(1, { fields: ['packets'] })
  // @ts-expect-error a field these rows do not carry
  rows.add(key, { note: 'x' })
  // @ts-expect-error a key field is missing
  rows.add({ proto: 6 })
  // @ts-expect-error a field these rows do not carry
  rows.get(0, 'note')
  // @ts-expect-error a column these rows do not have
  rows.columns.note.fill(0)
  // @ts-expect-error the wrong type
  table.setMany([[key, { packets: '1' }]])
  // @ts-expect-error keys are no pairs
  table.deleteMany([[key]])
}

/** A node's tables have the indexes of their definitions. */
export const nodeTable: TablesOf<{ connections: typeof connections }>['connections'] = table

const packetOf = (from: { cookie: Uint8Array }) => ({ ...from, more: 1 })

export function wrongUse(): void {
  // @ts-expect-error a field of the index is missing
  table.by.reply.get({ nat: '10.0.0.1' })
  // @ts-expect-error a field of the index has the wrong type
  table.by.reply.has({ nat: '10.0.0.1', open: 1 })
  // @ts-expect-error no such index
  table.by.user.get({ user: 'ann' })
  // @ts-expect-error no such field
  table.by.reply.update({ nat: '::1', open: true }, { packet: 1 })
  // @ts-expect-error a key field is missing
  table.get({ proto: 6, srcIp: '10.0.0.1' })
  // @ts-expect-error a key field has the wrong type
  table.get({ proto: '6', srcIp: '10.0.0.1', zone: 'a' })
  // @ts-expect-error an address is text, a number or bytes
  table.has({ proto: 6, srcIp: true, zone: 'a' })
  // @ts-expect-error no such field
  table.set(key, { packet: 1 })
  // @ts-expect-error not a name of the enum
  table.set(key, { state: 'closed' })
  // @ts-expect-error a number field
  table.update(key, { packets: '1' })
  // @ts-expect-error an `ip` has no number form
  table.update(key, { nat: 1 })
  // @ts-expect-error a blob is a Uint8Array
  table.update(key, { raw: 'abcdefgh' })
  // @ts-expect-error bytes are a Uint8Array
  table.update(key, { cookie: 'abcdefgh' })
  const session = table.get(key)
  // @ts-expect-error there may be no session
  session.packets = 1
  if (session === undefined) return
  // @ts-expect-error key fields are read-only
  session.proto = 17
  // @ts-expect-error not a name of the enum
  session.state = 'closed'
  // @ts-expect-error no such field
  session.packet = 1
}

export function wrongDefinitions(): void {
  // @ts-expect-error no such type
  defineTable({ name: 't', key: { id: 'u64' }, fields: {}, capacity: 1 })
  // @ts-expect-error an index over a field that does not exist
  defineTable({ name: 't', key: { id: 'u32' }, fields: { a: 'u8' }, indexes: { by: ['b'] }, capacity: 1 })
  // @ts-expect-error an index over a key field
  defineTable({ name: 't', key: { id: 'u32' }, fields: { a: 'u8' }, indexes: { by: ['id'] }, capacity: 1 })
  const plain = defineTable({ name: 't', key: { id: 'u32' }, fields: { a: 'u8' }, capacity: 1 })
  // @ts-expect-error a table without indexes
  createTable(plain, { gate: openGate() }).by.reply.get({ a: 1 })
  // @ts-expect-error no capacity
  defineTable({ name: 't', key: { id: 'u32' }, fields: {} })
  // @ts-expect-error an option of a later version
  defineTable({ name: 't', key: { id: 'u32' }, fields: {}, capacity: 1, snapshot: true })
  // @ts-expect-error the gate is not optional
  createTable(connections, {})
}
