// The calls for many sessions at once: one crossing for up to a thousand of them, with the cache misses of different
// sessions overlapped (assembly/many.ts). Each row is as good as a single call, one after another.
import { type KeyTakenError, TableFullError, ValueError } from '../errors.ts'
import type { FieldsInput, KeyInput, NameOf, Session, Shape, TableDefinition } from '../schema/index.ts'
import { type BatchResult, TableBatches } from './batches.ts'
import { TAKEN } from './by.ts'
import type { HashSeed } from './engine.ts'
import { shown } from './fields.ts'
import type { GivenLifetime, SetOptions } from './lifetimes.ts'
import { RowMemory } from './row-memory.ts'
import { Rows } from './rows.ts'
import { TableStore } from './table-store.ts'

/** What `setMany` did: as many as were given, together. */
export interface ManyStored {
  readonly created: number
  readonly replaced: number
}

/** Most rows of one `Rows`. */
const ROWS_MAX = 2 ** 20

type AnyRows<Key extends Shape, Fields extends Shape> = Rows<Key, Fields, never>

export abstract class BatchTable<Key extends Shape, Fields extends Shape> extends TableStore {
  readonly #definition: TableDefinition<Key, Fields>
  readonly #batches: TableBatches

  /** @internal */ constructor(
    definition: TableDefinition<Key, Fields>,
    seed: HashSeed,
    encodeBytesMax: number,
    snapshots: boolean,
  ) {
    super(definition, seed, encodeBytesMax, snapshots)
    this.#definition = definition
    this.#batches = new TableBatches(this.name, definition.layout, this.engine, () => this.collectEnded())
  }

  /** Throws unless this node may write. @internal */
  protected abstract admit(): void

  /** @internal */ protected abstract viewOf(id: number): Session<Key, Fields>

  /** @internal */ protected abstract lifetimeOf(options: SetOptions): GivenLifetime

  /** Takes the core's copies of sessions that the table ended. @internal */
  protected abstract collectEnded(): void

  /** Tells of them. @internal */
  protected abstract tellEnded(): void

  /** The error of a write that a further unique key forbids, after so many rows of a batch. @internal */
  protected abstract taken(stored: number): KeyTakenError

  /** The error of a table without room, after so many rows of a batch. @internal */
  protected full(stored: number): TableFullError {
    return new TableFullError(
      `table ${this.name}: ${this.capacity} sessions held, which is its capacity; delete sessions or define a larger capacity`,
      stored,
    )
  }

  /**
   * Room for `capacity` sessions (1 to 1,048,576) that go into batch calls together, good for any number of calls; see
   * `Rows`. `fields`: the value fields they carry, by default all but `blob` and `text`, which
   * only single calls write (`setMany` empties them, as `set` does what is not given); fewer are faster. About 30 bytes per row of memory
   * for a table of connections. A few hundred to a few thousand rows per call are best: beyond `journalMax` changes in
   * one turn of the event loop sessions are replicated whole.
   *
   * @throws ValueError
   */
  rows<const Given extends NameOf<Fields> = NameOf<Fields>>(
    capacity: number,
    options: { readonly fields?: readonly Given[] } = {},
  ): Rows<Key, Fields, Given> {
    if (!Number.isInteger(capacity) || capacity < 1 || capacity > ROWS_MAX) {
      throw new ValueError(
        `table ${this.name}: rows of capacity ${shown(capacity)} given; allowed: an integer from 1 to ${ROWS_MAX}`,
      )
    }
    checkRowsOptions(this.name, options)
    const { fields } = options
    const { layout } = this.#definition
    const possible = layout.values.filter((field) => !field.isVariable)
    for (const name of fields ?? []) {
      if (!possible.some((field) => field.name === name)) {
        const allowed = possible.map((field) => field.name).join(', ') || 'none'
        const isLong = layout.values.some((field) => field.name === name)
        const why = isLong ? ', a blob or text, which rows do not carry' : ''
        throw new ValueError(`table ${this.name}: field ${String(name)} given${why}; allowed: ${allowed}`)
      }
    }
    const chosen = possible.filter(({ name }) => fields?.includes(name as Given) ?? true)
    return new Rows(new RowMemory(this.name, layout, chosen, capacity))
  }

  /**
   * Of rows: fills their value fields and `found`, and gives how many sessions were found; the fields of a row without a
   * session become zero. From then on the rows give all their fields, so that `updateMany` writes back what was changed
   * in them. Of keys: a new live view for each, in order, undefined where there is no session.
   *
   * @throws ValueError; the rows are as they were then.
   */
  getMany(rows: AnyRows<Key, Fields>): number
  getMany(keys: Iterable<KeyInput<Key>>): (Session<Key, Fields> | undefined)[]
  getMany(
    given: AnyRows<Key, Fields> | Iterable<KeyInput<Key>>,
  ): number | (Session<Key, Fields> | undefined)[] {
    const batches = this.#batches
    const rows = this.#rowsOf(given)
    if (rows !== undefined) return batches.read(rows)
    const pieces = batches.pack(given as Iterable<KeyInput<Key>>, addKey)
    const sessions: (Session<Key, Fields> | undefined)[] = []
    for (const piece of pieces) {
      batches.find(piece, (id) => sessions.push(id < 0 ? undefined : this.viewOf(id)))
    }
    batches.unpack(pieces)
    return sessions
  }

