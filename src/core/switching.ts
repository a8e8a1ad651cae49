// Whether a primary gives its role to its living secondary, and when: because it is in maintenance, because the secondary
// is healthier, or because the secondary has the higher priority and `override` is on. It is the primary that decides, so
// two nodes can never disagree about it; the change itself is a handover like any other.
import type { NodeStatus } from '../wire/status.ts'
import { type Damping, dampingOf, SWITCHING_DEFAULTS, type SwitchingOptions } from './damping.ts'
import { prefersPeer } from './election.ts'
import type { Feed } from './feed.ts'
import type { Handover } from './handover.ts'
import { HANDOVER_TIMEOUT_MS } from './options.ts'
import type { Core } from './state.ts'

/** After a handover that came to nothing. */
const RETRY_MS = 2 * HANDOVER_TIMEOUT_MS

export class Switching {
  private readonly core: Core
  private readonly feed: Feed
  private readonly handover: Handover
  private readonly options: SwitchingOptions
  private retryAt = 0
  /** Epoch of the reign that `retryAt` belongs to. */
  private retryEpoch = 0

  constructor(core: Core, feed: Feed, handover: Handover) {
    this.core = core
    this.feed = feed
    this.handover = handover
    this.options = core.options.switching ?? SWITCHING_DEFAULTS
  }

  damping(now: number): Damping {
    const { changedAt, startedAt } = this.core.state
    return dampingOf(changedAt, startedAt, this.options, now)
  }

  /** Each heartbeat interval. */
  handleTick(now: number): void {
    const { state, peer } = this.core
    const { status } = peer
    if (state.role !== 'primary' || !peer.alive || status === undefined) return
    const reason = prefersPeer(this.core.statusAt(now), status, this.core.options)
    if (reason === undefined || !this.feed.feedsSynced || this.handover.isRunning) return
    if (reason !== 'maintenance' && !this.mayChoose(reason, status, now)) return
    if (this.retryEpoch === state.epoch && now < this.retryAt) return
    this.retryEpoch = state.epoch
    this.retryAt = now + RETRY_MS
    this.handover.begin(reason, undefined, now)
  }

  /** What is not the operator's word waits: for the hold-down, and for a peer that has been up for as long. */
  private mayChoose(reason: 'health' | 'override', status: NodeStatus, now: number): boolean {
    const { state, peer, options } = this.core
    if (options.mode === 'manual' || state.forced) return false
    const { holdDownMs, leftMs } = this.damping(now)
    if (leftMs > 0) return false
    return reason === 'health' || peer.aged(status, now).uptimeMs >= holdDownMs
  }
}
