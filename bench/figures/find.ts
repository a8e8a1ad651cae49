// table.find.misses and table.findMany.misses: what a random find in a table of a million sessions costs, alone and as
// one of 256 in a call, in units of one dependent cache miss. Finds and the pointer chase that is the unit run inside
// the same memory in turns, so that neither the machine nor the load of the moment is in the ratio.
import { createEngine, ENCODE_BYTES_MAX } from '../lib/built.ts'
import type { Context, Measured } from '../lib/figure.ts'
import { MapProgram } from '../lib/map-program.ts'
import { Random } from '../lib/random.ts'
import { createConnections, fill } from '../lib/replicas.ts'
import { defineConnections, fieldsOf, keyOf } from '../lib/sessions.ts'
import { median } from '../lib/statistics.ts'

export async function measure({ smoke, expect }: Context): Promise<Record<string, Measured>> {
  const sessions = smoke ? 20_000 : 1_000_000
  // A multiple of 256.
  const steps = smoke ? 51_200 : 2_048_000
  const rounds = smoke ? 2 : 9
  const { core } = createEngine(defineConnections(sessions), [1, 2, 3, 4], ENCODE_BYTES_MAX)
  expect(core.benchFill(sessions, 7) === sessions, 'every session is inserted')
  // One cycle through all records, or the chase could run in a few cache lines.
  expect(core.benchChase(sessions) === 0, 'the chase ends where it began')
  for (let part = 1; part < 16; part++) {
    expect(core.benchChase(Math.floor((sessions / 16) * part)) !== 0, 'and not before')
  }
  const finds: number[] = []
  const batched: number[] = []
  const misses: number[] = []
  for (let round = -1; round < rounds; round++) {
    const began = performance.now()
    const found = core.benchFind(steps, sessions, 100 + round)
    const between = performance.now()
    core.benchChase(steps)
    const ended = performance.now()
    const foundMany = core.benchFindMany(steps, sessions, 200 + round)
    const endedMany = performance.now()
    expect(found === steps && foundMany === steps, 'every find finds its session')
    // The first round compiles.
    if (round < 0) continue
    finds.push(((between - began) / steps) * 1e6)
    misses.push(((ended - between) / steps) * 1e6)
    batched.push(((endedMany - ended) / steps) * 1e6)
  }
  return {
    'table.find.misses': {
      runs: finds.map((find, round) => find / misses[round]!),
      detail: {
        find_ns: median(finds),
        miss_ns: median(misses),
        public_get_ns: publicGet(sessions, smoke ? 20_000 : 1_000_000, expect),
        map_get_ns: mapGet(sessions, smoke ? 20_000 : 1_000_000, expect),
      },
    },
    'table.findMany.misses': {
      runs: batched.map((find, round) => find / misses[round]!),
      detail: { find_ns: median(batched), miss_ns: median(misses) },
    },
  }
}

/** Nanoseconds of `table.get(key).packets` from JavaScript. */
function publicGet(sessions: number, steps: number, expect: Context['expect']): number {
  const table = createConnections(sessions)
  fill(table, sessions)
  return walk(sessions, steps, expect, (i) => table.get(keyOf(i))!.packets)
}

/** The same of a Map whose key is a text, built from the same five values. */
function mapGet(sessions: number, steps: number, expect: Context['expect']): number {
  const map = new MapProgram()
  map.fill(sessions)
  return walk(sessions, steps, expect, (i) => map.get(keyOf(i))!.packets)
}

/** Nanoseconds of a look at a random session, each chosen by what the one before showed. */
function walk(
  sessions: number,
  steps: number,
  expect: Context['expect'],
  look: (i: number) => number,
): number {
  globalThis.gc?.()
  const random = new Random(3)
  let sum = 0
  let expected = 0
  const run = () => {
    let last = 0
    const began = performance.now()
    for (let step = 0; step < steps; step++) {
      const i = (random.below(sessions) + (last & 1)) % sessions
      last = look(i)
      sum += last
    }
    return ((performance.now() - began) / steps) * 1e6
  }
  const ns = [run(), run(), run(), run(), run(), run()].slice(1)
  // The same walk over what the sessions were made of.
  const again = new Random(3)
  for (let n = 0; n < 6; n++) {
    for (let step = 0, last = 0; step < steps; step++) {
      last = fieldsOf((again.below(sessions) + (last & 1)) % sessions).packets
      expected += last
    }
  }
  expect(sum === expected, 'get shows what was set')
  return median(ns)
}
