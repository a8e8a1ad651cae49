// Sessions that a table ended itself, told to whoever listens: plain values, after the call or the slice that ended them,
// when their slots may hold others. The core copies them aside only while somebody listens.
import type { RecordLayout } from '../schema/index.ts'
import { FIELD } from '../schema/layout.ts'
import type { Engine } from './engine.ts'
import type { FieldIo } from './fields.ts'

export type EndCause = 'expired' | 'evicted'
export type EndListener = (cause: EndCause, session: Record<string, unknown>) => void

/** Bits and numbers of assembly/ended.ts. */
const CAUSES: readonly EndCause[] = ['expired', 'evicted']
/** Word of a copy that says why. */
const FLAGS = 2

export class EndedSessions {
  readonly #engine: Engine
  readonly #io: FieldIo
  readonly #layout: RecordLayout
  readonly #toTell: { cause: EndCause; session: Record<string, unknown> }[] = []
  /** Of these, told. */
  #told = 0
  #listener: EndListener | undefined

  constructor(engine: Engine, io: FieldIo, layout: RecordLayout) {
    this.#engine = engine
    this.#io = io
    this.#layout = layout
  }

  listen(causes: readonly EndCause[], listener: EndListener): void {
    this.#listener = causes.length > 0 ? listener : undefined
    this.#engine.core.listen(causes.reduce((bits, cause) => bits | (1 << CAUSES.indexOf(cause)), 0))
  }

  /** Takes the core's copies; they are told later. */
  collect(): void {
    const { core, u32 } = this.#engine
    const { keys, values, recordBytes } = this.#layout
    const count = core.endedCount()
    for (let i = 0; i < count; i++) {
      const at = (core.endedAt() >>> 0) + i * recordBytes
      const session: Record<string, unknown> = {}
      for (const field of keys) session[field.name] = this.#io.read(field, at)
      for (const field of values) {
        // The memory of longer values is used again.
        if (field.type < FIELD.blob) session[field.name] = this.#io.read(field, at)
      }
      this.#toTell.push({ cause: CAUSES[u32[(at >>> 2) + FLAGS]! - 1]!, session })
    }
    core.endedTaken()
  }

  /**
   * Tells what was ended. One test when nobody listens. A listener that writes has the rest told before its write
   * returns; one batch may have ended hundreds of thousands, too many for an array that is shortened from its front.
   */
  tell(): void {
    if (this.#listener === undefined) return
    this.collect()
    while (this.#told < this.#toTell.length) {
      const { cause, session } = this.#toTell[this.#told++]!
      this.#listener?.(cause, session)
    }
    this.#toTell.length = 0
    this.#told = 0
  }
}
