// One process of the API, from the command line. README.md in this folder shows a pair of them.
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { startApi } from './api.mjs'

const help = `usage: node main.mjs --id a --peer b --listen 127.0.0.1:8001 --m1 LISTEN,PEER --m2 LISTEN,PEER
                     --cert FILE --key FILE --trust FILE [--points 100] [--lost 4]
  --id, --peer     names of this node and the other
  --listen         where clients connect
  --m1, --m2       the two links: where this node listens and where it finds its peer, host:port
  --cert, --key    this node's identity, PEM
  --trust          the other node's certificate, PEM
  --points         quota of a key in a minute (100)
  --lost           heartbeats that may be missing before the other node is suspected (4); more on a noisy machine`

const names = ['id', 'peer', 'listen', 'm1', 'm2', 'cert', 'key', 'trust']
const { values } = parseArgs({
  options: {
    ...Object.fromEntries(names.map((name) => [name, { type: 'string' }])),
    points: { type: 'string', default: '100' },
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
const api = await startApi({
  listen: { host, port: Number(port) },
  points: Number(values.points),
  id: values.id,
  peer: values.peer,
  cluster: 'rate-limits',
  links: { m1: link('m1'), m2: link('m2') },
  heartbeat: { lost: Number(values.lost) },
  identity: {
    cert: readFileSync(values.cert, 'utf8'),
    key: readFileSync(values.key, 'utf8'),
    trust: [readFileSync(values.trust, 'utf8')],
  },
})

const { node } = api
console.log(`${node.id}: ${node.role}, http://${values.listen}`)
node.on('role', ({ role, message }) => console.log(`${node.id}: ${role}. ${message}`))
node.on('synced', ({ synced }) =>
  console.log(`${node.id}: ${synced ? 'both nodes hold' : 'alone with'} ${node.tables.limits.size} counts`),
)

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    await api.close()
    process.exit(0)
  })
}
