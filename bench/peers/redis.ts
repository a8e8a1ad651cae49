// redis-server with a replica: each session a hash, each update an HSET of two counters, pipelined.
import { once } from 'node:events'
import net from 'node:net'
import { join } from 'node:path'
import { fieldsOf } from '../lib/sessions.ts'
import { monotonicMs } from '../lib/time.ts'
import type { Peer, ResyncRun, Running, UpdateRun } from './peer.ts'
import { check, eventually, freePorts, installed, Program, temporaryFolder, versionOf } from './processes.ts'
import { bytesOf, chosen, keyText, packetsOf } from './texts.ts'

const START_LIMIT_MS = 10_000
const SYNC_LIMIT_MS = 60_000
/** Commands of one write, as many as Holdfast puts into a batch. */
const PIPELINE = 4096
const WRITES_AHEAD = 4
const SAMPLES = 200
/** Between two looks at how far it is: its one thread answers them too. */
const LOOK_MS = 10

const SETTINGS = ['--save', '', '--appendonly', 'no', '--repl-diskless-sync', 'yes']
const REPLICATION = [
  '--repl-diskless-sync-delay',
  '0',
  '--repl-diskless-load',
  'swapdb',
  '--repl-backlog-size',
  '64mb',
]
const LIMITS = ['--client-output-buffer-limit', 'replica 0 0 0', '--protected-mode', 'no']

const bulk = (value: string | number) => `$${String(value).length}\r\n${value}\r\n`
const command = (...words: readonly (string | number)[]) => `*${words.length}\r\n${words.map(bulk).join('')}`

/** One connection; replies are counted, the last ones kept. */
class Client {
  readonly #socket: net.Socket
  #replies = 0
  #text = ''
  #keep = false
  #wake: (() => void) | undefined

