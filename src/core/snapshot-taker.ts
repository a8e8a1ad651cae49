// Takes a snapshot of all tables in slices, while the application writes and frames are applied: first every session
// once, then what changed meanwhile, again and again until that is little, then the rest in one go. So what was given
// together is one state, that of the moment of the last slice, and no slice holds the application for long. Sans-io.

/** What is needed of a table; src/table/snapshot-source.ts is it. */
export interface SnapshotTable {
  readonly size: number
  /** Sessions held back: no snapshot has them. */
  readonly held: number
  readonly snapshots: {
    begin(): boolean
    stop(): void
    sessions(from: number, most: number, bytesMax: number): { deltas: Uint8Array; next: number | undefined }
    changed(
      from: number,
      most: number,
      bytesMax: number,
    ): { deltas: Uint8Array; next: number | undefined; list: Uint8Array }
    gather(): { records: number; bytes: number }
  }
}

/** Sessions of one table as deltas, all create. With `list`: what earlier pieces said of these records is void. */
export interface Piece {
  readonly table: number
  readonly list: Uint8Array | undefined
  readonly deltas: Uint8Array
}

/** Where in its history a state of the tables is. */
export interface Standing {
  readonly lineage: string
  readonly epoch: number
  readonly sequence: number
}

/** A state that was loaded, as old as it is now. */
export interface LoadedState {
  readonly standing: Standing
  readonly lineageAgeMs: number
}

/** One slice. `end`: the last; all pieces together are the state of that standing. */
export type Taken =
  | { readonly pieces: readonly Piece[]; readonly end: undefined }
  | { readonly pieces: readonly Piece[]; readonly end: { standing: Standing; sessions: number[] } }

const SLICE_SESSIONS = 1_024
const SLICE_BYTES = 65_536
/** What is left for the last slice, over all tables. */
const REST_RECORDS = 1_024
const REST_BYTES = 262_144
/** However long their values are, so many are few. */
const REST_FEW = 4
/** Rounds through what changed after which the application is taken to be faster for good. */
const ROUNDS_MAX = 64

export class SnapshotTaker {
  private readonly tables: readonly SnapshotTable[]
  /** Makes sure that everything written so far has its position, and says which; undefined: no state of any lineage. */
  private readonly standing: () => Standing | undefined
  private phase: 'sessions' | 'changed' = 'sessions'
  private table = 0
  private from = 0
  private rounds = 0

  constructor(tables: readonly SnapshotTable[], standing: () => Standing | undefined) {
    this.tables = tables
    this.standing = standing
    for (const { snapshots } of tables) snapshots.begin()
  }

  /** The next slice; in words why there will be none. */
  next(): Taken | string {
    const { tables } = this
    if (this.phase === 'sessions' && this.table < tables.length) {
      return { pieces: this.sessions(tables[this.table]!), end: undefined }
    }
    if (this.table < tables.length && this.phase === 'changed') {
      return { pieces: this.changed(this.table, SLICE_BYTES), end: undefined }
    }
    if (this.isLittle()) return this.last()
    if (++this.rounds > ROUNDS_MAX) return 'the sessions changed faster than they were written'
    this.phase = 'changed'
    this.table = 0
    this.from = 0
    return { pieces: [], end: undefined }
  }

  private sessions({ snapshots }: SnapshotTable): Piece[] {
    const table = this.table
    const { deltas, next } = snapshots.sessions(this.from, SLICE_SESSIONS, SLICE_BYTES)
    this.goOn(next)
    return [{ table, list: undefined, deltas: deltas.slice() }]
  }

  private changed(table: number, bytesMax: number): Piece[] {
    const { snapshots } = this.tables[table]!
    const { deltas, next, list } = snapshots.changed(this.from, SLICE_SESSIONS, bytesMax)
    this.goOn(next)
    return [{ table, list: list.slice(), deltas: deltas.slice() }]
  }

  private goOn(next: number | undefined): void {
    this.from = next ?? 0
    if (next === undefined) this.table++
  }

  private gather(): { records: number; bytes: number } {
    const sum = { records: 0, bytes: 0 }
    for (const { snapshots } of this.tables) {
      const { records, bytes } = snapshots.gather()
      sum.records += records
      sum.bytes += bytes
    }
    return sum
  }

  private isLittle(): boolean {
    const { records, bytes } = this.gather()
    return records <= REST_FEW || (records <= REST_RECORDS && bytes <= REST_BYTES)
  }

  /** All that is left, with nothing in between. */
  private last(): Taken | string {
    const standing = this.standing()
    if (standing === undefined) return 'the tables are no complete state'
    // Saying where they stand may have sent what the journal held.
    this.gather()
    const pieces: Piece[] = []
    this.table = 0
    this.from = 0
    while (this.table < this.tables.length) pieces.push(...this.changed(this.table, SLICE_BYTES))
    const sessions = this.tables.map(({ size, held }) => size - held)
    return { pieces, end: { standing, sessions } }
  }

  /** Nothing is noted any more. */
  stop(): void {
    for (const { snapshots } of this.tables) snapshots.stop()
  }
}
