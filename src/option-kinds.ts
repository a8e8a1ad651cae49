// Checks that every kind of option shares. A refusal names the option, what was given, what is allowed.
import { ConfigError } from './errors.ts'
import type { AbortSignalLike } from './options.ts'
import { NAME_BYTES_MAX } from './wire/constants.ts'

export type Given = Record<string, unknown>

export function refusal(option: string, given: unknown, allowed: string): ConfigError {
  return new ConfigError(`${option}: ${show(given)} given; allowed: ${allowed}`)
}

function show(value: unknown): string {
  if (typeof value === 'string') return `'${value}'`
  if (typeof value === 'function') return 'a function'
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'an array' : 'an object'
  return value === undefined ? 'nothing' : String(value)
}

export function isObject(value: unknown): value is Given {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function checkNames(at: string, given: object, names: readonly string[]): void {
  for (const name of Object.keys(given)) {
    if (!names.includes(name)) {
      throw new ConfigError(
        `${at}: option '${name}' given, which this version does not have; allowed: ${names.join(', ')}`,
      )
    }
  }
}

export function text(option: string, value: unknown): string {
  const bytes = typeof value === 'string' ? new TextEncoder().encode(value).length : 0
  if (bytes < 1 || bytes > NAME_BYTES_MAX) {
    throw refusal(option, value, `a text of 1 to ${NAME_BYTES_MAX} bytes`)
  }
  return value as string
}

export function number(option: string, value: unknown, least: number, most: number): number {
  if (typeof value !== 'number' || !(value >= least && value <= most)) {
    throw refusal(option, value, `a number from ${least} to ${most}`)
  }
  return value
}

export function integer(option: string, value: unknown, least: number, most: number): number {
  if (!Number.isInteger(value)) throw refusal(option, value, `an integer from ${least} to ${most}`)
  return number(option, value, least, most)
}

export function flag(option: string, value: unknown): boolean {
  if (typeof value !== 'boolean') throw refusal(option, value, 'true or false')
  return value
}

export function signal(option: string, value: unknown): AbortSignalLike | undefined {
  if (value === undefined || isSignal(value)) return value
  throw refusal(option, value, 'an AbortSignal')
}

function isSignal(value: unknown): value is AbortSignalLike {
  return isObject(value) && typeof value.aborted === 'boolean' && typeof value.addEventListener === 'function'
}

export function hook<Hook>(option: string, value: Hook | undefined): Hook | undefined {
  if (value !== undefined && typeof value !== 'function') throw refusal(option, value, 'a function')
  return value
}
