// No ghost sessions: after every flush the indexes of both nodes hold exactly the sessions of their tables, whatever was
// deleted, created and exchanged in one flush, over a journal that overflows, over images in between, and over changes
// of role. An index that finds a session that is gone, or misses one that lives, is what makes a firewall pass or drop
// the wrong packets.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { KeyTakenError, TableFullError } from '../../src/errors.ts'
import { defineTable, string } from '../../src/schema/index.ts'
import { type Random, runs, seeded } from '../support/seed.ts'
import {
  applyBatch,
  byOf,
  type LooseTable,
  makeNode,
  type Node,
  readState,
  sameDigests,
  setRole,
} from '../support/tables.ts'
import { indexKeyOf } from '../twins/indexes.ts'
import { twinSchemaOf } from '../twins/values.ts'

const ROOM = 1 << 20
const MARKS = ['', 'a', 'b', 'c'] as const

/** Index keys are so few that they are handed on all the time; long fields, so that a journal holds few sessions. */
const definitionOf = (capacity: number) =>
  defineTable({
    name: 'ghosts',
    key: { id: 'u16' },
    fields: {
      ...{ value: 'u32', tag: 'u16', mark: string(2), on: 'bool' },
      ...{ text: string(255), more: string(255), rest: string(255) },
    },
    indexes: { tag: ['tag'], pair: ['mark', 'on', 'value'] },
    capacity,
  })

const tagsOf = (capacity: number): number => Math.ceil(capacity * 0.8)
const VALUES = 12

/** Holds a table's indexes against what its images show, key by key. */
function demandExact(table: LooseTable, capacity: number, when: string): void {
  const schema = twinSchemaOf(definitionOf(capacity))
  const state = readState(schema, table)
  const [tag, pair] = schema.indexes.map((index) => {
    const held = new Map<string, number>()
    for (const row of state.rows.values()) {
      const key = indexKeyOf(schema, index, row)
      if (key === undefined) continue
      assert.not.ok(held.has(key), `${when}: ${index.name} has ${key} twice`)
      held.set(key, Number(row[0]))
    }
    return held
  })
  for (let key = 0; key <= tagsOf(capacity); key++) {
    assert.is(byOf(table, 'tag').get({ tag: key })?.id, tag!.get(`${key}`), `${when}: tag ${key}`)
  }
  for (const mark of MARKS) {
    for (let n = 0; n < 2 * VALUES; n++) {
      const key = { mark, on: n % 2 === 1, value: n >> 1 }
      const text = `${Buffer.from(mark).toString('hex')}|${n % 2}|${n >> 1}`
      assert.is(byOf(table, 'pair').get(key)?.id, pair!.get(text), `${when}: pair ${text}`)
    }
  }
}

/** Whether a write was done; one that an index or a full table refuses is not. */
function tried(write: () => unknown): boolean {
  try {
    return write() !== false
  } catch (error) {
    if (error instanceof KeyTakenError || error instanceof TableFullError) return false
    throw error
  }
}

interface Mix {
  readonly capacity: number
  readonly encodeBytesMax: number
}

class Application {
  readonly random: Random
  readonly capacity: number
  readonly ids: number

  constructor(random: Random, { capacity }: Mix) {
    this.random = random
    this.capacity = capacity
    this.ids = Math.floor(capacity * 1.2)
  }

