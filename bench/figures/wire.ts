// wire.create.bytes, wire.update.bytes, wire.delete.bytes: the length of a whole BATCH frame, header included, by the
// deltas in it. A batch is 4096 sessions chosen at random among a million. Every batch is applied on a second table,
// and at the end both tables must have the same digests.
import type { Context, Measured } from '../lib/figure.ts'
import { Random } from '../lib/random.ts'
import { batchFrame, createPair, expectEqual, fill } from '../lib/replicas.ts'
import { keyOf, openedOf } from '../lib/sessions.ts'

export async function measure({ smoke, expect }: Context): Promise<Record<string, Measured>> {
  const sessions = smoke ? 20_000 : 1_000_000
  const batch = smoke ? 512 : 4096
  const rounds = smoke ? 2 : 7
  const pair = createPair(sessions)
  const { primary, carry } = pair
  fill(primary, sessions)
  pair.synchronise()
  const perDelta = () => batchFrame(carry(expect)).length / batch
  const updates: number[] = []
  const busy: number[] = []
  const deletes: number[] = []
  const creates: number[] = []
  const counters = (i: number, packets: number, bytes: number) => {
    const session = primary.get(keyOf(i))!
    primary.update(keyOf(i), { packets: session.packets + packets, bytes: session.bytes + bytes })
  }
  for (let round = 0; round < rounds; round++) {
    const random = new Random(round)
    // Since the last flush, a few milliseconds ago, a flow had one to four packets of 40 to 1500 bytes.
    for (const i of random.sample(batch, sessions)) {
      const packets = 1 + random.below(4)
      counters(i, packets, packets * (40 + random.below(1461)))
    }
    updates.push(perDelta())
    // The same for flows that had up to 64.
    for (const i of random.sample(batch, sessions)) {
      const packets = 1 + random.below(64)
      counters(i, packets, packets * (40 + random.below(1461)))
    }
    busy.push(perDelta())
    const gone = random.sample(batch, sessions)
    for (const i of gone) primary.delete(keyOf(i))
    deletes.push(perDelta())
    for (const i of gone) primary.set(keyOf(i), openedOf(i))
    creates.push(perDelta())
  }
  expectEqual(pair, expect)
  return {
    'wire.create.bytes': { runs: creates },
    'wire.update.bytes': {
      runs: updates,
      detail: { up_to_64_packets_bytes: busy.reduce((a, b) => a + b) / rounds },
    },
    'wire.delete.bytes': { runs: deletes },
  }
}
