// What a node says of itself must be true: protected, synced, and the bounds of its memory. Looked at again and again;
// what is wrong may be so for as long as news can take, not longer.
import { FLUSH_ROOM_BYTES, IMAGE_ROOM_BYTES } from '../../src/core/feeder.ts'
import { LINK_BYTES_MAX } from '../../src/core/options.ts'
import type { DataChecks } from './data-checks.ts'
import { inside } from './inside.ts'
import type { SimProcess } from './process.ts'
import { Violation } from './world.ts'

/** The longest frame a table of the simulator can fill. */
const FRAME_MAX = 300_000

export class Labels {
  private readonly data: DataChecks
  /** How long a label may outlive its truth, ms. */
  private readonly toleranceMs: number
  private readonly falseSince = new Map<string, number>()
  /** Most bytes not acknowledged that any process ever held. */
  outstandingMax = 0

  constructor(data: DataChecks, toleranceMs: number) {
    this.data = data
    this.toleranceMs = toleranceMs
  }

  check(process: SimProcess, peer: SimProcess | undefined): void {
    this.checkMemory(process)
    if (process.app.isBlocked || process.thread.isBlocked) return
    if (process.isSpoilt || peer?.isSpoilt) return
    this.demand(process, 'protected', process.replica.isProtected, this.isProtected(process, peer))
    this.demand(process, 'synced', process.replica.isSynced, this.isSynced(process, peer))
  }

  private demand(process: SimProcess, label: string, shown: boolean, isTrue: boolean): void {
    const name = `${process.incarnation} ${label}`
    if (!shown || isTrue) {
      this.falseSince.delete(name)
      return
    }
    const { now } = process.world
    const since = Math.max(this.falseSince.get(name) ?? now, process.app.wokeAt, process.thread.wokeAt)
    this.falseSince.set(name, since)
    if (now - since <= this.toleranceMs) return
    throw new Violation(`${process.name} has said ${label} for ${(now - since).toFixed(0)} ms and is not`)
  }

  /** The peer holds a state of this very reign. */
  private isProtected(process: SimProcess, peer: SimProcess | undefined): boolean {
    if (peer === undefined || process.core.state.role !== 'primary') return false
    const origin = this.data.originOf(peer)
    return (
      origin.type !== 'empty' &&
      origin.reign.incarnation === process.incarnation &&
      origin.reign.epoch === process.core.state.epoch &&
      peer.tables.every((table) => table.awaited === 0)
    )
  }

  /** The peer leads the reign whose state this process holds, or has just granted it away and nobody leads yet. */
  private isSynced(process: SimProcess, peer: SimProcess | undefined): boolean {
    const origin = this.data.originOf(process)
    if (peer === undefined || origin.type !== 'state' || origin.reign.incarnation !== peer.incarnation)
      return false
    const { role, epoch, granted } = peer.core.state
    return origin.reign.epoch === epoch && (role === 'primary' || granted > epoch)
  }

  private checkMemory(process: SimProcess): void {
    const { outstandingBytes, unflushedBytes } = inside(process.core)
    this.outstandingMax = Math.max(this.outstandingMax, outstandingBytes)
    if (outstandingBytes > FLUSH_ROOM_BYTES + IMAGE_ROOM_BYTES + FRAME_MAX) {
      throw new Violation(`${process.name} keeps ${outstandingBytes} bytes that are not acknowledged`)
    }
    if (unflushedBytes > LINK_BYTES_MAX + FRAME_MAX) {
      throw new Violation(`${process.name} has ${unflushedBytes} bytes waiting on one link`)
    }
  }
}
