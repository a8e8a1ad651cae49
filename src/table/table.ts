// Table: the synchronous API over one WASM table. A keyed call writes the key's bytes into a buffer of the core and
// crosses once; fields go through a second buffer shaped like a record, with a mask of those given.
import { ArenaFullError, type KeyTakenError, ValueError } from '../errors.ts'
import type {
  FieldLayout,
  FieldsInput,
  IndexLists,
  KeyInput,
  NoIndexes,
  Session,
  Shape,
  TableDefinition,
} from '../schema/index.ts'
import { KEY_OFFSET, SESSION_BYTES_MAX } from '../schema/layout.ts'
import { BatchTable } from './batch-table.ts'
import { type IndexesBy, type IndexHost, indexesBy, keyTaken, TAKEN } from './by.ts'
import { Copies } from './copies.ts'
import { type EndCause, EndedSessions, type EndListener } from './ended.ts'
import type { HashSeed } from './engine.ts'
import { FieldIo, shown } from './fields.ts'
import type { WriteGate } from './gate.ts'
import { type GivenLifetime, givenLifetime, type SetOptions } from './lifetimes.ts'
import { LongValues } from './long-values.ts'
import { type ViewClass, type ViewHost, viewClass } from './views.ts'
import { TableWrites } from './writes.ts'

/** What the core gives for a write that it did not do (assembly/records.ts, assembly/values.ts); TAKEN is in by.ts. */
const NONE = -1
const ARENA_FULL = -3

/** Sessions of one kind: `node.tables.connections`, made by `createNode` from what `defineTable` gave. */
export class Table<
  Key extends Shape = Shape,
  Fields extends Shape = Shape,
  Indexes extends IndexLists = NoIndexes,
