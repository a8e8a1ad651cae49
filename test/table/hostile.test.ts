// time-out: 300 s
// The decoder against bytes nobody should send: at least 200,000 changed, cut, spliced and random batches and images.
// Engine and twin give the same verdict on each; what is refused changes nothing, what is accepted changes what it says.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { TableDefinition } from '../../src/schema/index.ts'
import { REFUSALS } from '../../src/table/index.ts'
import { hostile } from '../support/mutate.ts'
import { type Random, runs, seeded } from '../support/seed.ts'
import {
  allDigests,
  applyBatch,
  byOf,
  everything,
  indexed,
  type LooseTable,
  leases,
  lengthy,
  makeNode,
  readState,
  tiny,
} from '../support/tables.ts'
import { randomRow } from '../support/values.ts'
import { apply, decode, decodeImage, encode, encodeImage, type Receiver } from '../twins/codec.ts'
import { SEGMENT } from '../twins/deltas.ts'
import { holderOf, indexesFree, indexKeyOf, indexValues } from '../twins/indexes.ts'
import { isPast } from '../twins/lifetime.ts'
import { keyOf, type Row, type TwinIndex, type TwinSchema, TwinState, toHex } from '../twins/schema.ts'
import { rowOf } from '../twins/table.ts'
import { fromCell, twinSchemaOf } from '../twins/values.ts'

const ROUNDS = 250
const ATTEMPTS_PER_ROUND = 500
/** One attempt of a decoder that is linear in its bytes is far below this. */
const ATTEMPT_MS_MAX = 1000

function startState(random: Random, schema: TwinSchema, capacity: number): TwinState {
  const state = new TwinState(schema)
  const first = Math.floor((capacity - 1) / SEGMENT) * SEGMENT
  for (let i = 0; i < 24; i++) {
    const row = randomRow(random, schema)
    const id = random.pick([
      random.below(Math.min(10, capacity)),
      first + random.below(capacity - first),
      random.below(capacity),
    ])
    if (!state.ids.has(keyOf(schema, row)) && indexesFree(state, row, id)) state.put(id, row)
  }
  return state
}

class Siege {
  readonly definition: TableDefinition
  readonly schema: TwinSchema
  readonly random: Random
  readonly table: LooseTable
  /** Shares nothing with the besieged table but the process: it must never change. */
  readonly neighbour: LooseTable
  readonly neighbourDigests: Uint8Array
  readonly counts = new Map<string, number>()
  readonly earlier: Uint8Array[] = [Uint8Array.of(0)]
  twin: TwinState
  awaited = -1

  constructor(random: Random, definition: TableDefinition) {
    this.random = random
    this.definition = definition
    this.schema = twinSchemaOf(definition)
    this.twin = startState(random, this.schema, definition.capacity)
    this.table = makeNode(definition, 'secondary').table
    this.neighbour = makeNode(definition, 'secondary').table
    applyBatch(this.neighbour, encode(new TwinState(this.schema), this.twin))
    this.neighbourDigests = allDigests(this.neighbour)
  }

  begin(): void {
    const { table, random } = this
    table.setAwaited(0, table.segments, false)
    table.reset()
    this.twin = startState(random, this.schema, this.definition.capacity)
    applyBatch(table, encode(new TwinState(this.schema), this.twin))
    this.awaited = random.below(table.segments + 1)
    if (this.awaited < table.segments) table.setAwaited(this.awaited, 1, true)
  }

