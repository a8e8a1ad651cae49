// codec.encode_ns and codec.apply_ns: what one update costs in the flush that encodes it and in the second table that
// applies it (checks, then changes). Among a million sessions with 16,384 random changes a flush, where the cache misses
// count, and hot: 2048 changes a flush among 4096 sessions, where the instructions count.
import { Bench } from 'tinybench'
import type { Context, Measured } from '../lib/figure.ts'
import { Random } from '../lib/random.ts'
import { createPair, expectEqual, fill, OVERFLOW_BYTES, type Pair } from '../lib/replicas.ts'
import { keyOf, packetBytesOf } from '../lib/sessions.ts'

interface Sizes {
  readonly sessions: number
  readonly changes: number
  readonly iterations: number
}

export async function measure(context: Context): Promise<Record<string, Measured>> {
  const { smoke } = context
  const large = {
    sessions: smoke ? 20_000 : 1_000_000,
    changes: smoke ? 1000 : 16_384,
    iterations: smoke ? 3 : 41,
  }
  const small = { sessions: 4096, changes: 2048, iterations: smoke ? 3 : 201 }
  const cold = codec(large, context)
  const hot = codec(small, context)
  return {
    'codec.encode_ns': { runs: cold.encode },
    'codec.apply_ns': { runs: cold.apply },
    'codec.encode_hot_ns': { runs: hot.encode },
    'codec.apply_hot_ns': { runs: hot.apply },
  }
}

/** Nanoseconds per update of each flush. */
function codec({ sessions, changes, iterations }: Sizes, { expect }: Context) {
  const pair = createPair(sessions)
  const { primary, secondary } = pair
  fill(primary, sessions)
  pair.synchronise()
  expect(primary.journalMax >= changes, 'the journal holds the changes of one flush')
  const random = new Random(11)
  const change = () => changeSome(pair, random.sample(changes, sessions))
  const bench = new Bench({
    time: 0,
    iterations,
    warmupTime: 0,
    warmupIterations: 10,
    retainSamples: true,
    throws: true,
  })
  let deltas: Uint8Array = new Uint8Array()
  bench.add(
    'encode',
    () => {
      deltas = primary.encode(OVERFLOW_BYTES)
    },
    {
      beforeEach: change,
      afterEach() {
        expect(secondary.stage(deltas) === undefined, 'the second table takes the batch')
        secondary.commit()
      },
    },
  )
  bench.add(
    'apply',
    () => {
      const refusal = secondary.stage(deltas)
      if (refusal !== undefined) throw new Error(`batch refused: ${refusal}`)
      secondary.commit()
    },
    {
      beforeEach() {
        change()
        deltas = primary.encode(OVERFLOW_BYTES).slice()
      },
    },
  )
  const [encode, apply] = bench.runSync().map((task) => {
    const { result } = task
    if (result.state !== 'completed') throw new Error(`${task.name}: ${result.state}`)
    return (result.latency.samples ?? []).map((ms) => (ms * 1e6) / changes)
  })
  expectEqual(pair, expect)
  return { encode: encode!, apply: apply! }
}

/** One to four packets for each of the given sessions, written through the public API. */
function changeSome({ primary }: Pair, chosen: Uint32Array): void {
  for (const i of chosen) {
    const key = keyOf(i)
    const packets = primary.get(key)!.packets + 1 + (i & 3)
    primary.update(key, { packets, bytes: packets * packetBytesOf(i) })
  }
}
