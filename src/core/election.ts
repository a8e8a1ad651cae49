// Who should be primary: pure comparisons over what nodes say of themselves. No state, no time but durations.
// Every answer comes with the point that decided it, so that a change of role can be explained in one sentence.
import type { NodeStatus } from '../wire/status.ts'
import { NO_LINEAGE } from '../wire/status.ts'

export interface Candidate {
  readonly id: string
  readonly status: NodeStatus
}

export interface ElectionOptions {
  /** Uptimes closer than this count as equal, ms. */
  readonly uptimeMarginMs: number
  /** Priority before uptime. */
  readonly override: boolean
}

/** What decided which of two living nodes leads. */
export type DecidedBy =
  | 'state'
  | 'witness'
  | 'position'
  | 'lineage'
  | 'sessions'
  | 'maintenance'
  | 'health'
  | 'links'
  | 'priority'
  | 'uptime'
  | 'id'

/** Positive: `a` is the better primary. Never zero for two different ids. */
export interface Verdict {
  readonly order: number
  readonly by: DecidedBy
}

/** Lineages whose ages differ by less count as equally old, ms. */
export const LINEAGE_MARGIN_MS = 10_000

function stateRank(status: NodeStatus): number {
  if (status.lineage === NO_LINEAGE) return 0
  return status.complete ? 2 : 1
}

function linksHeard(hears: number): number {
  return (hears & 1) + ((hears >> 1) & 1)
}

function byId(a: Candidate, b: Candidate): Verdict {
  return { order: a.id < b.id ? 1 : -1, by: 'id' }
}

/** Order of claims between two nodes of which neither is an acting primary (state, position, wish, health, links, ..., id). */
export function compareClaims(a: Candidate, b: Candidate, options: ElectionOptions): Verdict {
  const sa = a.status
  const sb = b.status
  const state = stateRank(sa) - stateRank(sb)
  if (state !== 0) return { order: state, by: 'state' }
  // Whoever cannot have the lease cannot act, however much it holds.
  if (sa.reachesWitness !== sb.reachesWitness) return { order: sa.reachesWitness ? 1 : -1, by: 'witness' }
  if (stateRank(sa) > 0) {
    if (sa.lineage === sb.lineage) {
      const position = sa.epoch !== sb.epoch ? sa.epoch - sb.epoch : sa.sequence - sb.sequence
      if (position !== 0) return { order: position, by: 'position' }
    } else {
      return compareLineages(a, b)
    }
  }
  if (sa.maintenance !== sb.maintenance) return { order: sa.maintenance ? -1 : 1, by: 'maintenance' }
  if (sa.failed !== sb.failed) return { order: sb.failed - sa.failed, by: 'health' }
  const links = linksHeard(sa.hears) - linksHeard(sb.hears)
  if (links !== 0) return { order: links, by: 'links' }
  const priority: Verdict = { order: sa.priority - sb.priority, by: 'priority' }
  if (options.override && priority.order !== 0) return priority
  const uptime = sa.uptimeMs - sb.uptimeMs
  if (!options.override && Math.abs(uptime) > options.uptimeMarginMs) return { order: uptime, by: 'uptime' }
  if (priority.order !== 0) return priority
  return byId(a, b)
}

/** Which of two histories goes on: the older; when about equally old, the one with more sessions; then the id. */
export function compareLineages(a: Candidate, b: Candidate): Verdict {
  const age = a.status.lineageAgeMs - b.status.lineageAgeMs
  if (Math.abs(age) > LINEAGE_MARGIN_MS) return { order: age, by: 'lineage' }
  if (a.status.sessions !== b.status.sessions) {
    return { order: a.status.sessions - b.status.sessions, by: 'sessions' }
  }
  return byId(a, b)
}

/** Two acting primaries met: positive when `a` stays. Epochs count only within one lineage. */
export function comparePrimaries(a: Candidate, b: Candidate): Verdict {
  if (a.status.lineage === b.status.lineage) {
    return { order: a.status.epoch - b.status.epoch, by: 'position' }
  }
  return compareLineages(a, b)
}

/**
 * Why a primary would rather have its synced secondary lead; undefined: it would not. What nodes hold and how long they
 * have been up does not count here: nobody takes the role from a living primary for that.
 */
export function prefersPeer(
  mine: NodeStatus,
  theirs: NodeStatus,
  { override }: Pick<ElectionOptions, 'override'>,
): 'maintenance' | 'health' | 'override' | undefined {
  if (mine.maintenance !== theirs.maintenance) return mine.maintenance ? 'maintenance' : undefined
  if (mine.failed !== theirs.failed) return mine.failed > theirs.failed ? 'health' : undefined
  return override && theirs.priority > mine.priority ? 'override' : undefined
}

/** A primary whose peer holds a complete state of a later epoch of the same lineage has been outlived. */
export function isOutdated(primary: NodeStatus, other: NodeStatus): boolean {
  return primary.lineage === other.lineage && other.complete && other.epoch > primary.epoch
}

/** Of two histories the older stays, also when it is the younger one that has a primary. */
export function outlives(one: Candidate, other: Candidate): boolean {
  const { complete, lineage } = one.status
  if (!complete || lineage === NO_LINEAGE || lineage === other.status.lineage) return false
  return compareLineages(one, other).order > 0
}

/** The place of a node in its pair: 0 for the smaller id. Decides parity of epochs and who dials. */
export function placeOf(id: string, peer: string): 0 | 1 {
  return id < peer ? 0 : 1
}

/** The next epoch above `above` that only the node at `place` may open. */
export function nextEpoch(place: 0 | 1, above: number): number {
  const next = above + 1
  return next % 2 === place ? next : next + 1
}
