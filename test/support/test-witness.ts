// The witness as it should be, in memory: one entry, changed by one call at a time, that ends when the lease was not
// renewed for its length, counted from when a call is executed.
import type { NodeCore } from '../../src/core/node.ts'
import {
  holderName,
  type WitnessAnswer,
  type WitnessCall,
  type WitnessState,
} from '../../src/core/witness.ts'

type Answer = Extract<WitnessAnswer, { type: 'state' }>

/** Where it is asked: a node of a pair, and the time that requests take there. */
interface Asking {
  readonly id: 'a' | 'b'
  readonly core: NodeCore
  toCore(event: (now: number) => void): void
}
interface Surroundings {
  readonly now: number
  readonly latencyMs: number
  after(ms: number, work: () => void): void
}

const FREE: WitnessState = { holder: '', revision: 0 }

export class TestWitness {
  readonly leaseMs: number
  /** Nodes that do not reach it. */
  readonly isLost = { a: false, b: false }
  private entry = FREE
  private endsAt = 0
  private revisions = 0

  constructor(leaseMs: number) {
    this.leaseMs = leaseMs
  }

  /** Who holds the lease now. */
  holder(now: number): string {
    if (now >= this.endsAt) this.entry = FREE
    return this.entry.holder
  }

  /** A node's request, and the answer some time later. */
  ask(around: Surroundings, node: Asking, call: WitnessCall): void {
    around.after(around.latencyMs, () => {
      const { id, incarnation } = node.core.options
      const answer: WitnessAnswer = this.isLost[node.id]
        ? { call: call.call, type: 'failed', reason: 'not reached' }
        : this.execute(holderName(id, incarnation), call, around.now)
      around.after(around.latencyMs, () => node.toCore((now) => node.core.handleWitness(answer, now)))
    })
  }

  execute(holder: string, call: WitnessCall, now: number): Answer {
    const isOwn = this.holder(now) === holder
    const { revision } = this.entry
    let done = false
    if (call.type === 'acquire' && revision === call.after) {
      this.entry = { holder, revision: ++this.revisions }
      this.endsAt = now + this.leaseMs
      done = true
    } else if (call.type === 'renew' && isOwn && revision === call.revision) {
      this.endsAt = now + this.leaseMs
      done = true
    } else if (call.type === 'release' && isOwn && revision === call.revision) this.entry = FREE
    return { call: call.call, type: 'state', state: this.entry, done }
  }
}
