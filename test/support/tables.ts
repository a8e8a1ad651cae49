// Table definitions the tests share, and what they need around an engine table: a gate of their own, the content as the
// twin reads it from images.
import * as assert from 'uvu/assert'
import { bytes, defineTable, type Shape, string, type TableDefinition } from '../../src/schema/index.ts'
import { GATE_CLOSED, openGate, type WriteGate } from '../../src/table/gate.ts'
import { type CreateTableOptions, createTable, type Table } from '../../src/table/index.ts'
import { readDeltas, SEGMENT } from '../twins/deltas.ts'
import { type TwinSchema, TwinState } from '../twins/schema.ts'

/** A connection table, as in DESIGN section 4. */
export const connections = (capacity: number) =>
  defineTable({
    name: 'connections',
    key: { proto: 'u8', srcIp: 'ipv4', srcPort: 'u16', dstIp: 'ipv4', dstPort: 'u16' },
    fields: {
      state: ['syn', 'established', 'closing'],
      packets: 'u53',
      bytes: 'u53',
      natIp: 'ipv4',
      natPort: 'u16',
    },
    capacity,
  })

/** Every type, as key and as field. */
export const everything = (capacity: number) =>
  defineTable({
    name: 'everything',
    key: { id: 'u32', from: 'ip', label: string(5), kind: ['a', 'b'] },
    fields: {
      u8: 'u8',
      u16: 'u16',
      u32: 'u32',
      i32: 'i32',
      u53: 'u53',
      f64: 'f64',
      bool: 'bool',
      choice: ['none', 'some', 'all'],
      ipv4: 'ipv4',
      ipv6: 'ipv6',
      ip: 'ip',
      raw: bytes(7),
      text: string(12),
    },
    capacity,
  })

/** Values of any length, in an arena. */
export const lengthy = (capacity: number, arena = 1 << 22) =>
  defineTable({
    name: 'lengthy',
    key: { id: 'u16', label: string(60) },
    fields: { count: 'u32', data: 'blob', flag: 'bool', words: 'text', more: 'text', note: string(3) },
    capacity,
    arena,
  })

/** The smallest: one byte of key, one of content. */
export const tiny = (capacity: number) =>
  defineTable({ name: 'tiny', key: { id: 'u8' }, fields: { value: 'u8' }, capacity })

/** Three further unique keys over fields of several kinds, of values so few that they meet. */
export const indexed = (capacity: number, options: { readonly timeout?: number } = {}) =>
  defineTable({
    name: 'indexed',
    key: { id: 'u16' },
    fields: {
      port: 'u16',
      value: 'u32',
      zone: ['none', 'in', 'out'],
      host: 'ip',
      label: string(5),
      on: 'bool',
    },
    indexes: { reply: ['host', 'port'], label: ['label'], spot: ['on', 'zone', 'port'] },
    capacity,
    ...options,
  })

/** Sessions that expire: three seconds after the last write, of the table or of their own. */
export const leases = (
  capacity: number,
  options: { readonly timeout?: number; readonly expiry?: 'idle' | 'fixed'; readonly onFull?: 'evict' } = {
    timeout: 3,
  },
) =>
  defineTable({
    name: 'leases',
    key: { id: 'u8' },
    fields: { value: 'u8', count: 'u32', text: string(4) },
    capacity,
    ...options,
  })

/** As a test drives it: names and values are checked at run time only. */
export type LooseTable = Table<Shape, Shape>
export type LooseSession = Record<string, unknown> & { toJSON(): Record<string, unknown> }

export interface LooseIndex {
  get(key: Record<string, unknown>): LooseSession | undefined
  has(key: Record<string, unknown>): boolean
  update(key: Record<string, unknown>, fields: Record<string, unknown>): boolean
  delete(key: Record<string, unknown>): boolean
}

/** An index of a table by its name. */
export function byOf(table: LooseTable, name: string): LooseIndex {
  const index = (table.by as Record<string, unknown>)[name]
  assert.ok(index, `index ${name}`)
  return index as LooseIndex
}

export interface Node {
  readonly table: LooseTable
  readonly gate: WriteGate
}

/** A table with a gate of its own; a primary writes and remembers changes. */
export function makeNode(
  definition: TableDefinition,
  role: 'primary' | 'secondary',
  options: Partial<CreateTableOptions> = {},
): Node {
  const gate = openGate()
  const node = { table: createTable(definition, { gate, ...options }) as unknown as LooseTable, gate }
  setRole(node, role)
  return node
}

export function setRole({ table, gate }: Node, role: 'primary' | 'secondary'): void {
  gate.open = role === 'primary' ? gate.words[0]! : GATE_CLOSED
  table.setTracking(role === 'primary')
  table.bumpEra()
}

/** All sessions by record id, read from the engine's images by the twin's decoder. */
export function readState(
  schema: TwinSchema,
  table: Pick<LooseTable, 'segments' | 'capacity' | 'image'>,
): TwinState {
  const state = new TwinState(schema)
  for (let segment = 0; segment < table.segments; segment++) {
    const first = segment * SEGMENT
    const bounds = { first, end: Math.min(first + SEGMENT, table.capacity), image: true }
    const { deltas, reasons } = readDeltas(schema, table.image(segment), bounds)
    assert.equal([...reasons], [], `image of segment ${segment}`)
    for (const { id, row } of deltas) state.put(id, row!)
  }
  return state
}

export const allDigests = (table: LooseTable): Uint8Array => table.digests(0, table.segments).slice()

/** Both hold the same sessions at the same record ids, by digest of every segment. */
export function sameDigests(a: LooseTable, b: LooseTable): void {
  assert.is(b.size, a.size)
  assert.equal(allDigests(b), allDigests(a))
}

/** Stages and commits a batch that must be accepted. */
export function applyBatch(table: LooseTable, batch: Uint8Array): void {
  if (batch.length === 0) return
  assert.is(table.stage(batch), undefined)
  table.commit()
}

export function sameState(actual: TwinState, expected: TwinState, what: string): void {
  const sorted = (state: TwinState) => [...state.rows].sort(([a], [b]) => a - b)
  assert.equal(sorted(actual), sorted(expected), what)
}
