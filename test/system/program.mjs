// A node and its application in a process of their own, driven over IPC by test/system. While it leads it writes, waits for
// `replicated()`, and sends effects through its gate; all that came of it is told to whoever watches.
import { createNode, defineTable } from 'holdfast'

const TICK_MS = 5
const IDS = 400
const WRITES = 10

const sessions = defineTable({
  name: 'sessions',
  key: { id: 'u32' },
  fields: { reign: 'u53', step: 'u53' },
  capacity: 4_000,
})

let node
let step = 0
let timer
const tell = (told) => process.send?.(told, undefined, {}, () => {})

/** [id, reign, step] of every session. */
const content = () => [...node.tables.sessions].map(({ id, reign, step }) => [id, reign, step])

/** One synchronous run of writes, then the promise that they are held. */
function tick() {
  if (node.role !== 'primary') return
  const { epoch } = node
  const writes = []
  try {
    for (let i = 0; i < WRITES; i++) {
      const id = Math.floor(Math.random() * IDS)
      node.tables.sessions.set({ id }, { reign: epoch, step: ++step })
      writes.push([id, step])
    }
  } catch (error) {
    if (error.code !== 'ERR_NOT_PRIMARY') tell({ told: 'error', text: String(error.stack) })
  }
  if (writes.length > 0) {
    node.replicated({ alone: 'reject' }).then(
      () => tell({ told: 'held', epoch, writes }),
      () => {},
    )
  }
  node.gate((token) => tell({ told: 'effect', epoch: token })).catch(() => {})
}

const commands = {
  async start(options) {
    node = await createNode({ ...options, tables: { sessions } })
    node.on('role', ({ role, epoch, reason }) => {
      tell({ told: 'role', role, epoch, reason, content: role === 'primary' ? content() : [] })
    })
    for (const name of ['poison', 'unsynced', 'error']) {
      node.on(name, (event) => tell({ told: name, text: JSON.stringify(event?.message ?? event) }))
    }
    timer = setInterval(tick, TICK_MS)
  },
  status: () => node.status(),
  /** Nothing more is written; resolves when all that was is held. */
  async rest() {
    clearInterval(timer)
    return node.role === 'primary' ? await node.replicated({ alone: 'wait' }) : undefined
  },
  work() {
    clearInterval(timer)
    timer = setInterval(tick, TICK_MS)
  },
  verify: () => node.verify(),
  content,
  date: () => Date.now(),
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
