// The state directory on this runtime: its lock, the epoch file, a snapshot written and loaded.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createNode, defineTable } from 'holdfast'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'

const test = suite('state directory')
const sessions = defineTable({
  name: 'sessions',
  key: { id: 'u32' },
  fields: { count: 'u53', text: 'text' },
  indexes: { count: ['count'] },
  capacity: 5_000,
  arena: 1 << 20,
})
const link = (port) => ({ listen: `127.0.0.1:${port}`, peer: `127.0.0.1:${port + 2}` })

test('epochs and sessions go on over a restart, and nobody else gets the directory', async () => {
  const stateDir = mkdtempSync(join(tmpdir(), 'holdfast-runtime-'))
  const base = 20_000 + Math.floor(Math.random() * 20_000)
  const options = {
    ...{ id: 'a', peer: 'b', insecure: true, tables: { sessions }, holdDown: 300, stateDir, snapshot: {} },
    links: { m1: link(base), m2: link(base + 1) },
  }
  try {
    const first = await createNode(options)
    await first.ready()
    for (let id = 0; id < 3_000; id++)
      first.tables.sessions.set({ id }, { count: id + 1, text: `t${id}`.repeat(id % 9) })
    let refused = ''
    await createNode(options).catch((error) => {
      refused = `${error.code} ${error.message}`
    })
    assert.match(refused, /^ERR_STATE stateDir: .* is in use by another node/)
    await first.close()
    assert.equal(readdirSync(stateDir).sort(), ['epoch', 'snapshot'])
    const second = await createNode(options)
    await second.ready()
    assert.ok(second.epoch > first.epoch)
    assert.is(second.tables.sessions.size, 3_000)
    assert.is(second.tables.sessions.by.count.get({ count: 8 }).text, 't7'.repeat(7))
    await second.close()
  } finally {
    rmSync(stateDir, { recursive: true })
  }
})

test.run()
