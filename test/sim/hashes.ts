// Prints the trace hash of each of some seeds: `hashes.ts FROM COUNT`, on whatever runtime it is started.
import process from 'node:process'
import { runSeed } from './run.ts'

const [from = '1', count = '1'] = process.argv.slice(2)
for (let seed = BigInt(from); seed < BigInt(from) + BigInt(count); seed++) {
  const { traceHash, events, finding } = runSeed(seed, { store: 'wasm' })
  console.log(`${seed} ${traceHash} ${events} ${finding?.split('\n')[0] ?? ''}`)
}
