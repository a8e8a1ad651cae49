// A primary, its secondary and the twin of the primary, of a table with pickup, at one time: what the histories of
// test/table/pickup.test.ts drive.
import * as assert from 'uvu/assert'
import { KeyTakenError, SessionGoneError } from '../../src/errors.ts'
import { defineTable, string, type TableDefinition } from '../../src/schema/index.ts'
import { openGate } from '../../src/table/gate.ts'
import { ENCODE_BYTES_MAX } from '../../src/table/index.ts'
import { keyOf, toHex } from '../twins/schema.ts'
import { TwinTable } from '../twins/table.ts'
import { twinSchemaOf } from '../twins/values.ts'
import {
  allDigests,
  applyBatch,
  type LooseSession,
  makeNode,
  type Node,
  readState,
  sameState,
  setRole,
} from './tables.ts'

export const ROOM = 1 << 20
const DIGEST_KEY = Uint8Array.from({ length: 16 }, (_, i) => i)

export interface Kind {
  readonly capacity: number
  readonly delay: number
  readonly filter: boolean
  /** A journal of a handful of records. */
  readonly overflows: boolean
  /** A further unique key over `value`, which sessions take from each other. */
  readonly indexed: boolean
  /** A field of any length, with room for all. */
  readonly long: boolean
}

export const definitionOf = ({ capacity, delay, filter, overflows, indexed, long }: Kind): TableDefinition =>
  defineTable({
    name: 'flows',
    key: { id: 'u16' },
    fields: {
      ...{ value: 'u16', secret: 'bool', broken: 'bool' },
      // Sessions that may be so long that few before-images fit the smallest output of an encode.
      ...(long && { note: 'text' }),
      ...(overflows && { a: string(255), b: string(255), c: string(255) }),
    },
    ...(long && { arena: 2 ** 22 }),
    ...(indexed && { indexes: { value: ['value'] } }),
    capacity,
    pickup: {
      delay,
      ...(filter && {
        filter: ({ secret, broken }) => {
          if (broken) throw new Error('a filter that fails')
          return !secret
        },
      }),
    },
  })

export class PickupPair {
  readonly definition: TableDefinition
  readonly kind: Kind
  primary: Node
  secondary: Node
  twin: TwinTable
  now = 1000.5
  /** By key, of sessions that live. */
  readonly createdAt = new Map<number, number>()
  /** Younger sessions may have left before. */
  demandedAt = Number.NEGATIVE_INFINITY
  /** Flushes that found the journal overflowed. */
  overflows = 0

  constructor(kind: Kind) {
    this.kind = kind
    this.definition = definitionOf(kind)
    const options = { encodeBytesMax: kind.overflows ? 4096 : ENCODE_BYTES_MAX }
    this.primary = makeNode(this.definition, 'primary', options)
    this.secondary = makeNode(this.definition, 'secondary', options)
    this.twin = new TwinTable(this.definition, openGate())
    this.twin.setTracking(true)
    for (const { table } of [this.primary, this.secondary]) table.setDigestKey(DIGEST_KEY)
  }

  get schema() {
    return twinSchemaOf(this.definition)
  }

  set(id: number, fields: { readonly [name: string]: number | boolean | string }): void {
    const { table } = this.primary
    const isNew = !table.has({ id })
    if (isNew && table.size === table.capacity) return
    const isTaken = this.#isTaken(() => this.twin.set({ id }, fields))
    assert.is(
      this.#isTaken(() => table.set({ id }, fields)),
      isTaken,
    )
    if (isNew && !isTaken) this.createdAt.set(id, this.now)
  }