  /**
   * Creates or replaces the sessions of rows, or of [key, fields] pairs, as `set` does for each in order; a key that
   * comes twice is created, then replaced. What is given is checked whole before anything is written: pairs are packed
   * first (about 50 bytes each while the call lasts), so give millions of them in several calls. `options` say how long
   * these sessions live, as in `set`.
   *
   * @throws NotPrimaryError, ValueError; nothing is changed then. TableFullError, KeyTakenError; the rows before the one
   * that was refused are stored, `stored` says how many.
   */
  setMany(
    given:
      | AnyRows<Key, Fields>
      | Iterable<readonly [key: KeyInput<Key>, fields?: FieldsInput<Fields> | undefined]>,
    options?: SetOptions,
  ): ManyStored {
    const life = options === undefined ? undefined : this.lifetimeOf(options)
    const { done, found } = this.#write(given, addPair, (rows) => this.#put(rows, life))
    return { created: done - found, replaced: found }
  }

  #put(rows: RowMemory, life: GivenLifetime | undefined): BatchResult {
    if (life === undefined) return this.#batches.put(rows)
    const { core } = this.engine
    core.give(life.flags, life.deadline)
    try {
      return this.#batches.put(rows)
    } finally {
      core.give(0, 0)
    }
  }

  /**
   * Changes the given fields of the existing sessions of rows, or of [key, fields] pairs, as `update` does for each in
   * order; gives how many there were. What is given is checked whole before anything is written.
   *
   * @throws NotPrimaryError, ValueError; nothing is changed then. KeyTakenError; the rows before the one that was refused
   * are done, `stored` says how many.
   */
  updateMany(
    given: AnyRows<Key, Fields> | Iterable<readonly [key: KeyInput<Key>, fields: FieldsInput<Fields>]>,
  ): number {
    return this.#write(given, addPair, (rows) => this.#batches.update(rows)).found
  }

  /**
   * Deletes the sessions of rows, or of keys; gives how many there were.
   *
   * @throws NotPrimaryError, ValueError; nothing is changed then.
   */
  deleteMany(given: AnyRows<Key, Fields> | Iterable<KeyInput<Key>>): number {
    return this.#write(given, addKey, (rows) => this.#batches.erase(rows)).found
  }

  /** The memory of rows; undefined if it is something else that was given. */
  #rowsOf(given: unknown): RowMemory | undefined {
    const memory = typeof given === 'object' && given !== null ? Rows.memoryOf(given) : undefined
    if (memory !== undefined && memory.layout !== this.#definition.layout) {
      throw new ValueError(`table ${this.name}: rows of another table given; allowed: rows of this table`)
    }
    return memory
  }

  #write<T>(
    given: AnyRows<Key, Fields> | Iterable<T>,
    add: (rows: RowMemory, item: T) => void,
    run: (rows: RowMemory) => BatchResult,
  ): BatchResult {
    this.admit()
    const rows = this.#rowsOf(given)
    if (rows !== undefined) return this.#run([rows], run)
    const pieces = this.#batches.pack(given as Iterable<T>, add)
    try {
      // The role may have changed while the iterable was read.
      this.admit()
      return this.#run(pieces, run)
    } finally {
      this.#batches.unpack(pieces)
    }
  }

  #stopped(done: number): Error {
    return this.engine.core.manyStopped() === TAKEN ? this.taken(done) : this.full(done)
  }

  #run(pieces: readonly RowMemory[], run: (rows: RowMemory) => BatchResult): BatchResult {
    const total: BatchResult = { done: 0, found: 0, written: 0 }
    let stopped = false
    for (const piece of pieces) {
      const { done, found, written } = run(piece)
      total.done += done
      total.found += found
      total.written += written
      stopped = done < piece.length
      if (stopped) break
    }
    const error = stopped ? this.#stopped(total.done) : undefined
    // A row that was refused may have ended expired sessions on its way.
    if (total.written > 0 || stopped) this.noteChange()
    this.tellEnded()
    if (error !== undefined) throw error
    return total
  }
}

function checkRowsOptions(table: string, given: unknown): void {
  const wrong = (what: string, allowed: string) =>
    new ValueError(`table ${table}: rows: ${what} given; allowed: ${allowed}`)
  if (typeof given !== 'object' || given === null) throw wrong(shown(given), '{ fields }')
  for (const name of Object.keys(given)) if (name !== 'fields') throw wrong(`option ${name}`, 'fields')
  const { fields } = given as { fields?: unknown }
  if (fields !== undefined && !Array.isArray(fields))
    throw wrong(`fields ${shown(fields)}`, 'an array of names')
}

function addKey(rows: RowMemory, key: object): void {
  rows.add(key, undefined)
}

function addPair(rows: RowMemory, pair: readonly [object, (object | undefined)?]): void {
  if (!Array.isArray(pair)) throw rows.notAPair(pair)
  rows.add(pair[0], pair[1])
}
