// The processes on the firewalls' ground: traffic on both sides, and the firewall example as a user starts it.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type FirewallGround, type FirewallName, GATEWAY, type Place, SHARED } from './ground.ts'

const source = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url))
const WAIT_MS = 20_000
const ADDRESSES = `lan=${GATEWAY}/24 wan=${SHARED}/24`

export interface TrafficReport {
  readonly alive: number
  readonly wrong: number
  readonly errors: readonly string[]
  readonly exchanged: number
  readonly gaps: readonly number[]
  /** The longest time in which no byte came to anybody, by the clock of `monotonicMs()`. */
  readonly silence: { readonly from: number; readonly to: number }
  readonly churned: { readonly begun: number; readonly done: number; readonly failed: number }
}

/** A process of traffic.mjs. */
export class Traffic {
  readonly #child: ChildProcess
  readonly #calls = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>()
  #count = 0

  constructor(ground: FirewallGround, place: Place) {
    const [program = '', ...words] = [
      ...ground.through(place),
      process.execPath,
      source('bench/firewall/traffic.mjs'),
    ]
    this.#child = spawn(program, words, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
    this.#child.on('message', (message: { call: number; value?: unknown; error?: string }) => {
      const waiting = this.#calls.get(message.call)
      this.#calls.delete(message.call)
      if (message.error === undefined) waiting?.resolve(message.value)
      else waiting?.reject(new Error(message.error))
    })
    this.#child.on('exit', () => {
      for (const { reject } of this.#calls.values()) reject(new Error(`the ${place} process ended`))
    })
  }

  ask(command: string, argument?: object): Promise<unknown> {
    const call = ++this.#count
    return new Promise((resolve, reject) => {
      this.#calls.set(call, { resolve, reject })
      this.#child.send({ call, command, argument })
    })
  }

  async report(): Promise<TrafficReport> {
    return (await this.ask('report')) as TrafficReport
  }

  /** Begins to count gaps and survivors anew. */
  async mark(): Promise<void> {
    await this.ask('mark')
  }

  /** The first report that fits; rejects after a bound with the last. */
  async until(what: string, fits: (report: TrafficReport) => boolean): Promise<TrafficReport> {
    const bound = performance.now() + WAIT_MS
    for (;;) {
      const report = await this.report()
      if (fits(report)) return report
      if (performance.now() > bound)
        throw new Error(`not ${what}: ${JSON.stringify({ ...report, gaps: [] })}`)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }

  async close(): Promise<void> {
    await end(this.#child)
  }
}

/** Kills by its own number, and waits until it is gone. */
export async function end(child: ChildProcess, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill(signal)
  await gone
}

export interface Told {
  readonly at: string
  readonly what: string
  readonly [detail: string]: unknown
}

export type Identity = { readonly cert: string; readonly key: string }

/** The firewall example, one of the pair, with what it told. */
export class FirewallProcess {
  readonly told: Told[] = []
  readonly child: ChildProcess
  errors = ''
  #rest = ''
  #heard: (() => void)[] = []

  constructor(
    ground: FirewallGround,
    folder: string,
    name: FirewallName,
    identities: Readonly<Record<FirewallName, Identity>>,
    more: readonly string[] = [],
  ) {
    const file = join(folder, `identity-${name}.json`)
    const trust = [identities[name === 'a' ? 'b' : 'a'].cert]
    writeFileSync(file, JSON.stringify({ ...identities[name], trust }), { mode: 0o600 })
    const [program = '', ...words] = [
      ...ground.through(name),
      process.execPath,
      source('examples/firewall/main.mjs'),
      ...['--id', name, '--m1', ground.link(name, 1), '--m2', ground.link(name, 2), '--identity', file],
      ...['--on-promote', `${source('examples/firewall/take.sh')} ${ADDRESSES}`],
      ...['--on-demote', `${source('examples/firewall/drop.sh')} ${ADDRESSES}`],
      ...['--json', ...more],
    ]
    // `ip netns exec` becomes the firewall, so the number of the process stays.
    this.child = spawn(program, words, { stdio: ['ignore', 'pipe', 'pipe'] })
    this.child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      const lines = (this.#rest + text).split('\n')
      this.#rest = lines.pop() ?? ''
      for (const line of lines) this.told.push(JSON.parse(line) as Told)
      for (const heard of this.#heard.splice(0)) heard()
    })
    this.child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.errors += text
    })
  }

  /** The first thing it tells, from the `from`th on, that fits; rejects after a bound with all it told. */
  async until(what: string, fits: (told: Told) => boolean = () => true, from = 0): Promise<Told> {
    const bound = performance.now() + WAIT_MS
    for (;;) {
      const found = this.told.slice(from).find((told) => told.what === what && fits(told))
      if (found !== undefined) return found
      const left = bound - performance.now()
      if (left <= 0 || this.child.exitCode !== null || this.child.signalCode !== null) {
        throw new Error(`never told '${what}': ${JSON.stringify(this.told)}\n${this.errors}`)
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left)
        this.#heard.push(() => {
          clearTimeout(timer)
          resolve()
        })
      })
    }
  }

  /** A fresh line of counts. */
  async status(fits: (told: Told) => boolean = () => true): Promise<Told> {
    const bound = performance.now() + WAIT_MS
    for (;;) {
      const from = this.told.length
      this.child.kill('SIGUSR2')
      const told = await this.until('status', undefined, from)
      if (fits(told)) return told
      if (performance.now() > bound) throw new Error(`status stayed ${JSON.stringify(told)}`)
    }
  }

  kill(): void {
    this.child.kill('SIGKILL')
  }

  async close(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    await end(this.child, signal)
  }
}
