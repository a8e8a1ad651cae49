// What the processes of the examples have in common: the options by which one joins its pair, what it says of itself, and
// how it ends.
import process from 'node:process'
import { parseArgs } from 'node:util'
import { readIdentity } from 'holdfast'

const REQUIRED = ['id', 'peer', 'listen', 'm1', 'm2', 'identity']
const USAGE = `usage: node main.mjs --id a --peer b --listen 127.0.0.1:8001 --m1 LISTEN,PEER --m2 LISTEN,PEER --identity a.json
  --id, --peer     names of this node and the other
  --listen         where clients connect
  --m1, --m2       the two links: where this node listens and where it finds its peer, host:port
  --identity       what this node is known by: a file of holdfast keygen
  --lost           heartbeats that may be missing before the other node is suspected (4); more on a noisy machine`

/**
 * Reads the command line. Where help is asked for, or something is missing, it says so and ends the process.
 * @param {{ usage?: string, options?: object, required?: (values: object) => string[] | undefined }} own further lines of
 *   the usage, further options as `parseArgs` takes them, and which may not be missing, if not those of a pair
 * @returns the values, and `demand`, which ends the process in the same way where something else is missing
 */
export function readArguments({ usage = '', options = {}, required = () => undefined } = {}) {
  const { values } = parseArgs({
    options: {
      ...Object.fromEntries(REQUIRED.map((name) => [name, { type: 'string' }])),
      lost: { type: 'string', default: '4' },
      ...options,
      help: { type: 'boolean', default: false },
    },
  })
  const help = `${USAGE}\n${usage}`.trimEnd()
  if (values.help) {
    console.log(help)
    process.exit(0)
  }
  const demand = (isThere, what) => {
    if (isThere) return
    console.error(`missing: ${what}\n${help}`)
    process.exit(2)
  }
  const missing = (required(values) ?? REQUIRED).filter((name) => !values[name])
  demand(missing.length === 0, missing.map((name) => `--${name}`).join(' '))
  return { values, demand }
}

/** '127.0.0.1:8001' as { host, port }. */
export function addressOf(text) {
  const at = text.lastIndexOf(':')
  return { host: text.slice(0, at), port: Number(text.slice(at + 1)) }
}

/** What the command line says of the pair, as options of `createNode`. */
export async function pairOptions({ id, peer, m1, m2, lost, identity }, cluster) {
  const link = (both) => {
    const [listen, to] = both.split(',')
    return { listen, peer: to }
  }
  return {
    id,
    peer,
    cluster,
    links: { m1: link(m1), m2: link(m2) },
    heartbeat: { lost: Number(lost) },
    identity: await readIdentity(identity),
  }
}

/** Says what becomes of a node. `held()`: what its tables hold, in words. */
export function announce(node, held) {
  const say = (text) => console.log(`${node.id}: ${text}`)
  say(node.role)
  node.on('role', ({ role, message }) => say(`${role}. ${message}`))
  node.on('synced', ({ synced }) => say(`${synced ? 'both nodes hold' : 'alone with'} ${held()}`))
}

/** Closes at Ctrl-C and at SIGTERM, then ends the process. */
export function closeAtSignals(close) {
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.once(signal, async () => {
      await close()
      process.exit(0)
    })
  }
}
