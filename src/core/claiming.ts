// This node's own claim to the role: an epoch of its own, said again each heartbeat interval until the peer has granted or
// denied it, for two detection bounds. Whether to claim is src/core/roles.ts's affair.
import type { Reason } from '../wire/constants.ts'
import { encodeClaim } from '../wire/control.ts'
import type { DecidedBy } from './election.ts'
import { nextEpoch } from './election.ts'
import type { Core } from './state.ts'

export interface OwnClaim {
  readonly epoch: number
  readonly reason: Reason
  readonly since: number
  readonly by: DecidedBy | undefined
}

export class Claiming {
  private readonly core: Core
  private claim: OwnClaim | undefined
  /** After a denial: not before this. */
  private notBefore = 0
  private deniedAt = Number.NEGATIVE_INFINITY
  private deniedEpoch = 0

  constructor(core: Core) {
    this.core = core
  }

  /** Of the claim that is under way. */
  get reason(): Reason | undefined {
    return this.claim?.reason
  }

  /** Lately, and not only for being below the peer's epoch. */
  isDenied(now: number, epoch = 0): boolean {
    return now - this.deniedAt < this.core.boundMs && this.deniedEpoch > epoch
  }

  begin(reason: Reason, now: number, by?: DecidedBy): void {
    const { state } = this.core
    if (this.claim !== undefined && this.claim.epoch > Math.max(state.granted, state.epoch)) return
    if (now < this.notBefore) return
    const epoch = this.freshEpoch()
    if (!state.reservation.covers(epoch)) return
    this.claim = { epoch, reason, since: now, by }
    state.hear(epoch)
    this.say(now)
  }

  /** Above all that was heard of. */
  freshEpoch(): number {
    const { state, place } = this.core
    return nextEpoch(place, Math.max(state.heardEpoch, state.granted, state.epoch))
  }

  private say(now: number): void {
    const { epoch, reason } = this.claim!
    this.core.broadcast(encodeClaim({ epoch, reason, status: this.core.statusAt(now) }), now)
  }

  /** Each heartbeat interval: what was not answered is said again; what no longer holds is dropped. */
  handleTick(now: number): void {
    if (this.claim === undefined) return
    if (now - this.claim.since > 2 * this.core.boundMs) this.claim = undefined
    else this.say(now)
  }

  /**
   * The peer granted an epoch: the claim that it answers, which is over with that. In mode 'availability' whoever granted
   * acts again a detection bound later if it hears nothing, so a grant that may be older than that is worth nothing: its
   * reader may have stood still.
   */
  take(epoch: number, now: number): OwnClaim | undefined {
    const { claim } = this
    const { state, options, boundMs } = this.core
    if (claim?.epoch !== epoch) return undefined
    this.claim = undefined
    const isOld = options.mode === 'availability' && now - claim.since >= boundMs
    return isOld && state.role !== 'primary' ? undefined : claim
  }

  /** `epoch`: of the claim that is denied. */
  handleDeny(epoch: number, now: number): void {
    if (this.claim === undefined || epoch < this.claim.epoch) return
    this.deniedAt = now
    this.deniedEpoch = this.claim.epoch
    this.claim = undefined
    this.notBefore = now + this.core.options.interval
  }

  drop(): void {
    this.claim = undefined
  }

  /** Another process of the peer has denied nothing yet. */
  handlePeerReplaced(): void {
    this.claim = undefined
    this.notBefore = 0
  }
}
