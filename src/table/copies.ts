// Sessions as plain values, by their slots: what is kept of a session that another will replace.
import type { RecordLayout } from '../schema/index.ts'
import type { Engine } from './engine.ts'
import type { FieldIo } from './fields.ts'

export class Copies {
  readonly #engine: Engine
  readonly #io: FieldIo
  readonly #layout: RecordLayout

  constructor(engine: Engine, io: FieldIo, layout: RecordLayout) {
    this.#engine = engine
    this.#io = io
    this.#layout = layout
  }

  /** Key and fields of the session in a slot; undefined: there is none, or it has expired. */
  at(id: number): Record<string, unknown> | undefined {
    const { core } = this.#engine
    if (core.holds(id) === 0) return undefined
    const at = (core.recordsAt() >>> 0) + id * this.#layout.recordBytes
    const session: Record<string, unknown> = {}
    for (const field of this.#layout.keys) session[field.name] = this.#io.read(field, at)
    for (const field of this.#layout.values) session[field.name] = this.#io.read(field, at)
    return session
  }
}
