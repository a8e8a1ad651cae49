// Writes the epoch file for a running core: one write at a time, always the latest wish, tried again while the disk
// refuses. The writing itself is done by the runtime's own threads, so neither heartbeats nor calls wait for a disk.
import { clearTimeout, setTimeout } from 'node:timers'
import type { StatePlace } from './directory.ts'
import { writeEpoch } from './epoch-file.ts'

const RETRY_MS = 1_000

export interface KeeperOutput {
  reserved(epoch: number): void
  /** A write failed; it is tried again. Told once until one succeeds. */
  failed(message: string): void
}

export class EpochKeeper {
  private readonly place: StatePlace
  private readonly output: KeeperOutput
  private wanted = 0
  private written = 0
  private writing = false
  private hasFailed = false
  private retry: NodeJS.Timeout | undefined

  constructor(place: StatePlace, output: KeeperOutput) {
    this.place = place
    this.output = output
  }

  reserve(epoch: number): void {
    if (epoch > this.wanted) this.wanted = epoch
    if (!this.writing && this.retry === undefined) void this.write()
  }

  private async write(): Promise<void> {
    this.writing = true
    const epoch = this.wanted
    const { directory, owner } = this.place
    try {
      await writeEpoch(directory, owner, epoch)
      this.written = epoch
      this.hasFailed = false
    } catch (error) {
      if (!this.hasFailed) {
        this.output.failed(
          `stateDir: the epoch file in ${directory} cannot be written: ${(error as Error).message}`,
        )
      }
      this.hasFailed = true
    }
    this.writing = false
    if (this.hasFailed) this.tryAgain()
    else {
      this.output.reserved(epoch)
      if (this.wanted > this.written) void this.write()
    }
  }

  private tryAgain(): void {
    this.retry = setTimeout(() => {
      this.retry = undefined
      void this.write()
    }, RETRY_MS)
    this.retry.unref()
  }

  stop(): void {
    clearTimeout(this.retry)
  }
}
