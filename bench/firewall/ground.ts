// The ground of the firewalls: five network namespaces and the cables between them. A client and a server reach each other
// only through whichever firewall has the addresses; the firewalls have two more cables between themselves.
//
//   client --- br-lan --- [fw a | fw b] --- br-wan --- server
//                            a ==m1== b
//                            a ==m2== b
//
// Both firewalls translate 10.1.0.0/24 to 10.2.0.1, drop what belongs to no connection, and take no connection over whose
// beginning they have not seen (tcp_loose = 0). Needs root, iproute2 and nftables.
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

export type FirewallName = 'a' | 'b'
export type Place = FirewallName | 'client' | 'server' | 'switch'
export const FIREWALLS = ['a', 'b'] as const
const PLACES = ['client', 'server', 'a', 'b', 'switch'] as const

export const GATEWAY = '10.1.0.1'
export const SHARED = '10.2.0.1'
export const SERVER = '10.2.0.10'
export const CLIENTS = ['10.1.0.10', '10.1.0.11', '10.1.0.12', '10.1.0.13'] as const

const LAST = { a: 2, b: 3 } as const
const mac = (firewall: FirewallName, side: 'lan' | 'wan') =>
  `02:00:00:00:0${side === 'lan' ? 1 : 2}:0${LAST[firewall]}`

const RULES = `table ip f {
  chain c_rawin { type filter hook prerouting priority -300; iifname { "m1", "m2" } notrack; }
  chain c_rawout { type filter hook output priority -300; oifname { "m1", "m2" } notrack; }
  chain c_in { type filter hook input priority 0; policy accept; ct state invalid counter drop; }
  chain c_fwd { type filter hook forward priority 0; policy drop;
    ct state established,related accept; ct state invalid counter drop; iifname "lan" ct state new accept; }
  chain c_post { type nat hook postrouting priority 100; oifname "wan" ip saddr 10.1.0.0/24 snat to ${SHARED}; }
}
`
const KERNEL = [
  'net.ipv4.ip_forward=1',
  'net.netfilter.nf_conntrack_tcp_loose=0',
  'net.netfilter.nf_conntrack_tcp_timeout_time_wait=10',
  'net.netfilter.nf_conntrack_udp_timeout=600',
  'net.ipv4.conf.lan.arp_notify=1',
  'net.ipv4.conf.wan.arp_notify=1',
]

function run(words: readonly string[], input?: string): string {
  const [program = '', ...rest] = words
  const { status, stdout, stderr, error } = spawnSync(program, rest, { encoding: 'utf8', input })
  if (status !== 0) throw new Error(`${words.join(' ')}: ${error?.message ?? stderr}\n${input ?? ''}`)
  return stdout
}

/** What is missing on this machine; undefined where nothing is. */
export function missing(tools: readonly string[]): string | undefined {
  if (process.getuid?.() !== 0) return 'root'
  const absent = tools.find((tool) => spawnSync('which', [tool]).status !== 0)
  if (absent !== undefined) return absent
  // Asked in a namespace of its own, as the tests will.
  const name = `hf-ask-${process.pid}`
  if (spawnSync('ip', ['netns', 'add', name]).status !== 0) return 'network namespaces'
  const rule = 'add table ip f; add chain ip f i { type nat hook postrouting priority 100; }'
  const asked = [['nft', rule], ...(tools.includes('conntrack') ? [['conntrack', '-C']] : [])]
  const refused = asked.find((words) => spawnSync('ip', ['netns', 'exec', name, ...words]).status !== 0)
  spawnSync('ip', ['netns', 'del', name])
  return refused === undefined ? undefined : 'a kernel with nf_conntrack and nf_nat'
}

export class FirewallGround {
  readonly #tag: string
  readonly #folder: string

  /** @param tag a word no other ground of this machine has; @param folder for files that commands read */
  constructor(tag: string, folder: string) {
    this.#tag = tag
    this.#folder = folder
  }

  name(place: Place): string {
    return `hf-${this.#tag}-${place}`
  }

  /** The command that runs the rest of its arguments at a place. */
  through(place: Place): string[] {
    return ['ip', 'netns', 'exec', this.name(place)]
  }

  inside(place: Place, words: readonly string[], input?: string): string {
    return run([...this.through(place), ...words], input)
  }

