// What two nodes of one pair have in common, and how one of them is made from it: two links over the loopback with TLS
// and pinned certificates, as between two machines.
import { createNode, freeAddress, makeIdentity } from './built.ts'
import { defineConnections } from './sessions.ts'

export type NodeId = 'a' | 'b'
export type ConnectionsNode = Awaited<ReturnType<typeof startNode>>

/** Plain data: it goes to another process. */
export interface PairPlan {
  readonly capacity: number
  readonly sending: 'redundant' | 'single'
  readonly heartbeat: { readonly interval: number; readonly lost: number }
  readonly addresses: Readonly<Record<NodeId, { readonly m1: string; readonly m2: string }>>
  readonly identities: Readonly<Record<NodeId, { readonly cert: string; readonly key: string }>>
}

/** `lost`: heartbeats that may be missing, 50 ms apart. `sending`: every frame on both links, or on one. */
export async function planPair(
  capacity: number,
  lost: number,
  sending: PairPlan['sending'] = 'redundant',
): Promise<PairPlan> {
  const end = async () => ({ m1: await freeAddress(), m2: await freeAddress() })
  return {
    capacity,
    sending,
    heartbeat: { interval: 50, lost },
    addresses: { a: await end(), b: await end() },
    identities: { a: await makeIdentity('a'), b: await makeIdentity('b') },
  }
}

/** No life on any link for this long is a suspicion (docs/ARCHITECTURE.md, failure detection). */
export function boundMs({ heartbeat }: PairPlan): number {
  return heartbeat.interval * heartbeat.lost + heartbeat.interval / 2
}

export function startNode({ capacity, sending, heartbeat, addresses, identities }: PairPlan, id: NodeId) {
  const peer = id === 'a' ? 'b' : 'a'
  const link = (name: 'm1' | 'm2') => ({ listen: addresses[id][name], peer: addresses[peer][name] })
  return createNode({
    id,
    peer,
    cluster: 'bench',
    // Only the first start is decided by it.
    priority: id === 'a' ? 200 : 100,
    tables: { connections: defineConnections(capacity) },
    links: { m1: link('m1'), m2: link('m2') },
    identity: { ...identities[id], trust: [identities[peer].cert] },
    heartbeat,
    // The load that is measured may keep a thread for long, on a busy machine for seconds; it is no program that hangs.
    stallTimeout: 30_000,
    sending,
  })
}