  attempt(): void {
    const { table, random, twin } = this
    const { bytes, segment } = hostile(random, twin, table.capacity, this.earlier)
    if (this.earlier.length < 32) this.earlier.push(bytes)
    else if (random.chance(0.05)) this.earlier[random.below(32)] = bytes
    const before = [table.size, toHex(allDigests(table))]
    const receiver: Receiver = {
      capacity: table.capacity,
      awaited: (s) => s === this.awaited,
      countMax: table.deltasMax,
    }
    const verdict =
      segment === undefined ? decode(twin, bytes, receiver) : decodeImage(twin, segment, bytes, receiver)

    const started = performance.now()
    const refusal = segment === undefined ? table.stage(bytes) : table.stageImage(segment, bytes)
    assert.ok(performance.now() - started < ATTEMPT_MS_MAX, 'a stage that takes too long')
    const what = `${segment === undefined ? 'batch' : `image of ${segment}`} ${toHex(bytes)}`
    assert.equal([table.size, toHex(allDigests(table))], before, `a stage changed something: ${what}`)
    if ('reasons' in verdict) {
      assert.ok(
        refusal !== undefined && verdict.reasons.has(refusal),
        `${refusal}, not ${[...verdict.reasons]}: ${what}`,
      )
      this.counts.set(refusal, (this.counts.get(refusal) ?? 0) + 1)
      return
    }
    assert.is(refusal, undefined, what)
    this.counts.set('accepted', (this.counts.get('accepted') ?? 0) + 1)
    // Some are only staged: a later stage takes their place.
    if (random.chance(0.3)) return
    table.commit()
    apply(twin, verdict)
    assert.is(table.size, twin.rows.size, what)
    for (let s = 0; s < table.segments; s++) {
      assert.is(toHex(table.image(s)), toHex(encodeImage(twin, s)), `image of ${s} after ${what}`)
    }
  }

  /** The index still finds what is there, and only that. */
  inspect(): void {
    assert.equal(readState(this.schema, this.table).ids.size, this.table.size)
    const expires = this.definition.lifetime !== undefined
    const isLive = (row: Row) => !expires || !isPast(row.at(-1)!, 1)
    for (const row of this.twin.rows.values()) {
      const key = Object.fromEntries(this.schema.keys.map((c, i) => [c.name, fromCell(c, row[i]!)]))
      assert.is(this.table.has(key as never), isLive(row))
    }
    for (const index of this.schema.indexes) this.inspectIndex(index)
    assert.equal([...this.table].length, [...this.twin.rows.values()].filter(isLive).length)
    assert.equal(allDigests(this.neighbour), this.neighbourDigests)
  }

  inspectIndex(index: TwinIndex): void {
    const { schema, twin, table } = this
    const rows = [...twin.rows.values(), ...Array.from({ length: 20 }, () => randomRow(this.random, schema))]
    for (const row of rows) {
      const found = byOf(table, index.name).get(indexValues(schema, index, row))
      const holder = holderOf(twin, index, indexKeyOf(schema, index, row))
      const expected = holder === undefined ? undefined : twin.rows.get(holder)
      assert.equal(found && rowOf(this.definition, found.toJSON()), expected, `index ${index.name}`)
    }
  }
}

for (const [definition, share, expected] of [
  // Nothing here is as large as an arena: what does not fit is in test/table/arena.test.ts.
  [everything(2100), 0.4, REFUSALS.filter((name) => !name.startsWith('index-') && name !== 'arena')],
  [indexed(2100), 0.2, REFUSALS.filter((name) => name !== 'arena')],
  [lengthy(2100), 0.2, REFUSALS.filter((name) => !name.startsWith('index-') && name !== 'arena')],
  [leases(1200), 0.2, REFUSALS.filter((name) => !name.startsWith('index-') && name !== 'arena')],
  [
    tiny(12),
    0.1,
    REFUSALS.filter((name) => !['value', 'range', 'arena'].includes(name) && !name.startsWith('index-')),
  ],
] as const) {
  test(
    `nothing hostile gets past the decoder of ${definition.name}`,
    seeded((random) => {
      const siege = new Siege(random, definition)
      let attempts = 0
      for (let round = runs(ROUNDS * 2 * share); round > 0; round--) {
        siege.begin()
        for (let i = 0; i < ATTEMPTS_PER_ROUND; i++, attempts++) siege.attempt()
        siege.inspect()
      }
      console.log(
        `\n  ${attempts} attempts: ${[...siege.counts].map(([name, count]) => `${name} ${count}`).join(', ')}`,
      )
      for (const name of expected) assert.ok(siege.counts.has(name), `nothing was refused as ${name}`)
      assert.ok(siege.counts.has('accepted'))
    }),
  )
}

test.run()
