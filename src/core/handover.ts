// Planned change of role: a primary stops writing, sends everything, and offers its reign; its secondary claims once it
// has applied it all (docs/PROTOCOL.md section 9). The same offer, without the last flush, is made when the
// application thread stands still. Called off, the primary goes on as if nothing had been.
import type { Reason } from '../wire/constants.ts'
import type { Claim } from '../wire/control.ts'
import { encodeOffer } from '../wire/control.ts'
import type { Feed } from './feed.ts'
import { HANDOVER_TIMEOUT_MS } from './options.ts'
import type { Core } from './state.ts'

interface Running {
  readonly stage: 'flushing' | 'offering'
  readonly token: number
  readonly reason: Reason
  readonly since: number
  /** Sequence the peer must have applied. */
  readonly position: number
}

export class Handover {
  private readonly core: Core
  private readonly feed: Feed
  private running: Running | undefined
  /** Requests of the application to be answered when it is over. */
  private requests: number[] = []
  /** Granted; waiting to hear the peer as primary. */
  private granted = false
  private tokens = 0

  constructor(core: Core, feed: Feed) {
    this.core = core
    this.feed = feed
  }

  get isRunning(): boolean {
    return this.running !== undefined
  }

  get since(): number | undefined {
    return this.running?.since
  }

  /** Why it cannot begin now; undefined when it can. `isAsked`: by the application, and not because it must be. */
  private obstacle(isAsked: boolean): string | undefined {
    const { state, peer, options } = this.core
    if (state.role !== 'primary') return `node '${options.id}' is ${state.role}; only the primary hands over`
    if (!state.open && this.running === undefined) return `node '${options.id}' is fenced; try again`
    if (options.mode === 'witness' && this.core.peer.status?.reachesWitness !== true) {
      return `node '${options.peer}' does not reach the witness, so it could not take the lease; mend that first`
    }
    if (!this.feed.feedsSynced) return `node '${options.peer}' is not synced; wait for status().protected`
    if (isAsked && peer.status?.maintenance) return `node '${options.peer}' is in maintenance`
    return undefined
  }

  /** Starts by asking the application thread for its last flush. */
  begin(reason: Reason, request: number | undefined, now: number): void {
    const obstacle = this.obstacle(request !== undefined)
    if (obstacle !== undefined) {
      if (request !== undefined) this.answer([request], obstacle)
      return
    }
    if (request !== undefined) this.requests.push(request)
    if (this.running !== undefined) return
    const token = ++this.tokens
    this.running = { stage: 'flushing', token, reason, since: now, position: 0 }
    this.core.act({ type: 'word', word: this.core.state.shutWord() })
    this.core.post({ type: 'flush', token })
  }

  /** The application thread stands still: fence it, and offer what has been sent. */
  beginStalled(now: number): void {
    if (this.running !== undefined || this.obstacle(false) !== undefined) return
    this.core.act({ type: 'word', word: this.core.state.shutWord() })
    this.running = {
      stage: 'offering',
      token: ++this.tokens,
      reason: 'peer-stalled',
      since: now,
      position: this.feed.position,
    }
    this.sayOffer(now)
  }

  handleFlushed(token: number, sequence: number, now: number): void {
    if (this.running?.token !== token || this.running.stage !== 'flushing') return
    this.running = { ...this.running, stage: 'offering', position: sequence }
    this.sayOffer(now)
  }

  private sayOffer(now: number): void {
    const { position, reason } = this.running!
    this.core.broadcast(encodeOffer(this.core.state.epoch, { position, reason }), now)
  }

  /**
   * Whether a claim is the answer to the running offer. While a comparison that began since is on its way to the claimant,
   * which awaits everything once that comes, it is not; the offer is said again, so another claim will be.
   */
  accepts(claim: Claim): boolean {
    const { running, feed } = this
    if (running?.stage !== 'offering' || feed.attach === 0) return false
    const { complete, epoch, sequence } = claim.status
    const isWhole = sequence >= Math.max(running.position, feed.attach)
    return complete && epoch === this.core.state.epoch && isWhole
  }

  /** A claim was granted: the role is the peer's. */
  handleGranted(): void {
    this.running = undefined
    this.granted = this.requests.length > 0
    this.settle()
  }

  /** Once the peer is heard as primary the requests are answered. */
  settle(): void {
    if (!this.granted) return
    const { peer, state } = this.core
    if (peer.status?.role !== 'primary' || peer.status.epoch < state.granted) return
    this.granted = false
    this.answer(this.requests.splice(0))
  }

  handleTick(now: number): void {
    if (this.running === undefined) return
    if (now - this.running.since >= HANDOVER_TIMEOUT_MS) {
      this.callOff(`node '${this.core.options.peer}' did not take over within ${HANDOVER_TIMEOUT_MS} ms`)
    } else if (this.running.stage === 'offering') this.sayOffer(now)
  }

  handlePeerLost(_now: number): void {
    const message = `node '${this.core.options.peer}' was lost during the handover`
    if (this.running !== undefined) this.callOff(message)
    else if (this.granted) {
      this.granted = false
      this.answer(this.requests.splice(0), message)
    }
  }

  private callOff(message: string): void {
    this.running = undefined
    if (this.core.state.role === 'primary') {
      const word = this.core.state.openWord()
      this.core.act({ type: 'word', word })
      this.core.post({ type: 'resume', word })
    }
    this.answer(this.requests.splice(0), message)
  }

  /** Role lost another way. */
  cancel(message: string): void {
    this.running = undefined
    this.granted = false
    this.answer(this.requests.splice(0), message)
  }

  private answer(requests: number[], message?: string): void {
    for (const request of requests) {
      if (message === undefined) this.core.post({ type: 'result', request })
      else this.core.post({ type: 'result', request, error: { code: 'ERR_HANDOVER', message } })
    }
  }
}
