// When snapshots are taken: each interval, and once at the end. A snapshot that cannot be taken leaves the one before.
import { clearInterval, setInterval } from 'node:timers'
import type { SnapshotTaker } from '../core/snapshot-taker.ts'
import type { StatePlace } from './directory.ts'
import type { SnapshotTableInfo } from './snapshot-format.ts'
import { type Moment, type Written, writeSnapshot } from './snapshot-writer.ts'

export interface SnapshotHost {
  /** Undefined: the tables are no complete state now. */
  begin(): SnapshotTaker | undefined
  moment(lineage: string): Moment
  written(written: Written, tookMs: number): void
  /** Told once until one succeeds. */
  failed(message: string): void
}

export class SnapshotKeeper {
  private readonly place: StatePlace
  private readonly tables: readonly SnapshotTableInfo[]
  private readonly host: SnapshotHost
  private readonly timer: NodeJS.Timeout
  private running: Promise<void> | undefined
  private ending = false
  private hasFailed = false

  constructor(
    place: StatePlace,
    tables: readonly SnapshotTableInfo[],
    intervalMs: number,
    host: SnapshotHost,
  ) {
    this.place = place
    this.tables = tables
    this.host = host
    this.timer = setInterval(() => void this.take(), intervalMs)
    this.timer.unref()
  }

  /** Takes one, unless one is being taken. */
  private take(): Promise<void> {
    this.running ??= this.write().finally(() => {
      this.running = undefined
    })
    return this.running
  }

  private async write(): Promise<void> {
    const taker = this.host.begin()
    if (taker === undefined) return
    const since = performance.now()
    try {
      const written = await writeSnapshot(
        this.place,
        this.tables,
        taker,
        (lineage) => this.host.moment(lineage),
        () => this.ending,
      )
      this.hasFailed = false
      this.host.written(written, performance.now() - since)
    } catch (error) {
      const { message } = error as Error
      if (!this.hasFailed) {
        this.host.failed(`stateDir: no snapshot was written in ${this.place.directory}: ${message}`)
      }
      this.hasFailed = true
    } finally {
      taker.stop()
    }
  }

  /** The tables do not change any more: takes the last one. */
  async end(): Promise<void> {
    clearInterval(this.timer)
    this.ending = true
    await this.running
    await this.take()
  }
}
