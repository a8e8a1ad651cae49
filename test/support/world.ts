// Two engine tables and their twins under one history: what the model-based tests drive. The first node starts as
// primary; every flush carries its batch over and compares all that can be compared.
import * as assert from 'uvu/assert'
import type { TableDefinition } from '../../src/schema/index.ts'
import { openGate } from '../../src/table/gate.ts'
import { deltasBetween, digest, encode } from '../twins/codec.ts'
import { readDeltas, SEGMENT, writeDeltas } from '../twins/deltas.ts'
import { indexKeyOf, indexValues } from '../twins/indexes.ts'
import { isPast } from '../twins/lifetime.ts'
import { type Row, type TwinSchema, TwinState, toHex } from '../twins/schema.ts'
import { TwinStore } from '../twins/store.ts'
import { rowOf, TwinTable, type Values } from '../twins/table.ts'
import { twinSchemaOf } from '../twins/values.ts'
import { byOf, makeNode, type Node, setRole } from './tables.ts'

const ROOM = 1 << 20
const DIGEST_KEY = Uint8Array.from({ length: 16 }, (_, i) => 17 * i)

export interface HeldView {
  readonly view: Values
  readonly key: string
  /** Which life of the key, and which era, the view belongs to. */
  readonly life: number
  readonly era: number
}

export class World {
  readonly definition: TableDefinition
  readonly schema: TwinSchema
  /** What an application would see: content by key, record ids of its own. */
  readonly twin: TwinTable
  /** What the secondary should hold, by record id, fed with the same bytes. */
  copy: TwinStore
  primary: Node
  secondary: Node
  /** By record id, as of the last flush. */
  last: TwinState
  /** Digests of awaited segments as the secondary would have sent them. */
  readonly sent = new Map<number, string>()
  readonly views: HeldView[] = []
  readonly lives = new Map<string, number>()
  era = 0
  /** Table time of both nodes. */
  time = 1
  #announced = 0
  /** Every key that was ever seen in an index, with the fields that make it. */
  readonly #indexKeys = new Map<string, Map<string, Values>>()
  readonly #read = new WeakMap<object, { image: string; rows: readonly (readonly [number, Row])[] }[]>()

  constructor(definition: TableDefinition, start: TwinState) {
    this.definition = definition
    this.schema = twinSchemaOf(definition)
    this.twin = new TwinTable(definition, openGate())
    this.copy = new TwinStore(this.schema, definition)
    const date = () => this.twin.date
    this.primary = makeNode(definition, 'secondary', { date })
    this.secondary = makeNode(definition, 'secondary', { date })
    this.last = start.copy()
    const batch = encode(new TwinState(this.schema), start)
    for (const store of [this.primary.table, this.secondary.table, this.copy]) {
      store.setDigestKey(DIGEST_KEY)
      carry(store, batch)
    }
    for (const [id, row] of start.rows) this.twin.state.put(id, row)
    setRole(this.primary, 'primary')
    this.#listen()
  }

