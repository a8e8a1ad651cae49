// A node and its application in a process of their own, driven over IPC by test/system. While it leads it does what
// test/system/workload.mjs says; all that came of it is told to whoever watches.
import { createNode } from 'holdfast'
import { etcd } from 'holdfast/witness/etcd'
import { tables, Workload } from './workload.mjs'

const TICK_MS = 5

let node
let work
let timer
const tell = (told, sent = () => {}) => process.send?.(told, undefined, {}, sent)

const commands = {
  async start({ etcd: server, ...options }) {
    const witness = server === undefined ? {} : { witness: etcd(server) }
    node = await createNode({ ...options, ...witness, tables })
    work = new Workload(node, tell)
    node.on('role', ({ role, epoch, reason }) => {
      tell({ told: 'role', role, epoch, reason, content: role === 'primary' ? work.content() : [] })
    })
    for (const name of ['poison', 'unsynced', 'error']) {
      node.on(name, (event) => tell({ told: name, text: JSON.stringify(event?.message ?? event) }))
    }
    timer = setInterval(() => work.tick(), TICK_MS)
  },
  status: () => node.status(),
  promote: (how) => node.promote(how),
  /** Nothing more is written; resolves when all that was is held. */
  async rest() {
    clearInterval(timer)
    // What is about to be deleted is deleted first.
    await new Promise((resolve) => tell({ told: 'resting' }, resolve))
    return node.role === 'primary' ? await node.replicated({ alone: 'wait' }) : undefined
  },
  work() {
    clearInterval(timer)
    timer = setInterval(() => work.tick(), TICK_MS)
  },
  verify: () => node.verify(),
  content: () => work.content(),
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
