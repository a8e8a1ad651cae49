// conntrackd (FTFW, two dedicated links) as the other side: told of the loss at once, or by keepalived, which then also
// has the addresses.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { existsSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { end } from './actors.ts'
import { FIREWALLS, type FirewallGround, type FirewallName, GATEWAY, SHARED } from './ground.ts'
import { cpuMsOfTree, type Loss, type Lost, monotonicMs, NeedlessFailover, type Side } from './side.ts'

const WAIT_MS = 20_000
/** Messages lost before the daemons have met, about a second after their start, are never asked for again. */
const SETTLE_MS = 1500
/** Room for what the kernel tells, as much as the other side has. */
const ROOM_BYTES = 33_554_432

const other = (name: FirewallName): FirewallName => (name === 'a' ? 'b' : 'a')

export class ConntrackdSide implements Side {
  readonly version =
    /[\d.]+/.exec(spawnSync('conntrackd', ['-v'], { encoding: 'utf8' }).stdout)?.[0] ?? 'unknown'
  readonly #ground: FirewallGround
  readonly #folder: string
  readonly #isWatched: boolean
  readonly #daemons: Partial<Record<FirewallName, ChildProcess>> = {}
  readonly #watchers: Partial<Record<FirewallName, ChildProcess>> = {}

  /** @param isWatched keepalived detects the loss, by VRRP at the pace of the other side's heartbeats */
  constructor(ground: FirewallGround, folder: string, isWatched: boolean) {
    this.#ground = ground
    this.#folder = folder
    this.#isWatched = isWatched
  }

  #file(name: string): string {
    return join(this.#folder, name)
  }

