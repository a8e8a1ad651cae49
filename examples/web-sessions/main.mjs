// One process of the application, or the balancer before both, from the command line. README.md shows all three.
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { startApp } from './app.mjs'
import { Balancer } from './balancer.mjs'

const help = `usage: node main.mjs --id a --peer b --listen 127.0.0.1:8001 --m1 LISTEN,PEER --m2 LISTEN,PEER
                     --cert FILE --key FILE --trust FILE
       node main.mjs --balance 127.0.0.1:8001,127.0.0.1:8002 --listen 127.0.0.1:8000
  --id, --peer     names of this node and the other
  --listen         where browsers, or the balancer, connect
  --m1, --m2       the two links: where this node listens and where it finds its peer, host:port
  --cert, --key    this node's identity, PEM
  --trust          the other node's certificate, PEM
  --lost           heartbeats that may be missing before the other node is suspected (4); more on a noisy machine
  SESSION_SECRET   in the environment: signs the cookies, the same on both nodes`

const names = ['id', 'peer', 'listen', 'm1', 'm2', 'cert', 'key', 'trust']
const { values } = parseArgs({
  options: {
    ...Object.fromEntries([...names, 'balance'].map((name) => [name, { type: 'string' }])),
    lost: { type: 'string', default: '4' },
    help: { type: 'boolean', default: false },
  },
})
const missing = (values.balance ? ['listen'] : names).filter((name) => !values[name])
const secret = process.env.SESSION_SECRET
if (values.help || missing.length > 0 || (!values.balance && !secret)) {
  if (missing.length > 0) console.error(`missing: ${missing.map((name) => `--${name}`).join(' ')}`)
  else if (!values.help) console.error('missing: SESSION_SECRET in the environment')
  console.log(help)
  process.exit(values.help ? 0 : 2)
}

const addressOf = (text) => {
  const [host, port] = text.split(':')
  return { host, port: Number(port) }
}
const link = (name) => {
  const [listen, peer] = values[name].split(',')
  return { listen, peer }
}

async function balance() {
  const balancer = new Balancer(values.balance.split(',').map(addressOf))
  await balancer.listen(addressOf(values.listen))
  console.log(`balancer: http://${values.listen}`)
  return balancer
}

async function serve() {
  const app = await startApp({
    listen: addressOf(values.listen),
    secret,
    id: values.id,
    peer: values.peer,
    cluster: 'web-sessions',
    links: { m1: link('m1'), m2: link('m2') },
    heartbeat: { lost: Number(values.lost) },
    identity: {
      cert: readFileSync(values.cert, 'utf8'),
      key: readFileSync(values.key, 'utf8'),
      trust: [readFileSync(values.trust, 'utf8')],
    },
  })
  const { node } = app
  console.log(`${node.id}: ${node.role}, http://${values.listen}`)
  node.on('role', ({ role, message }) => console.log(`${node.id}: ${role}. ${message}`))
  node.on('synced', ({ synced }) =>
    console.log(
      `${node.id}: ${synced ? 'both nodes hold' : 'alone with'} ${node.tables.sessions.size} sessions`,
    ),
  )
  return app
}

const running = values.balance ? await balance() : await serve()
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    await running.close()
    process.exit(0)
  })
}
