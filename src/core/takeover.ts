// The last step to the role of primary. What was decided waits until its epoch is on disk, where there is a state file,
// and in mode 'witness' until the lease is held; it is dropped when its ground is gone.
import type { Reason } from '../wire/constants.ts'
import { NO_LINEAGE } from '../wire/status.ts'
import type { DecidedBy } from './election.ts'
import type { Leasing } from './leasing.ts'
import type { Core } from './state.ts'

/** How long a grant is worth waiting on the witness, in leases: by then whatever was in the way has run out. */
const GRANT_LEASES = 1.5

type Promote = (reason: Reason, since: number, now: number, epoch?: number, by?: DecidedBy) => void

interface Grant {
  readonly epoch: number
  /** Of the lease that the peer gave up; 0: it had none. */
  readonly revision: number
  /** What decided the claim. */
  readonly by: DecidedBy | undefined
}

interface Pending {
  readonly reason: Reason
  readonly since: number
  readonly at: number
  /** Undefined: nobody was asked. */
  readonly grant: Grant | undefined
}

export class Takeover {
  private readonly core: Core
  private readonly leasing: Leasing
  private readonly promote: Promote
  private pending: Pending | undefined

  constructor(core: Core, leasing: Leasing, promote: Promote) {
    this.core = core
    this.leasing = leasing
    this.promote = promote
  }

  get isPending(): boolean {
    return this.pending !== undefined
  }

  /** The peer granted, and something is not there yet. */
  get isGranted(): boolean {
    return this.pending?.grant !== undefined
  }

  /** Becomes primary, now or when all is there. `grant`: what the peer said to the claim. */
  begin(reason: Reason, since: number, now: number, grant?: Grant): void {
    this.pending = { reason, since, at: now, grant }
    if (this.leasing.isMissing(now)) this.leasing.want(now, grant)
    else this.advance(now)
  }

  /** No peer is heard. */
  decideAlone(holdDownAt: number, now: number): void {
    const { state, options } = this.core
    this.advance(now)
    if (options.mode === 'manual' || this.isPending) return
    const isNew = state.role === 'secondary' && state.lineage === NO_LINEAGE && options.promoteUnsynced
    if (state.role === 'starting' || isNew) {
      if (now >= holdDownAt) this.begin('alone', state.startedAt, now)
    } else if (state.role === 'secondary' && options.mode === 'witness') {
      // Stepped down for want of the lease, or lost what it waited for.
      if (state.complete || options.promoteUnsynced) this.begin('lease-regained', now, now)
    }
  }

  /** The lease is held, and nothing else has been done with it. */
  handleLease(now: number): void {
    if (this.pending === undefined) this.leasing.give(now)
    else this.advance(now)
  }

  /** Looks whether all is there now. */
  advance(now: number): void {
    const { pending } = this
    if (pending === undefined || this.leasing.isMissing(now)) return
    const { granted, heardEpoch } = this.core.state
    const { reason, since, grant } = pending
    // A higher epoch may have been heard since the claim: then its number is spent.
    const isFresh = grant !== undefined && grant.epoch > granted && grant.epoch >= heardEpoch
    this.promote(reason, since, now, isFresh ? grant.epoch : undefined, grant?.by)
  }

  /** The peer lives. What was decided without it is void; so is a grant once the peer leads, or after long. */
  handlePeerAlive(now: number): void {
    const { pending, core } = this
    if (pending === undefined) return
    const waitMs = Math.max(core.boundMs, GRANT_LEASES * core.options.leaseMs)
    const isLate = now - pending.at >= waitMs
    if (pending.grant === undefined || isLate || core.peer.status?.role === 'primary') this.drop(now)
  }

  /** This node is primary, or somebody else is to be. */
  drop(now: number): void {
    if (this.pending === undefined) return
    this.pending = undefined
    if (this.core.state.role !== 'primary') this.leasing.give(now)
  }
}