  #spawn(name: FirewallName, log: string, words: readonly string[]): ChildProcess {
    const [program = '', ...rest] = [...this.#ground.through(name), ...words]
    const output = openSync(this.#file(log), 'a')
    return spawn(program, rest, { stdio: ['ignore', output, output] })
  }

  async start(): Promise<void> {
    for (const name of FIREWALLS) {
      const file = this.#file(`${name}.conf`)
      writeFileSync(file, this.#configuration(name))
      for (const left of ['lock', 'ctl']) rmSync(this.#file(`${name}.${left}`), { force: true })
      this.#daemons[name] = this.#spawn(name, `${name}.out`, ['conntrackd', '-C', file])
    }
    await this.#eventually('the daemons answer', () => FIREWALLS.every((name) => this.#cache(name) >= 0))
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS))
    if (!this.#isWatched) {
      this.#ground.inside('a', this.#ground.take('a'))
      return
    }
    for (const name of FIREWALLS) {
      this.#watch(name)
      if (name === 'a') await this.#eventually('a has the addresses', () => this.#hasAddresses('a'))
    }
  }

  #configuration(name: FirewallName): string {
    const link = (number: 1 | 2) => `
  UDP ${number === 1 ? 'Default ' : ''}{
    IPv4_address ${this.#ground.address(name, number)}
    IPv4_Destination_Address ${this.#ground.address(other(name), number)}
    Port ${3779 + number}
    Interface m${number}
    SndSocketBuffer 16777216
    RcvSocketBuffer 16777216
    Checksum on
  }`
    const own = ([1, 2] as const).flatMap((n) => FIREWALLS.map((one) => this.#ground.address(one, n)))
    return `Sync {
  Mode FTFW {
  }${link(1)}${link(2)}
}
General {
  HashSize 65536
  HashLimit 1048576
  LogFile ${this.#file(`${name}.log`)}
  LockFile ${this.#file(`${name}.lock`)}
  UNIX {
    Path ${this.#file(`${name}.ctl`)}
  }
  NetlinkBufferSize ${ROOM_BYTES}
  NetlinkBufferSizeMaxGrowth ${2 * ROOM_BYTES}
  Filter From Kernelspace {
    Protocol Accept {
      TCP
      UDP
    }
    Address Ignore {
      ${['127.0.0.1', ...own].map((address) => `IPv4_address ${address}`).join('\n      ')}
    }
  }
}
`
  }

  /** VRRP every 50 ms: down after three that are missing, and a little by priority, about 180 ms. */
  #watch(name: FirewallName): void {
    const script = this.#file(`master-${name}.sh`)
    const told = this.#file(`served-${name}`)
    const commit = `conntrackd -C ${this.#file(`${name}.conf`)} -c`
    writeFileSync(script, `#!/bin/sh\n${commit}\necho served >${told}\n`, { mode: 0o755 })
    const instance = (side: 'lan' | 'wan', router: number, address: string) => `
vrrp_instance ${side} {
  version 3
  state ${name === 'a' ? 'MASTER' : 'BACKUP'}
  interface ${side}
  virtual_router_id ${router}
  priority ${name === 'a' ? 150 : 100}
  advert_int 0.05
  virtual_ipaddress {
    ${address}/24
  }
}`
    const file = this.#file(`keepalived-${name}.conf`)
    writeFileSync(
      file,
      `global_defs {
  script_user root
  enable_script_security
  vrrp_version 3
}
vrrp_sync_group both {
  group {
    lan
    wan
  }
  notify_master ${script}
}${instance('lan', 51, GATEWAY)}${instance('wan', 52, SHARED)}
`,
    )
    const pids = [`--pid=${this.#file(`k-${name}.pid`)}`, `--vrrp_pid=${this.#file(`v-${name}.pid`)}`]
    this.#watchers[name] = this.#spawn(name, `keepalived-${name}.out`, [
      ...['keepalived', '--vrrp', '--dont-fork', '--log-console', '-f', file],
      ...pids,
    ])
  }

  #hasAddresses(name: FirewallName): boolean {
    return [GATEWAY, SHARED].every((address) =>
      this.#ground.inside(name, ['ip', '-br', '-4', 'addr']).includes(` ${address}/`),
    )
  }

  #ask(name: FirewallName, ...words: readonly string[]): string {
    return this.#ground.inside(name, ['conntrackd', '-C', this.#file(`${name}.conf`), ...words])
  }

  /** A line of a daemon's cache: of what its kernel has on a, of what came over on b. NaN where it does not answer. */
  #cache(name: FirewallName, line = 'active connections'): number {
    let text: string
    try {
      text = this.#ask(name, '-s')
    } catch {
      return Number.NaN
    }
    const part = text.slice(text.indexOf(name === 'a' ? 'cache internal:' : 'cache external:'))
    return Number(new RegExp(`${line}:?\\s+(\\d+)`).exec(part)?.[1] ?? Number.NaN)
  }

  async events(): Promise<number> {
    return ['created', 'updated', 'destroyed'].reduce(
      (sum, kind) => sum + this.#cache('a', `connections ${kind}`),
      0,
    )
  }

  async held(): Promise<number> {
    return this.#cache('b')
  }

  cpuMs(firewall: FirewallName): number {
    const all = [this.#daemons[firewall], this.#watchers[firewall]]
    return all.reduce((sum, one) => sum + (one === undefined ? 0 : cpuMsOfTree(one.pid!)), 0)
  }

  /** Whatever is lost, its interfaces go: who has killed keepalived leaves the addresses on both firewalls. */
  async lose(_what: Lost): Promise<Loss> {
    if (this.#isWatched && existsSync(this.#file('served-b'))) throw new NeedlessFailover()
    const began = performance.now()
    const lostAt = monotonicMs()
    this.#ground.setInterfaces('a', 'down')
    this.#daemons.a!.kill('SIGKILL')
    this.#killWatcher('a')
    if (this.#isWatched) await this.#eventually('b serves', () => existsSync(this.#file('served-b')))
    else {
      this.#ask('b', '-c')
      this.#ground.inside('b', this.#ground.take('b'))
    }
    const servingMs = performance.now() - began
    const log = readFileSync(this.#file('b.log'), 'utf8')
    const [, seconds] = [...log.matchAll(/commit has taken ([\d.]+) sec/g)].at(-1) ?? []
    return { lostAt, servingMs, commitMs: 1000 * Number(seconds ?? Number.NaN) }
  }

  /** keepalived is two processes, the second of which does the work. */
  #killWatcher(name: FirewallName): void {
    const watcher = this.#watchers[name]
    if (watcher === undefined) return
    const worker = this.#file(`v-${name}.pid`)
    if (existsSync(worker)) {
      try {
        process.kill(Number(readFileSync(worker, 'utf8')), 'SIGKILL')
      } catch {
        // It is gone already.
      }
    }
    watcher.kill('SIGKILL')
  }

  async #eventually(what: string, holds: () => boolean): Promise<void> {
    const bound = performance.now() + WAIT_MS
    while (!holds()) {
      if (performance.now() > bound) throw new Error(`not within ${WAIT_MS} ms: ${what}`)
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
  }

  async end(): Promise<void> {
    for (const name of FIREWALLS) {
      this.#killWatcher(name)
      for (const one of [this.#watchers[name], this.#daemons[name]]) if (one !== undefined) await end(one)
    }
  }
}
