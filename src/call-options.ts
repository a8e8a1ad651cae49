// The checks behind what a node's methods are given, made before anything else happens.
import type { Alone } from './core/waiters.ts'
import { EVENT_NAMES } from './events.ts'
import { FAILED_MAX, type MonitorSettings } from './monitors.ts'
import type { Given } from './option-kinds.ts'
import { checkNames, flag, integer, isObject, number, refusal, signal, text } from './option-kinds.ts'
import type { AbortSignalLike } from './options.ts'

const MONITOR_DEFAULTS = { interval: 1_000, weight: 1, rise: 2, fall: 3 } as const
const TIME_MAX_MS = 3_600_000

/** @throws ConfigError */
export function checkReplicated(given: object): {
  signal: AbortSignalLike | undefined
  alone: Alone
  withYoung: boolean
} {
  const options = checkGiven('replicated', given, ['signal', 'alone', 'pickup'])
  const { alone = 'reject', pickup = 'due' } = options
  if (alone !== 'reject' && alone !== 'wait' && alone !== 'resolve') {
    throw refusal('alone', alone, "'reject', 'wait' or 'resolve'")
  }
  if (pickup !== 'due' && pickup !== 'now') throw refusal('pickup', pickup, "'due' or 'now'")
  return { signal: signal('signal', options.signal), alone, withYoung: pickup === 'now' }
}

/** @throws ConfigError */
export function checkReady(given: object): AbortSignalLike | undefined {
  return signal('signal', checkGiven('ready', given, ['signal']).signal)
}

/** @throws ConfigError */
export function checkPromote(given: object): boolean | undefined {
  const { force } = checkGiven('promote', given, ['force'])
  return force === undefined ? undefined : flag('force', force)
}

/** @throws ConfigError */
export function checkMaintenance(on: unknown): boolean {
  return flag('maintenance(on)', on)
}

/** @throws ConfigError */
export function checkMonitor(name: unknown, check: unknown, given: object): MonitorSettings {
  text('monitor(name)', name)
  if (typeof check !== 'function') throw refusal(`monitor '${name}'`, check, 'a function')
  const options = checkGiven('monitor', given, ['interval', 'timeout', 'weight', 'rise', 'fall'])
  const intervalMs = number('interval', options.interval ?? MONITOR_DEFAULTS.interval, 10, TIME_MAX_MS)
  return {
    intervalMs,
    timeoutMs: number('timeout', options.timeout ?? intervalMs, 1, TIME_MAX_MS),
    weight: integer('weight', options.weight ?? MONITOR_DEFAULTS.weight, 1, FAILED_MAX),
    rise: integer('rise', options.rise ?? MONITOR_DEFAULTS.rise, 1, 100),
    fall: integer('fall', options.fall ?? MONITOR_DEFAULTS.fall, 1, 100),
  }
}

/** @throws ConfigError */
export function checkEffect(effect: unknown): void {
  if (typeof effect !== 'function') throw refusal('gate(effect)', effect, 'a function')
}

/** @throws ConfigError */
export function checkListener(name: unknown, listener: unknown): void {
  if (!(EVENT_NAMES as readonly unknown[]).includes(name))
    throw refusal('event', name, EVENT_NAMES.join(', '))
  if (typeof listener !== 'function') throw refusal(`listener of '${name}'`, listener, 'a function')
}

function checkGiven(method: string, given: unknown, names: readonly string[]): Given {
  if (!isObject(given)) throw refusal(`${method}(options)`, given, `an object with ${names.join(', ')}`)
  checkNames(method, given, names)
  return given
}
