// Writes epochs one after the other until it is killed, and says each that is on disk. For epoch-file.test.ts.
import { writeSync } from 'node:fs'
import { writeEpoch } from '../../dist/state/epoch-file.js'

const [directory, from] = process.argv.slice(2)
const owner = { cluster: 'c', id: 'a' }
for (let epoch = Number(from); ; epoch++) {
  await writeEpoch(directory, owner, epoch)
  writeSync(1, `${epoch}\n`)
}
