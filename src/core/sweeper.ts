// When a primary's tables are swept of expired sessions: a round through a table at most once a second and in slices of
// at most a millisecond each, one table at a time, with room for a flush and for the application between them.
import type { Store } from './store.ts'
import { type TableTime, TICKS_MAX } from './table-time.ts'

/** Between two slices of a round, ms. */
const SLICE_GAP_MS = 1
/** Between two rounds, ms: at least the first, and so much per slice that sweeping takes a few hundredths of a core. */
const ROUND_GAP_MS = { least: 1_000, perSlice: 16 } as const

/** No deadline is further away than this, ms: timers do not reach everywhere. */
const LOOK_AGAIN_MS = 3_600_000

interface Round {
  readonly store: Store
  /** Nothing is done before. */
  notBefore: number
  slices: number
}

export class Sweeper {
  private readonly time: TableTime
  private readonly rounds: Round[]

  constructor(stores: readonly Store[], time: TableTime) {
    this.time = time
    this.rounds = stores.map((store) => ({ store, notBefore: Number.NEGATIVE_INFINITY, slices: 0 }))
  }

  /** When the next slice is due; undefined while no session has a deadline. */
  deadline(now: number): number | undefined {
    let earliest: number | undefined
    for (const { store, notBefore } of this.rounds) {
      const due = store.sweepDue
      if (due >= TICKS_MAX) continue
      const at = Math.max(notBefore, Math.min(this.time.when(due, now), now + LOOK_AGAIN_MS))
      if (earliest === undefined || at < earliest) earliest = at
    }
    return earliest
  }

  /** One slice of one table. `patient`: what the journal cannot take can wait for a flush. */
  work(now: number, patient: boolean): void {
    const ticks = this.time.read(now)
    const at = this.rounds.findIndex(({ store, notBefore }) => now >= notBefore && store.sweepDue <= ticks)
    const [round] = at < 0 ? [] : this.rounds.splice(at, 1)
    if (round === undefined) return
    // To the end of the queue, so that a table with much to do does not starve the others.
    this.rounds.push(round)
    round.slices++
    if (round.store.sweep(patient)) round.notBefore = now + SLICE_GAP_MS
    else {
      round.notBefore = now + Math.max(ROUND_GAP_MS.least, round.slices * ROUND_GAP_MS.perSlice)
      round.slices = 0
    }
  }
}
