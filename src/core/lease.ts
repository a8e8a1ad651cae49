// The arithmetic of one lease: how long this node may act, and what to ask the witness next. Pure: answers and time in,
// calls and deadlines out.
//
// - A lease counts from before its request was sent, so it ends here before it ends at the witness, however long the
//   answer took; and 1 % is taken off, so that it does even if this clock is 1 % slow.
// - What is given up (a grant, a demotion) is over at once. Answers to what was asked before are void, and a revision
//   that was given up is never used again: the node it was given to may take its place by comparing with it.
// - A peer that promises not to take the lease is as good as the lease, for as long as it promises (docs/PROTOCOL.md
//   section 10). Whoever promised starts to count when it promises, and adds the 1 %.
//
// Whoever has just started does not know what it promised before. It waits for a whole lease before it takes one, unless
// the peer grants.
import type { WitnessAnswer, WitnessCall, WitnessState } from './witness.ts'

/** How much a clock may be fast or slow. */
const CLOCK_MARGIN = 0.01
/** Of the lease: time between two renewals, or two looks at the witness. */
const RENEW_SHARE = 1 / 6
/** The same while the lease is wanted. */
const WANT_SHARE = 1 / 12
/** Least time between two calls, ms. */
const CALL_INTERVAL_MIN_MS = 10
/** An answer older than this says nothing of whether the witness can be reached. */
const REACHED_SHARE = 1 / 2
/** How long a call may take. */
const CALL_TIMEOUT_SHARE = 1 / 3
const NEVER = Number.NEGATIVE_INFINITY

interface Asked {
  readonly type: WitnessCall['type']
  readonly sentAt: number
  readonly era: number
  readonly revision: number
}

/**
 * idle: the lease is not wanted. wanting: it is, and it is not held. leading: this node acts, and keeps it.
 */
export type LeaseMode = 'idle' | 'wanting' | 'leading'

export class Lease {
  readonly leaseMs: number
  /** This node, as the witness knows it. */
  readonly name: string
  mode: LeaseMode = 'idle'
  /** Revision held; 0: none. */
  revision = 0
  /** Highest revision given up. */
  given = 0
  /** The entry as it was last seen; undefined before. */
  state: WitnessState | undefined
  /** Why the last call came to nothing; '' after one that was answered. */
  lastReason = ''
  private stateCall = 0
  private takenAt = NEVER
  private untilWitness = NEVER
  private untilBond = NEVER
  /** Held by force, without a lease. */
  private forced = false
  private after = 0
  private granted = false
  /** Not taken before, unless granted: the start of the process, and what it promised. */
  private notBefore: number
  private era = 0
  private calls = 0
  private readonly asked = new Map<number, Asked>()
  private nextAt: number
  private reachedAt = NEVER
  private failedAt = NEVER
  /** Requests sent before do not count: the clock stood still. */
  private countFrom = NEVER

  constructor(leaseMs: number, name: string, now: number) {
    this.leaseMs = leaseMs
    this.name = name
    this.notBefore = now + leaseMs * (1 + CLOCK_MARGIN)
    this.nextAt = now
  }

  // ---- What is known

  /** This node may act before this moment, not at it or after it. */
  get until(): number {
    return this.forced ? Number.POSITIVE_INFINITY : Math.max(this.untilWitness, this.untilBond)
  }

  isHeld(now: number): boolean {
    return now < this.until
  }

  /** The peer's promise reaches further than the lease. */
  get isByBond(): boolean {
    return !this.forced && this.untilBond > this.untilWitness
  }

  get isForced(): boolean {
    return this.forced
  }

  /** It answered the last call, lately. */
  reaches(now: number): boolean {
    return this.failedAt <= this.reachedAt && now - this.reachedAt < this.leaseMs * REACHED_SHARE
  }

  /** How long a call may take, ms. */
  get callTimeoutMs(): number {
    return this.leaseMs * CALL_TIMEOUT_SHARE
  }

  /** Of the lease, how much was left of it when nothing more came from the witness. */
  remainingMs(now: number): number {
    return Math.max(0, this.until - now)
  }

  /** When this share of the lease will have passed since it was last renewed by the witness; long ago if it is not held. */
  agesAt(share: number): number {
    return this.forced
      ? Number.POSITIVE_INFINITY
      : this.untilWitness - this.leaseMs * (1 - CLOCK_MARGIN) * (1 - share)
  }

  // ---- What is wanted

  /**
   * The lease is to be had. `grant`: the peer granted, and gave up this revision (0: it had none); with it the lease may
   * be taken at once, without it only when the witness calls it free.
   */
  want(now: number, grant?: { readonly revision: number }): void {
    this.mode = 'wanting'
    this.granted = grant !== undefined
    this.after = grant?.revision ?? 0
    this.nextAt = now
  }

  /** The node acts now. */
  lead(): void {
    this.mode = 'leading'
    this.granted = false
    this.after = 0
  }

  /** Acts without the lease, on an operator's word; the witness is asked for it all the same. */
  force(now: number): void {
    this.forced = true
    this.want(now)
    this.lead()
  }

  /** Ends all that is held or wanted, at once. Gives the revision that is given up by it; 0 if none is known. */
  give(): number {
    const revision = Math.max(this.revision, this.state?.holder === this.name ? this.state.revision : 0)
    this.given = Math.max(this.given, revision)
    this.mode = 'idle'
    this.revision = 0
    this.untilWitness = NEVER
    this.untilBond = NEVER
    this.forced = false
    this.granted = false
    this.after = 0
    this.era++
    return revision
  }

