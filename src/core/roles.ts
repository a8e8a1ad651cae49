// Roles: when this node acts as primary, when it stops, and how the two agree while both live.
//
//   starting --peer is primary--> secondary          starting --no peer within holdDown--> primary
//   starting/secondary --claim granted--> primary    secondary --peer dead--> primary
//   primary --claim granted to the peer--> secondary primary --meets a better primary--> secondary
//
// With a living peer a role changes only by claim and grant. A grant binds: its giver never again acts at or below the
// granted epoch. Epochs of the two nodes differ in parity, so two primaries never share one, whatever was lost.

import type { Reason } from '../wire/constants.ts'
import { FrameType } from '../wire/constants.ts'
import type { Claim, Offer } from '../wire/control.ts'
import { encodeGrant, encodeStatusFrame } from '../wire/control.ts'
import type { NodeStatus } from '../wire/status.ts'
import { NO_LINEAGE } from '../wire/status.ts'
import { Choice } from './choice.ts'
import { Claiming } from './claiming.ts'
import type { Candidate, DecidedBy, Verdict } from './election.ts'
import { compareClaims, compareLineages, comparePrimaries, isOutdated, outlives } from './election.ts'
import type { Feed } from './feed.ts'
import type { Handover } from './handover.ts'
import { HoldDown } from './hold-down.ts'
import type { Leasing } from './leasing.ts'
import { drawLineage } from './lineage.ts'
import { Meeting } from './meeting.ts'
import type { Core } from './state.ts'
import { Takeover } from './takeover.ts'

export class Roles {
  private readonly core: Core
  private readonly feed: Feed
  private readonly handover: Handover
  private readonly leasing: Leasing
  private readonly claiming: Claiming
  private deniedEpoch = 0 // the highest that the peer claimed in vain
  private offer: (Offer & { readonly at: number }) | undefined
  /** When the last grant was given: its receiver needs a moment to act on it. */
  private grantedAt = Number.NEGATIVE_INFINITY
  readonly holdDown: HoldDown
  readonly takeover: Takeover
  private readonly meeting: Meeting
  readonly choice: Choice
  private grantedRevision = 0 // given up with the last grant

  constructor(core: Core, feed: Feed, handover: Handover, leasing: Leasing) {
    this.core = core
    this.feed = feed
    this.handover = handover
    this.leasing = leasing
    this.takeover = new Takeover(core, leasing, (reason, since, now, epoch, by) =>
      this.promote(reason, since, now, epoch, by),
    )
    this.meeting = new Meeting(core)
    this.choice = new Choice(core, feed)
    this.claiming = new Claiming(core)
    const { holdDownMs, interval } = core.options
    this.holdDown = new HoldDown(core.state.startedAt, holdDownMs, interval)
  }

  private mine(now: number): Candidate {
    return { id: this.core.options.id, status: this.core.statusAt(now) }
  }

  private theirs(status: NodeStatus, now: number): Candidate {
    return { id: this.core.options.peer, status: this.core.peer.aged(status, now) }
  }

  /** Looks at the situation and acts on it. Called after everything that may have changed it; idempotent. */
  decide(now: number): void {
    const { state, peer } = this.core
    if (state.role === 'stopped') return
    if (!peer.alive) {
      this.takeover.decideAlone(this.holdDown.at, now)
      return
    }
    this.takeover.handlePeerAlive(now)
    const status = peer.status
    if (status === undefined || status.role === 'stopped') return
    if (state.role === 'primary') {
      if (status.role === 'primary') this.meetPrimary(status, now)
      else this.passEpochOf(status, now)
      return
    }
    if (status.role === 'primary') this.meetAsFollower(status, now)
    else this.considerClaim(status, now)
  }

