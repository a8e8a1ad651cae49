// The twin held against itself and against published numbers, before anything is held against the twin.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { DELTAS_MAX } from '../../src/table/refusals.ts'
import { Random, runs, seed, seeded } from '../support/seed.ts'
import { randomRow } from '../support/values.ts'
import {
  VECTORS,
  VECTORS_ARENA,
  VECTORS_CAPACITY,
  VECTORS_FIELDS,
  VECTORS_INDEXES,
  VECTORS_KEY,
  VECTORS_START,
} from '../support/vectors.ts'
import { arenaOf } from './arena.ts'
import { Reader, Writer } from './bytes.ts'
import { apply, decode, decodeImage, digest, encode, encodeImage, type Receiver } from './codec.ts'
import { readDeltas, writeDeltas } from './deltas.ts'
import { indexesFree } from './indexes.ts'
import { fromHex, keyOf, TwinState, toHex, twinSchema } from './schema.ts'
import { sipHash24 } from './siphash.ts'
import { twinSchemaOf } from './values.ts'

const schema = twinSchemaOf({ key: VECTORS_KEY, fields: VECTORS_FIELDS, indexes: VECTORS_INDEXES })
const nothingAwaited: Receiver = { capacity: 4000, awaited: () => false }

test('SipHash-2-4 gives the vectors of its reference implementation', () => {
  const key = Uint8Array.from({ length: 16 }, (_, i) => i)
  const message = Uint8Array.from({ length: 63 }, (_, i) => i)
  const published: readonly (readonly [length: number, littleEndian: string])[] = [
    [0, '310e0edd47db6f72'],
    [1, 'fd67dc93c539f874'],
    [2, '5a4fa9d909806c0d'],
    [3, '2d7efbd796666785'],
    [4, 'b7877127e09427cf'],
    [5, '8da699cd64557618'],
    [6, 'cee3fe586e46c9cb'],
    [7, '37d1018bf50002ab'],
    [8, '6224939a79f5f593'],
    [15, 'e545be4961ca29a1'],
    [63, '724506eb4c328a95'],
  ]
  for (const [length, expected] of published) {
    const bytes = new DataView(new ArrayBuffer(8))
    bytes.setBigUint64(0, sipHash24(key, message.subarray(0, length)), true)
    assert.is(toHex(new Uint8Array(bytes.buffer)), expected, `of ${length} bytes`)
  }
})

test('numbers come back from varints, in the shortest form', () => {
  const numbers = [0, 1, 127, 128, 16383, 16384, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 49, 2 ** 53 - 1]
  for (const number of numbers) {
    const writer = new Writer()
    writer.varint(number)
    for (const signed of [number, -number]) writer.zigzag(signed)
    const bytes = writer.take()
    const reader = new Reader(bytes, assert.unreachable)
    assert.is(reader.varint(), number)
    assert.is(reader.at, Math.max(1, Math.ceil(number.toString(2).length / 7)))
    assert.equal([reader.zigzag(), reader.zigzag(), reader.left], [BigInt(number), BigInt(-number), 0])
  }
})

for (const { says, refusal, bytes, image, awaited } of VECTORS) {
  test(`${refusal === undefined ? 'accepts' : `refuses as ${refusal}`}: ${says}`, () => {
    const state = new TwinState(schema)
    const receiver = {
      capacity: VECTORS_CAPACITY,
      awaited: (s: number) => s === awaited,
      countMax: DELTAS_MAX,
      arena: arenaOf(VECTORS_ARENA)!,
    }
    const start = decode(state, VECTORS_START, { ...receiver, awaited: () => false })
    assert.ok('slots' in start)
    apply(state, start)
    const verdict =
      image === undefined ? decode(state, bytes, receiver) : decodeImage(state, image, bytes, receiver)
    assert.equal('reasons' in verdict ? [...verdict.reasons] : [undefined], [refusal])
  })
}

function randomState(random: Random, sessions: number): TwinState {
  const state = new TwinState(schema)
  for (let i = 0; i < sessions; i++) {
    const row = randomRow(random, schema)
    const id = random.below(random.pick([8, 3000]))
    if (!state.ids.has(keyOf(schema, row)) && indexesFree(state, row, id)) state.put(id, row)
  }
  return state
}

test(
  'a batch leads from any state to any other, and is written as it was read',
  seeded((random) => {
    for (let i = 0; i < runs(300); i++) {
      const before = randomState(random, random.below(40))
      const after = random.chance(0.5) ? randomState(random, random.below(40)) : before.copy()
      for (const [id, row] of [...after.rows]) {
        const fate = random.below(5)
        if (fate === 0) after.drop(id)
        const fresh = [...row.slice(0, 1), ...randomRow(random, schema).slice(1)]
        if (fate === 1 && indexesFree(after, fresh, id)) after.put(id, fresh)
      }
      const batch = encode(before, after)
      if (batch.length === 0) {
        assert.equal(before.rows, after.rows)
        continue
      }
      const read = readDeltas(schema, batch, { first: 0, end: 4000, image: false })
      assert.equal(toHex(writeDeltas(schema, read.deltas)), toHex(batch))
      const staged = decode(before, batch, nothingAwaited)
      assert.ok('slots' in staged)
      apply(before, staged)
      assert.equal(
        new Map([...before.rows].sort(([a], [b]) => a - b)),
        new Map([...after.rows].sort(([a], [b]) => a - b)),
      )
    }
  }),
)

test(
  'images carry a state over, and digests tell states apart',
  seeded((random) => {
    const key = random.bytes(16)
    for (let i = 0; i < runs(100); i++) {
      const state = randomState(random, 30)
      const copy = randomState(random, 0)
      for (let segment = 0; segment < 3; segment++) {
        const staged = decodeImage(copy, segment, encodeImage(state, segment), nothingAwaited)
        assert.ok('slots' in staged)
        apply(copy, staged)
        assert.equal(digest(copy, segment, key), digest(state, segment, key))
      }
      assert.is(copy.rows.size, state.rows.size)
      const [id, row] = random.pick([...state.rows])
      copy.put(id, row.with(1, 1 - Number(row[1])))
      const segment = Math.floor(id / 1024)
      assert.not.equal(digest(copy, segment, key), digest(state, segment, key))
    }
  }),
)

test('a segment without sessions has the image 00 and the digest zero', () => {
  const state = new TwinState(twinSchema([], []))
  assert.equal(encodeImage(state, 0), fromHex('00'))
  assert.equal(digest(state, 0, new Uint8Array(16).fill(7)), new Uint8Array(8))
})

test('one seed gives one sequence', () => {
  assert.equal(new Random(seed).bytes(32), new Random(seed).bytes(32))
  assert.not.equal(new Random(seed).bytes(32), new Random(seed + 1).bytes(32))
})

test.run()
