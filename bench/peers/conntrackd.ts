// conntrackd (FTFW, two dedicated links) between two network namespaces. A session is a flow of the kernel, opened by a
// datagram that goes nowhere, and that is what is measured: changing the flows that are there, `conntrack -U`, is refused
// by kernels without marks.
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { monotonicMs, tick } from '../lib/time.ts'
import type { Peer, ResyncRun, Running, UpdateRun } from './peer.ts'
import { check, eventually, installed, Program, run, temporaryFolder, versionOf } from './processes.ts'

const LIMIT_MS = 60_000
/** The daemons ask for lost messages only after they have met, which takes a second. */
const SETTLE_MS = 1500
/** No flow ends during a run. */
const TIMEOUT_S = 3600
const ASK_AGAIN_MS = 100
/** Room for the events of all flows at once: one that does not fit is lost until the next full resync. */
const EVENT_BYTES = 134_217_728
type Name = 'a' | 'b'
const ADDRESS = { a: ['10.9.1.2', '10.9.2.2'], b: ['10.9.1.3', '10.9.2.3'] } as const

function configuration(folder: string, name: Name): string {
  const peer = ADDRESS[name === 'a' ? 'b' : 'a']
  const link = (number: 0 | 1) => `
  UDP ${number === 0 ? 'Default ' : ''}{
    IPv4_address ${ADDRESS[name][number]}
    IPv4_Destination_Address ${peer[number]}
    Port ${3780 + number}
    Interface m${number + 1}
    SndSocketBuffer 16777216
    RcvSocketBuffer 16777216
    Checksum on
  }`
  return `Sync {
  Mode FTFW {
  }${link(0)}${link(1)}
}
General {
  HashSize 65536
  HashLimit 1048576
  LogFile ${folder}/${name}.log
  LockFile ${folder}/${name}.lock
  UNIX {
    Path ${folder}/${name}.ctl
  }
  NetlinkBufferSize ${EVENT_BYTES}
  NetlinkBufferSizeMaxGrowth ${EVENT_BYTES * 2}
  Filter From Kernelspace {
    Protocol Accept {
      TCP
      UDP
    }
    Address Ignore {
      IPv4_address 127.0.0.1
      IPv4_address ${ADDRESS.a[0]}
      IPv4_address ${ADDRESS.b[0]}
      IPv4_address ${ADDRESS.a[1]}
      IPv4_address ${ADDRESS.b[1]}
    }
  }
}
`
}

