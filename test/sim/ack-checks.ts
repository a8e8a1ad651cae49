// A secondary acknowledges what it has and nothing else: frames its sync thread has passed on, frames its tables have
// taken, the segments it really awaits; and nothing new while its application thread stands still.
import type { Action } from '../../src/core/actions.ts'
import type { FromSync } from '../../src/core/messages.ts'
import { ACK, ackOf, attachOf, epochOf, RESYNC, REVERSE, sequenceOf, typeOf } from './frames.ts'
import type { SimProcess } from './process.ts'
import { Violation } from './world.ts'

interface Taken {
  readonly epoch: number
  readonly attach: number
  /** Passed on by the sync thread. */
  received: number
  /** Acknowledged so far. */
  acknowledged: number
  /** Taken by the replica; what was awaited after each frame. */
  applied: number
  readonly awaited: Map<number, number>
  /** Nothing was awaited at some point of the attachment. */
  wasComplete: boolean
}

export class AckChecks {
  private readonly taken = new Map<SimProcess, Taken>()
  /** Primaries, and the last acknowledgement they counted. */
  private readonly heard = new Map<
    SimProcess,
    Extract<FromSync, { type: 'ack' }> & { readonly epoch: number }
  >()

  handleGone(process: SimProcess): void {
    this.taken.delete(process)
    this.heard.delete(process)
  }

  handleActions(process: SimProcess, actions: readonly Action[]): void {
    for (const action of actions) {
      if (action.type === 'post' && action.message.type === 'frame')
        this.handlePassedOn(process, action.message)
      else if (action.type === 'post' && action.message.type === 'ack')
        this.handleHeard(process, action.message)
      else if (action.type === 'send' && typeOf(action.bytes) === ACK) this.handleAck(process, action.bytes)
    }
    this.demandIncomplete(process)
  }

  /** A secondary is complete in an attachment once its tables have awaited nothing in it, not because they once did. */
  private demandIncomplete(process: SimProcess): void {
    const { role, complete, epoch } = process.core.state
    const taken = this.taken.get(process)
    if (!complete || role !== 'secondary' || taken?.epoch !== epoch || taken.wasComplete) return
    throw new Violation(`${process.name} says complete in an attachment in which it never was`)
  }

  /** A primary tells its application thread what the secondary has: of one attachment never less than before. */
  private handleHeard(process: SimProcess, ack: Extract<FromSync, { type: 'ack' }>): void {
    const { epoch } = process.core.state
    const last = this.heard.get(process)
    this.heard.set(process, { ...ack, epoch })
    if (last?.epoch !== epoch || last.attach !== ack.attach) return
    if (ack.received >= last.received && ack.applied >= last.applied) return
    throw new Violation(
      `${process.name} hears ${ack.received}/${ack.applied} acknowledged after ${last.received}/${last.applied}`,
    )
  }

  private handlePassedOn(process: SimProcess, { frame }: Extract<FromSync, { type: 'frame' }>): void {
    if (typeOf(frame) >= REVERSE) return
    const [epoch, attach, sequence] = [epochOf(frame), attachOf(frame), sequenceOf(frame)]
    if (typeOf(frame) === RESYNC) {
      const before = sequence - 1
      const awaited = new Map<number, number>()
      this.taken.set(process, {
        epoch,
        attach,
        received: before,
        acknowledged: 0,
        applied: before,
        awaited,
        wasComplete: false,
      })
    }
    const taken = this.taken.get(process)
    if (taken?.epoch !== epoch || taken.attach !== attach || sequence !== taken.received + 1) {
      throw new Violation(`${process.name} passes on frame ${sequence} after ${taken?.received}`)
    }
    taken.received = sequence
  }

  /** What a process has of the reign of this epoch, in its last attachment. */
  takenBy(process: SimProcess, epoch: number): { received: number; wasComplete: boolean } | undefined {
    const taken = this.taken.get(process)
    return taken?.epoch === epoch ? taken : undefined
  }

  /** What a process has of the attachment a frame belongs to. */
  private of(process: SimProcess, frame: Uint8Array): Taken | undefined {
    const taken = this.taken.get(process)
    return taken?.epoch === epochOf(frame) && taken.attach === attachOf(frame) ? taken : undefined
  }

  /** The replica has taken a frame. */
  handleApplied(process: SimProcess, frame: Uint8Array): void {
    const taken = this.of(process, frame)
    if (taken === undefined) return
    taken.applied = sequenceOf(frame)
    let awaited = 0
    for (const table of process.tables) awaited += table.awaited
    taken.awaited.set(taken.applied, awaited)
    if (awaited === 0) taken.wasComplete = true
  }

  private handleAck(process: SimProcess, frame: Uint8Array): void {
    const taken = process.core.state.role === 'secondary' ? this.of(process, frame) : undefined
    if (taken === undefined) return
    const { received, applied, awaited } = ackOf(frame)
    if (received > taken.received || applied > taken.applied) {
      throw new Violation(
        `${process.name} acknowledges ${received}/${applied}, has ${taken.received}/${taken.applied}`,
      )
    }
    if (awaited === 0 && taken.awaited.get(applied) !== 0) {
      throw new Violation(`${process.name} acknowledges ${applied} with nothing awaited, which is not so`)
    }
    for (const sequence of taken.awaited.keys()) {
      if (sequence >= applied) break
      taken.awaited.delete(sequence)
    }
    if (received > taken.acknowledged) this.demandProgress(process, received)
    taken.acknowledged = received
  }

  private demandProgress(process: SimProcess, received: number): void {
    const { app, thread, plan, world } = process
    if (!app.isBlocked || thread.wokeAt > app.blockedSince) return
    const standsMs = world.now - app.blockedSince
    const { stallTimeoutMs, interval } = plan.core
    if (standsMs <= stallTimeoutMs * 1.02 + 3 * interval) return
    throw new Violation(
      `${process.name} acknowledges ${received} with its application thread still for ${standsMs.toFixed(0)} ms`,
    )
  }
}
