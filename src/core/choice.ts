// After a split the application of the side that stays may choose the other one. That side has stepped down and says so
// (`gaveWay`); it follows, but it is not fed, so that it still holds what it led, until this node has asked and heard. A
// primary that chooses the other offers it its role, and gives it up only by granting that node's claim: so one side acts
// at every moment, the one that acts without a choice, and whoever loses the other in between goes on as it would have.
//
//   FOLLOW of one that gave way --> hearing --> asking --self, late, wrong--> fed as ever
//                                                      --peer--> offering: OFFER chosen ... CLAIM --> GRANT, secondary
import type { Claim } from '../wire/control.ts'
import { encodeOffer } from '../wire/control.ts'
import type { NodeStatus } from '../wire/status.ts'
import type { Feed } from './feed.ts'
import { sideOf } from './meeting.ts'
import type { SplitChoice } from './messages.ts'
import { HANDOVER_TIMEOUT_MS } from './options.ts'
import type { Core } from './state.ts'

interface Question {
  readonly token: number
  /** What the other side led. */
  readonly reign: string
  readonly stage: 'hearing' | 'asking' | 'offering'
  /** Beginning of that stage. */
  readonly since: number
}

export class Choice {
  private readonly core: Core
  private readonly feed: Feed
  private question: Question | undefined
  /** The reign of the other side that was decided about last. */
  private settled: string | undefined
  private tokens = 0

  constructor(core: Core, feed: Feed) {
    this.core = core
    this.feed = feed
    feed.isHeld = () => this.isHolding
  }

  /** A FOLLOW says nothing of the reign that it comes from, and on its link may be ahead of the status that does. */
  private get isHolding(): boolean {
    const { options, peer } = this.core
    return options.choiceMs !== undefined && (peer.status?.role !== 'secondary' || this.isOpen)
  }

  /** Whether this primary has to ask before it feeds its secondary. */
  private get isOpen(): boolean {
    const { state, peer, options } = this.core
    const { status } = peer
    if (options.choiceMs === undefined || state.role !== 'primary' || status?.role !== 'secondary')
      return false
    return status.gaveWay && status.incarnation === peer.incarnation && reignOf(status) !== this.settled
  }

  /** Called after roles were decided; idempotent. */
  settle(now: number): void {
    const { peer, boundMs, options } = this.core
    if (!peer.alive || !this.isOpen) {
      this.drop()
      if (!this.isHolding) this.feed.release()
      return
    }
    const status = peer.status!
    const reign = reignOf(status)
    if (this.question?.reign !== reign) {
      this.drop()
      this.question = { token: ++this.tokens, reign, stage: 'hearing', since: now }
    }
    const { token, stage, since } = this.question!
    if (stage === 'hearing') {
      if (status.changed !== null || now - since >= boundMs) this.ask(status, now)
    } else if (now - since >= (stage === 'asking' ? options.choiceMs! : HANDOVER_TIMEOUT_MS)) {
      this.core.post({ type: 'choice-over', token, why: stage === 'asking' ? 'late' : 'not-taken' })
      this.stay()
    }
  }

  private ask(theirs: NodeStatus, now: number): void {
    const { core } = this
    const { id, peer } = core.options
    const { lostAt, backAt } = core.peer
    this.question = { ...this.question!, stage: 'asking', since: now }
    const question: SplitChoice = {
      apartMs: lostAt === undefined ? null : Math.max(0, backAt - lostAt),
      mine: choiceSideOf(id, core.statusAt(now)),
      theirs: choiceSideOf(peer, core.peer.aged(theirs, now)),
    }
    core.post({ type: 'choose', token: this.question.token, question })
  }

  /** What the application answered. */
  handleChosen(token: number, side: 'self' | 'peer', now: number): void {
    const { question } = this
    if (question?.token !== token || question.stage !== 'asking') {
      this.core.count('choice-late')
      return
    }
    if (side === 'self') this.stay()
    else {
      this.question = { ...question, stage: 'offering', since: now }
      this.sayOffer(now)
    }
  }

  private sayOffer(now: number): void {
    const { epoch } = this.core.state
    this.core.broadcast(encodeOffer(epoch, { position: 0, reason: 'chosen' }), now)
  }

  /** Each heartbeat interval: the offer is said again until it is answered. */
  handleTick(now: number): void {
    if (this.question?.stage === 'offering') this.sayOffer(now)
  }

  /** Whether a claim answers the offer: from the chosen side, with all that it led. */
  accepts({ reason, status }: Claim): boolean {
    const { question, core } = this
    if (question?.stage !== 'offering' || reason !== 'chosen') return false
    const isChosen = status.incarnation === core.peer.incarnation && reignOf(status) === question.reign
    return isChosen && status.gaveWay && status.complete
  }

  /** This node stays, and feeds the other. */
  private stay(): void {
    this.settled = this.question!.reign
    this.question = undefined
    this.feed.release()
  }

  /** There is nothing to choose any more: this node leads no more, or the other side is lost. */
  drop(): void {
    const { question } = this
    this.question = undefined
    if (question?.stage === 'asking')
      this.core.post({ type: 'choice-over', token: question.token, why: 'void' })
  }
}

function reignOf({ incarnation, lineage, epoch }: NodeStatus): string {
  return `${incarnation} ${lineage} ${epoch}`
}

function choiceSideOf(id: string, status: NodeStatus): SplitChoice['mine'] {
  const { epoch, sequence, changed, uptimeMs, priority, maintenance } = status
  return { id, ...sideOf(status), position: { epoch, sequence }, changed, uptimeMs, priority, maintenance }
}
