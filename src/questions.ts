// What an application waits for: that its writes are held, a proof, a request, readiness. Each answer comes as an event
// of the replica or a message of the sync thread; here it becomes the settling of a promise, with the right error.
import type { FromSync } from './core/messages.ts'
import type { VerifyResult } from './core/verifications.ts'
import type { Alone, HeldOutcome } from './core/waiters.ts'
import { Pending } from './deferred.ts'
import {
  ClosedError,
  HandoverError,
  IdentityError,
  NotPrimaryError,
  NotProtectedError,
  PromoteError,
  VerifyError,
} from './errors.ts'

export class Questions {
  private readonly id: string
  private readonly peer: string
  private readonly holds = new Pending<{ held: boolean }>()
  /** Groups of `replicated({ alone: 'resolve' })`. */
  private readonly contentAlone = new Set<number>()
  private readonly proofs = new Pending<VerifyResult>()
  private readonly resyncs = new Pending<void>()
  private readonly requests = new Pending<void>()
  /** Requests for a handover that are open, and whether the role was handed over since. */
  private readonly handovers = new Map<number, { handedOver: boolean }>()
  private readonly readiness = new Pending<void>()
  private requestNumber = 0
  /** Why there will be no answers any more. */
  private ended: Error | undefined

  constructor(id: string, peer: string) {
    this.id = id
    this.peer = peer
  }

  /** `group` as Replica.replicated gave it: one promise for each. */
  held(alone: Alone, ask: () => number): Promise<{ held: boolean }> {
    if (this.ended !== undefined) return Promise.reject(this.ended)
    const group = ask()
    if (alone === 'resolve') this.contentAlone.add(group)
    return this.holds.get(group)
  }

  settleHeld(group: number, outcome: HeldOutcome): void {
    const { holds, id, peer } = this
    const contentAlone = this.contentAlone.delete(group)
    if (outcome === 'held') holds.resolve(group, { held: true })
    else if (outcome === 'alone' && contentAlone) holds.resolve(group, { held: false })
    else if (outcome === 'alone') {
      const what = `node '${peer}' is not synced; wait for it with { alone: 'wait' }, or go on with { alone: 'resolve' }`
      holds.reject(group, new NotProtectedError(what))
    } else if (outcome === 'not-primary') {
      holds.reject(group, new NotPrimaryError(`node '${id}' is not primary; wait for its role event`))
    } else holds.reject(group, this.ended ?? this.closed())
  }

  proof(ask: () => number): Promise<VerifyResult> {
    return this.ended !== undefined ? Promise.reject(this.ended) : this.proofs.get(ask())
  }

  settleProof(token: number, result: VerifyResult | undefined): void {
    if (result !== undefined) {
      this.proofs.resolve(token, result)
      return
    }
    const { id, peer } = this
    const what = `node '${id}' and node '${peer}' are not a synced pair now; wait for status().synced or .protected`
    this.proofs.reject(token, this.ended ?? new VerifyError(what))
  }

  resync(ask: () => number): Promise<void> {
    return this.ended !== undefined ? Promise.reject(this.ended) : this.resyncs.get(ask())
  }

  settleResync(token: number, done: boolean): void {
    if (done) {
      this.resyncs.resolve(token, undefined)
      return
    }
    const { id, peer } = this
    const what = `node '${id}' and node '${peer}' are no pair now; wait for status().synced or .protected, then call it again`
    this.resyncs.reject(token, this.ended ?? new NotProtectedError(what))
  }

  /** Something the sync thread is asked for, under a new number. */
  request(ask: (request: number) => void): Promise<void> {
    if (this.ended !== undefined) return Promise.reject(this.ended)
    const request = ++this.requestNumber
    ask(request)
    return this.requests.get(request)
  }

  handover(ask: (request: number) => void): Promise<void> {
    return this.request((request) => {
      this.handovers.set(request, { handedOver: false })
      ask(request)
    })
  }

  /** The peer was granted the role. The answer comes when it is heard as primary, or never if this node is closed first. */
  noteHandedOver(): void {
    for (const handover of this.handovers.values()) handover.handedOver = true
  }

  settleRequest({ request, error }: Extract<FromSync, { type: 'result' }>): void {
    this.handovers.delete(request)
    if (error === undefined) this.requests.resolve(request, undefined)
    else if (error.code === 'ERR_HANDOVER') this.requests.reject(request, new HandoverError(error.message))
    else if (error.code === 'ERR_PROMOTE') this.requests.reject(request, new PromoteError(error.message))
    else if (error.code === 'ERR_IDENTITY') this.requests.reject(request, new IdentityError(error.message))
    else this.requests.reject(request, this.closed())
  }

  /** Throws when the node has ended. */
  demandOpen(): void {
    if (this.ended !== undefined) throw this.ended
  }

  /** What needs nothing of the sync thread but that there is one. */
  unlessEnded<Value>(ask: () => Promise<Value>): Promise<Value> {
    return this.ended !== undefined ? Promise.reject(this.ended) : ask()
  }

  ready(isReady: boolean): Promise<void> {
    if (this.ended !== undefined) return Promise.reject(this.ended)
    return isReady ? Promise.resolve() : this.readiness.get(0)
  }

  settleReady(): void {
    this.readiness.resolve(0, undefined)
  }

  /** No question asked from here on has an answer; `settle…` still gives those that are known. */
  end(failure: Error | undefined): void {
    this.ended = failure ?? this.closed()
  }

  /** Whatever still waits, waits in vain; except for a handover that has happened. */
  rejectRest(): void {
    for (const [request, { handedOver }] of this.handovers) {
      if (handedOver) this.requests.resolve(request, undefined)
    }
    this.handovers.clear()
    const { ended = this.closed() } = this
    const { holds, proofs, resyncs, requests, readiness } = this
    for (const pending of [holds, proofs, resyncs, requests, readiness]) pending.rejectAll(ended)
  }

  private closed(): ClosedError {
    return new ClosedError(`node '${this.id}' is closed; create a new one`)
  }
}
