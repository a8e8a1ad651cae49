// A reign is given away whole: when it is offered its gate is shut and everything written is in frames up to the position
// offered; and who takes it over has all of that.
import type { Action } from '../../src/core/actions.ts'
import { OFFER, payloadByte, payloadU53, typeOf } from './frames.ts'
import type { Reign } from './history.ts'
import type { SimProcess } from './process.ts'
import { Violation } from './world.ts'

/** The reason of an offer that was not preceded by a last flush (docs/PROTOCOL.md section 9). */
const PEER_STALLED = 8
const REASON_AT = 8

/** Number of the reason. */
const CHOSEN = 22

export class HandoverChecks {
  private readonly reignOf: (process: SimProcess) => Reign | undefined

  /** `reignOf`: the reign in which a process's application may write now. */
  constructor(reignOf: (process: SimProcess) => Reign | undefined) {
    this.reignOf = reignOf
  }

  handleActions(process: SimProcess, actions: readonly Action[]): void {
    for (const action of actions) {
      if (action.type === 'send' && typeOf(action.bytes) === OFFER) this.handleOffer(process, action.bytes)
    }
  }

  private handleOffer(process: SimProcess, frame: Uint8Array): void {
    // After a split the other side is offered the role for what it holds itself: nothing has to stand still for that.
    if (payloadByte(frame, 8) === CHOSEN) return
    if (process.core.state.open) throw new Violation(`${process.name} offers its reign with its gate open`)
    const reign = this.reignOf(process)
    if (reign === undefined || payloadByte(frame, REASON_AT) === PEER_STALLED) return
    const position = payloadU53(frame, 0)
    const unsent = reign.log.length - (reign.marks.get(position)?.length ?? 0)
    if (unsent > 0)
      throw new Violation(`${process.name} offers position ${position} with ${unsent} writes unsent`)
  }

  /** A process becomes primary with the state of a reign at a position. */
  demandWhole(process: SimProcess, reason: string, reign: Reign, sequence: number): void {
    if (reason !== 'handover') return
    const lost = reign.log.length - (reign.marks.get(sequence)?.length ?? 0)
    if (lost > 0) throw new Violation(`${process.name}: a handover loses ${lost} writes`)
  }
}
