// What the checks of a table definition share: how a wrong value is shown, and which names may be given.
import { SchemaError } from '../errors.ts'

const FIELD_NAME = /^[A-Za-z_$][A-Za-z0-9_$]*$/
/** Taken by the views. */
const RESERVED: readonly string[] = ['constructor', 'toJSON', '__proto__']

export function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'function') return 'a function'
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value !== 'object' || value === null) return String(value)
  try {
    return JSON.stringify(value) ?? 'an object'
  } catch {
    // One that contains itself, or a bigint.
    return 'an object'
  }
}

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Throws unless the name can be a property of a view or of `table.by`. */
export function checkName(what: string, name: string): void {
  if (FIELD_NAME.test(name) && !RESERVED.includes(name)) return
  throw new SchemaError(
    `${what} ${show(name)} given; allowed: letters, digits, _ and $, not ${RESERVED.join(', ')}`,
  )
}
