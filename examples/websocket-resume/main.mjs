// One server process, from the command line. README.md in this folder shows a pair of them.
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { startServer } from './server.mjs'

const help = `usage: node main.mjs --id a --peer b --listen 127.0.0.1:8001 --m1 LISTEN,PEER --m2 LISTEN,PEER
                     --cert FILE --key FILE --trust FILE [--lost N]
  --id, --peer     names of this node and the other
  --listen         where clients connect, while this node is primary
  --m1, --m2       the two links: where this node listens and where it finds its peer, host:port
  --cert, --key    this node's identity, PEM
  --trust          the other node's certificate, PEM
  --lost           heartbeats that may be missing before silence is death (4)`

const names = ['id', 'peer', 'listen', 'm1', 'm2', 'cert', 'key', 'trust']
const { values } = parseArgs({
  options: {
    ...Object.fromEntries(names.map((name) => [name, { type: 'string' }])),
    lost: { type: 'string', default: '4' },
    help: { type: 'boolean', default: false },
  },
})
const missing = names.filter((name) => !values[name])
if (values.help || missing.length > 0) {
  if (!values.help) console.error(`missing: ${missing.map((name) => `--${name}`).join(' ')}`)
  console.log(help)
  process.exit(values.help ? 0 : 2)
}

const link = (name) => {
  const [listen, peer] = values[name].split(',')
  return { listen, peer }
}
const [host, port] = values.listen.split(':')
const server = await startServer({
  listen: { host, port: Number(port) },
  id: values.id,
  peer: values.peer,
  cluster: 'websocket-resume',
  heartbeat: { lost: Number(values.lost) },
  links: { m1: link('m1'), m2: link('m2') },
  identity: {
    cert: readFileSync(values.cert, 'utf8'),
    key: readFileSync(values.key, 'utf8'),
    trust: [readFileSync(values.trust, 'utf8')],
  },
})

const { node } = server
console.log(`${node.id}: ${node.role}`)
node.on('role', ({ role, message }) => console.log(`${node.id}: ${role}. ${message}`))
node.on('synced', () => console.log(`${node.id}: holds ${server.clients.size} sessions`))

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    await server.close()
    process.exit(0)
  })
}
