// Frames of a primary on their way: which are not acknowledged as received, which not as applied.
import type { Ack } from '../wire/control.ts'

export class InFlight {
  /** Not yet applied, oldest first. */
  private frames: { sequence: number; bytes: number; at: number }[] = []
  /** Of these, received. */
  private received = 0
  /** Bytes of frames not yet received. */
  outstandingBytes = 0

  reset(): void {
    this.frames = []
    this.received = 0
    this.outstandingBytes = 0
  }

  push(sequence: number, bytes: number, at: number): void {
    this.frames.push({ sequence, bytes, at })
    this.outstandingBytes += bytes
  }

  handleAck(ack: Ack): void {
    while (this.received < this.frames.length) {
      const frame = this.frames[this.received]!
      if (frame.sequence > ack.received) break
      this.outstandingBytes -= frame.bytes
      this.received++
    }
    let applied = 0
    while (applied < this.received && this.frames[applied]!.sequence <= ack.applied) applied++
    this.frames.splice(0, applied)
    this.received -= applied
  }

  /** Frames not applied, and the age of the oldest, ms. */
  lag(now: number): { batches: number; ms: number } {
    const oldest = this.frames[0]
    return { batches: this.frames.length, ms: oldest === undefined ? 0 : Math.max(0, now - oldest.at) }
  }
}
