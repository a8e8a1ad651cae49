// Deltas as values, and their bytes: docs/PROTOCOL.md section 2 without any table. What needs the state of a table
// (occupied, absent, the range of an update, keys) is in codec.ts.
import { isUtf8, limits, Malformed, Reader, Writer, writeIp } from './bytes.ts'
import { grainsBetween, readLife, writeLife } from './lifetime.ts'
import type { Cell, Column, Row, TwinSchema } from './schema.ts'
import { fromHex, isLong, longBytes, ROW_MAX, toHex, VALUE_MAX } from './schema.ts'

export const SEGMENT = 1024
export const OPS = ['create', 'update', 'delete', 'whole'] as const
export type Op = (typeof OPS)[number]

/**
 * A difference (number columns that travel as one), grains (a lifetime that goes on), the new value, or for a long one
 * what lies between its ends.
 */
export type Change =
  | { readonly difference: bigint }
  | { readonly grains: bigint }
  | { readonly value: Cell }
  | Middle

export interface Middle {
  /** Bytes kept of the old value's beginning and end. */
  readonly prefix: number
  readonly suffix: number
  /** Hex. */
  readonly middle: string
}

export interface Delta {
  readonly id: number
  readonly op: Op
  /** create, and whole unless it empties the slot. */
  readonly row?: Row | undefined
  /** update: by index of the value field. */
  readonly changes?: ReadonlyMap<number, Change>
}

/** Ids a batch may name: `first` up to, not including, `end`. An image holds nothing but create. */
export interface Bounds {
  readonly first: number
  readonly end: number
  readonly image: boolean
  /** Most deltas in one batch, where the table has such a bound. */
  readonly countMax?: number
}

const asDifference = (column: Column): boolean => ['u16', 'u32', 'i32', 'u53'].includes(column.kind)

function readNumber(reader: Reader, column: Column, value: number | bigint): number {
  const [least, most] = limits(column)
  if (value < least || value > most)
    reader.fault(column.kind === 'bool' || column.kind === 'enum' ? 'value' : 'range')
  return Number(value)
}

/** A column as a record holds it. */
export function readCell(reader: Reader, column: Column): Cell {
  switch (column.kind) {
    case 'u8':
    case 'bool':
    case 'enum':
      return readNumber(reader, column, reader.byte())
    case 'u16':
      return reader.byte() + 256 * reader.byte()
    case 'u32':
    case 'u53':
      return readNumber(reader, column, reader.varint())
    case 'i32':
      return readNumber(reader, column, reader.zigzag())
    case 'f64':
      return toHex(reader.raw(8))
    case 'ipv4':
      return toHex(reader.raw(4))
    case 'ipv6':
      return toHex(reader.raw(16))
    case 'bytes':
      return toHex(reader.raw(column.size))
    case 'ip':
      return reader.ip()
    case 'string':
      return reader.string(column.size)
    case 'blob':
    case 'text': {
      const bytes = reader.raw(reader.longLength())
      if (column.kind === 'text' && !isUtf8(bytes)) reader.fault('value')
      return toHex(bytes)
    }
    case 'lifetime':
      return readLife(reader, column.timeout!)
  }
}

export function writeCell(writer: Writer, column: Column, cell: Cell): void {
  if (typeof cell === 'number') {
    if (column.kind === 'i32') writer.zigzag(cell)
    else if (column.kind === 'u32' || column.kind === 'u53') writer.varint(cell)
    else writer.byte(cell)
    if (column.kind === 'u16') writer.byte(cell >> 8)
  } else if (column.kind === 'lifetime') writeLife(writer, cell, column.timeout!)
  else if (column.kind === 'ip') writeIp(writer, cell)
  else {
    if (column.kind === 'string') writer.byte(cell.length / 2)
    if (isLong(column)) writer.varint(cell.length / 2)
    writer.raw(fromHex(cell))
  }
}

function readRow(reader: Reader, schema: TwinSchema): Row {
  const row = schema.columns.map((column) => readCell(reader, column))
  if (longBytes(schema, row) > ROW_MAX) reader.fault('value')
  return row
}

function readMiddle(reader: Reader): Middle {
  const prefix = reader.longLength()
  const suffix = reader.longLength()
  const middle = toHex(reader.raw(reader.longLength()))
  if (prefix + suffix + middle.length / 2 > VALUE_MAX) reader.fault('value')
  return { prefix, suffix, middle }
}

function writeMiddle(writer: Writer, { prefix, suffix, middle }: Middle): void {
  for (const length of [prefix, suffix, middle.length / 2]) writer.varint(length)
  writer.raw(fromHex(middle))
}

/** The longest ends that two values share, in bytes, the beginning first. */
function middleOf(old: string, now: string): Middle {
  const [a, b] = [fromHex(old), fromHex(now)]
  const shorter = Math.min(a.length, b.length)
  let prefix = 0
  while (prefix < shorter && a[prefix] === b[prefix]) prefix++
  let suffix = 0
  while (suffix < shorter - prefix && a[a.length - 1 - suffix] === b[b.length - 1 - suffix]) suffix++
  return { prefix, suffix, middle: toHex(b.subarray(prefix, b.length - suffix)) }
}

