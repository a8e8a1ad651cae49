// The `indexes` of a table definition: further unique keys over value fields, checked at the door.
import { SchemaError } from '../errors.ts'
import { checkName, isObject, show } from './checks.ts'
import { VARIABLE_NAMES } from './layout.ts'
import type { IndexLists, Shape } from './types.ts'

/** INDEXES_MAX of assembly/layout.ts. */
const INDEXES_MAX = 4
const INDEX_FIELDS_MAX = 8

/** Throws unless `indexes` are lists of different value fields. */
export function checkIndexes(at: string, indexes: unknown, key: Shape, fields: Shape): void {
  if (!isObject(indexes)) {
    throw new SchemaError(`${at}: indexes ${show(indexes)} given; allowed: an object of lists of field names`)
  }
  const names = Object.keys(indexes)
  if (names.length > INDEXES_MAX) {
    throw new SchemaError(`${at}: ${names.length} indexes given; allowed: at most ${INDEXES_MAX}`)
  }
  for (const name of names) {
    checkName(`${at}: index name`, name)
    checkIndex(`${at}: index ${name}`, indexes[name], key, fields)
  }
}

function checkIndex(at: string, list: unknown, key: Shape, fields: Shape): void {
  if (!Array.isArray(list) || list.length < 1 || list.length > INDEX_FIELDS_MAX) {
    throw new SchemaError(
      `${at}: ${show(list)} given; allowed: a list of 1 to ${INDEX_FIELDS_MAX} field names`,
    )
  }
  for (const [i, field] of list.entries()) {
    if (typeof field === 'string' && Object.hasOwn(fields, field)) {
      if (VARIABLE_NAMES.includes(fields[field] as string)) {
        throw new SchemaError(
          `${at}: field ${field} of type ${show(fields[field])} given; allowed: types of fixed length`,
        )
      }
      if (list.indexOf(field) === i) continue
      throw new SchemaError(`${at}: field ${field} given twice; allowed: each field once`)
    }
    const why = typeof field === 'string' && Object.hasOwn(key, field) ? ', which is in the key' : ''
    throw new SchemaError(
      `${at}: field ${show(field)} given${why}; allowed: the value fields ${Object.keys(fields).join(', ') || '(none)'}`,
    )
  }
}

export function copyIndexes<Indexes extends IndexLists>(indexes: Indexes): Indexes {
  const copies = Object.entries(indexes).map(([name, fields]) => [name, Object.freeze([...fields])])
  return Object.freeze(Object.fromEntries(copies)) as Indexes
}
