// A real etcd for tests: on free loopback ports, with a directory of its own, ended by its process id. Where it is not
// installed the tests say so and pass over it.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'

const STARTED_MS = 20_000

/** False, with a visible word, where there is no etcd. */
export function hasEtcd(): boolean {
  if (spawnSync('etcd', ['--version']).error === undefined) return true
  console.log(
    'SKIPPED: etcd is not installed (Debian: etcd-server); nothing was tested against a real witness',
  )
  return false
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}

export class Etcd {
  readonly endpoint: string
  private readonly directory: string
  private readonly through: readonly string[]
  private readonly args: readonly string[]
  private process: ChildProcess | undefined

  private constructor(endpoints: readonly [string, ...string[]], peer: number, through: readonly string[]) {
    this.directory = mkdtempSync(join(tmpdir(), 'holdfast-etcd-'))
    this.endpoint = endpoints[0]
    this.through = through
    const peerUrl = `http://127.0.0.1:${peer}`
    const clientUrls = endpoints.join()
    this.args = [
      ...['--data-dir', join(this.directory, 'data'), '--name', 'one', '--log-level', 'error'],
      ...['--listen-client-urls', clientUrls, '--advertise-client-urls', clientUrls],
      ...['--listen-peer-urls', peerUrl, '--initial-advertise-peer-urls', peerUrl],
      ...['--initial-cluster', `one=${peerUrl}`, '--unsafe-no-fsync'],
    ]
  }

  static async start(): Promise<Etcd> {
    const etcd = new Etcd([`http://127.0.0.1:${await freePort()}`], await freePort(), [])
    await etcd.begin()
    return etcd
  }

  /** In a network namespace of its own, by a command that executes the rest of its arguments there. */
  static async startThrough(
    through: readonly string[],
    endpoints: readonly [string, ...string[]],
  ): Promise<Etcd> {
    const etcd = new Etcd(endpoints, 2380, through)
    await etcd.begin()
    return etcd
  }

  /** Whether it serves; asked at its place. */
  private async health(): Promise<string> {
    const url = `${this.endpoint}/health`
    if (this.through.length === 0)
      return fetch(url).then(
        (answer) => answer.text(),
        () => '',
      )
    const ask = `fetch('${url}').then((answer) => answer.text()).then(console.log, () => {})`
    const [command, ...rest] = [...this.through, process.execPath, '-e', ask]
    return spawnSync(command!, rest, { encoding: 'utf8' }).stdout
  }

  /** Starts it, or starts it again with what it knew. */
  async begin(): Promise<void> {
    const [command, ...rest] = [...this.through, 'etcd', ...this.args]
    this.process = spawn(command!, rest, { stdio: ['ignore', 'ignore', 'pipe'] })
    let said = ''
    this.process.stderr!.on('data', (bytes) => {
      said = (said + bytes).slice(-2_000)
    })
    const deadline = performance.now() + STARTED_MS
    for (;;) {
      if ((await this.health()).includes('true')) return
      if (performance.now() > deadline) throw new Error(`etcd did not start: ${said}`)
      await wait(20)
    }
  }

  /** Stands still: its port accepts, and nothing is answered. */
  signal(name: 'SIGSTOP' | 'SIGCONT'): void {
    this.process!.kill(name)
  }

  /** Kills it; what it knew stays. */
  async kill(): Promise<void> {
    const { process } = this
    this.process = undefined
    if (process === undefined || process.exitCode !== null || process.signalCode !== null) return
    const ended = new Promise((resolve) => process.once('exit', resolve))
    process.kill('SIGKILL')
    await ended
  }

  async close(): Promise<void> {
    await this.kill()
    rmSync(this.directory, { recursive: true, force: true })
  }
}