function readChanges(reader: Reader, schema: TwinSchema, changes: Map<number, Change>): void {
  const mask = BigInt(reader.varint())
  if (mask === 0n || mask >> BigInt(schema.fields.length) > 0n) throw new Malformed('mask')
  for (const [i, column] of schema.fields.entries()) {
    if ((mask >> BigInt(i)) % 2n === 0n) continue
    if (asDifference(column)) changes.set(i, { difference: reader.zigzag() })
    else if (isLong(column)) changes.set(i, readMiddle(reader))
    else if (column.kind === 'lifetime') {
      const grains = BigInt(reader.varint())
      changes.set(i, grains === 0n ? { value: readCell(reader, column) } : { grains })
    } else changes.set(i, { value: readCell(reader, column) })
  }
}

/** Operation and slot, which stand before the body. */
function readHead(reader: Reader, previous: number, bounds: Bounds): { id: number; op: Op } {
  const head = reader.varint()
  const op = OPS[head % 4]!
  const id = previous + 1 + Math.floor(head / 4)
  if (bounds.image && op !== 'create') reader.fault('op')
  if (id >= bounds.end) throw new Malformed('id')
  return { id, op }
}

function readBody(reader: Reader, schema: TwinSchema, { op }: Delta): Row | undefined {
  if (op === 'whole') {
    const present = reader.byte()
    if (present > 1) throw new Malformed('value')
    if (present === 0) return undefined
  }
  return op === 'create' || op === 'whole' ? readRow(reader, schema) : undefined
}

export interface ReadDeltas {
  readonly deltas: Delta[]
  /** The delta that could not be read to its end, as far as it could. */
  readonly cut: Delta | undefined
  /** Every reason to refuse the bytes that their form gives; after some faults the rest cannot be read. */
  readonly reasons: Set<string>
}

export function readDeltas(schema: TwinSchema, bytes: Uint8Array, bounds: Bounds): ReadDeltas {
  const deltas: Delta[] = []
  const reasons = new Set<string>()
  const reader = new Reader(bytes, (reason) => reasons.add(reason))
  const countMax = Math.min(bytes.length, bounds.countMax ?? bytes.length)
  let cut: Delta | undefined
  try {
    const count = reader.varint()
    if (count > reader.left || count > countMax) throw new Malformed('count')
    let previous = bounds.first - 1
    for (let i = 0; i < count; i++) {
      const head = readHead(reader, previous, bounds)
      const changes = new Map<number, Change>()
      cut = head.op === 'update' ? { ...head, changes } : head
      if (head.op === 'update') readChanges(reader, schema, changes)
      const row = readBody(reader, schema, cut)
      deltas.push(row === undefined ? cut : { ...cut, row })
      cut = undefined
      previous = head.id
    }
    if (reader.left > 0) reasons.add('trailing')
  } catch (error) {
    if (!(error instanceof Malformed)) throw error
    reasons.add(error.reason)
  }
  return { deltas, cut, reasons }
}

/** `previous` is the id before the first possible one: -1 in a batch. */
export function writeDeltas(schema: TwinSchema, deltas: readonly Delta[], previous = -1): Uint8Array {
  const writer = new Writer()
  writer.varint(deltas.length)
  let last = previous
  for (const { id, op, row, changes } of deltas) {
    writer.varint(BigInt(id - last - 1) * 4n + BigInt(OPS.indexOf(op)))
    last = id
    if (op === 'whole') writer.byte(row === undefined ? 0 : 1)
    for (const [i, column] of schema.columns.entries())
      if (row !== undefined) writeCell(writer, column, row[i]!)
    if (changes === undefined) continue
    writer.varint([...changes.keys()].reduce((mask, i) => mask | (1n << BigInt(i)), 0n))
    for (const [i, column] of schema.fields.entries()) {
      const change = changes.get(i)
      if (change === undefined) continue
      if ('difference' in change) writer.zigzag(change.difference)
      else if ('middle' in change) writeMiddle(writer, change)
      else if ('grains' in change) writer.varint(change.grains)
      else {
        if (column.kind === 'lifetime') writer.varint(0)
        writeCell(writer, column, change.value)
      }
    }
  }
  return writer.take()
}

/** The field changes that lead from one row to another with the same key. */
export function changesBetween(schema: TwinSchema, before: Row, after: Row): Map<number, Change> {
  const changes = new Map<number, Change>()
  for (const [i, column] of schema.fields.entries()) {
    const old = before[schema.keys.length + i]!
    const now = after[schema.keys.length + i]!
    if (old === now) continue
    const grains = column.kind === 'lifetime' ? grainsBetween(old, now, column.timeout!) : 0n
    if (isLong(column)) changes.set(i, middleOf(String(old), String(now)))
    else if (grains > 0n) changes.set(i, { grains })
    else changes.set(i, asDifference(column) ? { difference: BigInt(now) - BigInt(old) } : { value: now })
  }
  return changes
}
