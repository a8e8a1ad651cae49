// time-out: 300 s
// Snapshots taken while everything changes: what is loaded is the one state that all tables had at the last slice, in the
// engine and in its twin; every damage is noticed and leaves the tables empty.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { SnapshotTaker, type Standing } from '../../src/core/snapshot-taker.ts'
import { StateError } from '../../src/errors.ts'
import { bytes, defineTable, type TableDefinition } from '../../src/schema/index.ts'
import { loadSnapshot, putAside } from '../../src/state/snapshot-loader.ts'
import { writeSnapshot } from '../../src/state/snapshot-writer.ts'
import { Random, replayCommand, runs, seed } from '../support/seed.ts'
import { indexed, type LooseTable, leases, lengthy, makeNode, type Node } from '../support/tables.ts'
import { TwinStore } from '../twins/store.ts'
import { twinSchemaOf } from '../twins/values.ts'

const test = suite('snapshot')
const owner = { cluster: 'c', id: 'a' }
const KEY = Uint8Array.from({ length: 16 }, (_, i) => 17 * i)
const STANDING: Standing = { lineage: '00112233445566ff', epoch: 1_795_000_000_000, sequence: 77 }

let directory = ''
test.before.each(() => {
  directory = mkdtempSync(join(tmpdir(), 'holdfast-snapshot-'))
})
test.after.each(() => rmSync(directory, { recursive: true }))

const definitions = () => [indexed(2_500, { timeout: 40 }), leases(200), lengthy(300, 262_144)] as const
const KINDS = [
  (random: Random) => ({
    key: { id: random.below(3_500) },
    fields: {
      port: random.below(400),
      value: random.u32(),
      zone: 'in',
      on: random.chance(0.5),
      label: `${random.below(900)}`,
    },
  }),
  (random: Random) => ({
    key: { id: random.below(256) },
    fields: { value: random.below(256), count: random.u32() },
  }),
  (random: Random) => ({
    key: { id: random.below(400), label: 'x' },
    fields: {
      count: random.u32(),
      data: new Uint8Array(random.below(700)).fill(random.below(9)),
      words: 'é'.repeat(random.below(300)),
    },
  }),
]

/** One thing that an application does; what is refused (full, a key taken) is refused. */
function write(tables: readonly LooseTable[], random: Random): void {
  const kind = random.below(tables.length)
  const table = tables[kind]!
  const { key, fields } = KINDS[kind]!(random)
  try {
    const what = random.below(10)
    if (what < 5) table.set(key, fields)
    else if (what < 7) table.update(key, fields)
    else if (what < 9) table.delete(key)
    else {
      const view = table.get(key) as Record<string, unknown> | undefined
      if (view !== undefined)
        Object.assign(view, 'value' in fields ? { value: fields.value } : { count: fields.count })
    }
  } catch (error) {
    if (!['ERR_KEY_TAKEN', 'ERR_TABLE_FULL', 'ERR_ARENA_FULL'].includes((error as { code: string }).code))
      throw error
  }
}

const digests = (table: Pick<LooseTable, 'setDigestKey' | 'digests' | 'segments'>): string => {
  table.setDigestKey(KEY)
  return Buffer.from(table.digests(0, table.segments)).toString('hex')
}

const describe = (tables: readonly LooseTable[]) =>
  tables.map(({ name, capacity, arenaBytes, schema }) => ({ name, capacity, arena: arenaBytes, schema }))

/** Takes a snapshot, with `between` before each slice; what the tables were at its end. */
async function take(tables: readonly LooseTable[], between: () => void): Promise<string[]> {
  let held: string[] = []
  const taker = new SnapshotTaker(tables, () => {
    held = tables.map(digests)
    return STANDING
  })
  const slowed = {
    next: () => {
      between()
      return taker.next()
    },
  }
  try {
    const moment = () => ({ lineageAgeMs: 1_000, date: 5_000_000, ticks: 160 })
    await writeSnapshot({ directory, owner }, describe(tables), slowed as SnapshotTaker, moment, () => true)
  } finally {
    taker.stop()
  }
  return held
}

const place = () => ({ directory, owner })
const fresh = (all: readonly TableDefinition[]) => all.map((one) => makeNode(one, 'secondary').table)

/** The twin as the loader sees a table. */
function twins(all: readonly TableDefinition[]) {
  return all.map((definition) => {
    const store = new TwinStore(twinSchemaOf(definition), definition)
    return new Proxy(store, {
      get: (target, name) => {
        if (name === 'schema') return definition.schema
        const value = Reflect.get(target, name, target)
        return typeof value === 'function' ? value.bind(target) : value
      },
    }) as unknown as LooseTable
  })
}

/** Which way the tables change while the snapshot is taken. */
const WAYS: readonly ['alone' | 'fed' | 'overflowing' | 'following', string][] = [
  ['alone', 'a primary without a secondary'],
  ['fed', 'a primary that feeds a secondary'],
  ['overflowing', 'a primary whose journals overflow'],
  ['following', 'a secondary'],
]

