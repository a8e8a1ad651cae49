// Table definitions: field types, their checks, their place in a record. Imports nothing but the error classes.
export type { TableDefinition, TableOptions } from './define.ts'
export { defineTable } from './define.ts'
export type { FieldLayout, IndexLayout, RecordLayout } from './layout.ts'
export type { PickupOptions } from './pickup.ts'
export type {
  BytesType,
  ColumnOf,
  EnumType,
  FieldsInput,
  FieldType,
  IndexesOf,
  IndexInput,
  IndexLists,
  InputOf,
  KeyInput,
  NameOf,
  NoIndexes,
  ScalarType,
  Session,
  SessionValues,
  Shape,
  StringType,
  ValueOf,
  VariableType,
} from './types.ts'
export { bytes, string } from './types.ts'
