// Who waits for a `resync()`: asked on this node, it is done when everything was compared and the secondary is synced.
// One at a time, shared by all who ask while it runs. Never ends by time.

/** How far a pair is with becoming equal. */
export interface ResyncProgress {
  /** 'full': by comparing segments of 1024 record ids; 'difference': by sending the records that either node changed. */
  readonly mode: 'full' | 'difference'
  /** Segments, or records, that are still to come. */
  readonly left: number
  /** Of so many. */
  readonly of: number
}

export class Resyncs {
  private tokens = 0
  private running: number | undefined
  private readonly settle: (token: number, done: boolean) => void

  /** `settle`: the answer to a token; `done` is false when the pair parted before it was. */
  constructor(settle: (token: number, done: boolean) => void) {
    this.settle = settle
  }

  get isRunning(): boolean {
    return this.running !== undefined
  }

  /** The one that runs, or a new one. */
  join(): number {
    this.running ??= ++this.tokens
    return this.running
  }

  handleDone(): void {
    this.end(true)
  }

  /** There is no pair, or its roles changed. */
  handleParted(): void {
    this.end(false)
  }

  private end(done: boolean): void {
    const token = this.running
    this.running = undefined
    if (token !== undefined) this.settle(token, done)
  }
}
