// Programs of other people that a run starts: in a folder of their own, on the loopback only, ended by their number,
// and none outlives the run.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { tick } from '../lib/time.ts'

/** Clock ticks of /proc/PID/stat a second: 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100

/** Whether a program can be found and started. */
export function installed(program: string, versionFlag: string): boolean {
  return spawnSync(program, [versionFlag], { stdio: 'ignore' }).error === undefined
}

/** First line of what a program says of its version. */
export function versionOf(program: string, versionFlag: string): string {
  const { stdout = '', stderr = '' } = spawnSync(program, [versionFlag], { encoding: 'utf8' })
  return /\d+(\.\d+)+/.exec(`${stdout}${stderr}`)?.[0] ?? 'unknown'
}

// Each program started here has a listener of its own at the end of this process.
process.setMaxListeners(32)

/** A folder for a run, gone with this process. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-peers-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  return folder
}

export class Program {
  readonly #child: ChildProcess
  readonly #log: string
  readonly #kill: () => void

  /** Starts it; what it prints goes to `log`. */
  constructor(program: string, args: readonly string[], log: string) {
    const output = openSync(log, 'a')
    this.#log = log
    this.#child = spawn(program, args, { stdio: ['ignore', output, output] })
    this.#kill = () => this.#child.kill('SIGKILL')
    process.once('exit', this.#kill)
    this.#child.once('exit', () => process.off('exit', this.#kill))
  }

  get pid(): number {
    return this.#child.pid!
  }

  /** CPU of all its threads so far. */
  cpuMs(): number {
    return cpuMsOf(this.pid)
  }

  get output(): string {
    return readFileSync(this.#log, 'utf8')
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const gone = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await gone
  }
}

/** CPU time that a process has used. */
export function cpuMsOf(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // The name of the program stands in parentheses and may hold spaces.
  const words = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return ((Number(words[11]) + Number(words[12])) * 1000) / TICKS_PER_SECOND
}

/** Runs a command to its end. Throws with what it said if it fails. */
export function run(program: string, ...args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    encoding: 'utf8',
    timeout: 60_000,
    maxBuffer: 2 ** 28,
  })
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${error?.message ?? stderr ?? stdout}`)
  return stdout
}

/** Payload bytes that the sockets of a process have sent over TCP, by the kernel; of those on one of the ports only. */
export function tcpBytesSent(pid: number, ports?: readonly number[]): number {
  const filter = ports
    ? ['(', ports.map((port) => `sport = :${port} or dport = :${port}`).join(' or '), ')']
    : []
  let sum = 0
  for (const line of run('ss', '-tnipHO', 'state', 'established', ...filter).split('\n')) {
    if (!line.includes(`pid=${pid},`)) continue
    sum += Number(/bytes_sent:(\d+)/.exec(line)?.[1] ?? 0)
  }
  return sum
}

export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => net.createServer().listen(0, '127.0.0.1'))
  await Promise.all(servers.map((server) => once(server, 'listening')))
  const ports = servers.map((server) => (server.address() as net.AddressInfo).port)
  await Promise.all(
    servers.map((server) => {
      server.close()
      return once(server, 'close')
    }),
  )
  return ports
}

/** Asks again and again, so far apart, for a bounded time; an error is a no. */
export async function eventually(
  limitMs: number,
  what: string,
  holds: () => Promise<boolean>,
  stepMs = 1,
): Promise<void> {
  const end = performance.now() + limitMs
  let last: unknown
  for (;;) {
    try {
      if (await holds()) return
    } catch (error) {
      last = error
    }
    if (performance.now() > end) throw new Error(`${what}: not within ${limitMs} ms`, { cause: last })
    await tick(stepMs)
  }
}

export function check(holds: boolean, what: string): void {
  if (!holds) throw new Error(`wrong result: ${what}`)
}
