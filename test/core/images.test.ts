// Two replicas of tables with values of variable length, frame by frame: images in parts with live batches between them,
// and batches of many tables that one frame cannot hold.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { FromSync, ToSync } from '../../src/core/messages.ts'
import { Replica } from '../../src/core/replica.ts'
import type { ReplicaEvent } from '../../src/core/replica-event.ts'
import { defineTable, type TableDefinition } from '../../src/schema/index.ts'
import { FRAME_BYTES_MAX, FrameType } from '../../src/wire/constants.ts'
import { beginFrame, sealFrame } from '../../src/wire/frame.ts'
import { writeImagePart } from '../../src/wire/sequenced.ts'
import { Random, seed, seeded } from '../support/seed.ts'
import { type LooseTable, makeNode, sameDigests } from '../support/tables.ts'

const WORD = 0
const EPOCH = 10

const pages = (name: string, arena: number): TableDefinition =>
  defineTable({ name, key: { id: 'u32' }, fields: { n: 'u32', page: 'blob' }, capacity: 2000, arena })

class Side {
  readonly tables: readonly LooseTable[]
  readonly replica: Replica
  readonly types: number[] = []
  readonly lengths: number[] = []
  readonly events: ReplicaEvent[] = []

  constructor(role: 'primary' | 'secondary', definitions: readonly TableDefinition[]) {
    const nodes = definitions.map((definition) => makeNode(definition, 'secondary'))
    this.tables = nodes.map(({ table }) => table)
    const gate = {
      get open(): number {
        return nodes[0]!.gate.open
      },
      set open(word: number) {
        for (const node of nodes) node.gate.open = word
      },
    }
    const random = new Random(seed)
    this.replica = new Replica({
      stores: this.tables,
      gate,
      flushInterval: 0,
      random: () => random.below(1000) / 1000,
    })
    const position = { epoch: 0, sequence: 0 }
    const rest = {
      lineage: '0123456789abcdef',
      reason: 'alone',
      word: WORD,
      position,
      durationMs: 0,
    } as const
    this.replica.handleMessage({ type: 'role', role, epoch: EPOCH, ...rest }, 0)
    this.replica.handleMessage({ type: 'peer', alive: true }, 0)
  }

  take(now: number): ToSync[] {
    this.replica.handleTimeout(now)
    this.events.push(...this.replica.takeEvents())
    const messages = this.replica.takeMessages()
    for (const message of messages) {
      if (message.type !== 'frame') continue
      this.types.push(message.frame[4]!)
      this.lengths.push(message.frame.length)
    }
    return messages
  }
}

class Pair {
  readonly primary: Side
  readonly secondary: Side
  now = 0
  #received = 0

  constructor(definitions: readonly TableDefinition[]) {
    this.primary = new Side('primary', definitions)
    this.secondary = new Side('secondary', definitions)
  }

  attach(): void {
    this.primary.replica.handleMessage({ type: 'attach', epoch: EPOCH, follow: 1 }, this.now)
  }

  /** One turn of each side; everything said arrives. */
  turn(): void {
    this.now += 10
    const frames = (messages: ToSync[]): FromSync[] =>
      messages.flatMap((message) =>
        message.type === 'frame' ? [{ type: 'frame', frame: message.frame }] : [],
      )
    const forward = this.primary.take(this.now)
    for (const message of forward) if (message.type === 'frame') this.#received = message.sequence
    for (const frame of frames(forward)) this.secondary.replica.handleMessage(frame, this.now)
    const back = this.secondary.take(this.now)
    for (const frame of frames(back)) this.primary.replica.handleMessage(frame, this.now)
    for (const message of back) {
      if (message.type !== 'applied') continue
      const { attach, applied, awaited } = message
      const ack = { type: 'ack' as const, attach, received: this.#received, applied, awaited }
      this.primary.replica.handleMessage(ack, this.now)
    }
  }

  settle(): void {
    for (
      let turns = 0;
      !this.primary.replica.isProtected || this.primary.tables.some((t) => t.changed);
      turns++
    ) {
      assert.ok(turns < 5000, 'a pair that does not settle')
      this.turn()
    }
    for (const [i, table] of this.primary.tables.entries()) sameDigests(table, this.secondary.tables[i]!)
    assert.equal(
      this.secondary.events.filter((event) => event.type === 'unsynced'),
      [],
    )
  }
}

test(
  'a segment longer than a frame comes in parts while the application goes on writing into it',
  seeded((random) => {
    const pair = new Pair([pages('pages', 96 << 20)])
    const [table] = pair.primary.tables as [LooseTable]
    const write = (id: number) =>
      table.set({ id }, { n: random.u32(), page: random.bytes(8).fill(7).slice(0, 8) } as never)
    for (let id = 0; id < 900; id++) table.set({ id }, { page: new Uint8Array(60_000).fill(id) } as never)
    table.set({ id: 5000 }, { page: new Uint8Array(1 << 20) } as never)
    pair.attach()
    for (let turn = 0; !pair.secondary.replica.isSynced; turn++) {
      assert.ok(turn < 2000, 'it does not end')
      pair.turn()
      for (let i = random.below(4); i > 0; i--) {
        const id = random.below(1200)
        if (random.chance(0.3)) table.delete({ id })
        else if (random.chance(0.5)) table.update({ id }, { n: turn } as never)
        else write(id)
      }
    }
    pair.settle()
    const { types, lengths } = pair.primary
    const parts = types.filter((type) => type === FrameType.IMAGE_PART).length
    assert.ok(parts > 50, `${parts} parts`)
    const longest = Math.max(...lengths.filter((_, i) => types[i] === FrameType.IMAGE_PART))
    assert.ok(longest < (1 << 20) + 300_000)
    const between = types.lastIndexOf(FrameType.IMAGE_PART) - types.indexOf(FrameType.IMAGE_PART) + 1
    assert.ok(between > parts, 'live batches go between parts')
  }),
)

test('tables that do not fit one frame together wait for the next, all in turn', () => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f']
  const pair = new Pair(names.map((name) => pages(name, 8 << 20)))
  pair.attach()
  pair.settle()
  for (let round = 0; round < 4; round++) {
    for (const table of pair.primary.tables) {
      for (let id = 0; id < 2; id++) {
        table.set({ id }, { page: new Uint8Array(1 << 20).fill(round + 1) } as never)
      }
    }
    pair.turn()
    assert.is(
      pair.primary.tables.some((table) => table.changed),
      true,
      'some wait',
    )
    pair.settle()
  }
  assert.ok(Math.max(...pair.primary.lengths) < FRAME_BYTES_MAX)
  assert.ok(pair.primary.types.includes(FrameType.PARTIAL))
})

