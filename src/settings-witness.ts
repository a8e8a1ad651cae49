// The check behind the option `witness`: there in mode 'witness', absent in the others.
import { isAbsolute } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { WitnessData } from './io/thread-messages.ts'
import { checkNames, isObject, number, refusal } from './option-kinds.ts'
import { LEASE_MS_MAX, LEASE_MS_MIN } from './wire/constants.ts'

export interface WitnessSettings {
  readonly witness: WitnessData | undefined
  readonly leaseMs: number
}

const ALLOWED = "what etcd() of 'holdfast/witness/etcd' gives, or { module, options, lease }"

/** @throws ConfigError */
export function checkWitness(mode: unknown, witness: unknown): WitnessSettings {
  if (mode !== 'witness') {
    if (witness === undefined) return { witness: undefined, leaseMs: 0 }
    throw refusal('witness', witness, `nothing in mode '${String(mode)}'; give mode: 'witness' with it`)
  }
  if (!isObject(witness)) throw refusal('witness', witness, ALLOWED)
  checkNames('witness', witness, ['module', 'options', 'lease'])
  const { module, options, lease } = witness
  const leaseMs = number('witness.lease', lease, LEASE_MS_MIN, LEASE_MS_MAX)
  return { witness: { module: specifier(module), options: cloned(options) }, leaseMs }
}

/** Anything else would be looked for from within this package. */
function specifier(module: unknown): string {
  if (module instanceof URL) return module.href
  if (typeof module !== 'string') throw refusal('witness.module', module, 'a URL or an absolute path')
  if (isAbsolute(module)) return pathToFileURL(module).href
  if (/^[a-z][a-z+.-]+:/i.test(module)) return module
  throw refusal(
    'witness.module',
    module,
    "a URL or an absolute path: import.meta.resolve('name') gives that of a package",
  )
}

function cloned(options: unknown): unknown {
  try {
    return structuredClone(options)
  } catch {
    throw refusal('witness.options', options, 'plain data: it is given to another thread')
  }
}
