// Frames of a primary on their way: which are not acknowledged as received, which not as applied, and what they take.
import type { Ack } from '../wire/control.ts'
import { FRAME_COST_BYTES } from './options.ts'

interface Sent {
  readonly sequence: number
  readonly bytes: number
  readonly at: number
  /** A batch, and not of a backlog. */
  readonly isLive: boolean
  /** Older changes were unsent after this frame. */
  readonly partial: boolean
}

export class InFlight {
  /** Not yet applied, oldest first. */
  private frames: Sent[] = []
  /** Of these, received. */
  private received = 0
  /** Memory of frames not yet received: their buffers and what comes with each. */
  outstandingBytes = 0
  /** Live batches not yet received. */
  outstandingBatches = 0
  /** Frames not yet applied after which older changes were unsent. */
  private partial = 0
  /** At the last frame applied the secondary lacked a part of a backlog. */
  lacksBacklog = false

  reset(): void {
    this.frames = []
    this.received = 0
    this.outstandingBytes = 0
    this.outstandingBatches = 0
    this.partial = 0
    this.lacksBacklog = false
  }

  push(sequence: number, bufferBytes: number, at: number, isLive: boolean, partial: boolean): void {
    const bytes = bufferBytes + FRAME_COST_BYTES
    this.frames.push({ sequence, bytes, at, isLive, partial })
    this.outstandingBytes += bytes
    if (isLive) this.outstandingBatches++
    if (partial) this.partial++
  }

  handleAck(ack: Ack): void {
    while (this.received < this.frames.length) {
      const frame = this.frames[this.received]!
      if (frame.sequence > ack.received) break
      this.outstandingBytes -= frame.bytes
      if (frame.isLive) this.outstandingBatches--
      this.received++
    }
    let applied = 0
    while (applied < this.received && this.frames[applied]!.sequence <= ack.applied) {
      if (this.frames[applied]!.partial) this.partial--
      applied++
    }
    if (applied > 0) this.lacksBacklog = this.frames[applied - 1]!.partial
    this.frames.splice(0, applied)
    this.received -= applied
  }

  /** The secondary holds, or is about to hold, a mix until the rest of a backlog has come. */
  get bringsBacklog(): boolean {
    return this.partial > 0 || this.lacksBacklog
  }

  /** Frames not applied, and the age of the oldest, ms. */
  lag(now: number): { batches: number; ms: number } {
    const oldest = this.frames[0]
    return { batches: this.frames.length, ms: oldest === undefined ? 0 : Math.max(0, now - oldest.at) }
  }
}
