// Live views of sessions. A view is an address, a generation and an era; each access checks the last two, so a view of a
// deleted or expired session, or from before a change of role, throws and never shows another session. One class per table, with
// an accessor per field on its prototype.
import { SessionGoneError, ValueError } from '../errors.ts'
import type { FieldLayout, RecordLayout } from '../schema/index.ts'
import type { Engine } from './engine.ts'
import type { FieldIo } from './fields.ts'
import type { TableWrites } from './writes.ts'

/** Word offsets in a record (assembly/layout.ts). */
const GENERATION = 1
const FLAGS = 2
const DEADLINE = 3
/** JOURNALED, OVERFLOWED, YOUNG or LOCAL: this record's first change is remembered already, or is not to be. */
const REMEMBERED = 1 | 2 | 32 | 64

const INSPECT = Symbol.for('nodejs.util.inspect.custom')

/** What a view needs of its table. */
export interface ViewHost {
  readonly name: string
  readonly engine: Engine
  readonly io: FieldIo
  readonly layout: RecordLayout
  readonly recordsAt: number
  /** A record-shaped buffer. */
  readonly scratchAt: number
  readonly writes: TableWrites
  /** The error for a write that the core refused. */
  refused(status: number): Error
  /** Sessions have deadlines. */
  readonly expires: boolean
  /** The core keeps when a session was last written. */
  readonly renews: boolean
  /** Word that holds table time. */
  readonly timeWord: number
  /** Grows at every change of role. */
  era: number
}

class View {
  readonly #host: ViewHost
  readonly #id: number
  readonly #at: number
  readonly #generation: number
  readonly #era: number

  constructor(host: ViewHost, id: number) {
    this.#host = host
    this.#id = id
    this.#at = host.recordsAt + id * host.layout.recordBytes
    this.#generation = host.engine.u32[(this.#at >>> 2) + GENERATION]!
    this.#era = host.era
  }

  /** The record's address, if the session is still there. */
  #live(): number {
    const host = this.#host
    if (host.engine.u32[(this.#at >>> 2) + GENERATION] !== this.#generation || host.era !== this.#era) {
      throw new SessionGoneError(
        `table ${host.name}: this view's session was deleted or the node changed its role; get() the session again`,
      )
    }
    if (host.expires) {
      const deadline = host.engine.u32[(this.#at >>> 2) + DEADLINE]!
      if (deadline !== 0 && deadline <= host.engine.u32[host.timeWord]!) {
        throw new SessionGoneError(`table ${host.name}: this view's session has expired; set() it again`)
      }
    }
    return this.#at
  }

  static readonly(field: FieldLayout): PropertyDescriptor {
    return {
      enumerable: true,
      configurable: true,
      get(this: View) {
        return this.#host.io.read(field, this.#live())
      },
    }
  }

  /** A field of the key: what a session is found by does not change. */
  static key(field: FieldLayout): PropertyDescriptor {
    return {
      ...View.readonly(field),
      set(this: View) {
        throw new ValueError(
          `table ${this.#host.name}: key field ${field.name} assigned; allowed: value fields, so set() a session with the other key and delete this one`,
        )
      },
    }
  }

  /** What was assigned is no field: it would be lost without a word. */
  static unknown(view: unknown, name: string | symbol): ValueError | undefined {
    if (typeof view !== 'object' || view === null || !(#host in view)) return undefined
    const { name: table, layout } = view.#host
    const allowed = layout.values.map((field) => field.name).join(', ') || 'none'
    return new ValueError(`table ${table}: field ${String(name)} assigned; allowed: ${allowed}`)
  }

  /** A field in an index, a blob or a text: the core writes it, from a row, and checks keys and room. */
  static throughCore(field: FieldLayout): PropertyDescriptor {
    const [low, high] = field.index < 32 ? [1 << field.index, 0] : [0, 1 << (field.index - 32)]
    return {
      ...View.readonly(field),
      set(this: View, value: unknown) {
        const host = this.#host
        this.#live()
        host.writes.admit()
        host.io.begin()
        host.io.write(field, host.scratchAt, value)
        const status = host.engine.core.updateId(this.#id, low, high)
        if (status < 0) {
          const error = host.refused(status)
          // Expired sessions that held a key as well have been ended on the way.
          if (host.expires) host.writes.done()
          throw error
        }
        host.writes.done()
      },
    }
  }

  static writable(field: FieldLayout): PropertyDescriptor {
    return {
      ...View.readonly(field),
      set(this: View, value: unknown) {
        const host = this.#host
        const at = this.#live()
        host.writes.admit()
        const isRemembered = (host.engine.u32[(at >>> 2) + FLAGS]! & REMEMBERED) !== 0
        if (!isRemembered) {
          // A value that is refused must not fill the journal: the first write since a flush is tried elsewhere.
          host.io.write(field, host.scratchAt, value)
          host.engine.core.touch(this.#id)
        }
        host.io.write(field, at, value)
        if (isRemembered && host.renews) host.engine.core.touch(this.#id)
        host.writes.done()
      },
    }
  }

  toJSON(): Record<string, unknown> {
    const at = this.#live()
    const { io, layout } = this.#host
    const values: Record<string, unknown> = {}
    for (const field of layout.keys) values[field.name] = io.read(field, at)
    for (const field of layout.values) values[field.name] = io.read(field, at)
    return values
  }

  [INSPECT](): Record<string, unknown> {
    return this.toJSON()
  }
}

// Where the look-up of a name that no view has ends. It costs those alone; to seal views costs each 40 ns.
Object.setPrototypeOf(
  View.prototype,
  new Proxy(
    {},
    {
      set(target, name, value, view) {
        const error = View.unknown(view, name)
        if (error !== undefined) throw error
        return Reflect.set(target, name, value, view)
      },
    },
  ),
)

export type ViewClass = new (host: ViewHost, id: number) => object

/** The view class of one table. */
export function viewClass(layout: RecordLayout): ViewClass {
  class Session extends View {}
  for (const field of layout.keys) Object.defineProperty(Session.prototype, field.name, View.key(field))
  const indexed = new Set(layout.indexes.flatMap(({ fields }) => fields))
  for (const field of layout.values) {
    const isPlain = !indexed.has(field) && !field.isVariable
    const property = isPlain ? View.writable(field) : View.throughCore(field)
    Object.defineProperty(Session.prototype, field.name, property)
  }
  return Session
}
