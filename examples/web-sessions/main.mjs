// One process of the application, or the balancer before both, from the command line. README.md shows all three.
import { addressOf, announce, closeAtSignals, pairOptions, readArguments } from '../shared/process.mjs'
import { startApp } from './app.mjs'
import { Balancer } from './balancer.mjs'

const { values, demand } = readArguments({
  usage: `  SESSION_SECRET   in the environment: signs the cookies, the same on both nodes
or:    node main.mjs --balance 127.0.0.1:8001,127.0.0.1:8002 --listen 127.0.0.1:8000`,
  options: { balance: { type: 'string' } },
  required: ({ balance }) => (balance ? ['listen'] : undefined),
})

async function balance() {
  const balancer = new Balancer(values.balance.split(',').map(addressOf))
  await balancer.listen(addressOf(values.listen))
  console.log(`balancer: http://${values.listen}`)
  return balancer
}

async function serve() {
  const secret = process.env.SESSION_SECRET
  demand(secret, 'SESSION_SECRET in the environment')
  const options = await pairOptions(values, 'web-sessions')
  const app = await startApp({ listen: addressOf(values.listen), secret, ...options })
  announce(app.node, () => `${app.node.tables.sessions.size} sessions`)
  return app
}

const running = values.balance ? await balance() : await serve()
closeAtSignals(() => running.close())
