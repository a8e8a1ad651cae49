// The checks behind what a node's methods are given, made before anything else happens.
import type { Alone } from './core/waiters.ts'
import { EVENT_NAMES } from './events.ts'
import type { Given } from './option-kinds.ts'
import { checkNames, flag, isObject, refusal, signal } from './option-kinds.ts'
import type { AbortSignalLike } from './options.ts'

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
export function checkPromote(given: object): boolean {
  return flag('force', checkGiven('promote', given, ['force']).force ?? false)
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