for (const [way, what] of WAYS) {
  test(`${what}: what is loaded is one state, in the engine and in the twin`, async () => {
    for (let run = 0; run < runs(6); run++) {
      const random = new Random(seed + run)
      const all = definitions()
      const options = way === 'overflowing' ? { encodeBytesMax: 4_096, snapshots: true } : { snapshots: true }
      const nodes: Node[] = all.map((one) => makeNode(one, 'primary', options))
      const others = all.map((one) => makeNode(one, 'secondary', { snapshots: true }))
      let ticks = 1
      if (way === 'alone') for (const { table } of nodes) table.setTracking('ids')
      const flush = () => {
        for (const [i, { table }] of nodes.entries()) {
          const deltas = table.encode(way === 'overflowing' ? 300 : 1 << 20)
          if (deltas.length === 0) continue
          assert.is(others[i]!.table.stage(deltas), undefined)
          others[i]!.table.commit()
        }
      }
      const churn = (writes: number) => {
        for (let i = 0; i < writes; i++) {
          write(
            nodes.map(({ table }) => table),
            random,
          )
          if (random.chance(0.02)) {
            ticks += random.below(4)
            for (const { table } of [...nodes, ...others]) table.setTime(ticks)
            for (const { table } of nodes) table.sweep(false)
          }
          if (way !== 'alone' && random.chance(0.03)) flush()
        }
      }
      churn(9_000)
      const source = (way === 'following' ? others : nodes).map(({ table }) => table)
      let left = 40
      const held = await take(source, () => {
        if (left-- > 0) churn(way === 'overflowing' ? 60 : random.below(700))
        else if (way === 'overflowing') flush()
      })
      churn(500)
      for (const loaded of [fresh(all), twins(all)]) {
        const restored = await loadSnapshot(place(), loaded, 5_000_000)
        assert.equal(restored!.standing, STANDING)
        assert.equal(loaded.map(digests), held, replayCommand())
        assert.ok(loaded.every((table) => table.owed === 0 && table.awaited === 0))
      }
    }
  })
}

test('a session that gave its key to another slot while the snapshot was taken is not in it', async () => {
  const all = [
    defineTable({ name: 't', key: { id: 'u16' }, fields: { raw: bytes(2) }, capacity: 2048 }),
  ] as unknown as TableDefinition[]
  const { table } = makeNode(all[0]!, 'secondary', { snapshots: true })
  // Record id 1100 holds the key 9, and is written; then a batch brings that key to record id 0.
  assert.is(table.stageImage(1, Uint8Array.of(1, 0xb0, 2, 9, 0, 1, 1)), undefined)
  table.commit()
  let slices = 0
  const held = await take([table], () => {
    if (++slices !== 2) return
    table.setAwaited(1, 1, true)
    assert.is(table.stage(Uint8Array.of(1, 0, 9, 0, 2, 2)), undefined)
    table.commit()
    table.setAwaited(1, 1, false)
  })
  assert.ok(slices >= 2)
  const loaded = fresh(all)
  await loadSnapshot(place(), loaded, 5_000_000)
  assert.equal(loaded.map(digests), held)
  assert.is(loaded[0]!.size, 1)
})

test('indexes, lifetimes and long values are there again, and a loaded table leads as any other', async () => {
  const all = definitions()
  const [first, lease, long] = all.map((one) => makeNode(one, 'primary', { snapshots: true }).table)
  first!.set({ id: 1 }, { port: 9, label: 'nine', value: 5 })
  lease!.set({ id: 2 }, { value: 7 }, { timeout: 10 })
  long!.set({ id: 3, label: 'l' }, { data: new Uint8Array(50_000).fill(3), words: 'wörter' })
  await take([first!, lease!, long!], () => {})
  const nodes = all.map((one) => makeNode(one, 'primary'))
  const loaded = nodes.map(({ table }) => table)
  await loadSnapshot(place(), loaded, 5_000_000)
  const by = loaded[0]!.by as unknown as Record<string, { get(key: object): Record<string, unknown> }>
  assert.is(by.label!.get({ label: 'nine' }).value, 5)
  assert.is((loaded[2]!.get({ id: 3, label: 'l' }) as unknown as { words: string }).words, 'wörter')
  assert.ok(loaded[1]!.has({ id: 2 }))
  for (const table of loaded) table.setTime(1 + 16 * 11)
  assert.not(loaded[1]!.has({ id: 2 }), 'its deadline came with it')
  loaded[0]!.update({ id: 1 }, { label: 'ten' })
  assert.is(by.label!.get({ label: 'nine' }), undefined)
})

test('time goes on while nobody runs; a clock that was set back counts as none', async () => {
  const all = definitions()
  await take(
    fresh(all).length > 0 ? all.map((one) => makeNode(one, 'primary', { snapshots: true }).table) : [],
    () => {},
  )
  const later = await loadSnapshot(place(), fresh(all), 5_000_000 + 10_000)
  assert.equal([later!.ticks, later!.lineageAgeMs], [160 + 160, 11_000])
  const earlier = await loadSnapshot(place(), fresh(all), 1_000)
  assert.equal([earlier!.ticks, earlier!.lineageAgeMs], [160, 1_000])
})

