// One firewall of a pair, from the command line. README.md in this folder shows both, and what the commands do.
import { readIdentity } from 'holdfast'
import { Conntrack } from './conntrack.mjs'
import { Firewall } from './firewall.mjs'
import { HELP, readOptions } from './options.mjs'

let options
try {
  options = readOptions(process.argv.slice(2))
  if (!options.help) options.firewall.node.identity = await readIdentity(options.identityFile)
} catch (error) {
  console.error(`${error.message}\n\n${HELP}`)
  process.exit(2)
}
if (options.help) {
  console.log(HELP)
  process.exit(0)
}

const { id } = options.firewall.node
/** The same clock in every process of a machine. */
const monotonicMs = () => Number(process.hrtime.bigint() / 1000n) / 1000
const rounded = (value) => (typeof value === 'number' ? Math.round(value * 10) / 10 : value)

function log(what, details) {
  if (options.json) {
    const line = { at: new Date().toISOString(), monotonicMs: monotonicMs(), id, what, ...details }
    console.log(JSON.stringify(line))
    return
  }
  const words = Object.entries(details).map(([name, value]) => {
    return `${name} ${typeof value === 'object' ? JSON.stringify(value) : rounded(value)}`
  })
  console.log(`${id}: ${what} ${words.join(', ')}`.trimEnd())
}

function onFallback(why) {
  log('error', {
    message: `connections cannot be written over netlink, conntrack does it from now on: ${why}`,
  })
}
const conntrack = new Conntrack({ ...options.conntrack, onFallback })
const firewall = new Firewall({ ...options.firewall, conntrack, log })
let version
try {
  version = await conntrack.check()
  await firewall.start()
} catch (error) {
  console.error(`${id}: ${error.message}`)
  process.exit(1)
}

function report() {
  const { role, protected: isProtected, synced, tables, links } = firewall.node.status()
  const sessions = tables.ipv4.sessions + tables.ipv6.sessions
  const up = Object.entries(links).flatMap(([name, link]) => (link.up ? [name] : []))
  log('status', { role, sessions, protected: isProtected, synced, links: up.join(' '), ...firewall.counts() })
}
if (options.reportMs > 0) setInterval(report, options.reportMs)
process.on('SIGUSR2', report)
// A renewed key, without a gap.
process.on('SIGHUP', async () => {
  try {
    await firewall.node.reloadIdentity(await readIdentity(options.identityFile))
    log('identity', { message: 'every connection is made under the identity as it is now' })
  } catch (error) {
    log('error', { message: `--identity was not taken: ${error.message}` })
  }
})

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, async () => {
    await firewall.close()
    process.exit(0)
  })
}
log('started', { conntrack: version, pid: process.pid })
