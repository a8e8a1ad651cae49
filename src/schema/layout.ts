// Where the fields of a record lie. Fields are placed by falling alignment, so that the host can reach each through a
// typed array and no padding lies between them. The same offsets go to the WASM core as descriptors; assembly/layout.ts
// draws the record.
import type { FieldType, IndexLists, Shape } from './types.ts'

/** Offset of the key: after hash, generation, flags and deadline. */
export const KEY_OFFSET = 16
const LINE_BYTES = 64

/** What a field is to the host; several share one kind in the core. Numbered for a `switch` without strings. */
export const FIELD = {
  u8: 0,
  bool: 1,
  enum: 2,
  u16: 3,
  u32: 4,
  i32: 5,
  u53: 6,
  f64: 7,
  ipv4: 8,
  ipv6: 9,
  ip: 10,
  bytes: 11,
  string: 12,
  blob: 13,
  text: 14,
} as const

/** Field kinds of assembly/layout.ts. */
const CORE = {
  byte: 1,
  u16: 2,
  u32: 3,
  i32: 4,
  u53: 5,
  raw: 6,
  ipv4: 7,
  ip: 8,
  text: 9,
  blob: 10,
  longText: 11,
} as const

export interface FieldLayout {
  readonly name: string
  readonly type: number
  /** Among the key fields or among the value fields. */
  readonly index: number
  /** From the start of the record. */
  readonly offset: number
  /** Bytes stored. */
  readonly size: number
  /** Names of an enum. */
  readonly names: readonly string[]
  readonly coreKind: number
  /** A one-byte value is below this; 0 for others. */
  readonly limit: number
  /** A number that is an integer from 0 to this is stored as one unsigned word of `size`; -1: none is. */
  readonly wordMax: number
  /** Longest wire form, for a variable field without its bytes. */
  readonly wireMax: number
  /** The value lies in the arena. */
  readonly isVariable: boolean
}

export interface IndexLayout {
  readonly name: string
  /** In the order given. */
  readonly fields: readonly FieldLayout[]
}

export interface RecordLayout {
  /** In schema order. */
  readonly keys: readonly FieldLayout[]
  /** In schema order. */
  readonly values: readonly FieldLayout[]
  /** Further unique keys, in the order given. */
  readonly indexes: readonly IndexLayout[]
  /** Key bytes stored, padded to eight. */
  readonly keyBytes: number
  readonly recordBytes: number
  /** Longest wire form of a record, without the bytes of variable fields. */
  readonly wireMax: number
  readonly hasVariable: boolean
}

interface Form {
  readonly type: number
  readonly size: number
  readonly align: number
  readonly coreKind: number
  readonly wireMax: number
  readonly wordMax?: number
  readonly limit?: number
  readonly names?: readonly string[]
}

const SCALARS = {
  u8: { type: FIELD.u8, wordMax: 0xff, size: 1, align: 1, coreKind: CORE.byte, wireMax: 1, limit: 256 },
  bool: { type: FIELD.bool, size: 1, align: 1, coreKind: CORE.byte, wireMax: 1, limit: 2 },
  u16: { type: FIELD.u16, wordMax: 0xffff, size: 2, align: 2, coreKind: CORE.u16, wireMax: 3 },
  u32: { type: FIELD.u32, wordMax: 0xffffffff, size: 4, align: 4, coreKind: CORE.u32, wireMax: 5 },
  i32: { type: FIELD.i32, wordMax: 0x7fffffff, size: 4, align: 4, coreKind: CORE.i32, wireMax: 5 },
  u53: { type: FIELD.u53, wordMax: 0xffffffff, size: 8, align: 8, coreKind: CORE.u53, wireMax: 8 },
  f64: { type: FIELD.f64, size: 8, align: 8, coreKind: CORE.raw, wireMax: 8 },
  ipv4: { type: FIELD.ipv4, wordMax: 0xffffffff, size: 4, align: 4, coreKind: CORE.ipv4, wireMax: 4 },
  ipv6: { type: FIELD.ipv6, size: 16, align: 8, coreKind: CORE.raw, wireMax: 16 },
  ip: { type: FIELD.ip, size: 16, align: 8, coreKind: CORE.ip, wireMax: 17 },
  // Handle and length; these come first among the value fields, whatever else is there.
  blob: { type: FIELD.blob, size: 8, align: 16, coreKind: CORE.blob, wireMax: 9 },
  text: { type: FIELD.text, size: 8, align: 16, coreKind: CORE.longText, wireMax: 9 },
} as const satisfies Record<string, Form>

export const SCALAR_NAMES: readonly string[] = Object.keys(SCALARS)

/** Types whose values lie in the arena. */
export const VARIABLE_NAMES: readonly string[] = ['blob', 'text']

/** Bytes of one value of such a type. */
export const VALUE_BYTES_MAX = 1_048_576
/** Bytes of all such values of one session. */
export const SESSION_BYTES_MAX = 2_097_152

/** The form of a type that `checkType` has accepted. */
function formOf(type: FieldType): Form {
  if (typeof type === 'string') return SCALARS[type]
  if ('type' in type) {
    const { length } = type
    if (type.type === 'bytes') {
      return { type: FIELD.bytes, size: length, align: 1, coreKind: CORE.raw, wireMax: length }
    }
    return { type: FIELD.string, size: length + 1, align: 1, coreKind: CORE.text, wireMax: length + 1 }
  }
  const limit = type.length
  return { type: FIELD.enum, size: 1, align: 1, coreKind: CORE.byte, wireMax: 1, limit, names: type }
}

const roundUp = (n: number, to: number): number => Math.ceil(n / to) * to

/** Places the fields of a shape from `start`, which is a multiple of eight; gives them in schema order and the end. */
function place(shape: Shape, start: number): { fields: FieldLayout[]; end: number } {
  const forms = Object.entries(shape).map(([name, type], index) => ({ name, index, form: formOf(type) }))
  const fields: FieldLayout[] = []
  let end = start
  for (const { name, index, form } of [...forms].sort((a, b) => b.form.align - a.form.align)) {
    const { type, size, coreKind, wireMax, limit = 0, names = [], wordMax = -1 } = form
    const isVariable = coreKind >= CORE.blob
    fields[index] = {
      ...{ name, type, index, offset: end, size, names },
      ...{ coreKind, limit, wordMax, wireMax, isVariable },
    }
    end += size
  }
  return { fields, end }
}

export function layOut(key: Shape, fields: Shape, indexes: IndexLists): RecordLayout {
  const keys = place(key, KEY_OFFSET)
  const keyBytes = roundUp(keys.end - KEY_OFFSET, 8)
  const values = place(fields, KEY_OFFSET + keyBytes)
  const wireMax = [...keys.fields, ...values.fields].reduce((sum, field) => sum + field.wireMax, 0)
  const valueNamed = (name: string) => values.fields.find((field) => field.name === name)!
  return {
    keys: keys.fields,
    values: values.fields,
    indexes: Object.entries(indexes).map(([name, names]) => ({ name, fields: names.map(valueNamed) })),
    keyBytes,
    recordBytes: roundUp(values.end, LINE_BYTES),
    wireMax,
    hasVariable: values.fields.some((field) => field.isVariable),
  }
}
