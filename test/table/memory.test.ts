// bytesFor() says before the start what a table takes: held against the memory of real tables, empty and full, and
// against what the instances of a real node have.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createNode } from 'holdfast'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { defineTable, string, type TableDefinition } from '../../src/schema/index.ts'
import { createEngine, ENCODE_BYTES_MAX } from '../../src/table/engine.ts'
import { bytesFor, createTable, openGate } from '../../src/table/index.ts'
import { pairOptions } from '../node/support.ts'
import { Random, replayCommand, seed } from '../support/seed.ts'
import { connections, everything, lengthy, tiny } from '../support/tables.ts'

const test = suite('memory')

const taken = (definition: TableDefinition, snapshots: boolean) =>
  createEngine(definition, [1, 2, 3, 4], ENCODE_BYTES_MAX, snapshots).core.memory.buffer.byteLength

/** Definitions that use every part of the memory. */
function* definitions(random: Random): Generator<TableDefinition> {
  for (const capacity of [1, 7, 1024, 1025, 20_000, 300_000]) yield connections(capacity)
  yield everything(5_000)
  yield tiny(256)
  yield lengthy(2_000, 1 << 24)
  for (let i = 0; i < 20; i++) {
    yield defineTable({
      name: `t${i}`,
      key: { id: 'u53' },
      fields: { count: 'u53', user: 'u32', name: string(1 + random.below(200)) },
      capacity: 1 + random.below(100_000),
      indexes: random.chance(0.5) ? { user: ['user'] } : {},
      ...(random.chance(0.5) ? { timeout: 60 } : {}),
      ...(random.chance(0.5) ? { onFull: 'evict' } : {}),
      ...(random.chance(0.5) ? { pickup: { delay: 1 } } : {}),
    })
  }
}

test('bytesFor is what a table takes, to the byte, whatever its options', () => {
  for (const definition of definitions(new Random(seed))) {
    for (const snapshot of [false, true]) {
      const what = `${definition.name}, ${definition.capacity} sessions; ${replayCommand()}`
      assert.is(bytesFor(definition, { snapshot }), taken(definition, snapshot), what)
    }
    assert.is(bytesFor(definition), bytesFor(definition, { snapshot: false }))
  }
})

test('a full table takes what an empty one does', () => {
  const definition = connections(50_000)
  const { core } = createEngine(definition, [1, 2, 3, 4], ENCODE_BYTES_MAX)
  assert.is(core.benchFill(50_000, 7), 50_000)
  assert.is(core.memory.buffer.byteLength, bytesFor(definition))
})

test('a node with several tables and snapshots takes the sum', async () => {
  const tables = { connections: connections(300_000), lengthy: lengthy(1_000, 1 << 23), tiny: tiny(10) }
  const memories: number[] = []
  const wasm = (globalThis as unknown as { WebAssembly: { Instance: new (...given: unknown[]) => object } })
    .WebAssembly
  const { Instance } = wasm
  const instances: { exports: { memory: { buffer: ArrayBuffer } } }[] = []
  wasm.Instance = class extends Instance {
    constructor(...given: unknown[]) {
      super(...given)
      instances.push(this as never)
    }
  }
  const { a } = await pairOptions({ holdDown: 300 })
  const stateDir = mkdtempSync(join(tmpdir(), 'holdfast-memory-'))
  const node = await createNode({ ...a, tables, stateDir, snapshot: {} })
  wasm.Instance = Instance
  try {
    await node.ready()
    for (let id = 0; id < 5_000; id++)
      node.tables.connections.set({ proto: 6, srcPort: id % 65_536, srcIp: id, dstIp: 1, dstPort: 2 })
    for (const { exports } of instances) memories.push(exports.memory.buffer.byteLength)
    const planned = Object.values(tables).map((definition) =>
      bytesFor(definition as TableDefinition, { snapshot: true }),
    )
    const sorted = (numbers: number[]) => numbers.sort((x, y) => x - y)
    assert.equal(sorted(memories), sorted(planned))
  } finally {
    await node.close()
    rmSync(stateDir, { recursive: true })
  }
})

test('a table beyond 4 GiB has its bytes told, and is refused when it is made', () => {
  const definition = connections(67_108_864)
  assert.ok(bytesFor(definition) > 2 ** 32)
  assert.throws(() => createTable(definition, { gate: openGate() }), /allowed: 4 GiB a table/)
})

test('anything else is refused by name', () => {
  assert.throws(() => bytesFor({} as never), /bytesFor: something else given; allowed: a definition/)
  assert.throws(() => bytesFor(tiny(1), { snapshots: true } as never), /option 'snapshots' given/)
  assert.throws(() => bytesFor(tiny(1), { snapshot: 1 } as never), /snapshot 1 given/)
})

test.run()
