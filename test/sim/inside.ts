// The only place that looks behind the surface of the core: how many bytes it keeps and which heartbeats it has read,
// whether it hands over, which it shows nowhere.
import type { NodeCore } from '../../src/core/node.ts'

interface Kept {
  /** Bytes of frames sent and not acknowledged. */
  readonly outstandingBytes: number
  /** Most bytes any link was given and the system has not taken. */
  readonly unflushedBytes: number
  /** Per link, the counter of the last heartbeat heard. */
  readonly counters: readonly number[]
  /** It has begun to give its reign away. */
  readonly isHandingOver: boolean
}

/** Throws when the core no longer has what is looked for, so that the check cannot die unseen. */
export function inside(core: NodeCore): Kept {
  const { feed, links, handover } = core as unknown as {
    feed: { outgoing: { outstandingBytes: number } }
    links: readonly { unflushedBytes: number; lastCounter: number }[]
    handover: { isRunning: boolean }
  }
  const outstandingBytes = feed.outgoing.outstandingBytes
  const unflushedBytes = Math.max(...links.map((link) => link.unflushedBytes))
  const counters = links.map((link) => link.lastCounter)
  const { isRunning } = handover
  if (![outstandingBytes, unflushedBytes, ...counters].every(Number.isFinite) || isRunning === undefined) {
    throw new Error('the core keeps its numbers elsewhere: adapt test/sim/inside.ts')
  }
  return { outstandingBytes, unflushedBytes, counters, isHandingOver: isRunning }
}

/** Whether a node acts by force, without the lease of its witness. */
export function isForced(core: NodeCore): boolean {
  const { leasing } = core as unknown as { leasing: { lease?: { isForced: boolean } } }
  if (leasing === undefined) throw new Error('the core keeps its lease elsewhere: adapt test/sim/inside.ts')
  return leasing.lease?.isForced ?? false
}

/** The counter of the last heartbeat heard on a link. */
export function lastCounter(core: NodeCore, link: 0 | 1): number {
  return (core.links[link] as unknown as { lastCounter: number }).lastCounter
}

/** The reign of its peer against which this primary decided to stay; undefined: none. */
export function judged(core: NodeCore): { readonly epoch: number } | undefined {
  const { roles } = core as unknown as { roles: { meeting?: { against?: { epoch: number } } } }
  if (roles?.meeting === undefined)
    throw new Error('the core keeps its judgements elsewhere: adapt test/sim/inside.ts')
  return roles.meeting.against
}
