// A UDP service behind a virtual address. Both nodes run this program; the primary holds the address, and every client's
// count goes on at the other one when it is lost.
//   node examples/virtual-ip/main.mjs --id a --m1 LISTEN,PEER --m2 LISTEN,PEER --address 10.0.0.100/24 --device eth0
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { parseArgs } from 'node:util'
import { createNode, defineTable, readIdentity } from 'holdfast'
import { Address } from './address.mjs'

const text = { type: 'string' }
const { values } = parseArgs({
  options: {
    id: text, // 'a' or 'b'
    m1: text,
    m2: text,
    identity: text, // a file of `holdfast keygen`
    address: text, // with its prefix length, as ip(8) writes it
    device: text,
    port: { ...text, default: '7000' },
  },
})
const { id } = values
for (const name of ['id', 'm1', 'm2', 'identity', 'address', 'device']) {
  if (values[name] === undefined) {
    console.error(`--${name} is missing; see the beginning of this file`)
    process.exit(2)
  }
}
const link = (both) => {
  const [listen, peer] = both.split(',')
  return { listen, peer }
}
const log = (what, details = {}) => console.log(JSON.stringify({ at: Date.now(), id, what, ...details }))

const clients = defineTable({
  name: 'clients',
  key: { ip: 'ipv4', port: 'u16' },
  fields: { count: 'u53' },
  capacity: 100_000,
  timeout: 300,
})
const address = new Address(values.address, values.device)
let service

/**
 * Everything received is in the tables when this begins; only when it has ended can a packet arrive. After a split it may begin
 * for a new epoch with the port open already: then it tells the neighbours again whose the address is.
 */
async function takeOver({ epoch, reason }, signal) {
  log('promoted', { epoch, reason, sessions: node.tables.clients.size })
  service ??= await listen()
  await address.take(signal)
  log('serving', { epoch })
}

async function giveUp({ epoch, reason }, signal) {
  await address.drop(signal)
  service?.close()
  service = undefined
  log('given-up', { epoch, reason })
}

async function listen() {
  const socket = createSocket('udp4')
  socket.on('error', (error) => log('error', { message: error.message }))
  socket.on('message', (question, { address: ip, port }) => void answer(socket, question, ip, port))
  // Open before the address is there, so that no question meets a closed port; and bound to it, so that answers come from it.
  socket.bind({ address: address.host, port: Number(values.port) })
  await once(socket, 'listening')
  return socket
}

/** Counts for this client, and answers once the other node knows the count too. */
async function answer(socket, question, ip, port) {
  try {
    const { clients: table } = node.tables
    const count = (table.get({ ip, port })?.count ?? 0) + 1
    table.set({ ip, port }, { count })
    await node.replicated({ alone: 'resolve' })
    socket.send(JSON.stringify({ question: question.toString(), count, by: id }), port, ip, () => {})
  } catch (error) {
    // Not primary any more: the client asks again, and the other one answers.
    if (error.code !== 'ERR_NOT_PRIMARY') log('error', { message: error.message })
  }
}

// Left from an earlier life that ended without a word.
await address.drop()
const node = await createNode({
  id,
  peer: id === 'a' ? 'b' : 'a',
  cluster: 'virtual-ip',
  priority: id === 'a' ? 200 : 100,
  tables: { clients },
  links: { m1: link(values.m1), m2: link(values.m2) },
  identity: await readIdentity(values.identity),
  hookTimeout: 5_000,
  onPromote: takeOver,
  onDemote: giveUp,
})
address.guard()
node.on('role', ({ role, epoch, durationMs }) => log('role', { role, epoch, durationMs }))
node.on('synced', ({ synced }) => log('synced', { synced }))
node.on('error', (error) => log('error', { message: error.message }))
process.on('SIGHUP', async () => {
  try {
    await node.reloadIdentity(await readIdentity(values.identity))
    log('reloaded')
  } catch (error) {
    log('error', { message: error.message })
  }
})
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, async () => {
    await node.close()
    await address.dismiss()
    process.exit(0)
  })
}
