// Two builds of one schema, the newer with further fields: what the newer one writes is byte for byte what the twin of
// the older one would, what it reads keeps the fields that are its own, and neither refuses anything of the other.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { bytes, defineTable, string, type TableDefinition } from '../../src/schema/index.ts'
import { type Random, runs, seeded } from '../support/seed.ts'
import { applyBatch, type LooseTable, makeNode, readState, sameState, setRole } from '../support/tables.ts'
import { deltasBetween, digest, encode } from '../twins/codec.ts'
import { TwinState } from '../twins/schema.ts'
import { TwinStore } from '../twins/store.ts'
import { twinSchemaOf } from '../twins/values.ts'

const KEY = Uint8Array.from({ length: 16 }, (_, i) => 17 * i)
const FIELDS = { count: 'u53', port: 'u16', kind: ['none', 'some'], label: string(5), gain: 'i32' } as const
const MORE = { extra: 'u32', mark: bytes(3), late: 'f64', flag: 'bool' } as const

function builds(capacity: number, changes: object = {}): { old: TableDefinition; next: TableDefinition } {
  const define = (fields: object) =>
    defineTable({
      name: 'rolling',
      key: { id: 'u16' },
      fields: fields as { port: 'u16' },
      indexes: { port: ['port'] },
      capacity,
      ...changes,
    }) as unknown as TableDefinition
  return { old: define(FIELDS), next: define({ ...FIELDS, ...MORE }) }
}

const common = Object.keys(FIELDS).length
const meet = (wide: LooseTable, narrow: LooseTable) => {
  wide.speak(common, narrow.deltasMax)
  narrow.speak(common, wide.deltasMax)
}

function write(table: LooseTable, random: Random, ids: number): void {
  const id = random.below(ids)
  const all: Record<string, unknown> = {
    count: random.u32(),
    port: random.below(3) === 0 ? 0 : random.below(5_000),
    kind: random.chance(0.5) ? 'some' : 'none',
    label: `${random.below(100)}`,
    gain: random.below(1_000) - 500,
    extra: random.u32(),
    mark: Uint8Array.of(random.below(256), 1, 2),
    late: random.u32() / 7,
    flag: random.chance(0.5),
  }
  const known = table.schema.fields.map(({ name }) => name)
  const given = Object.fromEntries(
    known.filter(() => random.chance(0.6)).map((name) => [name, all[name]]),
  ) as Record<string, number>
  try {
    if (random.chance(0.4)) table.set({ id }, given)
    else if (random.chance(0.7)) table.update({ id }, given)
    else table.delete({ id })
  } catch (error) {
    if (!['ERR_KEY_TAKEN', 'ERR_TABLE_FULL'].includes((error as { code: string }).code)) throw error
  }
}

const digestsOf = (table: LooseTable) => {
  table.setDigestKey(KEY)
  return table.digests(0, table.segments).slice()
}

for (const [what, changes] of [
  ['fields', {}],
  ['fields of sessions that expire', { timeout: 30 }],
] as const) {
  test(
    `the newer build as primary, ${what}: the twin of the older one would have written the same bytes`,
    seeded((random) => {
      for (let run = 0; run < runs(12); run++) {
        const { old, next } = builds(1_500, changes)
        const wide = makeNode(next, 'primary').table
        const narrow = makeNode(old, 'secondary').table
        meet(wide, narrow)
        const schema = twinSchemaOf(old)
        const copy = new TwinStore(schema, old)
        copy.setDigestKey(KEY)
        let last = new TwinState(schema)
        for (let flush = 0; flush < 40; flush++) {
          for (let i = random.below(300); i > 0; i--) write(wide, random, 2_000)
          if (random.chance(0.2)) for (const table of [wide, narrow]) table.setTime(flush * 40 + 1)
          const batch = wide.encode(1 << 20).slice()
          const now = readState(schema, wide)
          assert.equal(batch, encode(last, now), 'the bytes of the older build')
          if (batch.length > 0) {
            applyBatch(narrow, batch)
            assert.is(copy.stage(batch), undefined)
            copy.commit()
          }
          assert.equal(digestsOf(narrow), digestsOf(wide))
          sameState(readState(schema, narrow), now, 'both hold the same')
          last = now
        }
      }
    }),
  )
}

