// Two acting primaries of different lineages met. Each knows its own numbers and old news of the other's, so if each
// judged for itself both could give way, or neither. Therefore only the node at place 0 judges, once for each reign of
// the other: it gives way by itself, or it claims an epoch above both until that is granted, and the other grants without
// judging. Whoever has given way was told to, or told nobody else to; so never do both.
//
//   place 0: judge --worse--> secondary            place 1: CLAIM of a primary --> GRANT, secondary
//                  --better--> CLAIM ... GRANT --> goes on in the epoch claimed
//
// Within one lineage nothing of this is needed: the epochs say it, and they do not change.
import type { NodeStatus } from '../wire/status.ts'
import type { Verdict } from './election.ts'
import type { SplitSide } from './messages.ts'
import type { Core } from './state.ts'

/** Detection bounds for which a heartbeat is waited for that answers one of this node's. */
const NEWS_BOUNDS = 10

export class Meeting {
  private readonly core: Core
  /** The reign of the other node against which this one decided to stay. */
  private against: { readonly incarnation: string; readonly epoch: number } | undefined

  /** The reign of the other node that was met last, and when. */
  private met: { readonly incarnation: string; readonly epoch: number; readonly at: number } | undefined

  /** The reign, not led any more, whose node may claim, and since when it was heard. */
  private awaited: { readonly incarnation: string; readonly epoch: number; readonly at: number } | undefined

  /** Lineage for which this node gave up its own; what it holds is not weighed against that again. */
  private leftFor: string | undefined

  /** The other reign that was told of last. */
  private told: string | undefined

  constructor(core: Core) {
    this.core = core
  }

  /** Two primaries: the application is told, once for each reign of the other. */
  tell(now: number): void {
    const { peer } = this.core
    const theirs = peer.status!
    const reign = `${theirs.incarnation} ${theirs.epoch}`
    if (reign === this.told) return
    this.told = reign
    this.core.post({
      type: 'split',
      mine: sideOf(this.core.statusAt(now)),
      theirs: sideOf(peer.aged(theirs, now)),
    })
  }

  /** This node does not judge: if the other has stepped down, it was the other's judgement. */
  get isObedient(): boolean {
    return this.core.place === 1
  }

  /** What a primary does about another one; `judge` compares the two, positive when this node is the better. */
  decide(status: NodeStatus, judge: () => Verdict, now: number): 'wait' | 'stay' | 'leave' {
    if (this.isObedient) return 'wait'
    const { incarnation, epoch } = status
    if (this.against?.incarnation === incarnation && this.against.epoch === epoch) return 'stay'
    if (!this.isNews(status, now)) return 'wait'
    if (judge().order < 0) return 'leave'
    this.against = { incarnation, epoch }
    return 'stay'
  }

  /**
   * Whether the other has said what it says since it was met: of the first word nobody knows how long it lay in a socket
   * of a node that stood still, or on a way that did. Where no datagram passes, what streams say is taken after a while.
   */
  private isNews({ incarnation, epoch }: NodeStatus, now: number): boolean {
    const { links, boundMs } = this.core
    if (this.met?.incarnation !== incarnation || this.met.epoch !== epoch)
      this.met = { incarnation, epoch, at: now }
    const { at } = this.met
    return links.some(({ echoed }) => echoed >= at) || now - at >= NEWS_BOUNDS * boundMs
  }

  /** Whether a node that stepped down, though not for this one, has had less than a while to claim for what it holds. */
  mayClaim({ incarnation, epoch }: NodeStatus, now: number): boolean {
    if (this.awaited?.incarnation !== incarnation || this.awaited.epoch !== epoch)
      this.awaited = { incarnation, epoch, at: now }
    return now - this.awaited.at < NEWS_BOUNDS * this.core.boundMs
  }

  /** This primary gives way to the last that was heard. */
  handleLeft(): void {
    this.leftFor = this.core.peer.status?.lineage
  }

  /** This node leads: whatever was given up is settled. */
  handleLead(): void {
    this.leftFor = undefined
  }

  hasLeftFor(lineage: string): boolean {
    return this.leftFor === lineage
  }

  /** Whether this primary grants a claim because it comes from the primary that judges. */
  obeys(): boolean {
    const { state, peer } = this.core
    // Not of the claim, which may be old: of the last that was heard.
    const { status } = peer
    return this.isObedient && status?.role === 'primary' && status.lineage !== state.lineage
  }
}

export function sideOf({ epoch, lineage, sessions, lineageAgeMs }: NodeStatus): SplitSide {
  return { epoch, lineage, sessions, lineageAgeMs }
}