  /** Two acting primaries: within a lineage the one of the earlier epoch steps down, else src/core/meeting.ts says. */
  private meetPrimary(status: NodeStatus, now: number): void {
    this.meeting.tell(now)
    const isSameLineage = status.lineage === this.core.state.lineage
    const judge = () => comparePrimaries(this.mine(now), this.theirs(status, now))
    const isWorse = isSameLineage && judge().order < 0
    const choice = isSameLineage ? undefined : this.meeting.decide(status, judge, now)
    if (choice === 'stay') this.beginClaim('older-lineage', now)
    if (choice !== 'leave' && !isWorse) return
    this.handover.cancel('another primary stays')
    this.leave('secondary', isSameLineage ? 'later-epoch' : 'older-lineage', now, now)
  }

  /**
   * The peer led another history in a later epoch and has stepped down. Receivers outside may have seen its number: this
   * node goes on above it, and the peer waits for that before it follows. Unless it lost a lease and holds the history
   * that is to stay: then it claims, and a while is given to that.
   */
  private passEpochOf(status: NodeStatus, now: number): void {
    const { lineage, epoch } = this.core.state
    if (status.lineage === lineage || status.lineage === NO_LINEAGE || status.epoch <= epoch) return
    const isBetter = !status.gaveWay && outlives(this.theirs(status, now), this.mine(now))
    if (isBetter && this.meeting.mayClaim(status, now)) return
    this.promote('older-lineage', now, now)
  }

  private meetAsFollower(status: NodeStatus, now: number): void {
    const { state } = this.core
    const following = this.feed.following
    if (following?.epoch !== status.epoch || following.incarnation !== status.incarnation) {
      if (isOutdated(status, this.core.statusAt(now))) {
        this.beginClaim('later-epoch', now)
        return
      }
      const [mine, theirs] = [this.mine(now), this.theirs(status, now)]
      const isSettled = this.meeting.hasLeftFor(status.lineage) || this.claiming.isDenied(now, status.epoch)
      if (outlives(mine, theirs) && !isSettled) {
        this.beginClaim('older-lineage', now, compareLineages(mine, theirs).by)
        return
      }
      this.claiming.drop()
      this.offer = undefined
      if (status.lineage !== state.lineage && status.epoch < state.led) return
      this.feed.follow(now)
      if (state.role === 'starting') this.enter('secondary', 'follows', now, now)
    }
    const offer = this.offer
    if (offer === undefined) return
    if (now - offer.at > this.core.boundMs) this.offer = undefined
    else if (offer.reason === 'chosen' ? state.gaveWay : this.hasApplied(offer))
      this.beginClaim(offer.reason, now)
  }

  private hasApplied({ position }: Offer): boolean {
    return this.feed.isSynced && this.feed.applied >= position
  }

  private considerClaim(status: NodeStatus, now: number): void {
    const { state, options } = this.core
    if (this.takeover.isPending) return
    const claimed = this.claiming.reason
    if (claimed === undefined || claimed === 'operator') this.feed.handleLeaderless(status)
    const graceMs = Math.max(this.core.boundMs, options.leaseMs)
    if (state.granted > state.epoch && now - this.grantedAt < graceMs) return
    const verdict = compareClaims(this.mine(now), this.theirs(status, now), options)
    if (verdict.order <= 0) return
    if (!state.complete && state.lineage !== NO_LINEAGE && !options.promoteUnsynced) return
    const fresh = state.lineage === NO_LINEAGE && status.lineage === NO_LINEAGE
    if (fresh && !this.hasSettled(status, now)) return
    const orphaned = state.role === 'secondary' && status.role === 'starting'
    const reason = fresh ? 'fresh-start' : orphaned ? 'peer-restarted' : 'better-claim'
    this.beginClaim(reason, now, verdict.by)
  }

  /**
   * Two nodes that start together hear their links come up one by one, each at its own moment. Until both hear the same,
   * or the detection bound has passed, that difference is chance and must not decide over priority.
   */
  private hasSettled(status: NodeStatus, now: number): boolean {
    const { hears, reachesWitness } = this.core.statusAt(now)
    const isAlike = hears === status.hears && reachesWitness === status.reachesWitness
    return isAlike || now - this.core.peer.metAt >= this.core.boundMs
  }