/** Two namespaces joined by two links; in the first a third link on which datagrams are lost. */
class Namespaces {
  readonly #prefix = `holdfast-peers-${process.pid}`
  readonly #remove = () => {
    for (const name of ['a', 'b'] as const) {
      try {
        run('ip', 'netns', 'del', this.of(name))
      } catch {
        // It is gone, or was never made.
      }
    }
  }

  of(name: Name): string {
    return `${this.#prefix}-${name}`
  }

  inside(name: Name, ...words: readonly string[]): string {
    return run('ip', 'netns', 'exec', this.of(name), ...words)
  }

  make(): void {
    process.once('exit', this.#remove)
    for (const name of ['a', 'b'] as const) {
      run('ip', 'netns', 'add', this.of(name))
      run('ip', '-n', this.of(name), 'link', 'set', 'lo', 'up')
    }
    const a = ['-n', this.of('a')]
    for (const link of ['m1', 'm2'])
      run('ip', ...a, 'link', 'add', link, 'type', 'veth', 'peer', 'name', link, 'netns', this.of('b'))
    for (const name of ['a', 'b'] as const) {
      for (const number of [0, 1] as const) {
        const link = ['dev', `m${number + 1}`]
        run('ip', '-n', this.of(name), 'addr', 'add', `${ADDRESS[name][number]}/24`, ...link)
        run('ip', '-n', this.of(name), 'link', 'set', ...link, 'up')
      }
      // A rule that asks for the state of connections is what makes the kernel follow them.
      const chain = 'type filter hook'
      this.inside(name, 'nft', 'add', 'table', 'ip', 'f')
      this.inside(name, 'nft', `add chain ip f raw_in { ${chain} prerouting priority -300; }`)
      this.inside(name, 'nft', 'add rule ip f raw_in iifname { "m1", "m2" } notrack')
      this.inside(name, 'nft', `add chain ip f raw_out { ${chain} output priority -300; }`)
      this.inside(name, 'nft', 'add rule ip f raw_out oifname { "m1", "m2" } notrack')
      this.inside(name, 'nft', `add chain ip f in { ${chain} input priority 0; }`)
      this.inside(name, 'nft', 'add rule ip f in ct state invalid drop')
      this.inside(name, 'sysctl', '-qw', `net.netfilter.nf_conntrack_udp_timeout=${TIMEOUT_S}`)
    }
    run('ip', ...a, 'link', 'add', 'z0', 'type', 'veth', 'peer', 'name', 'z1')
    run('ip', ...a, 'addr', 'add', '10.3.0.1/24', 'dev', 'z0')
    run('ip', ...a, 'link', 'set', 'dev', 'z0', 'up')
    run('ip', ...a, 'link', 'set', 'dev', 'z1', 'up')
    const nowhere = ['10.3.0.2', 'lladdr', '02:00:00:00:00:01', 'dev', 'z0', 'nud', 'permanent']
    run('ip', ...a, 'neigh', 'add', ...nowhere)
  }

  end(): void {
    process.off('exit', this.#remove)
    this.#remove()
  }
}

class ConntrackdPair implements Running {
  readonly version = versionOf('conntrackd', '-v')
  readonly sessions: number
  readonly #folder: string
  readonly #namespaces: Namespaces
  readonly #daemons: Record<Name, Program>

  #fills = 0

  constructor(sessions: number, folder: string, namespaces: Namespaces) {
    this.sessions = sessions
    this.#folder = folder
    this.#namespaces = namespaces
    this.#daemons = { a: this.#start('a'), b: this.#start('b') }
  }

  #start(name: Name): Program {
    const file = join(this.#folder, `${name}.conf`)
    writeFileSync(file, configuration(this.#folder, name))
    // Left by one that was killed; the next refuses to start beside them.
    for (const left of ['lock', 'ctl']) rmSync(join(this.#folder, `${name}.${left}`), { force: true })
    // `ip netns exec` becomes the daemon, so the number of the process stays.
    const words = ['netns', 'exec', this.#namespaces.of(name), 'conntrackd', '-C', file]
    return new Program('ip', words, join(this.#folder, `${name}.out`))
  }

  #ask(name: Name, ...words: readonly string[]): string {
    return this.#namespaces.inside(name, 'conntrackd', '-C', join(this.#folder, `${name}.conf`), ...words)
  }

  /** A number of a cache: what was counted since the daemon's start, or what is in it now. */
  #cache(name: Name, cache: 'internal' | 'external', line: string): number {
    const text = this.#ask(name, '-s')
    const part = text.slice(text.indexOf(`cache ${cache}:`))
    return Number(new RegExp(`${line}:?\\s+(\\d+)`).exec(part)?.[1] ?? Number.NaN)
  }

  async settled(): Promise<void> {
    await eventually(
      LIMIT_MS,
      'the daemons answer',
      async () => this.#cache('a', 'internal', 'active connections') >= 0,
    )
    await eventually(
      LIMIT_MS,
      'the daemons answer',
      async () => this.#cache('b', 'external', 'active connections') >= 0,
    )
    await tick(SETTLE_MS)
  }

  /** Opens all flows anew; resolves when the other daemon has them. Gives the time from the first datagram on. */
  async fill(): Promise<number> {
    this.#namespaces.inside('a', 'conntrack', '-F')
    await this.#level(0)
    const program = fileURLToPath(new URL('flows.js', import.meta.url))
    const words = [process.execPath, program, '10.3.0.1', String(this.sessions)]
    const place = ['netns', 'exec', this.#namespaces.of('a')]
    const log = join(this.#folder, `flows-${++this.#fills}.out`)
    const child = new Program('ip', [...place, ...words], log)
    await eventually(LIMIT_MS, 'every flow is opened', async () => child.output.includes('opened'))
    await this.#level(this.sessions)
    const endedMs = monotonicMs()
    await child.end()
    return endedMs - Number(/began ([\d.]+)/.exec(child.output)![1])
  }

  /** When the other daemon has so many flows. */
  async #level(flows: number): Promise<void> {
    await eventually(LIMIT_MS, `the other daemon has ${flows} flows`, async () => {
      return this.#cache('b', 'external', 'active connections') === flows
    })
  }

  #wire(): number {
    const path = '/sys/class/net/m1/statistics/tx_bytes'
    return Number(this.#namespaces.inside('a', 'cat', path))
  }

  async update(): Promise<UpdateRun> {
    const { a, b } = this.#daemons
    this.#namespaces.inside('a', 'conntrack', '-F')
    await this.#level(0)
    const [bytes, mine, theirs] = [this.#wire(), a.cpuMs(), b.cpuMs()]
    const ms = await this.fill()
    const result = {
      updates: this.sessions,
      ms,
      bytes: this.#wire() - bytes,
      primaryMs: a.cpuMs() - mine,
      secondaryMs: b.cpuMs() - theirs,
    }
    this.#check()
    return result
  }

  #check(): void {
    const flows = this.#ask('b', '-e')
      .split('\n')
      .filter((entry) => entry.includes('dst=10.3.0.2 '))
    check(flows.length === this.sessions, `every flow is there (${flows.length} of ${this.sessions})`)
  }

  async resync(): Promise<ResyncRun> {
    await this.#daemons.b.end()
    const bytes = this.#wire()
    const startedMs = monotonicMs()
    this.#daemons.b = this.#start('b')
    const active = async () => this.#cache('b', 'external', 'active connections')
    await eventually(LIMIT_MS, 'the new daemon answers', async () => (await active()) >= 0)
    const upMs = monotonicMs()
    let askedMs = Number.NEGATIVE_INFINITY
    await eventually(LIMIT_MS, 'the new daemon has every flow', async () => {
      const flows = await active()
      // Asked before the daemons have met, it is not answered.
      if (flows === 0 && monotonicMs() - askedMs > ASK_AGAIN_MS) {
        this.#ask('b', '-n')
        askedMs = monotonicMs()
      }
      return flows >= this.sessions
    })
    const allMs = monotonicMs()
    this.#check()
    return {
      sessions: this.sessions,
      ms: allMs - startedMs,
      transferMs: allMs - upMs,
      bytes: this.#wire() - bytes,
    }
  }

  async end(): Promise<void> {
    await Promise.all([this.#daemons.a.end(), this.#daemons.b.end()])
    this.#namespaces.end()
  }
}

export const conntrackd: Peer = {
  name: 'conntrackd',
  title: 'conntrackd',
  setup:
    'two daemons in network namespaces, FTFW over two links (it uses one at a time), buffers large enough for every event; an update is a flow that is opened, by one datagram',
  more: 'sees every flow of the kernel without a program taking part; the kernel goes on forwarding',
  less: 'flows of the kernel only; no detection and no promotion by itself; no encryption; events that do not fit a buffer are lost until a resync',
  bytes: 'Ethernet frames on the first link',
  sessionsMax: 50_000,
  missing() {
    if (process.getuid?.() !== 0) return 'conntrackd needs root for its network namespaces'
    const programs = { conntrackd: '-v', conntrack: '-V', ip: '-V', nft: '-v' }
    const absent = Object.entries(programs).filter(([program, flag]) => !installed(program, flag))
    if (absent.length === 0) return undefined
    const names = absent.map(([program]) => program).join(', ')
    return `${names} is not installed (apt-get install conntrackd conntrack iproute2 nftables)`
  },
  async start(sessions) {
    const namespaces = new Namespaces()
    namespaces.make()
    const pair = new ConntrackdPair(sessions, temporaryFolder(), namespaces)
    await pair.settled()
    await pair.fill()
    return pair
  },
}
