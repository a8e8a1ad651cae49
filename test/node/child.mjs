// A node in a process of its own, driven over IPC by test/node/support.ts.
import { createNode, defineTable } from 'holdfast'

const sessions = defineTable({
  name: 'sessions',
  key: { id: 'u32' },
  fields: { count: 'u53', note: ['none', 'seen'] },
  capacity: 30_000,
})

let node
const commands = {
  async start(options) {
    node = await createNode({ ...options, tables: { sessions } })
  },
  ready: () => node.ready(),
  status: () => node.status(),
  /** Writes sessions `from` up to `to` and waits until the secondary has them. */
  async fill({ from, to }) {
    for (let id = from; id < to; id++) node.tables.sessions.set({ id }, { count: id * 3, note: 'seen' })
    return node.replicated({ alone: 'wait' })
  },
  write({ id, count }) {
    try {
      node.tables.sessions.set({ id }, { count })
      return 'written'
    } catch (error) {
      return error.code
    }
  },
  /** Sessions and the sum of their counts. */
  total() {
    let count = 0
    for (const session of node.tables.sessions) count += session.count
    return { sessions: node.tables.sessions.size, count }
  },
  /** Nothing else runs for so long. */
  block({ ms }) {
    const until = performance.now() + ms
    while (performance.now() < until);
  },
  /** Of this process, in MiB. */
  memory: () => process.memoryUsage().rss / 2 ** 20,
  close: () => node.close(),
}

process.on('message', async ({ call, command, argument }) => {
  try {
    process.send({ call, value: await commands[command](argument) })
  } catch (error) {
    process.send({ call, error: String(error.stack) })
  }
})
process.on('disconnect', () => process.exit())