test(
  'the older build as primary: fields of the newer one start at zero and stay while their sessions do',
  seeded((random) => {
    for (let run = 0; run < runs(12); run++) {
      const { old, next } = builds(1_500)
      const node = { wide: makeNode(next, 'primary'), narrow: makeNode(old, 'secondary') }
      const { wide, narrow } = { wide: node.wide.table, narrow: node.narrow.table }
      meet(wide, narrow)
      // The newer one leads first, and has fields of its own.
      for (let i = 0; i < 3_000; i++) write(wide, random, 2_000)
      applyBatch(narrow, wide.encode(1 << 20).slice())
      const own = new Map<number, unknown[]>()
      const ownOf = (session: Record<string, unknown>) =>
        [session.extra, String(session.mark), session.late, session.flag] as unknown[]
      for (const session of wide as unknown as Iterable<Record<string, unknown>>) {
        own.set(session.id as number, ownOf(session))
      }
      setRole(node.wide, 'secondary')
      setRole(node.narrow, 'primary')
      const schema = twinSchemaOf(old)
      for (let flush = 0; flush < 25; flush++) {
        for (let i = random.below(200); i > 0; i--) write(narrow, random, 2_000)
        const before = new Set([...(narrow as unknown as Iterable<{ id: number }>)].map(({ id }) => id))
        const deltas = narrow.encode(1 << 20).slice()
        applyBatch(wide, deltas)
        for (const id of [...own.keys()]) if (!before.has(id)) own.delete(id)
        for (const session of wide as unknown as Iterable<Record<string, unknown>>) {
          const id = session.id as number
          const mine = own.get(id)
          if (mine !== undefined) assert.equal(ownOf(session), mine, `session ${id} keeps its own fields`)
          else {
            assert.equal(ownOf(session), [0, '0,0,0', 0, false], `session ${id} is new`)
            own.set(id, ownOf(session))
          }
        }
        assert.equal(digestsOf(wide), digestsOf(narrow))
      }
      // Everything sent again as images: what is the newer build's alone is still there.
      for (let segment = 0; segment < narrow.segments; segment++) {
        wide.setAwaited(segment, 1, true)
        assert.is(wide.stageImage(segment, narrow.image(segment).slice()), undefined)
        wide.commit()
        wide.setAwaited(segment, 1, false)
      }
      for (const session of wide as unknown as Iterable<Record<string, unknown>>) {
        assert.equal(ownOf(session), own.get(session.id as number))
      }
      sameState(readState(schema, wide), readState(schema, narrow), 'both hold the same')
    }
  }),
)

test('the older build sends no batch with more deltas than the newer one, whose records are longer, can stage', () => {
  const old = defineTable({ name: 'wide', key: { id: 'u32' }, fields: { v: 'u8' }, capacity: 20_000 })
  const more = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`more${i}`, bytes(30)]))
  const next = defineTable({
    ...{ name: 'wide', key: { id: 'u32' }, capacity: 20_000 },
    fields: { v: 'u8', ...more } as { v: 'u8' },
  })
  const narrow = makeNode(old as unknown as TableDefinition, 'primary').table
  const wide = makeNode(next as unknown as TableDefinition, 'secondary').table
  assert.ok(wide.deltasMax < narrow.deltasMax)
  wide.speak(1, narrow.deltasMax)
  narrow.speak(1, wide.deltasMax)
  narrow.setTracking(true)
  for (let id = 0; id < 20_000; id++) narrow.set({ id }, { v: id & 255 })
  for (let batches = 0; narrow.changed; batches++) {
    const deltas = narrow.encode(1 << 20).slice()
    assert.is(wide.stage(deltas), undefined)
    wide.commit()
    assert.ok(batches < 200)
  }
  assert.is(wide.size, 20_000)
  assert.equal(digestsOf(wide), digestsOf(narrow))
})

test('the digest of a segment is that of the older build', () => {
  const { old, next } = builds(100)
  const wide = makeNode(next, 'primary').table
  wide.speak(common, 1_000)
  wide.set({ id: 3 }, { count: 7, label: 'x', extra: 9, flag: true })
  const schema = twinSchemaOf(old)
  const state = readState(schema, wide)
  assert.equal(digestsOf(wide), digest(state, 0, KEY))
  assert.is(deltasBetween(new TwinState(schema), state).length, 1)
})

test.run()
