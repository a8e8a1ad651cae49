// Two HAProxy processes that exchange a stick table by the peers protocol. An update is an HTTP request, which HAProxy
// answers itself and counts in the entry of the request's path: that is how its tables are written fastest.
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import net from 'node:net'
import { join } from 'node:path'
import { monotonicMs, tick } from '../lib/time.ts'
import type { Peer, ResyncRun, Running, UpdateRun } from './peer.ts'
import {
  check,
  eventually,
  freePorts,
  installed,
  Program,
  tcpBytesSent,
  temporaryFolder,
  versionOf,
} from './processes.ts'
import { chosen, keyText } from './texts.ts'

const START_LIMIT_MS = 10_000
const SYNC_LIMIT_MS = 60_000
/** Two nodes that start together drop their session once, about a second later. */
const SETTLE_MS = 3000
const CONNECTIONS = 4
/** Requests in flight on each connection. */
const DEPTH = 32
const SAMPLES = 100
/** Between two looks at how many entries there are: its one thread answers them too. */
const LOOK_MS = 10

type Name = 'a' | 'b'

interface Ports {
  readonly a: number
  readonly b: number
  readonly http: Readonly<Record<Name, number>>
}

function configuration(name: Name, folder: string, { a, b, http }: Ports, size: number): string {
  return `global
  stats socket ${join(folder, `${name}.sock`)} mode 600 level admin
  stats timeout 60s
  nbthread 1
  maxconn 1000
  localpeer ${name}
defaults
  mode http
  timeout client 60s
  timeout server 60s
  timeout connect 5s
  timeout http-keep-alive 60s
peers p
  peer a 127.0.0.1:${a}
  peer b 127.0.0.1:${b}
backend st
  stick-table type string len 40 size ${size} expire 60m store http_req_cnt,bytes_in_cnt peers p
frontend f
  bind 127.0.0.1:${http[name]}
  http-request track-sc0 path table st
  http-request return status 200 content-type text/plain string k
`
}

class HaproxyPair implements Running {
  readonly version = versionOf('haproxy', '-v')
  readonly sessions: number
  readonly #folder: string
  readonly #ports: Ports
  readonly #programs: Record<Name, Program>
  /** Requests made for each session. */
  readonly #requests: Uint16Array

  constructor(sessions: number, folder: string, ports: Ports, programs: Record<Name, Program>) {
    this.sessions = sessions
    this.#folder = folder
    this.#ports = ports
    this.#programs = programs
    this.#requests = new Uint16Array(sessions)
  }

  /** One command on the socket of a process. */
  async #ask(name: Name, command: string): Promise<string> {
    const socket = net.connect(join(this.#folder, `${name}.sock`))
    let text = ''
    socket.setEncoding('latin1').on('data', (part) => {
      text += part
    })
    await once(socket, 'connect')
    socket.end(`${command}\n`)
    await once(socket, 'close')
    return text
  }

  /** A counter of the exchange of one process with the other. */
  async #exchange(name: Name, counter: string): Promise<number> {
    const text = await this.#ask(name, 'show peers')
    const other = name === 'a' ? 'b' : 'a'
    const part = text.slice(text.indexOf(`id=${other}(remote`))
    return Number(new RegExp(`\\b${counter}=(\\d+)`).exec(part)?.[1] ?? Number.NaN)
  }

