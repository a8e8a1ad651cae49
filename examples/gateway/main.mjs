// One gateway process, from the command line. README.md in this folder shows a pair of them.
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { startGateway } from './gateway.mjs'

const help = `usage: node main.mjs --id a --peer b --service 127.0.0.1:9000 --m1 LISTEN,PEER --m2 LISTEN,PEER
                     --cert FILE --key FILE --trust FILE [--capacity N] [--priority N]
  --id, --peer     names of this node and the other
  --service        UDP address clients send to; the same on both nodes
  --m1, --m2       the two links: where this node listens and where it finds its peer, host:port
  --cert, --key    this node's identity, PEM
  --trust          the other node's certificate, PEM
  --capacity       sessions at most (100000)
  --priority       preferred as primary when both start at once (100)`

const text = { type: 'string' }
const { values } = parseArgs({
  options: {
    id: text,
    peer: text,
    service: text,
    m1: text,
    m2: text,
    cert: text,
    key: text,
    trust: text,
    capacity: { ...text, default: '100000' },
    priority: { ...text, default: '100' },
    help: { type: 'boolean', default: false },
  },
})
const missing = ['id', 'peer', 'service', 'm1', 'm2', 'cert', 'key', 'trust'].filter((name) => !values[name])
if (values.help || missing.length > 0) {
  if (!values.help) console.error(`missing: ${missing.map((name) => `--${name}`).join(' ')}`)
  console.log(help)
  process.exit(values.help ? 0 : 2)
}

const [host, port] = values.service.split(':')
const link = (name) => {
  const [listen, peer] = values[name].split(',')
  return { listen, peer }
}
const gateway = await startGateway({
  service: { host, port: Number(port) },
  capacity: Number(values.capacity),
  id: values.id,
  peer: values.peer,
  cluster: 'gateway',
  priority: Number(values.priority),
  links: { m1: link('m1'), m2: link('m2') },
  identity: {
    cert: readFileSync(values.cert, 'utf8'),
    key: readFileSync(values.key, 'utf8'),
    trust: [readFileSync(values.trust, 'utf8')],
  },
})

const { node } = gateway
console.log(`${node.id}: ${node.role}`)
node.on('role', ({ role, epoch, message }) =>
  console.log(`${node.id}: ${role} in epoch ${epoch}. ${message}`),
)
setInterval(() => {
  const { tables, links, peer } = node.status()
  const { packets, waitMs } = gateway.takeStats()
  const up = Object.entries(links).map(([name, { up }]) => `${name} ${up ? 'up' : 'down'}`)
  console.log(
    `${node.id}: ${node.role}, ${tables.flows.sessions} sessions, ${packets} packets, answers waited ` +
      `${waitMs.toFixed(1)} ms, ${up.join(', ')}, peer ${peer?.alive ? peer.role : 'not heard'}`,
  )
}, 5000)

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    await gateway.close()
    process.exit(0)
  })
}
