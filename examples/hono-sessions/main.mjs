// One process, from the command line, on Node, Deno or Bun. README.md in this folder shows a pair of them.
import { readFileSync } from 'node:fs'
import process from 'node:process'
import { parseArgs } from 'node:util'
import { createNode } from 'holdfast'
import { appOf, serve } from './app.mjs'
import { sessions } from './store.mjs'

const help = `usage: main.mjs --id a --peer b --listen 127.0.0.1:8001 --m1 LISTEN,PEER --m2 LISTEN,PEER
                --cert FILE --key FILE --trust FILE
  --id, --peer     names of this node and the other
  --listen         where browsers connect
  --m1, --m2       the two links: where this node listens and where it finds its peer, host:port
  --cert, --key    this node's identity, PEM
  --trust          the other node's certificate, PEM
  --lost           heartbeats that may be missing before the other node is suspected (4); more on a noisy machine
  SESSION_SECRET   in the environment: encrypts the cookies, at least 32 characters, the same on both nodes`

const names = ['id', 'peer', 'listen', 'm1', 'm2', 'cert', 'key', 'trust']
const { values } = parseArgs({
  options: {
    ...Object.fromEntries(names.map((name) => [name, { type: 'string' }])),
    lost: { type: 'string', default: '4' },
    help: { type: 'boolean', default: false },
  },
})
const missing = names.filter((name) => !values[name])
const secret = process.env.SESSION_SECRET ?? ''
if (values.help || missing.length > 0 || secret.length < 32) {
  if (missing.length > 0) console.error(`missing: ${missing.map((name) => `--${name}`).join(' ')}`)
  else if (!values.help)
    console.error('missing: SESSION_SECRET in the environment, of at least 32 characters')
  console.log(help)
  process.exit(values.help ? 0 : 2)
}

const link = (name) => {
  const [listen, peer] = values[name].split(',')
  return { listen, peer }
}
const node = await createNode({
  id: values.id,
  peer: values.peer,
  cluster: 'hono-sessions',
  tables: { sessions },
  links: { m1: link('m1'), m2: link('m2') },
  heartbeat: { lost: Number(values.lost) },
  identity: {
    cert: readFileSync(values.cert, 'utf8'),
    key: readFileSync(values.key, 'utf8'),
    trust: [readFileSync(values.trust, 'utf8')],
  },
})
await node.ready()
const [host, port] = values.listen.split(':')
const close = await serve(appOf(node, secret), { host, port: Number(port) })

console.log(`${node.id}: ${node.role}, http://${values.listen}`)
node.on('role', ({ role, message }) => console.log(`${node.id}: ${role}. ${message}`))
node.on('synced', ({ synced }) =>
  console.log(
    `${node.id}: ${synced ? 'both nodes hold' : 'alone with'} ${node.tables.sessions.size} sessions`,
  ),
)

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    await node.close() // a primary hands over first
    await close()
    process.exit(0)
  })
}