  update(id: number, fields: { readonly [name: string]: number | boolean | string }): void {
    let [found, expected] = [false, false]
    const isTaken = this.#isTaken(() => {
      expected = this.twin.update({ id }, fields)
    })
    const refused = this.#isTaken(() => {
      found = this.primary.table.update({ id }, fields as never)
    })
    assert.equal([refused, found], [isTaken, expected])
  }

  /** Through a view. */
  assign(id: number, value: number): void {
    const view = this.primary.table.get({ id }) as LooseSession | undefined
    const isTaken = this.#isTaken(() => this.twin.update({ id }, { value }))
    if (view === undefined) return
    const refused = this.#isTaken(() => {
      view.value = value
    })
    assert.is(refused, isTaken)
  }

  #isTaken(write: () => void): boolean {
    try {
      write()
      return false
    } catch (error) {
      if (!(error instanceof KeyTakenError)) throw error
      return true
    }
  }

  delete(id: number): void {
    assert.is(this.primary.table.delete({ id }), this.twin.delete({ id }))
    this.createdAt.delete(id)
  }

  clear(): void {
    this.primary.table.clear()
    this.twin.clear()
    this.createdAt.clear()
  }

  demand(): void {
    this.primary.table.demandPickup()
    this.twin.demandPickup()
    this.demandedAt = this.now
  }

  /** As the replica does it: until there is nothing to do at this time. */
  turn(): void {
    const { table } = this.primary
    assert.is(table.pickupDemanded, this.twin.pickupDemanded)
    for (let slices = 0; ; slices++) {
      const at = table.pickupDeadline(this.now)
      if (at === undefined || at > this.now) break
      assert.ok(slices < 10_000, 'a pickup that does not end')
      table.pickUp(this.now)
    }
    this.twin.pickUp(this.now)
    const [ours, theirs] = [table.pickupDeadline(this.now), this.twin.pickupDeadline(this.now)]
    assert.is(ours, theirs, 'the next pickup')
    assert.equal([table.held, table.pickupDemanded], [this.twin.held, false])
    sameState(readState(this.schema, table), this.twin.shown(), 'what the primary shows')
  }

  flush(bytesMax = ROOM): void {
    const { table } = this.primary
    const { overflows, long } = this.kind
    if (table.overflowed) this.overflows++
    // Long values may overflow when the batch is made, too.
    const whole = !table.overflowed && !(overflows && long)
    const batch = table.encode(bytesMax).slice()
    const expected = this.twin.encode(ROOM)
    if (whole) assert.is(toHex(batch), toHex(expected), 'bytes of the batch')
    applyBatch(this.secondary.table, batch)
    if (!table.changed) this.compare()
  }

  drain(): void {
    this.flush()
    for (let rest = 0; this.primary.table.changed; rest++) {
      assert.ok(rest <= this.kind.capacity, 'a backlog that does not end')
      this.flush()
    }
  }

  /** After a flush that left nothing behind. */
  compare(): void {
    const { primary, secondary, twin, schema } = this
    const [ours, theirs] = [allDigests(primary.table), allDigests(secondary.table)]
    for (let segment = 0; segment < primary.table.segments; segment++) {
      if (secondary.table.isAwaited(segment)) continue
      const part = [8 * segment, 8 * segment + 8] as const
      assert.equal(theirs.subarray(...part), ours.subarray(...part), `digest of segment ${segment}`)
    }
    if (secondary.table.awaited > 0) return
    const held = readState(schema, secondary.table)
    sameState(held, twin.shown(), 'what the secondary holds')
    assert.equal([secondary.table.size, secondary.table.held], [twin.size - twin.held, 0])
    for (const row of held.rows.values()) {
      const createdAt = this.createdAt.get(Number(keyOf(schema, row)))!
      const isOld = this.now - createdAt >= this.kind.delay * 1000
      assert.ok(isOld || createdAt <= this.demandedAt, `a session of ${this.now - createdAt} ms has left`)
    }
  }

  /** The image of an awaited segment, when nothing is left behind. */
  answer(segment: number): void {
    const to = this.secondary.table
    this.drain()
    if (!to.isAwaited(segment)) return
    assert.is(to.stageImage(segment, this.primary.table.image(segment)), undefined)
    to.commit()
    to.setAwaited(segment, 1, false)
    this.compare()
  }

  settle(): void {
    for (let segment = 0; segment < this.primary.table.segments; segment++) this.answer(segment)
    this.drain()
    assert.is(this.secondary.table.awaited, 0)
  }

  /** The secondary is promoted with what it was sent; what was held back is dropped by the other. */
  exchangeRoles(): void {
    this.settle()
    const { primary, secondary, schema } = this
    const kept = this.twin.shown()
    const held = this.twin.held
    const views = [...primary.table] as LooseSession[]
    setRole(primary, 'secondary')
    setRole(secondary, 'primary')
    const fresh = [...primary.table] as LooseSession[]
    while (!primary.table.dropHeld()) assert.ok(primary.table.held > 0)
    assert.is(primary.table.size, kept.rows.size)
    for (const view of views) assert.throws(() => view.id, gone)
    assert.is(fresh.filter((view) => isGone(view)).length, held)
    assert.equal(allDigests(primary.table), allDigests(secondary.table))
    sameState(readState(schema, primary.table), kept, 'after the demotion')
    for (const { id } of [...primary.table] as LooseSession[])
      assert.is(secondary.table.has({ id } as never), true)
    this.primary = secondary
    this.secondary = primary
    this.twin = new TwinTable(this.definition, openGate())
    this.twin.setTracking(true)
    for (const [id, row] of kept.rows) this.twin.state.put(id, row)
    const ids = new Set([...kept.rows.values()].map((row) => Number(keyOf(schema, row))))
    for (const id of [...this.createdAt.keys()]) if (!ids.has(id)) this.createdAt.delete(id)
    this.compare()
  }
}

const gone = (error: unknown) => error instanceof SessionGoneError

function isGone(view: LooseSession): boolean {
  try {
    view.toJSON()
    return false
  } catch (error) {
    if (!gone(error)) throw error
    return true
  }
}
