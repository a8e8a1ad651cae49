// The lease in the life of a node: calls to the witness, the deadline that shuts the gate, what primary and secondary
// say to each other when the primary cannot reach the witness. Only in mode 'witness'; in the others it is idle.
// docs/PROTOCOL.md section 10.
import type { RefusalName } from '../wire/constants.ts'
import { decodeLeaseAsk, decodeLeaseBond, encodeLeaseAsk, encodeLeaseBond } from '../wire/control.ts'
import type { Handover } from './handover.ts'
import { Lease } from './lease.ts'
import type { WitnessStatus } from './messages.ts'
import type { Core } from './state.ts'
import type { WitnessAnswer, WitnessState } from './witness.ts'
import { holderName } from './witness.ts'

/** Of the lease: the age at which a primary begins to ask its secondary. */
const ASK_SHARE = 1 / 3
/** The age at which it gives the role to a secondary that reaches the witness. */
const YIELD_SHARE = 2 / 3
/** Time between two questions. */
const REPEAT_SHARE = 1 / 12
/** How long after a clock gap the lease may stay unproven before the role is given up. */
const DOUBT_SHARE = 1 / 2
const NEVER = Number.NEGATIVE_INFINITY

export interface LeaseEvents {
  /** What was wanted is held. */
  taken(now: number): void
  /** It ran out, or was somebody else's, while this node acted. */
  lost(now: number): void
}

export class Leasing {
  /** Undefined outside mode 'witness'. */
  readonly lease: Lease | undefined
  private readonly core: Core
  private readonly handover: Handover
  private readonly events: LeaseEvents
  private readonly asks = new Map<number, { readonly sentAt: number; readonly era: number }>()
  private askNumber = 0
  private askNotBefore = NEVER
  private doubtUntil = NEVER
  /** The gate's deadline in shared memory. */
  private published = NEVER
  private toldReachable: boolean | undefined

  constructor(core: Core, handover: Handover, now: number, events: LeaseEvents) {
    const { mode, leaseMs, id, incarnation } = core.options
    this.core = core
    this.handover = handover
    this.events = events
    this.lease = mode === 'witness' ? new Lease(leaseMs, holderName(id, incarnation), now) : undefined
  }

  // ---- For the parts that decide

  /** A promotion has to wait for the lease. */
  isMissing(now: number): boolean {
    return this.lease !== undefined && !this.lease.isHeld(now)
  }

  /** This node could have the lease if its peer granted. */
  isWithinReach(now: number): boolean {
    return this.lease === undefined || this.lease.isHeld(now) || this.lease.reaches(now)
  }

  want(now: number, grant?: { readonly revision: number }): void {
    this.lease?.want(now, grant)
  }

  /** Becomes primary: called before the gate opens. */
  lead(): void {
    this.lease?.lead()
    this.publish()
  }

  /** Acts without the lease, on an operator's word. */
  force(now: number): void {
    this.lease?.force(now)
    this.publish()
  }

  /**
   * Whatever is held or wanted is over. The witness is told, unless the revision goes to the peer with a grant. Gives that
   * revision; 0: none.
   */
  give(now: number, isGranted = false): number {
    const { lease } = this
    if (lease === undefined) return 0
    const revision = lease.give()
    this.asks.clear()
    this.publish()
    if (revision !== 0 && !isGranted) {
      this.core.act({ type: 'witness', call: lease.release(revision, now), timeoutMs: lease.callTimeoutMs })
    }
    return revision
  }

  // ---- The witness

  handleAnswer(answer: WitnessAnswer, now: number): void {
    if (answer.type === 'failed') this.core.count('witness-failed')
    this.lease?.handleAnswer(answer, now)
  }

  handleNews(state: WitnessState, now: number): void {
    this.lease?.handleNews(state, now)
  }

  /** The machine was suspended, or its date was set: what the monotonic clock did not count is not known. */
  handleClockGap(now: number): void {
    const { lease, core } = this
    if (lease === undefined) return
    core.count('clock-gap')
    lease.handleClockGap(now)
    this.doubtUntil = now + lease.leaseMs * DOUBT_SHARE
    this.publish()
  }

  // ---- The peer

  handleAsk(payload: Uint8Array, now: number): RefusalName | undefined {
    const ask = decodeLeaseAsk(payload)
    const { lease, core } = this
    if (ask === undefined || lease === undefined) return 'malformed'
    const bound = core.state.role !== 'primary' && lease.bind(ask.leaseMs, now)
    core.count(bound ? 'lease-bound' : 'lease-refused')
    core.broadcast(encodeLeaseBond(core.state.epoch, { number: ask.number, bound }), now)
    return undefined
  }

