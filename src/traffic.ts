// What goes between the two application threads, as frames: counted as they change hands with the sync thread, so that
// neither a write nor the wire pays for it.
import type { FromSync, ToSync } from './core/messages.ts'
import { type Histogram, Spread } from './histogram.ts'
import { FRAME_TYPE_OFFSET, FrameType } from './wire/constants.ts'

/** Frames of one direction since the start. A frame counts once, whatever links it goes on. */
export interface StreamTraffic {
  /** Batches of changes, bytes each with its header. */
  readonly batchBytes: Histogram
  /** Other frames, of comparing, repairing and proving. */
  readonly otherFrames: number
  readonly otherBytes: number
}

const BOUNDS_BYTES = [64, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576]

class Direction {
  private readonly batches = new Spread(BOUNDS_BYTES)
  private otherFrames = 0
  private otherBytes = 0

  add(frame: Uint8Array): void {
    const type = frame[FRAME_TYPE_OFFSET]
    if (type === FrameType.BATCH || type === FrameType.PARTIAL) this.batches.add(frame.length)
    else {
      this.otherFrames++
      this.otherBytes += frame.length
    }
  }

  read(): StreamTraffic {
    return { batchBytes: this.batches.read(), otherFrames: this.otherFrames, otherBytes: this.otherBytes }
  }
}

export class Traffic {
  private readonly sent = new Direction()
  private readonly received = new Direction()

  /** Before the frames change hands. */
  handleSent(messages: readonly ToSync[]): void {
    for (const message of messages) if (message.type === 'frame') this.sent.add(message.frame)
  }

  handleReceived(messages: readonly FromSync[]): void {
    for (const message of messages) if (message.type === 'frame') this.received.add(message.frame)
  }

  read(): { readonly sent: StreamTraffic; readonly received: StreamTraffic } {
    return { sent: this.sent.read(), received: this.received.read() }
  }
}
