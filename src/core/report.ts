// What a node says of itself: to its peer in every frame of status, and to its own application thread.
import type { NodeStatus } from '../wire/status.ts'
import type { Damping } from './damping.ts'
import type { Feed } from './feed.ts'
import type { Leasing } from './leasing.ts'
import type { SyncStatus } from './messages.ts'
import type { Core } from './state.ts'

/** The status block for the peer. */
export function statusOf(core: Core, feed: Feed, leasing: Leasing, now: number): NodeStatus {
  const { state, options, links, boundMs } = core
  const isPrimary = state.role === 'primary'
  let hears = 0
  for (const link of links) if (link.hears(now, boundMs)) hears |= 1 << link.index
  return {
    incarnation: options.incarnation,
    lineage: state.lineage,
    epoch: state.epoch,
    heardEpoch: Math.max(state.heardEpoch, state.granted),
    sequence: feed.position,
    role: state.role,
    complete: state.complete,
    synced: isPrimary ? state.isProtected && feed.feedsSynced : feed.isSynced,
    fenced: isPrimary && !state.open,
    manual: options.mode === 'manual',
    witnessed: leasing.lease !== undefined,
    reachesWitness: leasing.lease?.reaches(now) ?? false,
    gaveWay: state.gaveWay,
    hears,
    maintenance: state.maintenance,
    failed: state.failed,
    priority: options.priority,
    sessions: state.sessions,
    uptimeMs: state.nextUptimeMs(now),
    lineageAgeMs: state.lineageAgeMs(now),
    progressAgeMs: state.progressAgeMs(now),
    tableTime: state.tableTime(now),
    changed: state.changed,
  }
}

/** The status message for the application thread. */
export function syncStatusOf(
  core: Core,
  feed: Feed,
  leasing: Leasing,
  damping: Damping,
  refusals: Readonly<Record<string, number>>,
  now: number,
): SyncStatus {
  const { state, peer, options, links, boundMs } = core
  const status = peer.status
  const isPrimary = state.role === 'primary'
  return {
    role: state.role,
    epoch: state.epoch,
    lineage: state.lineage,
    lineageAgeMs: state.lineageAgeMs(now),
    reason: state.reason,
    tableTime: status === undefined || status.epoch !== state.epoch ? 0 : peer.aged(status, now).tableTime,
    peer:
      status === undefined
        ? null
        : {
            id: options.peer,
            role: peer.left ? 'stopped' : status.role,
            incarnation: status.incarnation,
            synced: peer.alive && (isPrimary ? feed.feedsSynced : status.synced),
            alive: peer.alive,
            failed: status.failed,
            maintenance: status.maintenance,
          },
    maintenance: state.maintenance,
    forced: state.forced,
    damping,
    links: [links[0].status(now, options.interval, boundMs), links[1].status(now, options.interval, boundMs)],
    witness: leasing.status(now),
    refusals: { ...refusals },
  }
}

/** What the application must not learn a heartbeat late; looked at after every event, so it is cheap. */
export class Headline {
  private told: readonly unknown[] = []

  /** Whether it reads differently than at the last call. */
  changed({ state, peer, links }: Core, feed: Feed): boolean {
    const isFed = state.role === 'primary' ? feed.feedsSynced : peer.status?.synced
    const { role, epoch, lineage, maintenance, forced } = state
    const [m1, m2] = links
    const { status } = peer
    const theirs = [peer.alive, peer.left, status?.role, status?.failed, status?.maintenance]
    const now = [role, epoch, lineage, maintenance, forced, ...theirs, isFed, m1.stream, m2.stream]
    const before = this.told
    this.told = now
    return now.some((value, i) => value !== before[i])
  }
}