  handleBond(payload: Uint8Array, now: number): RefusalName | undefined {
    const bond = decodeLeaseBond(payload)
    const { lease } = this
    if (bond === undefined || lease === undefined) return 'malformed'
    const asked = this.asks.get(bond.number)
    if (asked === undefined) return undefined
    this.asks.delete(bond.number)
    if (bond.bound) lease.handleBond(asked.sentAt, asked.era)
    else this.considerYielding(now)
    return undefined
  }

  /** The secondary reaches the witness and this node does not: better an orderly handover than the end of the lease. */
  private considerYielding(now: number): void {
    const { lease, core } = this
    if (lease === undefined || core.state.role !== 'primary' || lease.reaches(now)) return
    if (now >= lease.agesAt(YIELD_SHARE)) this.handover.begin('witness-lost', undefined, now)
  }

  private get asksAt(): number {
    const { lease, core } = this
    if (lease === undefined || core.state.role !== 'primary' || !core.peer.alive)
      return Number.POSITIVE_INFINITY
    return Math.max(this.askNotBefore, lease.agesAt(ASK_SHARE))
  }

  private ask(lease: Lease, now: number): void {
    const { leaseMs } = lease
    this.askNotBefore = now + leaseMs * REPEAT_SHARE
    for (const [number, { sentAt }] of this.asks) if (now - sentAt >= leaseMs) this.asks.delete(number)
    const number = ++this.askNumber
    this.asks.set(number, { sentAt: now, era: lease.currentEra })
    this.core.broadcast(encodeLeaseAsk(this.core.state.epoch, { number, leaseMs }), now)
  }

  // ---- Time

  /** When handleTimeout has something to do. */
  get deadline(): number {
    const { lease, core } = this
    if (lease === undefined) return Number.POSITIVE_INFINITY
    const until =
      core.state.role === 'primary' ? Math.max(lease.until, this.doubtUntil) : Number.POSITIVE_INFINITY
    return Math.min(lease.deadline, until, this.asksAt)
  }

  handleTimeout(now: number): void {
    const { lease, core } = this
    if (lease === undefined || core.state.role === 'stopped') return
    this.settle(now)
    const call = lease.handleTimeout(now)
    if (call !== undefined) core.act({ type: 'witness', call, timeoutMs: lease.callTimeoutMs })
    if (now >= this.asksAt) this.ask(lease, now)
  }

  /** Before anything else is decided: what has run out is over, what was waited for is there. */
  settle(now: number): void {
    const { lease, core } = this
    if (lease === undefined) return
    if (core.state.role === 'primary') {
      if (!lease.isHeld(now) && now >= this.doubtUntil) this.events.lost(now)
    } else if (lease.mode === 'wanting' && lease.isHeld(now)) this.events.taken(now)
    this.publish()
    this.tell(lease, now)
  }

  /** The deadline that the writer compares with its own clock. */
  private publish(): void {
    const { lease, core } = this
    if (lease === undefined) return
    const until = lease.mode === 'leading' ? lease.until : NEVER
    if (until === this.published) return
    this.published = until
    core.act({ type: 'deadline', at: until })
  }

  private tell(lease: Lease, now: number): void {
    const reachable = lease.reaches(now)
    if (
      reachable === this.toldReachable ||
      (!reachable && lease.lastReason === '' && this.toldReachable === undefined)
    )
      return
    this.toldReachable = reachable
    const reason = reachable ? '' : lease.lastReason || 'no answer in time'
    this.core.post({ type: 'witness', reachable, reason })
  }

  status(now: number): WitnessStatus | null {
    const { lease } = this
    if (lease === undefined) return null
    const { state, isForced, isByBond } = lease
    const isActing = lease.mode === 'leading' && lease.isHeld(now)
    return {
      reachable: lease.reaches(now),
      holder:
        state === undefined || state.holder === ''
          ? null
          : state.holder.slice(0, state.holder.lastIndexOf('/')),
      revision: state?.revision ?? 0,
      by: !isActing ? null : isForced ? 'force' : isByBond ? 'bond' : 'lease',
      remainingMs: isActing && !isForced ? lease.remainingMs(now) : null,
      lastReason: lease.lastReason,
    }
  }
}