test('parts that do not follow each other are refused', () => {
  const part = (first: number, end: number) => ({
    table: 0,
    segment: 0,
    first,
    end,
    deltas: Uint8Array.of(0),
  })
  for (const parts of [
    [part(5, 9)],
    [part(0, 5), part(6, 1024)],
    [part(0, 5), part(4, 9)],
    [part(0, 1025)],
  ]) {
    const pair = new Pair([pages('pages', 1 << 20)])
    pair.attach()
    pair.settle()
    let sequence = pair.primary.replica.position.sequence
    for (const one of parts) {
      const writer = beginFrame(FrameType.IMAGE_PART, EPOCH, ++sequence, 1)
      const frame = sealFrame(writeImagePart(writer, one))
      pair.secondary.replica.handleMessage({ type: 'frame', frame }, pair.now)
    }
    const events = pair.secondary.replica.takeEvents()
    assert.is(events.filter((event) => event.type === 'unsynced').length, 1, JSON.stringify(events))
  }
})

test('a bit that flips in the secondary is found within one round of the proof, and repaired', () => {
  const counters = defineTable({ name: 'n', key: { id: 'u32' }, fields: { n: 'u53' }, capacity: 10_000 })
  const pair = new Pair([counters])
  const [table] = pair.primary.tables as [LooseTable]
  const [copy] = pair.secondary.tables as [LooseTable]
  const mark = 0x3456_789a
  for (let id = 0; id < 10_000; id++) table.set({ id }, { n: id === 7_777 ? mark : id } as never)
  pair.attach()
  pair.settle()
  const { u8 } = (copy as unknown as { engine: { u8: Uint8Array } }).engine
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(mark), true)
  u8[Buffer.from(u8.buffer).lastIndexOf(bytes)]! ^= 4
  assert.is((copy.get({ id: 7_777 }) as unknown as { n: number }).n, mark ^ 4)
  pair.secondary.events.length = 0
  const began = pair.now
  const isFound = () => pair.secondary.events.some(({ type }) => type === 'unsynced')
  while (!isFound() && pair.now < began + 60_000) pair.turn()
  // A segment each 50 ms, and as long again between the last and the first of the next round.
  const roundMs = (table.segments + 1) * 50
  assert.ok(pair.now - began <= roundMs + 50, `found after ${pair.now - began} ms, a round takes ${roundMs}`)
  pair.secondary.events.length = 0
  pair.settle()
  assert.is((copy.get({ id: 7_777 }) as unknown as { n: number }).n, mark)
  sameDigests(table, copy)
})

test('a proof of long segments leaves most of the time to the application', () => {
  const pair = new Pair([pages('pages', 64 << 20)])
  const [table] = pair.primary.tables as [LooseTable]
  for (let id = 0; id < 1000; id++) table.set({ id }, { page: new Uint8Array(20_000) } as never)
  pair.attach()
  pair.settle()
  pair.primary.types.length = 0
  const began = pair.now
  while (pair.now < began + 60_000) pair.turn()
  const proofs = pair.primary.types.filter((type) => type === FrameType.PROOF).length
  // 20 MB, about 20 ms to go through: one proof in seven seconds instead of twenty a second.
  assert.ok(proofs >= 5 && proofs < 300, `${proofs} proofs in a minute`)
})

test.run()
