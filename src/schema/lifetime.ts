// How long sessions live: the options of a table, in the ticks of table time that the core counts.
import { SchemaError } from '../errors.ts'
import { show } from './checks.ts'

/** Table time counts sixteenths of a second. */
export const TICKS_PER_SECOND = 16
/** 366 days. */
export const TIMEOUT_MAX_S = 31_622_400
/** Longest wire form of a record's lifetime, in bytes. */
export const LIFETIME_WIRE_MAX = 9

export interface Lifetime {
  /** 0: sessions without a timeout of their own do not expire. */
  readonly timeoutTicks: number
  /** Writes do not move a deadline. */
  readonly fixed: boolean
}

export interface LifetimeOptions {
  readonly timeout?: number
  readonly expiry?: 'idle' | 'fixed'
}

/** Seconds as whole ticks, rounded up; undefined if a session cannot have such a timeout. */
export function timeoutTicks(seconds: unknown): number | undefined {
  if (typeof seconds !== 'number' || !(seconds >= 1 / TICKS_PER_SECOND && seconds <= TIMEOUT_MAX_S))
    return undefined
  return Math.ceil(seconds * TICKS_PER_SECOND)
}

export const TIMEOUT_ALLOWED: string = `seconds from 1/${TICKS_PER_SECOND} to ${TIMEOUT_MAX_S}`

/** The lifetime a definition asks for; undefined if its sessions have none. */
export function checkLifetime(at: string, { timeout, expiry }: LifetimeOptions): Lifetime | undefined {
  if (timeout === undefined && expiry === undefined) return undefined
  const ticks = timeout === undefined ? 0 : timeoutTicks(timeout)
  if (ticks === undefined) {
    throw new SchemaError(`${at}: timeout ${show(timeout)} given; allowed: ${TIMEOUT_ALLOWED}`)
  }
  if (expiry !== undefined && expiry !== 'idle' && expiry !== 'fixed') {
    throw new SchemaError(`${at}: expiry ${show(expiry)} given; allowed: 'idle', 'fixed'`)
  }
  return Object.freeze({ timeoutTicks: ticks, fixed: expiry === 'fixed' })
}
