// time-out: 400 s
// A process killed at any moment of writing a snapshot leaves the one before or the new one, whole.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { defineTable } from '../../src/schema/index.ts'
import { loadSnapshot } from '../../src/state/snapshot-loader.ts'
import { Random, runs, seed } from '../support/seed.ts'
import { makeNode } from '../support/tables.ts'
import { killedWriter } from './killed-writer.ts'

const test = suite('snapshot crash')
/** Two hundred, as docs/PROMISES.md says, with HOLDFAST_RUNS=4. */
const KILLS = runs(50)
const directory = mkdtempSync(join(tmpdir(), 'holdfast-crash-'))
test.after(() => rmSync(directory, { recursive: true }))

const definition = defineTable({
  name: 'rounds',
  key: { id: 'u32' },
  fields: { round: 'u32', text: 'text' },
  capacity: 3_000,
  arena: 1 << 20,
})

/** Starts the writer, kills it so long after its first word; the last round it said was on disk. */
test(`killed ${KILLS} times at random moments: always the old snapshot or the new one`, async () => {
  const random = new Random(seed)
  const table = makeNode(definition, 'secondary').table
  let round = 1
  let newer = 0
  for (let i = 0; i < KILLS; i++) {
    const said = await killedWriter('./snapshot-writer.mjs', directory, round, random.below(4_000) / 100)
    table.reset()
    const found = await loadSnapshot({ directory, owner: { cluster: 'c', id: 'a' } }, [table], 1)
    const { sequence } = found!.standing
    assert.ok(
      sequence === said || sequence === said + 1,
      `said ${said}, found ${sequence}; HOLDFAST_SEED=${seed}`,
    )
    assert.is(table.size, 3_000)
    for (const session of table as unknown as Iterable<{ id: number; round: number; text: string }>) {
      if (session.round !== sequence || session.text !== `${session.id} in ${sequence}`) {
        assert.unreachable(`session ${session.id} is of round ${session.round}, the snapshot of ${sequence}`)
      }
    }
    if (sequence !== said) newer++
    round = sequence + 1
  }
  console.log(`${KILLS} kills, ${round} snapshots, ${newer} times the newer one was there and not said yet`)
})

test.run()
