/**
 * Helpers for tests of programs built on holdfast: links that can be cut, throw-away identities, a
 * pair of nodes in one process.
 *
 * @module holdfast/testing
 */
export {
  type Cable,
  CableError,
  type CableOptions,
  type CableStatus,
  createCable,
  type WayStatus,
} from './cables.ts'
export type { Direction, Directions, Impairment } from './faults.ts'
export { freeAddress } from './free-address.ts'
export { type IdentityType, makeIdentity, makeIdentityOf, type TestIdentity } from './identity.ts'
export { createPair, type Pair, type PairOptions } from './pair.ts'
export {
  type RegisterTest,
  type SessionStoreSuiteOptions,
  type StoreUnderTest,
  sessionStoreSuite,
} from './session-store-suite.ts'