  private beginClaim(reason: Reason, now: number, by?: DecidedBy): void {
    if (this.takeover.isPending || !this.leasing.isWithinReach(now)) return
    this.claiming.begin(reason, now, by)
  }

  /** Each heartbeat interval. */
  handleTick(now: number): void {
    this.claiming.handleTick(now)
    this.choice.handleTick(now)
  }

  handleClaim(claim: Claim, now: number): void {
    const { state, options } = this.core
    if (claim.epoch <= Math.max(state.granted, state.epoch, this.deniedEpoch)) {
      if (claim.epoch === state.granted && state.role !== 'primary') this.sayGrant(claim.epoch, now)
      else this.deny(claim, now)
      return
    }
    state.hear(claim.epoch)
    // A grant binds also after a restart; the claim is said again until it can.
    if (!state.reservation.covers(claim.epoch)) return
    if (state.role === 'primary') {
      const outdated =
        this.meeting.obeys() ||
        isOutdated(this.core.statusAt(now), claim.status) ||
        outlives(this.theirs(claim.status, now), this.mine(now))
      if (outdated || this.handover.accepts(claim) || this.choice.accepts(claim)) this.grant(claim, now)
      else {
        if (claim.reason === 'operator') this.handover.begin('operator', undefined, now)
        this.deny(claim, now)
      }
      return
    }
    if (this.takeover.isGranted) {
      this.deny(claim, now)
      return
    }
    const verdict = compareClaims(this.theirs(claim.status, now), this.mine(now), options)
    if (verdict.order > 0 || this.yields(verdict, now)) this.grant(claim, now)
    else this.deny(claim, now)
  }

  /**
   * Each node compares its own durations with the peer's as they were when they left, so two nodes about equally old
   * can both find themselves the better one and deny each other for ever. Then the larger id gives way, unless what
   * the nodes hold differs.
   */
  private yields(verdict: Verdict, now: number): boolean {
    return (
      this.claiming.isDenied(now) &&
      this.core.place === 1 &&
      verdict.by !== 'state' &&
      verdict.by !== 'position'
    )
  }

  /** A claim may be said again by then: its second answer must be the first. */
  private deny(claim: Claim, now: number): void {
    this.deniedEpoch = Math.max(this.deniedEpoch, claim.epoch)
    this.core.broadcast(encodeStatusFrame(FrameType.DENY, this.core.statusAt(now), claim.epoch), now)
  }

  private grant(claim: Claim, now: number): void {
    const { state } = this.core
    this.claiming.drop()
    state.granted = claim.epoch
    this.grantedAt = now
    this.takeover.drop(now)
    this.grantedRevision = this.leasing.give(now, true)
    if (state.role === 'primary') this.leave('secondary', claim.reason, this.handover.since ?? now, now)
    this.handover.handleGranted()
    this.sayGrant(claim.epoch, now)
  }

  private sayGrant(epoch: number, now: number): void {
    this.core.broadcast(encodeGrant(epoch, this.grantedRevision), now)
  }

  /** `revision`: the lease that the peer gave up; 0: it had none. */
  handleGrant(epoch: number, revision: number, now: number): void {
    const claim = this.claiming.take(epoch, now)
    if (claim === undefined) return
    if (this.core.state.role === 'primary') {
      this.promote(claim.reason, claim.since, now, epoch)
      return
    }
    this.takeover.begin(claim.reason, claim.since, now, { epoch, revision, by: claim.by })
  }

  handleDeny(epoch: number, now: number): void {
    this.claiming.handleDeny(epoch, now)
  }

  handleOffer(offer: Offer, epoch: number, now: number): void {
    if (this.core.state.role !== 'secondary' || this.feed.following?.epoch !== epoch) return
    this.offer = { ...offer, at: now }
  }

  /** Operator's word: claim from a living primary. */
  claimByOperator(now: number): void {
    this.beginClaim('operator', now)
  }

