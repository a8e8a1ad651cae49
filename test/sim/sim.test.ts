// time-out: 600 s
// The simulator in the normal test run: some hundred seeds, and the proof that a seed is a whole run.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { runs } from '../support/seed.ts'
import { REGRESSIONS } from './regressions.ts'
import { type RunResult, runSeed } from './run.ts'
import { forgetInstances, type StoreKind } from './tables.ts'
import { addRun, emptyTally } from './tally.ts'

const SEEDS = 500
const TWIN_SEEDS = 10
/** Run in tables that others have used, and in new ones. */
const SAME_SEEDS = 50
/** Seeds 1, 2, ... unless another beginning is given. */
const FROM = BigInt(process.env.HOLDFAST_SEED ?? 1)

const sim = suite('simulator')

function demandNothing(result: RunResult, store: StoreKind): void {
  if (result.finding === undefined) return
  const twin = store === 'twin' ? ' --store twin' : ''
  assert.unreachable(
    `seed ${result.seed}: ${result.finding}\n    replay: npm run sim -- --seed ${result.seed}${twin} --trace`,
  )
}

sim('finds nothing again where it once did', () => {
  for (const { seed, store } of REGRESSIONS) demandNothing(runSeed(seed, { store }), store)
})

sim('finds nothing', () => {
  const tally = emptyTally()
  for (let i = 0; i < runs(SEEDS); i++) {
    const result = runSeed(FROM + BigInt(i), { store: 'wasm' })
    demandNothing(result, 'wasm')
    addRun(tally, result)
  }
  const hours = (tally.simulatedMs / 3_600_000).toFixed(2)
  console.log(`${tally.seeds} seeds from ${FROM}, ${hours} hours simulated, ${tally.events} events`)
  for (const what of [
    'fault: kill',
    'fault: both cut',
    'fault: freeze',
    'primary: peer-silent',
    'writes promised',
    'both links cut, availability: two primaries',
    'sink refuses an earlier epoch',
    'fault: witness away',
    'fault: witness cut',
    'witness: lease ended',
    'primary: witness-lost',
    'for ever at the end: deaf',
    'for ever at the end: crossed',
    'kill @ synced',
    'cut @ full resync',
  ]) {
    assert.ok(tally.counts[what]! > 0, `no run had any "${what}"`)
  }
})

sim('finds nothing with the slow twins in the place of the tables', () => {
  for (let i = 0; i < runs(TWIN_SEEDS); i++) {
    demandNothing(runSeed(FROM + BigInt(i), { store: 'twin' }), 'twin')
  }
})

sim('makes the same run of the same seed, whatever ran before', () => {
  const seeds = Array.from({ length: SAME_SEEDS }, (_, i) => FROM + BigInt(i)).concat(FROM + 2n ** 63n)
  const hash = (seed: bigint) => runSeed(seed, { store: 'wasm' }).traceHash
  const first = seeds.map(hash)
  const again = seeds.map((seed) => {
    forgetInstances()
    return hash(seed)
  })
  assert.equal(again, first)
  assert.is(new Set(first).size, first.length)
})

sim('makes the same run with its story told', () => {
  const lines: string[] = []
  const told = runSeed(FROM, { store: 'wasm', tell: (line) => lines.push(line) })
  assert.is(told.traceHash, runSeed(FROM, { store: 'wasm' }).traceHash)
  assert.ok(lines.some((line) => line.includes('primary of epoch')))
})

sim.run()