  /**
   * Promises the peer not to take the lease for `leaseMs` from now. False: this node will not promise, since it reaches
   * the witness, or wants the lease or has it.
   */
  bind(leaseMs: number, now: number): boolean {
    if (this.mode !== 'idle' || this.reaches(now)) return false
    // Nothing is under way: what was asked while it was wanted became void with give().
    this.notBefore = Math.max(this.notBefore, now + leaseMs * (1 + CLOCK_MARGIN))
    return true
  }

  /** The peer promised, in answer to a question sent at `sentAt` in the era of then. */
  handleBond(sentAt: number, era: number): void {
    if (era !== this.era || this.mode !== 'leading' || sentAt < this.countFrom) return
    this.untilBond = Math.max(this.untilBond, this.countedFrom(sentAt))
  }

  get currentEra(): number {
    return this.era
  }

  /** The clock stood still for a time that is not known: only what is asked from now on counts. */
  handleClockGap(now: number): void {
    this.countFrom = now
    this.untilWitness = NEVER
    this.untilBond = NEVER
    this.nextAt = now
  }

  private countedFrom(sentAt: number): number {
    return sentAt + this.leaseMs * (1 - CLOCK_MARGIN)
  }

  // ---- Time and calls

  /** When handleTimeout has something to do. */
  get deadline(): number {
    return this.nextAt
  }

  private get intervalMs(): number {
    const share = this.mode === 'wanting' ? WANT_SHARE : RENEW_SHARE
    return Math.max(CALL_INTERVAL_MIN_MS, this.leaseMs * share)
  }

  /** The call that is due; undefined when none is. */
  handleTimeout(now: number): WitnessCall | undefined {
    if (now < this.nextAt) return undefined
    for (const [call, { sentAt }] of this.asked) if (now - sentAt >= this.leaseMs) this.asked.delete(call)
    const call = this.nextCall(now)
    const revision = 'revision' in call ? call.revision : 0
    this.asked.set(call.call, { type: call.type, sentAt: now, era: this.era, revision })
    this.nextAt = now + this.intervalMs
    return call
  }

  /** The call that gives a lease back; answered like any other. */
  release(revision: number, now: number): WitnessCall {
    const call = ++this.calls
    this.asked.set(call, { type: 'release', sentAt: now, era: this.era, revision })
    return { call, type: 'release', revision }
  }

  private nextCall(now: number): WitnessCall {
    const call = ++this.calls
    const { state } = this
    const isMine = state?.holder === this.name
    if (this.mode === 'idle') {
      // Taken by a call whose answer was lost, or not given back yet.
      if (!isMine) return { call, type: 'read' }
      // This may arrive late: that revision must not be renewed by a later wish.
      this.given = Math.max(this.given, state.revision)
      return { call, type: 'release', revision: state.revision }
    }
    if (this.revision !== 0) return { call, type: 'renew', revision: this.revision }
    if (state === undefined || !this.mayTake(now)) return { call, type: 'read' }
    if (state.holder === '') return { call, type: 'acquire', after: 0 }
    if (isMine && state.revision > this.given) return { call, type: 'renew', revision: state.revision }
    const isGivenUp = isMine || (this.after !== 0 && state.revision === this.after)
    return isGivenUp ? { call, type: 'acquire', after: state.revision } : { call, type: 'read' }
  }

  private mayTake(now: number): boolean {
    return this.mode === 'leading' || this.granted || now >= this.notBefore
  }

  /** An answer, early or late, in any order, once or more often. */
  handleAnswer(answer: WitnessAnswer, now: number): void {
    const asked = this.asked.get(answer.call)
    if (asked === undefined) return
    this.asked.delete(answer.call)
    if (answer.type === 'failed') {
      if (asked.sentAt >= this.reachedAt) {
        this.failedAt = Math.max(this.failedAt, asked.sentAt)
        this.lastReason = answer.reason
      }
      return
    }
    this.reachedAt = Math.max(this.reachedAt, asked.sentAt)
    if (this.reachedAt >= this.failedAt) {
      this.failedAt = NEVER
      this.lastReason = ''
    }
    this.noteState(answer.call, answer.state, now)
    this.judge(asked, answer, now)
  }

  /** What the answer means for the lease itself. */
  private judge(asked: Asked, answer: Extract<WitnessAnswer, { type: 'state' }>, now: number): void {
    const { holder, revision } = answer.state
    const isMine = holder === this.name && revision > this.given
    const isCurrent = asked.era === this.era && asked.sentAt >= this.countFrom && this.mode !== 'idle'
    const extends_ = answer.done && (asked.type === 'acquire' || asked.type === 'renew')
    if (isMine && extends_ && isCurrent && revision >= this.revision) {
      if (revision !== this.revision) {
        this.takenAt = now
        this.untilWitness = NEVER
      }
      this.forced = false
      this.revision = revision
      this.untilWitness = Math.max(this.untilWitness, this.countedFrom(asked.sentAt))
    } else if (
      this.revision !== 0 &&
      asked.sentAt >= this.takenAt &&
      !(isMine && revision === this.revision)
    ) {
      // Asked after the lease was taken, the witness says that it is somebody else's, or nobody's.
      this.revision = 0
      this.untilWitness = NEVER
      this.nextAt = now
    }
  }

  private noteState(call: number, state: WitnessState, now: number): void {
    if (call <= this.stateCall) return
    this.stateCall = call
    this.see(state, now)
  }

  /** The witness tells of a change by itself. Good for knowing when to ask, for nothing else. */
  handleNews(state: WitnessState, now: number): void {
    this.see(state, now)
  }

  private see(state: WitnessState, now: number): void {
    const before = this.state
    this.state = state
    if (this.mode !== 'wanting' || (before?.holder === state.holder && before.revision === state.revision))
      return
    if (state.holder === '' || state.holder === this.name || state.revision === this.after) {
      this.nextAt = this.mayTake(now) ? now : Math.min(this.nextAt, this.notBefore)
    }
  }
}
