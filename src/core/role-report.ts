// What a change of role found: how much is held, from when, and what is missing.
import type { Store } from './store.ts'

/** What a promotion found. */
export interface RoleReport {
  /** Position up to which the tables hold everything. */
  readonly position: { readonly epoch: number; readonly sequence: number }
  readonly sessions: number
  /** Age of the last frame applied before the change, ms; null if there was none. */
  readonly lastBatchAgeMs: number | null
  /** Segments and single records whose content was still awaited, per table; empty when nothing is missing. */
  readonly missing: readonly {
    readonly table: string
    readonly segments: number
    readonly of: number
    readonly records: number
  }[]
}

export function reportOf(
  stores: readonly Store[],
  position: RoleReport['position'],
  lastBatchAgeMs: number | null,
): RoleReport {
  return {
    position,
    sessions: stores.reduce((sum, { size }) => sum + size, 0),
    lastBatchAgeMs,
    missing: stores
      .filter((store) => store.awaited > 0)
      .map(({ name, awaited, owed, segments }) => {
        return { table: name, segments: awaited - owed, of: segments, records: owed }
      }),
  }
}
