// verify(): proof that both nodes hold the same, on demand. The primary sends the digests of all segments, each at its
// position in the sequence, then an end mark; the secondary answers how many it compared and how many differed. Either
// node may ask; the secondary's question travels to the primary and the result back.
import type { ProofResult } from '../wire/sequenced.ts'
import type { Store } from './store.ts'

/** What `node.verify()` found. */
export interface VerifyResult {
  /** Both nodes held the same. What did not is being repaired. */
  readonly equal: boolean
  /** Where the last segment was compared. */
  readonly position: { readonly epoch: number; readonly sequence: number }
  /** How many were compared, each of up to 1024 sessions. */
  readonly segments: number
}

type Step =
  | {
      readonly type: 'proof'
      readonly token: number
      readonly table: number
      readonly first: number
      readonly count: number
    }
  | { readonly type: 'end'; readonly token: number }

interface Running {
  readonly token: number
  /** The secondary's own number, when it was the secondary that asked. */
  readonly peerToken: number | undefined
  table: number
  segment: number
}

export class Verifications {
  private tokens = 0
  private queue: Running[] = []
  private readonly ended = new Map<number, { running: Running; epoch: number; sequence: number }>()
  /** Questions sent to the primary. */
  private readonly asked = new Set<number>()
  private readonly report: (token: number, result: VerifyResult) => void

  constructor(report: (token: number, result: VerifyResult) => void) {
    this.report = report
  }

  /** Token 0 is the continuous proof. */
  nextToken(): number {
    return ++this.tokens
  }

  begin(token: number): void {
    this.queue.push({ token, peerToken: undefined, table: 0, segment: 0 })
  }

  beginForPeer(peerToken: number): void {
    this.queue.push({ token: this.nextToken(), peerToken, table: 0, segment: 0 })
  }

  get isPending(): boolean {
    return this.queue.length > 0
  }

  /** The next run of at most `countMax` segments to prove. */
  takeStep(stores: readonly Store[], countMax: number): Step | undefined {
    const running = this.queue[0]
    if (running === undefined) return undefined
    while (running.table < stores.length) {
      const segments = stores[running.table]!.segments
      if (running.segment < segments) {
        const first = running.segment
        const count = Math.min(countMax, segments - first)
        running.segment += count
        return { type: 'proof', token: running.token, table: running.table, first, count }
      }
      running.table++
      running.segment = 0
    }
    return { type: 'end', token: running.token }
  }

  handleEnd(token: number, epoch: number, sequence: number): void {
    const running = this.queue.shift()
    if (running?.token === token) this.ended.set(token, { running, epoch, sequence })
  }

  /** The secondary's count; gives the result to send back if it was the secondary that asked. */
  handleCompared(token: number, compared: number, different: number): ProofResult | undefined {
    const end = this.ended.get(token)
    if (end === undefined) return undefined
    this.ended.delete(token)
    const { running, epoch, sequence } = end
    if (running.peerToken !== undefined) {
      return { token: running.peerToken, equal: different === 0, segments: compared, epoch, sequence }
    }
    this.report(token, { equal: different === 0, position: { epoch, sequence }, segments: compared })
    return undefined
  }

  /** This secondary asked the primary. */
  handleAsked(token: number): void {
    this.asked.add(token)
  }

  /** The primary's answer to this secondary's question. */
  handleResult(result: ProofResult): void {
    if (!this.asked.delete(result.token)) return
    const { epoch, sequence } = result
    this.report(result.token, {
      equal: result.equal,
      position: { epoch, sequence },
      segments: result.segments,
    })
  }

  /** Nothing that runs can be finished any more; gives this node's own questions among it. */
  reset(): number[] {
    const own = this.giveUp()
    this.queue = []
    this.ended.clear()
    return own
  }

  /**
   * This node's own questions are given up, and returned. The peer's go on: a peer that was only deaf for a while is in
   * the same attachment still and waits for its answers.
   */
  giveUp(): number[] {
    const running = [...this.queue, ...[...this.ended.values()].map((end) => end.running)]
    const own = running.filter((one) => one.peerToken === undefined).map((one) => one.token)
    const given = [...this.asked, ...own]
    this.queue = this.queue.filter((one) => one.peerToken !== undefined)
    for (const token of own) this.ended.delete(token)
    this.asked.clear()
    return given
  }
}