  #fields(): Record<string, unknown> {
    const { random } = this
    const fields: Record<string, unknown> = {}
    if (random.chance(0.6)) fields.tag = random.below(tagsOf(this.capacity))
    if (random.chance(0.4)) fields.mark = random.pick(MARKS)
    if (random.chance(0.4)) fields.on = random.chance(0.5)
    if (random.chance(0.5)) fields.value = random.below(VALUES)
    if (random.chance(0.2)) fields.text = random.pick(['', 'x', 'yz'])
    return fields
  }

  write(table: LooseTable): void {
    const { random, ids } = this
    for (let i = random.below(40); i > 0; i--)
      this.#one(table, { id: random.below(ids) }, { id: random.below(ids) })
    if (random.chance(0.01)) table.clear()
  }

  #one(table: LooseTable, key: { id: number }, other: { id: number }): void {
    const { random } = this
    const draw = random.below(1000) / 1000
    if (draw < 0.2) tried(() => table.delete(key))
    else if (draw < 0.45) tried(() => table.set(key, this.#fields() as never))
    else if (draw < 0.7) tried(() => table.update(key, this.#fields() as never))
    else if (draw < 0.8) this.#exchange(table, key, other)
    else if (draw < 0.9) this.#inherit(table, key, other)
    else {
      const view = table.get(key) as unknown as Record<string, unknown> | undefined
      if (view !== undefined) tried(() => Object.assign(view, this.#fields()))
    }
  }

  #exchange(table: LooseTable, key: { id: number }, other: { id: number }): void {
    const [one, two] = [key, other].map((k) => (table.get(k) as unknown as { tag: number } | undefined)?.tag)
    if (one === undefined || two === undefined) return
    table.update(key, { tag: 0 })
    table.update(other, { tag: one })
    table.update(key, { tag: key.id === other.id ? one : two })
  }

  /** The race in which ghosts are made: a session ends and its index key belongs to another at once. */
  #inherit(table: LooseTable, key: { id: number }, other: { id: number }): void {
    const session = table.get(key) as unknown as { toJSON(): Record<string, unknown> } | undefined
    if (session === undefined || key.id === other.id) return
    const { tag, mark, on, value } = session.toJSON()
    table.delete(key)
    tried(() => table.set(other, { tag, mark, on, value } as never))
  }
}

function pairOf({ capacity, encodeBytesMax }: Mix): [Node, Node] {
  const definition = definitionOf(capacity)
  return [
    makeNode(definition, 'primary', { encodeBytesMax }),
    makeNode(definition, 'secondary', { encodeBytesMax }),
  ]
}

function drain(from: LooseTable, to: LooseTable): void {
  for (let flush = 0; from.changed; flush++) {
    assert.ok(flush <= 2 * from.capacity, 'a drain that does not end')
    applyBatch(to, from.encode(ROOM))
  }
  sameDigests(from, to)
}

const MIXES: readonly Mix[] = [
  { capacity: 20, encodeBytesMax: 4096 },
  { capacity: 60, encodeBytesMax: 4096 },
  { capacity: 60, encodeBytesMax: 30_000 },
  { capacity: 60, encodeBytesMax: 983_040 },
]

for (const mix of MIXES) {
  const { capacity } = mix
  test(
    `indexes hold exactly the sessions on both nodes (${capacity} sessions, ${mix.encodeBytesMax} bytes an encode)`,
    seeded((random) => {
      for (let run = 0; run < runs(40); run++) {
        let [primary, secondary] = pairOf(mix)
        const application = new Application(random, mix)
        for (let flush = 0; flush < 60; flush++) {
          application.write(primary.table)
          demandExact(primary.table, capacity, 'primary')
          applyBatch(secondary.table, primary.table.encode(random.pick([0, 1000, 2000, ROOM])))
          demandExact(secondary.table, capacity, 'secondary')
          if (!primary.table.changed) sameDigests(primary.table, secondary.table)
          if (random.chance(0.05)) {
            drain(primary.table, secondary.table)
            setRole(primary, 'secondary')
            setRole(secondary, 'primary')
            ;[primary, secondary] = [secondary, primary]
          }
        }
        drain(primary.table, secondary.table)
        demandExact(secondary.table, capacity, 'after the drain')
      }
    }),
  )
}

/** Right after a flush that left nothing behind. */
function answer(from: LooseTable, to: LooseTable, segment: number): void {
  drainTrusted(from, to)
  if (!to.isAwaited(segment)) return
  assert.is(to.stageImage(segment, from.image(segment)), undefined)
  to.commit()
  to.setAwaited(segment, 1, false)
}

function drainTrusted(from: LooseTable, to: LooseTable): void {
  for (let flush = 0; from.changed; flush++) {
    assert.ok(flush <= 2 * from.capacity, 'a backlog that does not end')
    applyBatch(to, from.encode(ROOM))
  }
}

test(
  'indexes hold exactly the sessions of a secondary that is resynced meanwhile',
  seeded((random) => {
    const mix = { capacity: 1100, encodeBytesMax: 4096 }
    const { capacity } = mix
    for (let run = 0; run < runs(25); run++) {
      const [primary, secondary] = pairOf(mix)
      const to = secondary.table
      const application = new Application(random, mix)
      for (let id = 0; id < capacity; id++) primary.table.set({ id }, { tag: id < tagsOf(capacity) ? id : 0 })
      primary.table.setTracking(true)
      to.setAwaited(0, to.segments, true)
      for (let flush = 0; flush < 60; flush++) {
        application.write(primary.table)
        applyBatch(to, primary.table.encode(random.pick([0, 1000, 2000, ROOM])))
        const segment = random.below(2)
        if (random.chance(0.05)) to.setAwaited(segment, 1, true)
        if (random.chance(0.1)) answer(primary.table, to, segment)
        if (random.chance(0.1)) demandExact(to, capacity, 'secondary')
      }
      demandExact(primary.table, capacity, 'primary')
      for (const segment of random.shuffle([0, 1])) answer(primary.table, to, segment)
      drain(primary.table, to)
      demandExact(to, capacity, 'after the resync')
    }
  }),
)

test('index keys that change beyond the journal reach the peer although they change before every flush', () => {
  const mix = { capacity: 60, encodeBytesMax: 4096 }
  const [{ table: from }, { table: to }] = pairOf(mix)
  for (let id = 0; id < 60; id++) from.set({ id }, { tag: id + 1 })
  drain(from, to)
  let turn = 0
  const rotate = (count: number) => {
    for (let id = 0; id < count; id++) from.update({ id }, { tag: 0 })
    for (let id = 0; id < count; id++) from.update({ id }, { tag: 1 + ((id + turn) % count) })
    turn++
  }
  rotate(60)
  for (let flush = 0; from.overflowed; flush++) {
    assert.ok(flush < 200, 'overflowed records starve')
    applyBatch(to, from.encode(ROOM))
    demandExact(to, 60, 'secondary')
    rotate(from.journalMax - 1)
  }
  drain(from, to)
  demandExact(to, 60, 'secondary')
})

test.run()
