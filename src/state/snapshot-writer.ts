// Writes one snapshot: slices as the taker gives them, each to disk before the next is taken, so what waits in memory is
// one slice; the application runs between them.
import { createHash } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import type { SnapshotTaker } from '../core/snapshot-taker.ts'
import type { StatePlace } from './directory.ts'
import { replaceFile, writeAll } from './replace-file.ts'
import type { SnapshotEnd, SnapshotTableInfo } from './snapshot-format.ts'
import { encodeHead, encodePieces, SNAPSHOT_FILE } from './snapshot-format.ts'

/** Between two slices, ms: snapshots take a small share of the thread. */
const SLICE_GAP_MS = 1

/** What the pieces do not know. */
export type Moment = Pick<SnapshotEnd, 'lineageAgeMs' | 'date' | 'ticks'>

export interface Written {
  readonly end: SnapshotEnd
  readonly bytes: number
  /** Longest time that one slice held the thread, ms. */
  readonly sliceMs: number
}

/**
 * `moment`: asked in the turn of the last slice. `hurries`: whether the application has ended and nothing is to wait.
 *
 * @throws what the taker or the file system says; the snapshot that was there is still there.
 */
export async function writeSnapshot(
  { directory, owner }: StatePlace,
  tables: readonly SnapshotTableInfo[],
  taker: SnapshotTaker,
  moment: (lineage: string) => Moment,
  hurries: () => boolean,
): Promise<Written> {
  const hash = createHash('sha256')
  let bytes = 0
  let sliceMs = 0
  let end: SnapshotEnd | undefined
  const slice = (): Uint8Array => {
    const since = performance.now()
    const taken = taker.next()
    if (typeof taken === 'string') throw new Error(taken)
    if (taken.end !== undefined) end = { ...taken.end, ...moment(taken.end.standing.lineage) }
    const encoded = encodePieces(taken.pieces, end)
    hash.update(encoded)
    sliceMs = Math.max(sliceMs, performance.now() - since)
    return encoded
  }
  await replaceFile(directory, SNAPSHOT_FILE, async (file) => {
    const head = encodeHead(owner, tables)
    hash.update(head)
    await writeAll(file, head)
    bytes = head.length
    while (end === undefined) {
      const encoded = slice()
      await writeAll(file, encoded)
      bytes += encoded.length
      if (end === undefined && !hurries()) await wait(SLICE_GAP_MS)
    }
    const digest = hash.digest()
    await writeAll(file, digest)
    bytes += digest.length
  })
  return { end: end!, bytes, sliceMs }
}
