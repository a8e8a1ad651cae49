// The schema hash that two nodes compare in hello: FNV-1a, 64 bits, over key and field names and types in order, and the
// indexes and lifetimes: a node with others would refuse what this one accepts.
import type { Lifetime } from './lifetime.ts'
import type { FieldType, IndexLists, Shape } from './types.ts'

const PRIME = 0x100000001b3n
const BASIS = 0xcbf29ce484222325n

function typeText(type: FieldType): string {
  if (typeof type === 'string') return type
  if ('type' in type) return `${type.type}(${type.length})`
  return JSON.stringify(type)
}

/** 16 lower-case hex digits. */
export function schemaHash(key: Shape, fields: Shape, indexes: IndexLists, lifetime?: Lifetime): string {
  const list = (shape: Shape) => Object.entries(shape).map(([name, type]) => [name, typeText(type)])
  const further = Object.entries(indexes)
  const text = JSON.stringify({
    key: list(key),
    fields: list(fields),
    ...(further.length > 0 ? { indexes: further } : {}),
    ...(lifetime === undefined ? {} : { lifetime }),
  })
  return hashText(text)
}

/** FNV-1a of a text: 16 lower-case hex digits. */
export function hashText(text: string): string {
  let hash = BASIS
  for (const byte of new TextEncoder().encode(text)) hash = ((hash ^ BigInt(byte)) * PRIME) & (2n ** 64n - 1n)
  return hash.toString(16).padStart(16, '0')
}
