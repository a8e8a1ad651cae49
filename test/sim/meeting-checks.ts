// Of two primaries with histories of their own one gives way, and never both, each for the other.
import type { FromSync } from '../../src/core/messages.ts'
import type { SimProcess } from './process.ts'
import { Violation } from './world.ts'

/** A process gave up a lineage while the other node led another one. */
interface Given {
  readonly process: SimProcess
  readonly from: string
  readonly to: string
}

export class MeetingChecks {
  private last: Given | undefined

  /** The core says that its role has changed; `peer` runs on the other node. */
  handleRole(
    process: SimProcess,
    message: Extract<FromSync, { type: 'role' }>,
    peer: SimProcess | undefined,
  ): void {
    const { last } = this
    // Whoever leads, leads with what it has: what was given up before is settled.
    if (message.role === 'primary') this.last = undefined
    if (message.role !== 'secondary' || message.reason !== 'older-lineage' || peer === undefined) return
    const to = peer.core.state.lineage
    const isCrossed = last?.process === peer && last.from === to && last.to === message.lineage
    if (isCrossed && process.core.peer.incarnation === peer.incarnation) {
      throw new Violation(`${process.name} and ${peer.name} have both stepped down, each for the other`)
    }
    this.last = { process, from: message.lineage, to }
    process.world.count('gave way to another lineage')
  }
}
