// What a table has sent and applied, and how long that took: read now and then, counted once a batch.
import { type Histogram, Spread } from '../histogram.ts'
import type { Engine } from './engine.ts'

/** Changes of sessions in batches. */
export interface ChangeCounts {
  /** New ones, and ones that went whole. */
  readonly create: number
  readonly update: number
  readonly delete: number
}

/** What passed between a table and the other node since the start, without what a comparison brought. */
export interface TableTraffic {
  /** Primary: put into batches. */
  readonly sent: ChangeCounts
  /** Secondary: applied from batches. */
  readonly received: ChangeCounts
  /** Taking the changes of one flush, ms. */
  readonly flushMs: Histogram
  /** Checking and applying the changes of one batch, ms; also applying an image. */
  readonly applyMs: Histogram
  /** One slice of removing expired sessions, ms. */
  readonly sweepMs: Histogram
}

const BOUNDS_MS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 50]

export class TableMeter {
  private readonly engine: Engine
  private readonly flush = new Spread(BOUNDS_MS)
  private apply = new Spread(BOUNDS_MS)
  private readonly sweep = new Spread(BOUNDS_MS)
  /** What a snapshot brought before the start. */
  private loaded: ChangeCounts = { create: 0, update: 0, delete: 0 }
  /** Of what is staged and not committed. */
  private stagedMs = 0

  constructor(engine: Engine) {
    this.engine = engine
  }

  /** What was applied so far came from a file. */
  begin(): void {
    this.loaded = this.taken()
    this.apply = new Spread(BOUNDS_MS)
  }

  encoded(length: number, begun: number): void {
    if (length > 0) this.flush.add(performance.now() - begun)
  }

  staged(begun: number): void {
    this.stagedMs = performance.now() - begun
  }

  committed(begun: number): void {
    this.apply.add(this.stagedMs + performance.now() - begun)
    this.stagedMs = 0
  }

  swept(begun: number): void {
    this.sweep.add(performance.now() - begun)
  }

  read(): TableTraffic {
    const { core } = this.engine
    const taken = this.taken()
    const { loaded } = this
    return {
      sent: { create: core.sentCreates(), update: core.sentUpdates(), delete: core.sentDeletes() },
      received: {
        create: taken.create - loaded.create,
        update: taken.update - loaded.update,
        delete: taken.delete - loaded.delete,
      },
      flushMs: this.flush.read(),
      applyMs: this.apply.read(),
      sweepMs: this.sweep.read(),
    }
  }

  private taken(): ChangeCounts {
    const { core } = this.engine
    return { create: core.takenCreates(), update: core.takenUpdates(), delete: core.takenDeletes() }
  }
}
