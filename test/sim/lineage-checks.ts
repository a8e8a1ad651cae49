// Which of two histories goes on: the older; of two about equally old the one with more sessions. And whatever the
// numbers, an empty node never wipes a full one.
import type { History, Reign } from './history.ts'
import { judged } from './inside.ts'
import type { SimProcess } from './process.ts'
import { Violation } from './world.ts'

/** Lineages whose ages differ by less count as equally old, ms. */
const LINEAGE_MARGIN_MS = 10_000
/** What clocks and news may shift it by, ms. */
const SLACK_MS = 1_000
/** Numbers of sessions are news that travel once an interval: only what has been so for some intervals counts. */
const SAMPLES = 4

export class LineageChecks {
  private readonly history: History
  /** Histories that an application chose, whatever their age. */
  readonly chosen = new Set<string>()
  private readonly sessions = new Map<SimProcess, number[]>()
  /** Against which reign a node decided to stay, and how many sessions that one had then. */
  private readonly judgements = new Map<SimProcess, { against: { readonly epoch: number }; least: number }>()

  constructor(history: History) {
    this.history = history
  }

  /** Once an interval. */
  sample(process: SimProcess): void {
    const samples = this.sessions.get(process) ?? []
    samples.push(process.sessions)
    this.sessions.set(process, samples.slice(-SAMPLES))
  }

  handleGone(process: SimProcess): void {
    this.sessions.delete(process)
    this.judgements.delete(process)
  }

  /** A node did something; `peer`: the other one. What it decided about that one is decided by the numbers of now. */
  handleActions(process: SimProcess, peer: SimProcess | undefined): void {
    const against = judged(process.core)
    if (peer === undefined || against === undefined || this.judgements.get(process)?.against === against)
      return
    this.judgements.set(process, { against, least: this.leastOf(peer) })
  }

  /** Of sessions, for some intervals. */
  private leastOf(process: SimProcess): number {
    return Math.min(...(this.sessions.get(process) ?? [0]))
  }

  private ageDifference(mine: string, theirs: string, now: number): number {
    return this.history.birthOf(theirs, now) - this.history.birthOf(mine, now)
  }

  /** A node is about to be filled from another history. `lineage` is what it held a complete state of. */
  handleReplaced(process: SimProcess, lineage: string, by: Reign): void {
    if (this.chosen.has(by.lineage)) return
    const { now } = process.world
    const olderMs = this.ageDifference(lineage, by.lineage, now)
    if (olderMs > LINEAGE_MARGIN_MS + SLACK_MS + (now - by.startedAt) / 50) {
      throw new Violation(`${process.name}: a lineage ${olderMs.toFixed(0)} ms younger replaces its own`)
    }
    // What its primary held back when it began counts as well: nobody else knows of it, but it is there.
    const began = [...by.base, ...by.held]
    const isEmpty = began.every((keys) => keys.size === 0) && !by.isWritten
    const judge = [...this.judgements].find(([other]) => other.incarnation === by.incarnation)?.[1]
    const wasJudged = judge?.against.epoch === process.core.state.led
    const least = wasJudged ? judge.least : this.leastOf(process)
    if (isEmpty && least > 0 && olderMs >= -LINEAGE_MARGIN_MS) {
      throw new Violation(`${process.name}: an empty node wipes its ${process.sessions} sessions`)
    }
  }

  /** A primary steps down for one of another lineage. */
  handleDemoted(process: SimProcess, lineage: string, peer: SimProcess | undefined): void {
    // The other node has judged, when it first heard of this reign; the numbers may have crossed since.
    if (process.core.place === 1) return
    const theirs = peer?.core.state.lineage
    if (peer === undefined || theirs === undefined || theirs === lineage) return
    const { now } = process.world
    if (Math.abs(this.ageDifference(lineage, theirs, now)) > LINEAGE_MARGIN_MS - SLACK_MS) return
    // Nor does a thread that stands still tell how many it holds.
    if ([process, peer].some(({ thread, app }) => thread.isBlocked || app.isBlocked)) return
    const wokeAt = Math.max(...[process, peer].flatMap(({ thread, app }) => [thread.wokeAt, app.wokeAt]))
    // Who stood still still has to hear, or to say, what was so meanwhile.
    if (now - wokeAt < (SAMPLES + 1) * process.plan.core.interval) return
    const own = this.sessions.get(process) ?? []
    const other = this.sessions.get(peer) ?? []
    if (own.length < SAMPLES || other.length < SAMPLES) return
    const least = Math.min(...own, process.sessions)
    const most = Math.max(...other, peer.sessions)
    if (least <= most) return
    throw new Violation(`${process.name} with ${least} sessions steps down for ${peer.name} with ${most}`)
  }
}
