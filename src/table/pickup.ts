// Picks sessions up: gives the core the time, asks the filter, and bounds what one turn does. The lists are in
// assembly/pickup.ts.
import type { RecordLayout } from '../schema/index.ts'
import type { PickupRule } from '../schema/pickup.ts'
import type { Engine } from './engine.ts'
import { FieldIo } from './fields.ts'
import { LongValues } from './long-values.ts'

/** Word offset in a record (assembly/layout.ts). */
const GENERATION = 1

/** Most sessions per turn: each well under a millisecond, with random records of a table that no cache holds. */
const STAMP_SESSIONS = 16_384
const SLICE_SESSIONS = 4_096
/** Every one is copied for the filter and asked about. */
const ASKED_SESSIONS = 128
const DROP_SESSIONS = 2_048

export class Pickup {
  readonly #engine: Engine
  readonly #rule: PickupRule
  readonly #layout: RecordLayout
  readonly #io: FieldIo
  readonly #recordsAt: number
  /** Told what the filter throws. */
  onError: ((error: unknown) => void) | undefined
  /** Told of sessions before they are dropped at a demotion. */
  onDropped: ((session: Record<string, unknown>) => void) | undefined
  /** Sessions dropped at a demotion. */
  dropped = 0

  constructor(engine: Engine, rule: PickupRule, table: string, layout: RecordLayout) {
    this.#engine = engine
    this.#rule = rule
    this.#layout = layout
    this.#io = new FieldIo(table, engine, new LongValues(table, engine))
    this.#recordsAt = engine.core.recordsAt() >>> 0
    this.onError = undefined
    this.onDropped = undefined
  }

  /** When `turn` has something to do; undefined: never, as things stand. ms */
  deadline(now: number): number | undefined {
    const wait = this.#engine.core.pickupWait(Math.floor(now) >>> 0)
    if (wait < 0) return undefined
    return wait === 0 ? now : Math.floor(now) + wait
  }

  /** One slice; true if a session may have become a change. */
  turn(now: number): boolean {
    const { core } = this.#engine
    core.pickupTurn(Math.ceil(now) >>> 0, Math.floor(now) >>> 0, STAMP_SESSIONS)
    const { filter } = this.#rule
    if (filter === undefined) return core.pickupSlice(SLICE_SESSIONS) > 0
    let asked = 0
    for (let id = core.pickupNext(); id >= 0 && asked < ASKED_SESSIONS; id = core.pickupNext()) {
      // The filter may do anything to the table, this session included.
      const at = this.#recordsAt + id * this.#layout.recordBytes
      const generation = this.#engine.u32[(at >>> 2) + GENERATION]!
      const stays = this.#refuses(filter, at)
      core.pickupTake(id, generation, stays ? 1 : 0)
      asked++
    }
    return asked > 0
  }

  #copy(at: number): Record<string, unknown> {
    const values: Record<string, unknown> = {}
    for (const field of this.#layout.keys) values[field.name] = this.#io.read(field, at)
    for (const field of this.#layout.values) values[field.name] = this.#io.read(field, at)
    return values
  }

  #refuses(filter: NonNullable<PickupRule['filter']>, at: number): boolean {
    try {
      return filter(this.#copy(at)) === false
    } catch (error) {
      this.onError?.(error)
      return false
    }
  }

  demand(): void {
    this.#engine.core.pickupDemand()
  }

  get isDemanded(): boolean {
    return this.#engine.core.pickupDemanded() !== 0
  }

  /** Sessions held back, young and local. */
  get held(): number {
    return this.#engine.core.heldBack()
  }

  /** One slice of dropping what is held back; true once nothing is. */
  drop(): boolean {
    const before = this.held
    const left = this.onDropped === undefined ? this.#engine.core.dropHeld(DROP_SESSIONS) : this.#dropTold()
    this.dropped += before - left
    return left === 0
  }

  /** The same, one by one; gives how many are left. */
  #dropTold(): number {
    const { core } = this.#engine
    for (let told = 0; told < ASKED_SESSIONS; told++) {
      const id = core.heldNext()
      if (id < 0) break
      this.onDropped!(this.#copy(this.#recordsAt + id * this.#layout.recordBytes))
      core.dropHeld(1)
    }
    return this.held
  }
}
