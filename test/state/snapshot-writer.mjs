// Writes snapshots of a table whose sessions all have the number of the round, until it is killed; says each round that is
// on disk. For snapshot-crash.test.ts.
import { writeSync } from 'node:fs'
import { SnapshotTaker } from '../../dist/core/snapshot-taker.js'
import { defineTable } from '../../dist/index.js'
import { writeSnapshot } from '../../dist/state/snapshot-writer.js'
import { createTable, openGate } from '../../dist/table/index.js'

const [directory, from] = process.argv.slice(2)
const definition = defineTable({
  name: 'rounds',
  key: { id: 'u32' },
  fields: { round: 'u32', text: 'text' },
  capacity: 3_000,
  arena: 1 << 20,
})
const table = createTable(definition, { gate: openGate(), snapshots: true })
table.setTracking('ids')
const { name, capacity, arenaBytes: arena, schema } = table
const place = { directory, owner: { cluster: 'c', id: 'a' } }
for (let round = Number(from); ; round++) {
  for (let id = 0; id < 3_000; id++) table.set({ id }, { round, text: `${id} in ${round}` })
  const taker = new SnapshotTaker([table], () => ({ lineage: 'ab'.repeat(8), epoch: 1, sequence: round }))
  const moment = () => ({ lineageAgeMs: 0, date: 1, ticks: 1 })
  await writeSnapshot(place, [{ name, capacity, arena, schema }], taker, moment, () => false)
  taker.stop()
  writeSync(1, `${round}\n`)
}
