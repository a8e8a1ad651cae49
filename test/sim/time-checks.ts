// Table time never goes back, but for the one way there is: an attachment begins, and the secondary lives by its
// primary's time from then on.
import type { FromSync } from '../../src/core/messages.ts'
import { RESYNC, typeOf } from './frames.ts'
import type { SimProcess } from './process.ts'
import { Violation } from './world.ts'

export class TimeChecks {
  private readonly latest = new WeakMap<SimProcess, number[]>()

  /** The replica has taken a message. */
  handleMessage(process: SimProcess, message: FromSync): void {
    const isAdopted = message.type === 'frame' && typeOf(message.frame) === RESYNC
    if (isAdopted) this.latest.delete(process)
    this.handleTurn(process)
  }

  handleTurn(process: SimProcess): void {
    const ticks = process.tables.map((table) => table.ticks)
    const before = this.latest.get(process)
    this.latest.set(process, ticks)
    const table = before?.findIndex((was, i) => ticks[i]! < was) ?? -1
    if (table < 0) return
    throw new Violation(`${process.name}: table time fell from ${before![table]} to ${ticks[table]}`)
  }
}
