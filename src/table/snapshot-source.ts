// The side of a table that a snapshot is taken from (src/core/snapshot-taker.ts; assembly/snapshot.ts): its sessions in
// slices, and which records changed since they were given.
import type { Engine } from './engine.ts'

/** A slice: deltas that are all create. `next`: where the next one begins; undefined at the end. */
export interface Slice {
  /** Good until the next call on the table. */
  readonly deltas: Uint8Array
  readonly next: number | undefined
}

export class SnapshotSource {
  readonly #engine: Engine

  constructor(engine: Engine) {
    this.#engine = engine
  }

  /** From here on changes are noted. False: the table was made without snapshots. */
  begin(): boolean {
    return this.#engine.core.snapshotBegin() !== 0
  }

  stop(): void {
    this.#engine.core.snapshotStop()
  }

  /** Up to `most` sessions from record `from`. */
  sessions(from: number, most: number, bytesMax: number): Slice {
    const { core } = this.#engine
    const deltas = this.#bytes(core.outputAt, core.snapshotSessions(from, most, bytesMax))
    return { deltas, next: this.#next() }
  }

  /** The same of records that changed; `list`: which these are, with a session or without. They count as given now. */
  changed(from: number, most: number, bytesMax: number): Slice & { readonly list: Uint8Array } {
    const { core } = this.#engine
    const deltas = this.#bytes(core.outputAt, core.snapshotDiffering(from, most, bytesMax)).slice()
    const next = this.#next()
    const list = this.#bytes(core.snapshotListAt, core.snapshotListed(from))
    return { deltas, next, list }
  }

  /** How many records changed and were not given since, and the bytes of their blobs and texts. */
  gather(): { records: number; bytes: number } {
    const { core } = this.#engine
    return { records: core.snapshotGather(), bytes: core.snapshotBytes() }
  }

  /** The address is read after the call that gave the length. */
  #bytes(at: () => number, length: number): Uint8Array {
    const start = at() >>> 0
    return this.#engine.u8.subarray(start, start + length)
  }

  #next(): number | undefined {
    const next = this.#engine.core.snapshotNext()
    return next < 0 ? undefined : next
  }
}
