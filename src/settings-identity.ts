// The options by which a node and its peer know each other: `identity`, or `insecure` between loopback addresses.
import { ConfigError } from './errors.ts'
import { formatAddress, isLoopback } from './io/address.ts'
import { identityFault } from './io/identity.ts'
import type { Identity, LinkAddresses } from './io/thread-messages.ts'
import { checkNames, flag, isObject, refusal } from './option-kinds.ts'
import type { NodeOptions } from './options.ts'

const TRUST_MAX = 8

/** Undefined: plain TCP. */
export function checkIdentity(given: NodeOptions, links: readonly LinkAddresses[]): Identity | undefined {
  const { identity } = given
  if (!flag('insecure', given.insecure ?? false)) return checkPem(identity)
  if (identity !== undefined) throw refusal('insecure', true, 'false or nothing where identity is given')
  const far = links.flatMap(({ listen, peer }) => [listen, peer]).find((address) => !isLoopback(address))
  if (far !== undefined) {
    throw refusal('insecure', true, `loopback addresses only; ${formatAddress(far)} needs an identity`)
  }
  return undefined
}

/** @throws ConfigError */
export function checkPem(identity: unknown): Identity {
  if (!isObject(identity)) {
    throw refusal('identity', identity, '{ cert, key, trust } in PEM, or insecure: true on the loopback')
  }
  checkNames('identity', identity, ['cert', 'key', 'trust'])
  const { cert, key, trust } = identity
  if (typeof cert !== 'string') throw refusal('identity.cert', cert, 'a certificate in PEM')
  if (typeof key !== 'string') throw new ConfigError('identity.key: no text given; allowed: a key in PEM')
  const isList = Array.isArray(trust) && trust.every((one) => typeof one === 'string')
  if (!isList || trust.length < 1 || trust.length > TRUST_MAX) {
    const what = isList ? trust.length : 'no array of texts'
    throw new ConfigError(
      `identity.trust: ${what} given; allowed: 1 to ${TRUST_MAX} certificates in PEM; 'holdfast keygen trust' adds the peer's`,
    )
  }
  const fault = identityFault({ cert, key, trust })
  if (fault !== undefined) throw new ConfigError(fault)
  return { cert, key, trust: [...trust] }
}

/** For a node that runs with `current`. */
export function checkNewIdentity(current: Identity | undefined, given: unknown): Identity {
  if (current !== undefined) return checkPem(given)
  throw new ConfigError(
    'reloadIdentity: this node was started with insecure: true; allowed: nothing, start it anew with an identity',
  )
}
