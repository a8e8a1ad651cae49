// What a node's tables are known to be: the state of a reign at a position, but for the records noted as changed since.
// Two nodes with bases in one reign differ in the records that either has noted, and in no others. Pure.
import type { Offer } from '../wire/sequenced.ts'
import type { Store } from './store.ts'

/** A position; `reigned`: this node was that reign's primary. */
export type Base = Pick<Offer, 'lineage' | 'epoch' | 'sequence' | 'reigned'>

/** Shared by both halves of replication. */
export interface Ground {
  /** Lineage this node leads or follows. */
  lineage: string
  /** Undefined: nothing is known, only a comparison of everything can tell. */
  base: Base | undefined
}

/**
 * Whether what both nodes have noted covers all in which they differ. The one that led noted every change since its base;
 * the other holds that reign's state up to its own base, which must be as late.
 */
export function isCommon(mine: Base | undefined, theirs: Base): boolean {
  if (mine === undefined || mine.lineage !== theirs.lineage || mine.epoch !== theirs.epoch) return false
  if (mine.reigned === theirs.reigned) return false
  const [led, followed] = mine.reigned ? [mine, theirs] : [theirs, mine]
  return led.sequence <= followed.sequence
}

/**
 * What a node leads from now on. A complete state keeps its base, and what changes from here on is noted; an incomplete
 * one begins a lineage, in which the peer cannot have a base. Everything held is trusted.
 */
export function takeLead(
  stores: readonly Store[],
  ground: Ground,
  { lineage, epoch }: { lineage: string; epoch: number },
): void {
  const isComplete = stores.every((store) => store.awaited === 0)
  if (!isComplete || ground.base?.lineage !== lineage) {
    ground.base = { lineage, epoch, sequence: 0, reigned: true }
    for (const store of stores) store.forgetChanges()
  }
  ground.lineage = lineage
  for (const store of stores) {
    store.setAwaited(0, store.segments, false)
    store.forgetOwed()
  }
}