  /** A file of commands for `ip -batch`, and the words that run it in the namespace of whoever runs them. */
  batch(name: string, lines: readonly string[]): string[] {
    const file = join(this.#folder, name)
    writeFileSync(file, `${lines.join('\n')}\n`)
    return ['ip', '-force', '-batch', file]
  }

  /** Takes both addresses and tells the neighbours: an address that is set anew is announced (arp_notify). */
  take(firewall: FirewallName): string[] {
    return this.batch(`take-${firewall}`, [
      `addr add ${GATEWAY}/24 dev lan`,
      `addr add ${SHARED}/24 dev wan`,
      `link set dev lan address ${mac(firewall, 'lan')}`,
      `link set dev wan address ${mac(firewall, 'wan')}`,
    ])
  }

  drop(firewall: FirewallName): string[] {
    return this.batch(`drop-${firewall}`, [`addr del ${GATEWAY}/24 dev lan`, `addr del ${SHARED}/24 dev wan`])
  }

  /** All its interfaces down, or up again. */
  setInterfaces(firewall: FirewallName, state: 'up' | 'down', names = ['lan', 'wan', 'm1', 'm2']): void {
    const lines = names.map((name) => `link set ${name} ${state}`)
    const [program = '', ...words] = this.batch(`${state}-${firewall}`, lines)
    run([program, '-n', this.name(firewall), ...words])
  }

  /** Options of a link: `LISTEN,PEER`. */
  link(firewall: FirewallName, link: 1 | 2): string {
    const of = (one: FirewallName) => `10.9.${link}.${LAST[one]}:7401`
    return `${of(firewall)},${of(firewall === 'a' ? 'b' : 'a')}`
  }

  address(firewall: FirewallName, link: 1 | 2): string {
    return `10.9.${link}.${LAST[firewall]}`
  }

  lay(): void {
    for (const place of PLACES) {
      run(['ip', 'netns', 'add', this.name(place)])
      run(['ip', '-n', this.name(place), 'link', 'set', 'lo', 'up'])
    }
    const at = (place: Place, lines: readonly string[]) =>
      run(['ip', '-n', this.name(place), '-batch', '-'], `${lines.join('\n')}\n`)
    at(
      'switch',
      ['lan', 'wan'].flatMap((side) => [`link add br-${side} type bridge`, `link set br-${side} up`]),
    )
    const plug = (place: Place, device: string, side: string) => {
      const port = `${place}-${side}`
      at(place, [`link add ${device} type veth peer name ${port} netns ${this.name('switch')}`])
      at('switch', [`link set ${port} master br-${side}`, `link set ${port} up`])
    }
    plug('client', 'eth0', 'lan')
    plug('server', 'eth0', 'wan')
    for (const firewall of FIREWALLS) {
      plug(firewall, 'lan', 'lan')
      plug(firewall, 'wan', 'wan')
    }
    for (const link of ['m1', 'm2'])
      at('a', [`link add ${link} type veth peer name ${link} netns ${this.name('b')}`])
    for (const firewall of FIREWALLS) {
      const last = LAST[firewall]
      at(firewall, [
        `link set dev lan address ${mac(firewall, 'lan')}`,
        `link set dev wan address ${mac(firewall, 'wan')}`,
        `addr add 10.1.0.${last}/24 dev lan`,
        `addr add 10.2.0.${last}/24 dev wan`,
        `addr add 10.9.1.${last}/24 dev m1`,
        `addr add 10.9.2.${last}/24 dev m2`,
        ...['lan', 'wan', 'm1', 'm2'].map((device) => `link set ${device} up`),
      ])
      // The first rule that asks for connections is what makes the kernel follow them.
      this.inside(firewall, ['nft', '-f', '-'], RULES)
      this.inside(firewall, ['sysctl', '-qw', ...KERNEL])
    }
    at('client', [
      ...CLIENTS.map((address) => `addr add ${address}/24 dev eth0`),
      'link set eth0 up',
      `route add default via ${GATEWAY}`,
    ])
    at('server', [`addr add ${SERVER}/24 dev eth0`, 'link set eth0 up'])
    const reuse = ['net.ipv4.ip_local_port_range=10240 65000', 'net.ipv4.tcp_tw_reuse=1']
    this.inside('client', ['sysctl', '-qw', ...reuse])
  }

  /** Ends what still runs in the namespaces, and removes them. */
  clear(): void {
    for (const place of PLACES) {
      const { stdout } = spawnSync('ip', ['netns', 'pids', this.name(place)], { encoding: 'utf8' })
      for (const pid of stdout.split('\n').filter((line) => line !== '')) {
        try {
          process.kill(Number(pid), 'SIGKILL')
        } catch {
          // It has ended by itself.
        }
      }
      spawnSync('ip', ['netns', 'del', this.name(place)])
    }
  }

  /** Entries of the kernel's table. */
  entries(firewall: FirewallName): number {
    return Number(this.inside(firewall, ['conntrack', '-C']))
  }

  /** Bytes that left a firewall by an interface, with their Ethernet headers. */
  sent(firewall: FirewallName, device: string): number {
    return Number(this.inside(firewall, ['cat', `/sys/class/net/${device}/statistics/tx_bytes`]))
  }
}
