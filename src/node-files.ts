// What a running node keeps in its state directory besides epochs: snapshots of its tables, each interval and at its end.
import type { Replica } from './core/replica.ts'
import { SnapshotTaker } from './core/snapshot-taker.ts'
import { StateError } from './errors.ts'
import { monotonicMs } from './io/clock.ts'
import type { Prepared } from './prepared.ts'
import type { Settings } from './settings.ts'
import { SnapshotKeeper } from './state/snapshot-keeper.ts'
import type { Written } from './state/snapshot-writer.ts'
import type { SnapshotStatus } from './status.ts'

export class NodeFiles {
  /** The last snapshot written, or the one this node started from. */
  snapshot: SnapshotStatus | null
  private readonly prepared: Prepared
  private readonly settings: Settings
  private readonly report: (error: Error) => void
  private readonly keeper: SnapshotKeeper | undefined

  constructor(prepared: Prepared, settings: Settings, replica: Replica, report: (error: Error) => void) {
    this.prepared = prepared
    this.settings = settings
    this.report = report
    const { state, restored, entries } = prepared
    const { standings } = replica
    if (restored !== undefined) {
      standings.handleLoaded(restored, monotonicMs())
      replica.handleTime(monotonicMs())
    }
    this.snapshot = restored === undefined ? null : statusOf(restored, restored.bytes)
    if (state === undefined || settings.snapshot === undefined) return
    const tables = entries.map(({ table }) => table)
    const described = tables.map(({ name, capacity, arenaBytes, schema }) => {
      return { name, capacity, arena: arenaBytes, schema }
    })
    this.keeper = new SnapshotKeeper(state, described, settings.snapshot.intervalMs, {
      begin: () =>
        standings.isOne
          ? new SnapshotTaker(tables, () => {
              const standing = standings.settle(monotonicMs())
              replica.onWork?.()
              return standing
            })
          : undefined,
      moment: (lineage) => ({ ...standings.moment(lineage, monotonicMs()), date: Date.now() }),
      written: (written, tookMs) => this.handleWritten(written, tookMs),
      failed: (message) => report(new StateError(message)),
    })
  }

  /** Tells what was found at the start. */
  tell(): void {
    const { unusable, restored } = this.prepared
    if (unusable !== undefined) this.report(unusable)
    if (restored === undefined) return
    this.settings.logger.info(
      { ...this.snapshot },
      `loaded a snapshot of ${this.snapshot?.sessions} sessions`,
    )
  }

  private handleWritten({ end, bytes, sliceMs }: Written, tookMs: number): void {
    this.snapshot = statusOf(end, bytes)
    const details = { ...this.snapshot, sliceMs, tookMs }
    this.settings.logger.info(details, `wrote a snapshot of ${this.snapshot.sessions} sessions`)
  }

  /** The node has ended: the last snapshot, then the directory is free. */
  async end(): Promise<void> {
    await this.keeper?.end()
    await this.prepared.state?.close().catch((error: Error) => this.report(error))
  }
}

function statusOf(end: Written['end'], bytes: number): SnapshotStatus {
  const { date, standing, sessions } = end
  const { epoch, sequence } = standing
  return { at: date, position: { epoch, sequence }, sessions: sessions.reduce((a, b) => a + b, 0), bytes }
}
