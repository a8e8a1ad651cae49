// The command line of a firewall, checked, with every default.
import { parseArgs } from 'node:util'

export const HELP = `usage: node main.mjs --id a --m1 LISTEN,PEER --m2 LISTEN,PEER --identity FILE [options]

  --id NAME             this firewall, 'a' or 'b' unless --peer-id is given too
  --m1, --m2 L,P        the two links: where this one listens and where it finds its peer, ADDRESS:PORT each
  --identity FILE       as \`holdfast keygen\` writes it, JSON { "cert", "key", "trust" }, or one PEM file: this firewall's
                        certificate, its private key, then the certificates that are trusted; read anew on
                        SIGHUP
  --on-promote CMD      run by sh when the kernel has every connection: take the addresses, let traffic in
  --on-demote CMD       run by sh when this firewall is not to forward: at the start, at a demotion, at the end, and
                        when this process dies
  --peer-id NAME        the other firewall (the other of a and b)
  --priority N          0 to 65535: who becomes primary when both start at once (200 for a, 100 for others)
  --cluster NAME        the same on both (firewall)
  --ignore IP,...       flows from or to these addresses stay where they are; the links and the loopback always do
  --capacity N          IPv4 connections at most (262144)
  --capacity6 N         IPv6 connections at most (65536)
  --gather MS           how long the kernel's events are gathered while more come, before they are sent (20)
  --least-timeout S     seconds that a connection has at least after a promotion (30)
  --command-timeout MS  how long a command may take before it is killed (5000)
  --buffer BYTES        room for the kernel's events that were not read yet (33554432)
  --heartbeat MS,LOST   between two heartbeats, and how many may be missing (50,4)
  --sending HOW         redundant: everything on both links; single: on one at a time (redundant)
  --hold-down MS        how long a starting firewall looks for its peer (3000)
  --state-dir DIR       keeps epochs over restarts (none)
  --netns NAME          run conntrack in this network namespace (none: in our own)
  --write HOW           connections into the kernel: netlink; lines: by \`conntrack --load-file\`, as without perl; one-by-one:
                        a process for each, as conntrack-tools before 1.4.7 need (netlink)
  --report S            a line of counts every so many seconds (0: none)
  --json                lines of JSON instead of text`

const WRITES = ['netlink', 'lines', 'one-by-one']
const text = { type: 'string' }
const OPTIONS = {
  id: text,
  m1: text,
  m2: text,
  identity: text,
  'on-promote': text,
  'on-demote': text,
  'peer-id': text,
  priority: text,
  cluster: { ...text, default: 'firewall' },
  ignore: { ...text, default: '' },
  capacity: { ...text, default: '262144' },
  capacity6: { ...text, default: '65536' },
  gather: { ...text, default: '20' },
  'least-timeout': { ...text, default: '30' },
  'command-timeout': { ...text, default: '5000' },
  buffer: { ...text, default: '33554432' },
  heartbeat: { ...text, default: '50,4' },
  sending: { ...text, default: 'redundant' },
  'hold-down': { ...text, default: '3000' },
  'state-dir': text,
  netns: text,
  write: { ...text, default: 'netlink' },
  report: { ...text, default: '0' },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
}

/** What the command line says. Throws an error whose message names the option, what was given and what is allowed. */
export function readOptions(args) {
  const { values } = parseArgs({ args, options: OPTIONS })
  if (values.help) return { help: true }
  for (const name of ['id', 'm1', 'm2', 'identity'])
    if (!values[name]) throw new Error(`--${name} is missing`)
  const { id } = values
  const peer = values['peer-id'] ?? { a: 'b', b: 'a' }[id]
  if (peer === undefined) throw new Error(`--id '${id}' is neither a nor b: --peer-id must be given too`)
  const links = { m1: link('m1', values.m1), m2: link('m2', values.m2) }
  const [interval, lost] = numbers('heartbeat', values.heartbeat, 2)
  return {
    json: values.json,
    identityFile: values.identity,
    reportMs: 1000 * number('report', values.report),
    conntrack: {
      netns: values.netns,
      buffer: number('buffer', values.buffer),
      write: oneOf('write', values.write, WRITES),
    },
    firewall: {
      capacities: {
        ipv4: number('capacity', values.capacity),
        ipv6: number('capacity6', values.capacity6),
      },
      ignored: ['127.0.0.1', '::1', ...hosts(links), ...values.ignore.split(',').filter((ip) => ip !== '')],
      gatherMs: number('gather', values.gather),
      leastTimeout: number('least-timeout', values['least-timeout']),
      commandTimeoutMs: number('command-timeout', values['command-timeout']),
      promoteCommand: values['on-promote'],
      demoteCommand: values['on-demote'],
      node: {
        id,
        peer,
        cluster: values.cluster,
        priority: number('priority', values.priority ?? (id === 'a' ? '200' : '100')),
        links,
        heartbeat: { interval, lost },
        sending: values.sending,
        holdDown: number('hold-down', values['hold-down']),
        // Events are gathered before they come here; a second wait would only make them late.
        flushInterval: 1,
        ...(values['state-dir'] === undefined ? {} : { stateDir: values['state-dir'] }),
      },
    },
  }
}

function numbers(name, value, count) {
  const all = value.split(',').map(Number)
  if (value !== '' && all.length === count && all.every((n) => Number.isInteger(n) && n >= 0)) return all
  const wanted = count === 1 ? 'a whole number' : `${count} whole numbers with a comma between them`
  throw new Error(`--${name} is '${value}': give ${wanted}`)
}
function oneOf(name, value, allowed) {
  if (allowed.includes(value)) return value
  throw new Error(`--${name} is '${value}': give ${allowed.join(' or ')}`)
}
const number = (name, value) => numbers(name, value, 1)[0]

function link(name, value) {
  const [listen, peer, ...more] = value.split(',')
  if (!listen || !peer || more.length > 0)
    throw new Error(`--${name} is '${value}': give LISTEN,PEER, as 10.0.1.1:7401,10.0.1.2:7401`)
  return { listen, peer }
}

const hosts = (links) =>
  Object.values(links).flatMap(({ listen, peer }) =>
    [listen, peer].map((address) => address.slice(0, address.lastIndexOf(':')).replace(/^\[|\]$/g, '')),
  )
