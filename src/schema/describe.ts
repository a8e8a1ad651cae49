// A schema in words, as two builds tell it each other: which fields there are, in which order, of which types.
import { hashText } from './hash.ts'
import type { Lifetime } from './lifetime.ts'
import type { FieldType, IndexLists, Shape } from './types.ts'

/** Bytes of a name that is told whole. */
const TOLD_MAX = 96
const HASH_DIGITS = 16

export interface SchemaDescription {
  readonly keys: readonly { readonly name: string; readonly type: string }[]
  readonly fields: readonly { readonly name: string; readonly type: string }[]
  readonly indexes: readonly { readonly name: string; readonly fields: readonly string[] }[]
  readonly lifetime: string
}

export function describeSchema(
  key: Shape,
  fields: Shape,
  indexes: IndexLists,
  lifetime: Lifetime | undefined,
): SchemaDescription {
  const list = (shape: Shape) =>
    Object.entries(shape).map(([name, type]) => ({ name: told(name), type: typeText(type) }))
  return {
    keys: list(key),
    fields: list(fields),
    indexes: Object.entries(indexes).map(([name, names]) => ({ name: told(name), fields: names.map(told) })),
    lifetime:
      lifetime === undefined ? 'none' : `${lifetime.timeoutTicks} ${lifetime.fixed ? 'fixed' : 'idle'}`,
  }
}

/** Names are of ASCII letters, digits, _ and $. */
function told(name: string): string {
  if (name.length <= TOLD_MAX) return name
  return `${name.slice(0, TOLD_MAX - HASH_DIGITS - 1)}#${hashText(name)}`
}

function typeText(type: FieldType): string {
  if (typeof type === 'string') return type
  if ('type' in type) return `${type.type}(${type.length})`
  return `enum(${type.length}) ${hashText(JSON.stringify(type))}`
}