  async entries(name: Name): Promise<number> {
    return Number(/used:(\d+)/.exec(await this.#ask(name, 'show table'))?.[1] ?? 0)
  }

  /** Both are connected, and stay so. */
  async settled(): Promise<void> {
    const connected = async () => (await this.#ask('a', 'show peers')).includes('state=EST')
    await eventually(START_LIMIT_MS, 'the two processes are connected', connected)
    await tick(SETTLE_MS)
    await eventually(START_LIMIT_MS, 'the two processes are connected again', connected)
  }

  /** Makes a request for each of the sessions; resolves when the other process has all of them. */
  async request(numbers: Uint32Array): Promise<number> {
    for (const i of numbers) this.#requests[i]!++
    const batches: Buffer[] = []
    for (let at = 0; at < numbers.length; at += DEPTH) {
      const part = [...numbers.subarray(at, at + DEPTH)]
      batches.push(Buffer.from(part.map((i) => `GET /${keyText(i)} HTTP/1.1\r\nHost: h\r\n\r\n`).join('')))
    }
    const startedMs = monotonicMs()
    let next = 0
    const worker = async () => {
      const socket = net.connect({ port: this.#ports.http.a, host: '127.0.0.1', noDelay: true })
      await once(socket, 'connect')
      let open = 0
      let rest = ''
      let wake: (() => void) | undefined
      socket.setEncoding('latin1').on('data', (text: string) => {
        // A response may be cut in two; the longest mark of its start is kept for the next part.
        const all = rest + text
        open -= all.split('HTTP/1.1 200').length - 1
        rest = all.slice(Math.max(all.lastIndexOf('HTTP/1.1 200') + 12, all.length - 11))
        wake?.()
      })
      socket.once('close', () => wake?.())
      for (let batch = batches[next++]; batch !== undefined; batch = batches[next++]) {
        socket.write(batch)
        open += Math.min(DEPTH, numbers.length - (next - 1) * DEPTH)
        while (open > 0) {
          check(!socket.destroyed, 'haproxy keeps the connection')
          await new Promise<void>((resolve) => (wake = resolve))
        }
      }
      socket.destroy()
    }
    await Promise.all(Array.from({ length: CONNECTIONS }, worker))
    await eventually(
      SYNC_LIMIT_MS,
      'the other process has every update',
      async () => (await this.#exchange('b', 'last_get')) === (await this.#exchange('a', 'localupdate')),
    )
    return monotonicMs() - startedMs
  }

  async update(updates: number, round: number): Promise<UpdateRun> {
    const { a, b } = this.#programs
    const ports = [this.#ports.a, this.#ports.b]
    const numbers = chosen(this.sessions, updates, round)
    const [bytes, mine, theirs] = [tcpBytesSent(a.pid, ports), a.cpuMs(), b.cpuMs()]
    const ms = await this.request(numbers)
    const result = {
      updates,
      ms,
      bytes: tcpBytesSent(a.pid, ports) - bytes,
      primaryMs: a.cpuMs() - mine,
      secondaryMs: b.cpuMs() - theirs,
    }
    await this.#sample(numbers)
    return result
  }

  async #sample(numbers: Uint32Array): Promise<void> {
    const step = Math.max(1, Math.floor(numbers.length / SAMPLES))
    for (let at = 0; at < numbers.length; at += step) {
      const i = numbers[at]!
      const entry = await this.#ask('b', `show table st key /${keyText(i)}`)
      check(entry.includes(`http_req_cnt=${this.#requests[i]} `), `session ${i}: ${entry}`)
    }
  }

  async resync(): Promise<ResyncRun> {
    await this.#programs.b.end()
    const startedMs = monotonicMs()
    this.#programs.b = startHaproxy('b', this.#folder)
    await eventually(START_LIMIT_MS, 'the new process answers', async () => (await this.entries('b')) >= 0)
    const upMs = monotonicMs()
    const filled = async () => (await this.entries('b')) >= this.sessions
    await eventually(SYNC_LIMIT_MS, 'the new process is filled', filled, LOOK_MS)
    const allMs = monotonicMs()
    const bytes = tcpBytesSent(this.#programs.a.pid, [this.#ports.a, this.#ports.b])
    await this.settled()
    await this.#sample(chosen(this.sessions, Math.min(this.sessions, SAMPLES), 0))
    return { sessions: this.sessions, ms: allMs - startedMs, transferMs: allMs - upMs, bytes }
  }

  async end(): Promise<void> {
    await Promise.all([this.#programs.a.end(), this.#programs.b.end()])
  }
}

function startHaproxy(name: Name, folder: string): Program {
  const args = ['-db', '-f', join(folder, `${name}.cfg`)]
  return new Program('haproxy', args, join(folder, `${name}.log`))
}

export const haproxy: Peer = {
  name: 'haproxy',
  title: 'HAProxy peers',
  setup:
    'two haproxy processes of one thread, stick table with a string key and two counters, one TCP connection on the loopback; an update is an HTTP request that moves both counters, pipelined by this process',
  more: 'a proxy; merges counters of several writers',
  less: 'counters only, no session values; entries may be evicted; an update costs the HTTP request that makes it; no promotion, no second link; no encryption in this run',
  bytes: 'TCP payload of the peers connection',
  updatesMax: 200_000,
  missing() {
    if (!installed('haproxy', '-v')) return 'haproxy is not installed (apt-get install haproxy)'
    return installed('ss', '-V') ? undefined : 'ss is not installed (apt-get install iproute2)'
  },
  async start(sessions) {
    const folder = temporaryFolder()
    const [a, b, httpA, httpB] = (await freePorts(4)) as [number, number, number, number]
    const ports = { a, b, http: { a: httpA, b: httpB } }
    for (const name of ['a', 'b'] as const)
      writeFileSync(join(folder, `${name}.cfg`), configuration(name, folder, ports, sessions * 2))
    const programs = { a: startHaproxy('a', folder), b: startHaproxy('b', folder) }
    const pair = new HaproxyPair(sessions, folder, ports, programs)
    await pair.settled()
    await pair.request(Uint32Array.from({ length: sessions }, (_, i) => i))
    check((await pair.entries('b')) === sessions, 'every session is there')
    return pair
  },
}