> extends BatchTable<Key, Fields> {
  /** The table's further unique keys: `table.by.reply.get({ natIp, natPort })`. */
  readonly by: IndexesBy<Key, Fields, Indexes>
  readonly #keys: readonly FieldLayout[]
  readonly #values: ReadonlyMap<string, FieldLayout>
  readonly #io: FieldIo
  readonly #writes: TableWrites
  readonly #host: ViewHost
  readonly #View: ViewClass
  readonly #ended: EndedSessions
  readonly #copies: Copies
  readonly #expires: boolean
  readonly #date: () => number
  /** This machine's date when table time was read last. */
  #dateOfTime: number
  /** Address that key offsets count from: the key buffer, less what lies before a key in a record. */
  readonly #keyBase: number
  readonly #valuesAt: number
  /** Value fields by the position at which they were given last. */
  readonly #met: FieldLayout[] = []
  /** Mask of the fields last packed. */
  #low = 0
  #high = 0

  /** @internal */ constructor(
    definition: TableDefinition<Key, Fields, Indexes>,
    gate: WriteGate,
    seed: HashSeed,
    encodeBytesMax: number,
    date: () => number,
    snapshots: boolean,
  ) {
    super(definition, seed, encodeBytesMax, snapshots)
    this.#date = date
    this.#dateOfTime = date()
    const { core } = this.engine
    this.#keys = definition.layout.keys
    this.#values = new Map(definition.layout.values.map((field) => [field.name, field]))
    this.#io = new FieldIo(this.name, this.engine, new LongValues(this.name, this.engine))
    this.#writes = new TableWrites(this.name, gate, () => this.#done())
    this.#keyBase = core.keyAt() - KEY_OFFSET
    this.#valuesAt = core.valuesAt()
    this.#View = viewClass(definition.layout)
    this.#host = {
      name: this.name,
      engine: this.engine,
      io: this.#io,
      layout: definition.layout,
      recordsAt: core.recordsAt() >>> 0,
      scratchAt: this.#valuesAt,
      writes: this.#writes,
      refused: (status) => this.#refused(status),
      expires: definition.lifetime !== undefined,
      renews: definition.lifetime !== undefined || definition.onFull === 'evict',
      timeWord: core.timeAt() >>> 2,
      era: 0,
    }
    this.#ended = new EndedSessions(this.engine, this.#io, definition.layout)
    this.#copies = new Copies(this.engine, this.#io, definition.layout)
    this.#expires = definition.lifetime !== undefined
    this.by = indexesBy(this.#indexHost(), definition.layout.indexes) as unknown as IndexesBy<
      Key,
      Fields,
      Indexes
    >
  }

  #indexHost(): IndexHost<Key, Fields> {
    const { core } = this.engine
    return {
      find: (index, fields, key) => {
        if (typeof key !== 'object' || key === null) throw this.#notAnObject('key', key)
        for (const field of fields) this.#io.write(field, this.#valuesAt, key[field.name])
        return core.findBy(index)
      },
      view: (id) => this.#view(id),
      admit: () => this.#writes.admit(),
      update: (id, fields) => {
        this.#packFields(fields)
        if (id < 0 || (this.#low | this.#high) === 0) return id >= 0
        return this.#wrote(core.updateId(id, this.#low, this.#high))
      },
      delete: (id) => {
        if (id < 0) return false
        core.eraseId(id)
        this.noteChange()
        return true
      },
    }
  }

  /** What a write of the core came to: done, no such session or no room for it, or refused. */
  #wrote(id: number): boolean {
    if (id < 0) {
      if (id === NONE) return false
      const error = this.#refused(id)
      // Expired sessions that held a key as well have been ended on the way.
      if (this.#expires) this.#done()
      throw error
    }
    this.#done()
    return true
  }

  /** After a write. */
  #done(): void {
    this.noteChange()
    this.#ended.tell()
  }

  /** Why the core did not write. */
  #refused(status: number): KeyTakenError | ArenaFullError | ValueError {
    if (status === TAKEN) return this.taken(0)
    if (status === ARENA_FULL) {
      const { usedBytes, limitBytes, bytes } = this.arena
      return new ArenaFullError(
        `table ${this.name}: new blob or text values given that do not fit; ${usedBytes} of at most ${limitBytes} bytes are taken in an arena of ${bytes}; delete sessions, write shorter values or define a larger arena`,
      )
    }
    return new ValueError(
      `table ${this.name}: more than ${SESSION_BYTES_MAX} bytes of blob and text in one session given; allowed: ${SESSION_BYTES_MAX}`,
    )
  }

  /**
   * Writes the key buffer. The first five fields have a place in the code each: a property read whose name is always the
   * same costs the engines a tenth of one whose name varies, and nothing may be generated from text (CSP).
   */
  #packKey(key: KeyInput<Key>): void {
    if (typeof key !== 'object' || key === null) throw this.#notAnObject('key', key)
    const keys = this.#keys
    const io = this.#io
    const base = this.#keyBase
    const count = keys.length
    const first = keys[0]!
    io.write(first, base, key[first.name])
    if (count === 1) return
    const second = keys[1]!
    io.write(second, base, key[second.name])
    if (count === 2) return
    const third = keys[2]!
    io.write(third, base, key[third.name])
    if (count === 3) return
    const fourth = keys[3]!
    io.write(fourth, base, key[fourth.name])
    if (count === 4) return
    const fifth = keys[4]!
    io.write(fifth, base, key[fifth.name])
    for (let i = 5; i < count; i++) {
      const field = keys[i]!
      io.write(field, base, key[field.name])
    }
  }

  /** Writes the given fields into the value buffer and their mask into #low and #high. */
  #packFields(fields: FieldsInput<Fields>): void {
    if (typeof fields !== 'object' || fields === null) throw this.#notAnObject('fields', fields)
    let low = 0
    let high = 0
    let position = 0
    this.#io.begin()
    for (const name in fields) {
      const value = fields[name]
      const field = this.#fieldAt(position++, name)
      if (value === undefined) continue
      this.#io.write(field, this.#valuesAt, value)
      if (field.index < 32) low |= 1 << field.index
      else high |= 1 << (field.index - 32)
    }
    this.#low = low
    this.#high = high
  }

  /** The value field that was given at a position. Objects of one shape give one order, and comparing beats looking up. */
  #fieldAt(position: number, name: string): FieldLayout {
    const met = this.#met[position]
    if (met !== undefined && met.name === name) return met
    const field = this.#values.get(name)
    if (field === undefined) throw this.#unknown(name)
    this.#met[position] = field
    return field
  }

  #notAnObject(what: string, given: unknown): ValueError {
    return new ValueError(`table ${this.name}: ${what} ${shown(given)} given; allowed: an object`)
  }

  #unknown(name: string): ValueError {
    return new ValueError(
      `table ${this.name}: field ${name} given; allowed: ${[...this.#values.keys()].join(', ') || 'none'}`,
    )
  }

  /**
   * Creates the session, or replaces its fields if there is one: omitted fields become zero (0, false, the first name,
   * 0.0.0.0, ::, empty text and bytes). A replaced session stays the same session: its views stay good, and what the peer
   * is sent is the difference. A session that has expired is not replaced: another begins.
   *
   * In a table with `timeout` or `expiry`, `options` say how long this session lives: `{ timeout }` in seconds, or
   * `{ expiresAt }` in ms since 1970. Without them the table's timeout begins anew.
   *
   * @throws NotPrimaryError, ValueError, TableFullError, KeyTakenError, ArenaFullError; nothing is changed then.
   */
  set(key: KeyInput<Key>, fields: FieldsInput<Fields> = {}, options?: SetOptions): void {
    this.#writes.admit()
    this.#packKey(key)
    this.#packFields(fields)
    const { core } = this.engine
    let id: number
    if (options === undefined) id = core.put(this.#low, this.#high)
    else {
      const { flags, deadline } = this.lifetimeOf(options)
      core.give(flags, deadline)
      id = core.put(this.#low, this.#high)
      core.give(0, 0)
    }
    if (!this.#wrote(id)) throw this.full(0)
  }

  /** @internal */ override setTime(ticks: number): void {
    super.setTime(ticks)
    this.#dateOfTime = this.#date()
  }

  /** @internal */ protected lifetimeOf(options: SetOptions): GivenLifetime {
    const lifetime = givenLifetime(this.name, options, this.time, this.#date(), this.#dateOfTime)
    if (lifetime.flags !== 0 && !this.#expires) {
      throw new ValueError(
        `table ${this.name}: timeout or expiresAt given, but its definition has neither timeout nor expiry; define one of them`,
      )
    }
    return lifetime
  }

  /**
   * Renews the session as a write would, without changing a field; false if there is none. In a table with
   * `expiry: 'fixed'`, and for a session with `expiresAt`, it changes nothing.
   *
   * @throws NotPrimaryError, ValueError
   */
  touch(key: KeyInput<Key>): boolean {
    this.#writes.admit()
    this.#packKey(key)
    const renewed = this.engine.core.renewKey()
    if (renewed > 0) this.noteChange()
    return renewed >= 0
  }

  /**
   * Changes the given fields of an existing session; false if there is none.
   *
   * @throws NotPrimaryError, ValueError, KeyTakenError, ArenaFullError; nothing is changed then.
   */
  update(key: KeyInput<Key>, fields: FieldsInput<Fields>): boolean {
    this.#writes.admit()
    this.#packKey(key)
    this.#packFields(fields)
    if ((this.#low | this.#high) === 0) return this.engine.core.find() >= 0
    return this.#wrote(this.engine.core.update(this.#low, this.#high))
  }

  /** A live view of the session, a new one each time; undefined if there is none. */
  get(key: KeyInput<Key>): Session<Key, Fields> | undefined {
    this.#packKey(key)
    const id = this.engine.core.find()
    return id < 0 ? undefined : this.#view(id)
  }

  has(key: KeyInput<Key>): boolean {
    this.#packKey(key)
    return this.engine.core.find() >= 0
  }

  /**
   * Deletes the session; false if there is none.
   *
   * @throws NotPrimaryError, ValueError
   */
  delete(key: KeyInput<Key>): boolean {
    this.#writes.admit()
    this.#packKey(key)
    if (this.engine.core.erase() < 0) return false
    this.noteChange()
    return true
  }

  /**
   * Deletes every session, on the secondary too.
   *
   * @throws NotPrimaryError
   */
  clear(): void {
    this.#writes.admit()
    if (this.size === 0) return
    this.engine.core.eraseAll()
    this.noteChange()
  }

  /**
   * All sessions in the order of their record ids, a new view each. Sessions may be deleted, created and changed while
   * iterating; one created meanwhile may or may not be visited.
   */
  *[Symbol.iterator](): IterableIterator<Session<Key, Fields>> {
    const { core } = this.engine
    for (let id = core.next(0); id >= 0; id = core.next(id + 1)) yield this.#view(id)
  }

  #view(id: number): Session<Key, Fields> {
    return new this.#View(this.#host, id) as Session<Key, Fields>
  }

  /** @internal */ protected viewOf(id: number): Session<Key, Fields> {
    return this.#view(id)
  }

  /** @internal */ protected taken(stored: number): KeyTakenError {
    return keyTaken(this.#host, stored)
  }

  /** @internal */ protected admit(): void {
    this.#writes.admit()
  }

  /** @internal */ protected collectEnded(): void {
    this.#ended.collect()
  }

  /** @internal */ protected tellEnded(): void {
    this.#ended.tell()
  }

  /** Whom to tell of sessions that the table ends itself, and of which. The listener must not throw. @internal */
  listen(causes: readonly EndCause[], listener: EndListener): void {
    this.#ended.listen(causes, listener)
  }

  /** As src/core/store.ts says. @internal */
  sessionAt(id: number): Record<string, unknown> | undefined {
    return this.#copies.at(id)
  }

  /** @internal */ sessionLike(
    session: Readonly<Record<string, unknown>>,
  ): Record<string, unknown> | undefined {
    this.#packKey(session as KeyInput<Key>)
    const id = this.engine.core.find()
    return id < 0 ? undefined : this.sessionAt(id)
  }

  /** @internal */ override sweep(patient: boolean): boolean {
    if (!this.#writes.isOpen) return false
    const isUnderWay = super.sweep(patient)
    this.#ended.tell()
    return isUnderWay
  }

  /** Ends every view handed out so far. The node calls it at each change of role. @internal */
  bumpEra(): void {
    this.#host.era++
  }
}
