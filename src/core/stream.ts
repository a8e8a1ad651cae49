// One sequence over both links. The sending half keeps every frame until the peer has acknowledged it and remembers,
// per link, how far that link has got; a slow or dead link never holds back the other. The receiving half takes the
// first copy of each frame. Same idea as IEC 62439-3 (PRP) and IEEE 802.1CB (FRER), on ordered streams: each link
// delivers in order, so a copy is new, known, or proof that the peer broke the protocol.

const NOT_OPEN = -1

export class SendStream {
  /** Frames not yet acknowledged: sequences base .. base + frames.length - 1. */
  private frames: Uint8Array[] = []
  private base = 1
  /** Next sequence to send on each link; NOT_OPEN while it may not send. */
  private readonly cursors = [NOT_OPEN, NOT_OPEN]
  /** Bytes of frames kept. */
  outstandingBytes = 0

  /** Forgets everything; the next frame has this sequence. Links must be opened again. */
  reset(next: number): void {
    this.frames = []
    this.base = next
    this.outstandingBytes = 0
    this.cursors.fill(NOT_OPEN)
  }

  /** Sequence of the last frame pushed. */
  get last(): number {
    return this.base + this.frames.length - 1
  }

  /** Highest sequence acknowledged. */
  get acknowledged(): number {
    return this.base - 1
  }

  push(sequence: number, frame: Uint8Array): void {
    if (sequence !== this.last + 1) throw new Error(`frame ${sequence} after ${this.last}`)
    this.frames.push(frame)
    this.outstandingBytes += frame.length
  }

  /** The peer holds everything up to `received`. Returns false for a number never sent. */
  handleAck(received: number): boolean {
    if (received > this.last) return false
    const count = received - this.base + 1
    if (count <= 0) return true
    for (let i = 0; i < count; i++) this.outstandingBytes -= this.frames[i]!.length
    this.frames.splice(0, count)
    this.base += count
    return true
  }

  /** A link may send from the first frame the peer lacks. */
  open(link: number): void {
    this.cursors[link] = this.base
  }

  close(link: number): void {
    this.cursors[link] = NOT_OPEN
  }

  /** Something is not acknowledged. */
  get isWaiting(): boolean {
    return this.frames.length > 0
  }

  /** The next frame for a link; frames the peer has acknowledged meanwhile are skipped. */
  poll(link: number): Uint8Array | undefined {
    const cursor = this.cursors[link]!
    if (cursor === NOT_OPEN) return undefined
    const sequence = Math.max(cursor, this.base)
    const frame = this.frames[sequence - this.base]
    if (frame === undefined) return undefined
    this.cursors[link] = sequence + 1
    return frame
  }
}

export type Copy = 'new' | 'known' | 'gap'

export class ReceiveStream {
  /** Last sequence received without a gap. */
  received = 0

  /** Everything up to `received` counts as known. */
  reset(received: number): void {
    this.received = received
  }

  accept(sequence: number): Copy {
    if (sequence <= this.received) return 'known'
    if (sequence !== this.received + 1) return 'gap'
    this.received = sequence
    return 'new'
  }
}
