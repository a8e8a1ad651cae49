// Values as an application gives and gets them, to cells and back; and the twin's schema of a table definition.
import { isIPv4, isIPv6 } from 'node:net'
import { ValueError } from '../../src/errors.ts'
import type { FieldType, IndexLists, Shape } from '../../src/schema/index.ts'
import { limits } from './bytes.ts'
import {
  type Cell,
  type Column,
  type ColumnKind,
  fromHex,
  type TwinSchema,
  toHex,
  twinSchema,
  VALUE_MAX,
} from './schema.ts'

const MAPPED = '00000000000000000000ffff'

function column(name: string, type: FieldType): Column {
  if (typeof type === 'string') return { name, kind: type as ColumnKind, size: 0, names: [] }
  if (!('type' in type)) return { name, kind: 'enum', size: 0, names: type }
  return { name, kind: type.type, size: type.length, names: [] }
}

/** The fields an application gives. */
export const givenFields = (schema: TwinSchema): readonly Column[] =>
  schema.fields.filter(({ kind }) => kind !== 'lifetime')

export function twinSchemaOf(definition: {
  readonly key: Shape
  readonly fields: Shape
  readonly indexes: IndexLists
  readonly lifetime?: { readonly timeoutTicks: number } | undefined
}): TwinSchema {
  const columns = (shape: Shape): Column[] => Object.entries(shape).map(([name, type]) => column(name, type))
  const fields = columns(definition.fields)
  const indexes = Object.entries(definition.indexes).map(([name, list]) => ({
    name,
    fields: list.map((field) => fields.findIndex((column) => column.name === field)),
  }))
  const { lifetime } = definition
  const life: Column[] =
    lifetime === undefined
      ? []
      : [{ name: '(lifetime)', kind: 'lifetime', size: 0, names: [], timeout: lifetime.timeoutTicks }]
  return twinSchema(columns(definition.key), [...fields, ...life], indexes)
}

function number(column: Column, value: unknown): number {
  const [least, most] = limits(column)
  if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > most)
    throw wrong(column, value)
  return value + 0
}

function wrong(column: Column, value: unknown): ValueError {
  return new ValueError(`${column.name}: ${String(value)} is no ${column.kind}`)
}

function exactBytes(column: Column, value: unknown, lengths: readonly number[]): string {
  const list = value as ArrayLike<unknown>
  if (typeof value !== 'object' || value === null || !lengths.includes(list.length))
    throw wrong(column, value)
  const bytes = Array.from(list)
  if (!bytes.every((byte) => Number.isInteger(byte) && Number(byte) >= 0 && Number(byte) <= 255))
    throw wrong(column, value)
  return toHex(Uint8Array.from(bytes as number[]))
}

const ipv4Hex = (text: string): string => toHex(Uint8Array.from(text.split('.').map(Number)))

/** The URL parser brings every spelling of an IPv6 address to one form: at most one `::`, no dots. */
function ipv6Hex(text: string): string {
  const [head = '', tail] = new URL(`http://[${text}]/`).hostname.slice(1, -1).split('::')
  const groups = (part: string): string[] =>
    part === '' ? [] : part.split(':').map((group) => group.padStart(4, '0'))
  const first = groups(head)
  const last = groups(tail ?? '')
  return [...first, ...Array<string>(8 - first.length - last.length).fill('0000'), ...last].join('')
}

function address(column: Column, value: unknown): string {
  const { kind } = column
  if (typeof value === 'string') {
    if (kind !== 'ipv6' && isIPv4(value)) return (kind === 'ip' ? MAPPED : '') + ipv4Hex(value)
    if (kind !== 'ipv4' && isIPv6(value) && !value.includes('%')) return ipv6Hex(value)
    throw wrong(column, value)
  }
  if (kind === 'ipv4' && typeof value === 'number') {
    return number({ ...column, kind: 'u32' }, value)
      .toString(16)
      .padStart(8, '0')
  }
  const hex = exactBytes(column, value, kind === 'ipv4' ? [4] : kind === 'ipv6' ? [16] : [4, 16])
  return kind === 'ip' && hex.length === 8 ? MAPPED + hex : hex
}

function text(column: Column, value: unknown): string {
  if (typeof value !== 'string' || /\p{Surrogate}/u.test(value)) throw wrong(column, value)
  const utf8 = new TextEncoder().encode(value)
  if (utf8.length > (column.kind === 'text' ? VALUE_MAX : column.size)) throw wrong(column, value)
  return toHex(utf8)
}

/** The cell of a value, or ValueError. */
export function toCell(column: Column, value: unknown): Cell {
  switch (column.kind) {
    case 'bool':
      if (typeof value !== 'boolean') throw wrong(column, value)
      return value ? 1 : 0
    case 'enum':
      if (typeof value !== 'string' || !column.names.includes(value)) throw wrong(column, value)
      return column.names.indexOf(value)
    case 'f64':
      if (typeof value !== 'number') throw wrong(column, value)
      return toHex(new Uint8Array(Float64Array.of(value).buffer))
    case 'ipv4':
    case 'ipv6':
    case 'ip':
      return address(column, value)
    case 'bytes':
      if (!(value instanceof Uint8Array)) throw wrong(column, value)
      return exactBytes(column, value, [column.size])
    case 'blob':
      if (!(value instanceof Uint8Array) || value.length > VALUE_MAX) throw wrong(column, value)
      return toHex(value)
    case 'string':
    case 'text':
      return text(column, value)
    default:
      return number(column, value)
  }
}

/** What the column reads as when nothing was given. */
export function zeroCell(column: Column): Cell {
  switch (column.kind) {
    case 'f64':
      return '00'.repeat(8)
    case 'ipv4':
      return '00'.repeat(4)
    case 'ipv6':
    case 'ip':
      return '00'.repeat(16)
    case 'bytes':
      return '00'.repeat(column.size)
    case 'string':
    case 'blob':
    case 'text':
      return ''
    case 'lifetime':
      return '0/0'
    default:
      return 0
  }
}

/** What an application reads. IPv6 in the URL parser's form, which is RFC 5952 but for addresses with an IPv4 tail. */
export function fromCell(column: Column, cell: Cell): boolean | number | string | Uint8Array {
  if (typeof cell === 'number') {
    if (column.kind === 'bool') return cell === 1
    return column.kind === 'enum' ? column.names[cell]! : cell
  }
  const bytes = fromHex(cell)
  switch (column.kind) {
    case 'f64':
      return new DataView(bytes.buffer, bytes.byteOffset).getFloat64(0, true)
    case 'bytes':
    case 'blob':
      return bytes
    case 'string':
    case 'text':
      return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)
    case 'ipv4':
      return bytes.join('.')
    default:
      if (column.kind === 'ip' && cell.startsWith(MAPPED)) return bytes.subarray(12).join('.')
      return new URL(`http://[${cell.replace(/.{4}(?!$)/g, '$&:')}]/`).hostname.slice(1, -1)
  }
}
