// What two builds tell each other of a table's schema (docs/PROTOCOL.md section 5): every field by name and type, so that
// a difference can be named and fields that one of them does not know can be left out.
import type { ByteReader, ByteWriter } from './bytes.ts'

/** Longest text in a description, in bytes; longer names are told by their beginning and a hash. */
export const SCHEMA_TEXT_MAX = 96
const KEYS_MAX = 16
const FIELDS_MAX = 53
const INDEXES_MAX = 4
const INDEX_FIELDS_MAX = 8

export interface FieldInfo {
  readonly name: string
  /** As written in the definition: 'u32', 'string(6)'; an enum as 'enum(3) 1f2e...', its names by a hash. */
  readonly type: string
}

export interface IndexInfo {
  readonly name: string
  readonly fields: readonly string[]
}

/** In the order of the definition. */
export interface SchemaInfo {
  readonly keys: readonly FieldInfo[]
  readonly fields: readonly FieldInfo[]
  readonly indexes: readonly IndexInfo[]
  /** 'none', or timeout in ticks and expiry: '4800 idle'. */
  readonly lifetime: string
}

export function writeSchema(writer: ByteWriter, schema: SchemaInfo): ByteWriter {
  for (const fields of [schema.keys, schema.fields]) {
    writer.u8(fields.length)
    for (const { name, type } of fields) writer.text(name).text(type)
  }
  writer.u8(schema.indexes.length)
  for (const { name, fields } of schema.indexes) {
    writer.text(name).u8(fields.length)
    for (const field of fields) writer.text(field)
  }
  return writer.text(schema.lifetime)
}

/** Undefined: it does not parse. */
export function readSchema(reader: ByteReader): SchemaInfo | undefined {
  const keys = readFields(reader, KEYS_MAX)
  const fields = readFields(reader, FIELDS_MAX)
  const count = reader.u8()
  if (reader.failed || count > INDEXES_MAX) return undefined
  const indexes: IndexInfo[] = []
  for (let i = 0; i < count; i++) {
    const name = reader.text(SCHEMA_TEXT_MAX)
    const length = reader.u8()
    if (reader.failed || length > INDEX_FIELDS_MAX) return undefined
    indexes.push({ name, fields: Array.from({ length }, () => reader.text(SCHEMA_TEXT_MAX)) })
  }
  const lifetime = reader.text(SCHEMA_TEXT_MAX)
  if (reader.failed || keys === undefined || fields === undefined) return undefined
  return { keys, fields, indexes, lifetime }
}

function readFields(reader: ByteReader, most: number): FieldInfo[] | undefined {
  const length = reader.u8()
  if (reader.failed || length > most) return undefined
  return Array.from({ length }, () => {
    const name = reader.text(SCHEMA_TEXT_MAX)
    return { name, type: reader.text(SCHEMA_TEXT_MAX) }
  })
}
