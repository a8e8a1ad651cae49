// The index at its worst: small tables kept at 100 % while keys come and go, on a primary by writes and on a secondary
// by batches that exchange keys between slots. Against a Map.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { TableFullError } from '../../src/errors.ts'
import { defineTable } from '../../src/schema/index.ts'
import { type Random, runs, seeded } from '../support/seed.ts'
import { applyBatch, type LooseTable, makeNode, readState, sameState } from '../support/tables.ts'
import { encode } from '../twins/codec.ts'
import { TwinState } from '../twins/schema.ts'
import { twinSchemaOf } from '../twins/values.ts'

const CAPACITIES = [1, 2, 12, 13, 100, 1024, 5000] as const

const table = (capacity: number) =>
  defineTable({ name: 'churn', key: { id: 'u32' }, fields: { value: 'u32' }, capacity })

/** Everything that is there is found with its value; nothing else is. */
function compare(table: LooseTable, map: ReadonlyMap<number, number>, absent: Iterable<number>): void {
  assert.is(table.size, map.size)
  for (const [id, value] of map) assert.is(table.get({ id })?.value, value, `session ${id}`)
  for (const id of absent) if (!map.has(id)) assert.is(table.has({ id }), false, `no session ${id}`)
  assert.is([...table].length, map.size)
}

function fill(table: LooseTable, map: Map<number, number>, next: () => number): void {
  while (map.size < table.capacity) {
    const id = next()
    table.set({ id }, { value: id })
    map.set(id, id)
  }
}

function isFull(table: LooseTable, id: number): void {
  assert.throws(
    () => table.set({ id }),
    (error: unknown) => error instanceof TableFullError,
  )
}

function leave(table: LooseTable, map: Map<number, number>, id: number): void {
  assert.is(table.delete({ id }), true, `delete of ${id}`)
  map.delete(id)
}

for (const capacity of CAPACITIES) {
  const rounds = Math.ceil(40_000 / capacity) + 2

  test(
    `a full table of ${capacity} keeps finding while sessions leave in any order`,
    seeded((random) => {
      const { table: engine } = makeNode(table(capacity), 'primary')
      const map = new Map<number, number>()
      let serial = 0
      const nexts = [
        () => serial++,
        () => random.u32(),
        () => random.below(capacity * 3),
        () => (serial += 4096),
      ]
      for (let round = 0; round < runs(rounds); round++) {
        const gone: number[] = []
        const before = [...map.keys()]
        fill(engine, map, random.pick(nexts))
        isFull(engine, 0xffffffff)
        const order = random.pick(['first', 'last', 'any', 'all'])
        const leaving = order === 'all' ? capacity : 1 + random.below(capacity)
        const ids = [...map.keys()]
        if (order === 'last') ids.reverse()
        if (order === 'any') random.shuffle(ids)
        for (const id of ids.slice(0, leaving)) {
          leave(engine, map, id)
          gone.push(id)
        }
        compare(engine, map, [...gone, ...before])
        if (random.chance(0.2)) {
          engine.clear()
          map.clear()
        }
      }
    }),
  )

  test(
    `a full table of ${capacity} does not wear out when one slot is used again and again`,
    seeded((random) => {
      const { table: engine } = makeNode(table(capacity), 'primary')
      const map = new Map<number, number>()
      fill(engine, map, () => random.u32())
      for (let i = 0; i < runs(4000); i++) {
        leave(engine, map, random.chance(0.9) ? [...map.keys()].at(-1)! : map.keys().next().value!)
        fill(engine, map, () => random.u32())
      }
      compare(
        engine,
        map,
        Array.from({ length: 2000 }, () => random.u32()),
      )
    }),
  )

  test(
    `a full secondary of ${capacity} follows keys that are exchanged between slots`,
    seeded((random) => {
      const { table: engine } = makeNode(table(capacity), 'secondary')
      const schema = twinSchemaOf(table(capacity))
      let state = new TwinState(schema)
      for (let round = 0; round < runs(Math.min(60, rounds)); round++) {
        const next = rearranged(random, state, capacity)
        applyBatch(engine, encode(state, next))
        state = next
        sameState(readState(schema, engine), state, 'by record id')
        compare(
          engine,
          new Map([...state.rows.values()].map(([id, value]) => [Number(id), Number(value)])),
          [],
        )
      }
    }),
  )
}

/** The shortest of some runs of as many searches for keys that are not there, in ms. */
function absentMs(table: LooseTable): number {
  let best = Number.POSITIVE_INFINITY
  for (let run = 0; run < 7; run++) {
    const started = performance.now()
    for (let i = 0; i < 5000; i++) table.has({ id: 0xf0000000 + i })
    best = Math.min(best, performance.now() - started)
  }
  return best
}

test('a table of 5000 that saw a million sessions is as quick as a new one', () => {
  const fresh = makeNode(table(5000), 'primary').table
  const old = makeNode(table(5000), 'primary').table
  const map = new Map<number, number>()
  let serial = 0
  for (let round = 0; round < 200; round++) {
    fill(old, map, () => serial++)
    for (const id of map.keys()) old.delete({ id })
    map.clear()
  }
  for (let id = 0; id < 2500; id++) for (const table of [old, fresh]) table.set({ id })
  absentMs(fresh)
  const [worn, whole] = [absentMs(old), absentMs(fresh)]
  // Marks that only ever grow would make each search walk all of the 715 buckets.
  assert.ok(worn < 10 * whole, `${worn.toFixed(2)} ms, new ${whole.toFixed(2)} ms`)
})

/** All slots full: some sessions keep their slot, some exchange it, some are new. */
function rearranged(random: Random, state: TwinState, capacity: number): TwinState {
  const next = new TwinState(state.schema)
  const moved = random.shuffle([...state.rows].filter(() => random.chance(0.5)))
  const slots = random.shuffle(moved.map(([id]) => id))
  const exchanged = new Set(slots)
  for (const [id, row] of state.rows) if (!exchanged.has(id)) next.put(id, row)
  for (const [i, id] of slots.entries()) next.put(id, moved[i]![1])
  for (let id = 0; id < capacity; id++) {
    if (next.rows.has(id) && random.chance(0.9)) continue
    const key = random.u32()
    next.put(id, [key, random.below(100)])
  }
  return next
}

test.run()