  #listen(): void {
    this.secondary.table.onChange = () => assert.unreachable('a secondary announced a change')
    this.primary.table.onChange = () => {
      this.#announced++
    }
    this.#announced = 0
  }

  /** What the application may see, by key. */
  live(state: TwinState): [string, Row][] {
    return [...state.ids]
      .map(([key, id]): [string, Row] => [key, state.rows.get(id)!])
      .filter(([, row]) => this.isLive(row))
  }

  isLive(row: Row): boolean {
    return this.definition.lifetime === undefined || !isPast(row.at(-1)!, this.time)
  }

  /** Time passes on both nodes. */
  advance(ticks: number): void {
    this.time += ticks
    for (const store of [this.primary.table, this.secondary.table, this.copy, this.twin])
      store.setTime(this.time)
  }

  /** Removes what has expired, from the primary only. */
  sweep(patient: boolean): void {
    const { table } = this.primary
    this.secondary.table.sweep(patient)
    let slices = 0
    while (table.sweep(patient) && !patient)
      assert.ok(++slices <= table.capacity, 'a sweep that does not end')
    if (patient) return
    assert.is(table.size, this.live(this.twin.state).length, 'nothing expired is left')
    assert.ok(table.sweepDue > this.time, 'nothing is due')
  }

  /** To be called after each step of a history. */
  check(): void {
    const { table } = this.primary
    const live = this.live(this.twin.state)
    if (this.definition.lifetime === undefined) assert.is(table.size, live.length)
    else assert.ok(table.size >= live.length && table.size <= table.capacity, 'sessions in their slots')
    assert.is(this.#announced, table.changed ? 1 : 0, 'announced changes')
  }

  /** Takes the primary's batch to the secondary and to the twins, and compares. */
  flush(): void {
    const { table } = this.primary
    const before = this.last
    const after = this.read(table)
    sameRows(this.live(after), this.live(this.twin.state), 'content by key')
    const overflowed = table.overflowed
    const batch = table.encode(ROOM).slice()
    // In these tables all that has overflowed fits one batch.
    assert.is(table.changed, false)
    this.#announced = 0
    this.#checkBatch(before, after, batch, overflowed)
    this.last = after
    carry(this.secondary.table, batch)
    carry(this.copy, batch)
    this.compare()
  }

  /** The batch leads from the one state to the other, with no other bytes than the twin would write. */
  #checkBatch(before: TwinState, after: TwinState, batch: Uint8Array, overflowed: boolean): void {
    if (toHex(batch) === toHex(encode(before, after))) return
    const bounds = { first: 0, end: this.definition.capacity, image: false }
    const { deltas, reasons } = readDeltas(this.schema, batch, bounds)
    assert.equal([...reasons], [], 'form of the batch')
    const given = new Map(deltas.map((delta) => [delta.id, delta]))
    for (const expected of deltasBetween(before, after)) {
      const delta = given.get(expected.id)
      given.delete(expected.id)
      // Without its before-image, a record goes whole.
      if (!overflowed || delta?.op !== 'whole') assert.equal(delta, expected, 'a delta')
      else assert.equal(delta.row, after.rows.get(delta.id), 'a record that had overflowed')
    }
    for (const { id, op, row } of given.values()) {
      assert.equal([overflowed, op, row], [true, 'whole', after.rows.get(id)], 'a record that did not change')
    }
    assert.is(toHex(batch), toHex(writeDeltas(this.schema, deltas)), 'bytes of the batch')
  }

  /** The secondary against the primary where it is trusted, and against its twin everywhere. */
  compare(): void {
    const [from, to] = [this.primary.table, this.secondary.table]
    const digests = [toHex(from.digests(0, from.segments)), toHex(to.digests(0, to.segments))] as const
    for (let segment = 0; segment < from.segments; segment++) {
      if (to.isAwaited(segment)) continue
      const [ours, theirs] = digests.map((hex) => hex.slice(16 * segment, 16 * segment + 16))
      assert.is(theirs, ours, `digest of segment ${segment}`)
    }
    sameRows([...this.read(to).rows], [...this.copy.state.rows], 'the secondary by record id')
    assert.equal([to.size, to.awaited], [this.copy.size, this.copy.awaited])
    this.checkIndexes(from, this.read(from))
    this.checkIndexes(to, this.copy.state)
    for (let segment = 0; segment < from.segments; segment++) {
      if (to.isAwaited(segment))
        assert.is(to.isTouched(segment), this.copy.isTouched(segment), `touched ${segment}`)
    }
  }

  /** A table's indexes find exactly the sessions of a state: every one, and none for a key that only was. */
  checkIndexes(table: Node['table'], state: TwinState): void {
    for (const index of this.schema.indexes) {
      const by = byOf(table, index.name)
      const held = new Map<string, Row | undefined>()
      const keys = this.#indexKeys.get(index.name) ?? new Map<string, Values>()
      this.#indexKeys.set(index.name, keys)
      for (const row of state.rows.values()) {
        const key = indexKeyOf(this.schema, index, row)
        if (key === undefined) continue
        assert.not.ok(held.has(key), `index ${index.name} has ${key} twice`)
        held.set(key, this.isLive(row) ? row : undefined)
        keys.set(key, indexValues(this.schema, index, row))
      }
      for (const [key, values] of keys) {
        const row = held.get(key)
        const found = by.get(values)
        assert.is(found !== undefined, row !== undefined, `index ${index.name} at ${key}`)
        if (found === undefined) continue
        const shown = rowOf(this.definition, found.toJSON())
        assert.equal(shown, row?.slice(0, shown.length), `found at ${key}`)
      }
    }
  }

  /** The engine's digests against the twin's; slow. */
  compareDigests(): void {
    const { table } = this.primary
    for (let segment = 0; segment < table.segments; segment++) {
      assert.is(toHex(table.digests(segment, 1)), toHex(digest(this.read(table), segment, DIGEST_KEY)))
    }
  }

  awaitSegments(first: number, count: number): void {
    const { table } = this.secondary
    table.setAwaited(first, count, true)
    this.copy.setAwaited(first, count, true)
    for (let segment = first; segment < first + count; segment++)
      this.sent.set(segment, toHex(table.digests(segment, 1)))
  }

  /** Right after a flush: the segment is as the digest said, or its image follows. */
  answer(segment: number, image: boolean): void {
    this.flush()
    const [from, to] = [this.primary.table, this.secondary.table]
    if (!to.isAwaited(segment)) return
    const same = toHex(from.digests(segment, 1)) === this.sent.get(segment) && !to.isTouched(segment)
    if (!same && !image) return
    if (!same || image) {
      const bytes = from.image(segment).slice()
      assert.is(to.stageImage(segment, bytes), undefined)
      to.commit()
      assert.is(this.copy.stageImage(segment, bytes), undefined)
      this.copy.commit()
    }
    to.setAwaited(segment, 1, false)
    this.copy.setAwaited(segment, 1, false)
    this.compare()
  }

  /** The secondary forgets what it holds, holds `foreign` instead, and awaits everything. */
  replaceSecondary(foreign: TwinState): void {
    const { table } = this.secondary
    const batch = encode(new TwinState(this.schema), foreign)
    for (const store of [table, this.copy]) {
      store.setAwaited(0, table.segments, false)
      store.reset()
      carry(store, batch)
    }
    this.awaitSegments(0, table.segments)
    this.compare()
  }

  /** Everything that is awaited is answered; then both tables are equal in all. */
  settle(): void {
    this.flush()
    for (let segment = 0; segment < this.definition.capacity / SEGMENT; segment++) this.answer(segment, true)
    assert.equal([this.secondary.table.awaited, this.secondary.table.size], [0, this.primary.table.size])
    sameRows(
      this.live(this.read(this.secondary.table)),
      this.live(this.twin.state),
      'content of the secondary by key',
    )
    this.compareDigests()
  }

  exchangeRoles(): void {
    this.settle()
    setRole(this.primary, 'secondary')
    setRole(this.secondary, 'primary')
    const { primary, secondary } = this
    this.primary = secondary
    this.secondary = primary
    this.copy = new TwinStore(this.schema, this.definition)
    this.copy.setTime(this.time)
    for (const [id, row] of this.last.rows) this.copy.state.put(id, row)
    this.era++
    this.#listen()
  }

  /** All sessions of a table by record id; segments whose image is as it was are not decoded again. */
  read(table: Node['table']): TwinState {
    const state = new TwinState(this.schema)
    const cache = this.#read.get(table) ?? []
    this.#read.set(table, cache)
    for (let segment = 0; segment < table.segments; segment++) {
      const bytes = table.image(segment)
      const image = toHex(bytes)
      if (cache[segment]?.image !== image) {
        const first = segment * SEGMENT
        const bounds = { first, end: Math.min(first + SEGMENT, table.capacity), image: true }
        const { deltas, reasons } = readDeltas(this.schema, bytes, bounds)
        assert.equal([...reasons], [], `image of segment ${segment}`)
        cache[segment] = { image, rows: deltas.map(({ id, row }) => [id, row!] as const) }
      }
      for (const [id, row] of cache[segment]!.rows) state.put(id, row)
    }
    assert.is(state.ids.size, table.size, 'every key once')
    return state
  }
}

function carry(store: Pick<TwinStore, 'stage' | 'commit'>, batch: Uint8Array): void {
  if (batch.length === 0) return
  assert.is(store.stage(batch), undefined)
  store.commit()
}

function sameRows<K extends string | number>(actual: [K, Row][], expected: [K, Row][], what: string): void {
  const text = (rows: [K, Row][]) => rows.map(([key, row]) => `${key}: ${row.join(' ')}`).sort()
  assert.equal(text(actual), text(expected), what)
}
