// time-out: 300 s
// The decoders inside the engine without their twin, for speed: batches, images, parts of images and lists of records,
// with varints at their edges at every place and 300,000 random changes. None traps, none grows the memory, none writes
// beside what it may, each refusal has a name. test/table/hostile.test.ts compares every verdict with the twin's.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { TableDefinition } from '../../src/schema/index.ts'
import { REFUSALS } from '../../src/table/index.ts'
import { EDGES, hangs, harmed, withVarint } from '../support/edges.ts'
import { changed } from '../support/mutate.ts'
import { type Random, runs, seeded } from '../support/seed.ts'
import {
  allDigests,
  applyBatch,
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
import { encode, encodeImage } from '../twins/codec.ts'
import { SEGMENT } from '../twins/deltas.ts'
import { indexesFree } from '../twins/indexes.ts'
import { keyOf, type TwinSchema, TwinState } from '../twins/schema.ts'
import { twinSchemaOf } from '../twins/values.ts'

const CHANGES = 300_000
const SOURCES = 40
/** Everything staged here is a few hundred bytes; one that takes this long hangs. */
const STAGE_MS_MAX = 250
const VARINT_MAX = 2 ** 53 - 1

type Kind = 'batch' | 'image' | 'part' | 'list'
const KINDS: readonly Kind[] = ['batch', 'image', 'part', 'list']

function startState(random: Random, schema: TwinSchema, capacity: number): TwinState {
  const state = new TwinState(schema)
  for (let i = 0; i < 24; i++) {
    const row = randomRow(random, schema)
    const id = random.below(random.pick([Math.min(10, capacity), capacity]))
    if (!state.ids.has(keyOf(schema, row)) && indexesFree(state, row, id)) state.put(id, row)
  }
  return state
}

/** A table, what it holds, and honest bytes about it. */
class Target {
  readonly table: LooseTable
  readonly schema: TwinSchema
  readonly random: Random
  readonly state: TwinState
  readonly sources: { kind: Kind; bytes: Uint8Array }[] = []
  readonly counts = new Map<string, number>()
  attempts = 0
  private readonly memoryBytes: number

  constructor(random: Random, definition: TableDefinition) {
    this.random = random
    this.schema = twinSchemaOf(definition)
    this.table = makeNode(definition, 'secondary').table
    this.state = startState(random, this.schema, definition.capacity)
    this.begin()
    this.memoryBytes = this.memory
    for (let i = 0; i < SOURCES; i++) {
      const next = changed(random, this.state, definition.capacity)
      this.sources.push({ kind: 'batch', bytes: encode(this.state, next) })
      const segment = random.below(this.table.segments)
      this.sources.push({ kind: random.pick(['image', 'part'] as const), bytes: encodeImage(next, segment) })
      this.sources.push({ kind: 'list', bytes: Uint8Array.of(3, random.below(9), 0, random.below(99)) })
    }
  }

  begin(): void {
    const { table } = this
    table.setAwaited(0, table.segments, false)
    table.forgetOwed()
    table.reset()
    applyBatch(table, encode(new TwinState(this.schema), this.state))
    if (this.random.chance(0.3)) table.setAwaited(this.random.below(table.segments), 1, true)
  }

  private get memory(): number {
    const { engine } = this.table as unknown as {
      engine: { core: { memory: { buffer: ArrayBuffer } } }
    }
    return engine.core.memory.buffer.byteLength
  }

  stage(kind: Kind, bytes: Uint8Array): string | undefined {
    const { table, random } = this
    const segment = random.chance(0.95) ? random.below(table.segments) : random.pick(EDGES(table.segments))
    switch (kind) {
      case 'batch':
        return table.stage(bytes)
      case 'image':
        return table.stageImage(segment, bytes)
      case 'part': {
        const bounds = [0, 1, 5, SEGMENT - 1, SEGMENT, SEGMENT + 1, ...EDGES(SEGMENT)]
        return table.stageImagePart(segment, random.pick(bounds), random.pick(bounds), bytes)
      }
      default:
        return table.oweListed(bytes)
    }
  }

  attempt(kind: Kind, bytes: Uint8Array): void {
    const { table, random } = this
    const isLooking = kind !== 'list' && random.chance(0.05)
    const before = isLooking ? allDigests(table) : undefined
    const began = performance.now()
    const refusal = this.stage(kind, bytes)
    this.attempts++
    const what = () => `${kind} ${Buffer.from(bytes).toString('hex')}`
    if (performance.now() - began > STAGE_MS_MAX && hangs(() => this.stage(kind, bytes), STAGE_MS_MAX))
      assert.unreachable(`hangs: ${what()}`)
    if (before !== undefined) assert.equal(allDigests(table), before, `a stage changed something: ${what()}`)
    if (refusal !== undefined) {
      if (!(REFUSALS as readonly string[]).includes(refusal)) assert.unreachable(`${refusal}: ${what()}`)
      this.counts.set(refusal, (this.counts.get(refusal) ?? 0) + 1)
      return
    }
    this.counts.set('accepted', (this.counts.get('accepted') ?? 0) + 1)
    if (kind === 'list' || random.chance(0.7)) return
    table.commit()
    assert.ok(table.size >= 0 && table.size <= table.capacity, what())
  }

  /** What the table holds is still a state: each record can be read, each key is there once. */
  inspect(): void {
    assert.is(readState(this.schema, this.table).ids.size, this.table.size)
    assert.is(this.memory, this.memoryBytes, 'the memory has grown')
    assert.ok(this.table.owed <= this.table.capacity)
  }
}

const TABLES: readonly [TableDefinition, number][] = [
  [everything(2100), 0.3],
  [indexed(2100), 0.2],
  [lengthy(2100), 0.2],
  [leases(1200), 0.2],
  [tiny(12), 0.1],
]

test(
  'a varint at its edges, at every place of batches, images and lists, traps nothing',
  seeded((random) => {
    let attempts = 0
    for (const [definition] of TABLES) {
      const target = new Target(random, definition)
      for (const { kind, bytes } of target.sources.slice(0, 12)) {
        target.begin()
        for (let at = 0; at < Math.min(bytes.length, 400); at++)
          for (const edge of [...EDGES(definition.capacity), VARINT_MAX])
            target.attempt(kind, withVarint(bytes, at, edge))
        target.inspect()
      }
      attempts += target.attempts
    }
    console.log(`\n  ${attempts} varints at their edges`)
  }),
)

for (const [definition, share] of TABLES) {
  test(
    `changed bytes trap nothing in the decoders of ${definition.name}`,
    seeded((random) => {
      const target = new Target(random, definition)
      for (let left = runs(CHANGES * share); left > 0; left--) {
        const { kind, bytes } = random.pick(target.sources)
        let hostile = bytes
        for (let changes = 1 + random.below(3); changes > 0; changes--)
          hostile = harmed(random, hostile, random.pick(target.sources).bytes, definition.capacity)
        // Now and then as something it is not.
        target.attempt(random.chance(0.05) ? random.pick(KINDS) : kind, hostile)
        if (left % 500 === 0) {
          target.inspect()
          target.begin()
        }
      }
      console.log(`\n  ${[...target.counts].map(([name, count]) => `${name} ${count}`).join(', ')}`)
      for (const name of ['accepted', 'truncated', 'varint', 'id', 'count'])
        assert.ok(target.counts.has(name), `nothing was ${name}`)
    }),
  )
}

test('more bytes than the inbox holds are refused before they are copied', () => {
  for (const [definition] of TABLES) {
    const { table } = makeNode(definition, 'secondary')
    const bytes = new Uint8Array(table.batchBytesMax + (1 << 22))
    for (const refusal of [table.stage(bytes), table.stageImage(0, bytes), table.oweListed(bytes)])
      assert.ok(refusal !== undefined, `${definition.name}: ${bytes.length} bytes`)
  }
})

test.run()