  private constructor(socket: net.Socket) {
    this.#socket = socket
    socket.on('error', () => socket.destroy())
    socket.on('close', () => this.#wake?.())
    socket.on('data', (chunk) => {
      if (this.#keep) this.#text += chunk.toString('latin1')
      // Each reply to HSET is one line: `:0`.
      else for (const byte of chunk) if (byte === 10) this.#replies++
      this.#wake?.()
    })
  }

  static async open(port: number): Promise<Client> {
    const socket = net.connect({ port, host: '127.0.0.1', noDelay: true })
    await once(socket, 'connect')
    return new Client(socket)
  }

  async #changed(): Promise<void> {
    if (this.#socket.destroyed) throw new Error('redis has closed the connection')
    await new Promise<void>((resolve) => (this.#wake = resolve))
  }

  /** Sends commands that are answered with one line each, a few writes ahead of the answers. */
  async pipeline(writes: readonly { readonly bytes: Buffer; readonly commands: number }[]): Promise<void> {
    this.#replies = 0
    let sent = 0
    for (const { bytes, commands } of writes) {
      this.#socket.write(bytes)
      sent += commands
      while (sent - this.#replies > PIPELINE * WRITES_AHEAD) await this.#changed()
    }
    while (this.#replies < sent) await this.#changed()
  }

  /** One command and the text of its reply: a bulk string, or an array of so many. */
  async ask(words: readonly (string | number)[], lines: number): Promise<string[]> {
    this.#keep = true
    this.#text = ''
    this.#socket.write(command(...words))
    while (!this.#text.endsWith('\r\n') || this.#text.split('\r\n').length <= lines) await this.#changed()
    this.#keep = false
    return this.#text.split('\r\n')
  }

  async info(section: string): Promise<Record<string, string>> {
    // The bulk string ends with an empty line of its own; the first line says how long it is.
    this.#keep = true
    this.#text = ''
    this.#socket.write(command('INFO', section))
    for (;;) {
      const head = this.#text.indexOf('\r\n')
      if (head > 0 && this.#text.length >= head + 4 + Number(this.#text.slice(1, head))) break
      await this.#changed()
    }
    this.#keep = false
    const lines = this.#text.split('\r\n').filter((line) => line.includes(':'))
    return Object.fromEntries(lines.map((line) => line.split(/:(.*)/s).slice(0, 2)))
  }

  close(): void {
    this.#socket.destroy()
  }
}

interface Server {
  readonly program: Program
  readonly port: number
  readonly client: Client
}

async function startServer(folder: string, master?: number): Promise<Server> {
  const [port] = (await freePorts(1)) as [number]
  const follow = master === undefined ? [] : ['--replicaof', `127.0.0.1 ${master}`]
  const place = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder]
  const log = join(folder, `redis-${port}.log`)
  const args = [...place, ...SETTINGS, ...REPLICATION, ...LIMITS, ...follow]
  const program = new Program('redis-server', args, log)
  let client: Client | undefined
  await eventually(START_LIMIT_MS, 'redis-server listens', async () => {
    client = await Client.open(port)
    return true
  })
  return { program, port, client: client! }
}

class RedisPair implements Running {
  readonly version = versionOf('redis-server', '--version')
  readonly sessions: number
  readonly #folder: string
  readonly #master: Server
  #replica: Server
  #lastRound: { round: number; numbers: Uint32Array } | undefined

  constructor(sessions: number, folder: string, master: Server, replica: Server) {
    this.sessions = sessions
    this.#folder = folder
    this.#master = master
    this.#replica = replica
  }

  async fill(): Promise<void> {
    await this.#send(
      Uint32Array.from({ length: this.sessions }, (_, i) => i),
      (i) => {
        const { state, packets, bytes, natIp, natPort } = fieldsOf(i)
        const words = ['state', state, 'packets', packets, 'bytes', bytes, 'natIp', natIp, 'natPort', natPort]
        return command('HSET', keyText(i), ...words)
      },
    )
  }

  async #send(numbers: Uint32Array, write: (i: number) => string): Promise<number> {
    const writes = []
    for (let at = 0; at < numbers.length; at += PIPELINE) {
      const part = [...numbers.subarray(at, at + PIPELINE)]
      writes.push({ bytes: Buffer.from(part.map(write).join(''), 'latin1'), commands: part.length })
    }
    const startedMs = monotonicMs()
    await this.#master.client.pipeline(writes)
    await this.#level()
    return monotonicMs() - startedMs
  }

  /** When the replica has applied everything the master wrote. */
  async #level(): Promise<void> {
    const { master_repl_offset: written } = await this.#master.client.info('replication')
    await eventually(SYNC_LIMIT_MS, 'the replica is level', async () => {
      const { slave_repl_offset: applied } = await this.#replica.client.info('replication')
      return Number(applied) >= Number(written)
    })
  }

  async #offset(): Promise<number> {
    return Number((await this.#master.client.info('replication')).master_repl_offset)
  }

  async update(updates: number, round: number): Promise<UpdateRun> {
    const numbers = chosen(this.sessions, updates, round)
    const packets = packetsOf(round)
    const offset = await this.#offset()
    const [mine, theirs] = [this.#master.program.cpuMs(), this.#replica.program.cpuMs()]
    const ms = await this.#send(numbers, (i) =>
      command('HSET', keyText(i), 'packets', packets, 'bytes', bytesOf(i, round)),
    )
    this.#lastRound = { round, numbers }
    const result = {
      updates,
      ms,
      bytes: (await this.#offset()) - offset,
      primaryMs: this.#master.program.cpuMs() - mine,
      secondaryMs: this.#replica.program.cpuMs() - theirs,
    }
    await this.#sample()
    return result
  }

  async #sample(): Promise<void> {
    const { round, numbers } = this.#lastRound!
    const step = Math.max(1, Math.floor(numbers.length / SAMPLES))
    for (let at = 0; at < numbers.length; at += step) {
      const i = numbers[at]!
      const reply = await this.#replica.client.ask(['HMGET', keyText(i), 'packets', 'bytes'], 5)
      check(reply[2] === String(packetsOf(round)) && reply[4] === String(bytesOf(i, round)), `session ${i}`)
    }
  }

  async resync(): Promise<ResyncRun> {
    this.#replica.client.close()
    await this.#replica.program.end()
    const sent = Number((await this.#master.client.info('stats')).total_net_repl_output_bytes)
    const startedMs = monotonicMs()
    this.#replica = await startServer(this.#folder, this.#master.port)
    const { client } = this.#replica
    const upMs = monotonicMs()
    const filled = async () => (await client.info('replication')).master_link_status === 'up'
    await eventually(SYNC_LIMIT_MS, 'the new replica is filled', filled, LOOK_MS)
    const allMs = monotonicMs()
    await this.#sample()
    const { db0 = '' } = await client.info('keyspace')
    check(db0.startsWith(`keys=${this.sessions},`), `every session is there (${db0})`)
    const bytes = Number((await this.#master.client.info('stats')).total_net_repl_output_bytes) - sent
    return {
      sessions: this.sessions,
      ms: allMs - startedMs,
      transferMs: allMs - upMs,
      bytes,
    }
  }

  async end(): Promise<void> {
    for (const { client, program } of [this.#master, this.#replica]) {
      client.close()
      await program.end()
    }
  }
}

export const redis: Peer = {
  name: 'redis',
  title: 'Redis + replica',
  setup:
    'redis-server and one replica on the loopback, nothing written to disk, diskless sync without delay; a hash a session; HSET of two counters, 4096 in a write, sent by this process',
  more: 'a server that many clients share; queries, persistence, many replicas',
  less: 'a round trip for each read and write that is not pipelined; failover by sentinels; no second link; no encryption in this run',
  bytes: 'replication stream',
  missing: () =>
    installed('redis-server', '--version')
      ? undefined
      : 'redis-server is not installed (apt-get install redis-server)',
  async start(sessions) {
    const folder = temporaryFolder()
    const master = await startServer(folder)
    const replica = await startServer(folder, master.port)
    await eventually(START_LIMIT_MS, 'the replica follows', async () => {
      return (await replica.client.info('replication')).master_link_status === 'up'
    })
    const pair = new RedisPair(sessions, folder, master, replica)
    await pair.fill()
    return pair
  },
}
