// All peers, in the order in which they are measured and shown.
import { conntrackd } from './conntrackd.ts'
import { haproxy } from './haproxy.ts'
import { holdfast, holdfastMany } from './holdfast.ts'
import { map } from './map.ts'
import type { Peer } from './peer.ts'
import { redis } from './redis.ts'

export const PEERS: readonly Peer[] = [holdfast, holdfastMany, map, redis, haproxy, conntrackd]

/** Measured wherever Holdfast runs; the others where they are installed. */
export const ALWAYS: readonly string[] = ['holdfast', 'holdfast-many', 'map']