  /** The same where no peer is heard. */
  takeAlone(since: number, now: number): void {
    if (this.takeover.isPending && this.leasing.isMissing(now)) return
    this.takeover.begin('operator', since, now)
  }

  /** Death, silence or goodbye of the peer. `since`: when the first sign of it was seen. */
  handlePeerLost(reason: Reason, since: number, now: number): void {
    const { state, options } = this.core
    this.claiming.drop()
    this.offer = undefined
    this.handover.handlePeerLost(now)
    this.choice.drop()
    if (state.role !== 'secondary' || options.mode === 'manual' || this.takeover.isGranted) return
    if (!state.complete && (!options.promoteUnsynced || this.holdDown.covers(reason, state, now))) return
    this.takeover.begin(reason, since, now)
  }

  /** In mode 'witness': this node may not act any more. */
  handleLeaseLost(now: number): void {
    this.handover.cancel('the lease of the witness was lost')
    this.leave('secondary', 'lease-lost', now, now)
  }

  /** The peer came back as another process: what was agreed with the old one is void. */
  handlePeerReplaced(now: number): void {
    this.takeover.drop(now)
    this.claiming.handlePeerReplaced()
    this.offer = undefined
    this.choice.drop()
  }

  /** Becomes primary of a new epoch, once that is on disk; without a complete state, of a lineage of its own. */
  promote(
    reason: Reason,
    since: number,
    now: number,
    epoch: number = this.claiming.freshEpoch(),
    by: DecidedBy | undefined = undefined,
  ): void {
    const { state, options } = this.core
    if (!state.reservation.covers(epoch)) return
    const position = { epoch: state.epoch, sequence: Math.max(this.feed.received, this.feed.position) }
    this.claiming.drop()
    this.offer = undefined
    this.handover.cancel('a new reign began')
    this.feed.beginReign()
    state.epoch = epoch
    state.led = epoch
    state.hear(epoch)
    if (!state.complete || state.lineage === NO_LINEAGE) {
      state.lineage = drawLineage(options.random)
      state.lineageBornAt = now
    }
    state.complete = true
    state.giveWay(false)
    if (state.role !== 'primary') state.noteChange(now)
    state.role = 'primary'
    state.reason = reason
    state.by = by
    this.takeover.drop(now)
    this.leasing.lead()
    this.meeting.handleLead()
    const word = state.openWord()
    this.core.act({ type: 'word', word })
    this.announce(word, position, now - since, now)
  }

  /** Ends the node. */
  stop(now: number): void {
    this.leave('stopped', 'closed', now, now)
  }

  private leave(role: 'secondary' | 'stopped', reason: Reason, since: number, now: number): void {
    this.core.act({ type: 'word', word: this.core.state.shutWord() })
    if (reason === 'older-lineage' || reason === 'chosen') this.meeting.handleLeft()
    if (this.core.state.role === 'primary')
      this.core.state.giveWay(reason === 'later-epoch' || reason === 'older-lineage')
    this.leasing.give(now)
    this.feed.detach()
    this.choice.drop()
    this.enter(role, reason, since, now)
  }

  private enter(role: 'secondary' | 'stopped', reason: Reason, since: number, now: number): void {
    const { state } = this.core
    const position = { epoch: state.epoch, sequence: this.feed.position }
    if (state.role === 'primary') state.noteChange(now)
    state.role = role
    state.reason = reason
    state.by = undefined
    state.forced = false
    this.announce(0, position, now - since, now)
  }

  /** Tells the application thread, and the peer without waiting for the next heartbeat. */
  private announce(
    word: number,
    position: { epoch: number; sequence: number },
    durationMs: number,
    now: number,
  ): void {
    const { role, lineage, reason, by = null, maintenance } = this.core.state
    const epoch = this.feed.following?.epoch ?? this.core.state.epoch
    const what = { role, epoch, lineage, reason, by, maintenance, word, position, durationMs }
    this.core.post({ type: 'role', ...what })
    this.core.broadcast(encodeStatusFrame(FrameType.KEEPALIVE, this.core.statusAt(now)), now)
  }
}