async function refusal(tables: readonly LooseTable[], at = place()): Promise<string> {
  try {
    await loadSnapshot(at, tables, 5_000_000)
  } catch (error) {
    assert.instance(error, StateError)
    assert.ok(
      tables.every(({ size }) => size === 0),
      'nothing is half loaded',
    )
    return (error as Error).message
  }
  return 'loaded'
}

test('every byte changed, every cut and every byte too many is refused, and the tables stay empty', async () => {
  const all = [leases(200)]
  const table = makeNode(all[0]!, 'primary', { snapshots: true }).table
  for (let id = 0; id < 40; id++) table.set({ id }, { value: id, text: 'abc' })
  await take([table], () => {})
  const path = join(directory, 'snapshot')
  const good = readFileSync(path)
  const target = fresh(all)
  const random = new Random(seed)
  for (let at = 0; at < good.length; at++) {
    const bad = Buffer.from(good)
    bad[at]! ^= 1 << random.below(8)
    writeFileSync(path, bad)
    assert.match(await refusal(target), /the snapshot .* is (damaged|foreign|not readable)/, `byte ${at}`)
  }
  for (let length = 0; length < good.length; length++) {
    writeFileSync(path, good.subarray(0, length))
    assert.match(await refusal(target), /is (damaged|not readable)/, `${length} bytes`)
  }
  writeFileSync(path, Buffer.concat([good, Buffer.of(0)]))
  assert.match(await refusal(target), /damaged: its checksum does not fit\. Restore it or remove it/)
  writeFileSync(path, good)
  assert.is(await refusal(target), 'loaded')
  assert.is(target[0]!.size, 40)
  assert.is(await putAside(place()), `${path}.unusable`)
  assert.is(await loadSnapshot(place(), fresh(all), 1), undefined)
})

test('bytes changed under a right checksum reach the decoders, and are refused or load whole', async () => {
  const { checksumOf } = await import('../../src/state/sealed.ts')
  const all = definitions()
  const nodes = all.map((one) => makeNode(one, 'primary', { snapshots: true }).table)
  const random = new Random(seed)
  for (let i = 0; i < 1_500; i++) write(nodes, random)
  let left = 8
  await take(nodes, () => {
    if (left-- > 0) for (let i = 0; i < 100; i++) write(nodes, random)
  })
  const path = join(directory, 'snapshot')
  const good = readFileSync(path)
  const body = good.length - 32
  const target = fresh(all)
  let refused = 0
  for (let i = 0; i < runs(1_500); i++) {
    let bad = Buffer.from(good.subarray(0, body))
    const at = random.below(body)
    if (random.chance(0.7)) bad[at]! ^= 1 << random.below(8)
    else if (random.chance(0.5)) bad = bad.subarray(0, at)
    else bad = Buffer.concat([bad.subarray(0, at), bad.subarray(random.below(body))])
    writeFileSync(path, Buffer.concat([bad, checksumOf(bad)]))
    if ((await refusal(target)) !== 'loaded') refused++
    else for (const table of target) table.reset()
  }
  assert.ok(refused > 0)
})

test('a snapshot of another node, of other tables or of too large ones is refused by name', async () => {
  const make = (fields: object, capacity = 200, name = 'leases') =>
    defineTable({ name, key: { id: 'u8' }, fields: fields as { value: 'u8' }, capacity })
  const table = makeNode(make({ value: 'u8' }), 'primary', { snapshots: true }).table
  await take([table], () => {})
  const against = (definition: TableDefinition) => refusal(fresh([definition]))
  assert.match(await against(make({ value: 'u16' })), /table leases: field value is u16 here, u8 there/)
  assert.match(await against(make({ amount: 'u8' })), /field 1 is amount here, value there/)
  assert.match(await against(make({ value: 'u8' }, 100)), /capacity 100 here, 200 there/)
  assert.match(await against(make({ value: 'u8' }, 200, 'other')), /the tables are other here, leases there/)
  assert.is(await against(make({ value: 'u8' }, 300)), 'loaded', 'more room is no harm')
  const other = { directory, owner: { cluster: 'c', id: 'z' } }
  assert.match(await refusal(fresh([make({ value: 'u8' })]), other), /is foreign: it is of node 'a'/)
})

test('tables that never stop changing too fast keep the snapshot before', async () => {
  const definition = defineTable({ name: 't', key: { id: 'u32' }, fields: { v: 'u32' }, capacity: 20_000 })
  const table = makeNode(definition, 'primary', { snapshots: true }).table
  table.setTracking('ids')
  for (let id = 0; id < 20_000; id++) table.set({ id }, { v: 1 })
  await take([table], () => {})
  const before = readFileSync(join(directory, 'snapshot'))
  let v = 1
  let message = ''
  await take([table], () => {
    v++
    for (let id = 0; id < 20_000; id++) table.update({ id }, { v })
  }).catch((error: Error) => {
    message = error.message
  })
  assert.match(message, /changed faster than they were written/)
  assert.equal(readFileSync(join(directory, 'snapshot')), before)
})

test.run()
