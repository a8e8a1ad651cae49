// A stand-in for a node: the sockets a node has on one link, and what they have heard.
import { type ChildProcess, spawn } from 'node:child_process'
import dgram from 'node:dgram'
import { once } from 'node:events'
import net from 'node:net'
import { fileURLToPath } from 'node:url'

/** Resolves when the condition holds; rejects after 5 s, saying what was awaited. */
export async function until(what: string, holds: () => boolean): Promise<void> {
  const deadline = performance.now() + 5000
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`not within 5 s: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
}

/** One TCP connection, with what came out of it. */
export class Connection {
  readonly socket: net.Socket
  heard = ''
  ended = false
  error: string | undefined

  constructor(socket: net.Socket) {
    this.socket = socket
    socket.setNoDelay(true)
    socket.on('data', (bytes) => {
      this.heard += bytes
    })
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.error = error.code ?? error.message
    })
    socket.on('close', () => {
      this.ended = true
    })
  }

  async hears(text: string): Promise<void> {
    await until(`'${text}' arrives`, () => this.heard.endsWith(text) || this.ended)
    if (!this.heard.endsWith(text))
      throw new Error(`ended before '${text}' arrived: ${this.error ?? 'closed'}`)
  }
}

/** A node in this process. */
export class Peer {
  readonly accepted: Connection[] = []
  readonly datagrams: { text: string; from: string }[] = []
  readonly #server: net.Server
  readonly #socket: dgram.Socket
  readonly #dialled: Connection[] = []
  readonly #peer: { host: string; port: number }

  static async start(link: { listen: string; peer: string }): Promise<Peer> {
    const own = split(link.listen)
    const socket = dgram.createSocket('udp4')
    socket.bind(own.port, own.host)
    await once(socket, 'listening')
    const server = net.createServer()
    server.listen(own)
    await once(server, 'listening')
    return new Peer(server, socket, split(link.peer))
  }

  constructor(server: net.Server, socket: dgram.Socket, peer: { host: string; port: number }) {
    this.#server = server
    this.#socket = socket
    this.#peer = peer
    server.on('connection', (connection) => this.accepted.push(new Connection(connection)))
    socket.on('message', (bytes, from) => {
      this.datagrams.push({ text: String(bytes), from: `${from.address}:${from.port}` })
    })
  }

  /** A connection to the other node, if it can be made. */
  async dial(): Promise<Connection> {
    const connection = new Connection(net.connect(this.#peer))
    this.#dialled.push(connection)
    await once(connection.socket, 'connect')
    return connection
  }

  /** What a dial is answered with: 'connected', or the error's code. */
  async knock(): Promise<string> {
    try {
      const connection = await this.dial()
      connection.socket.destroy()
      return 'connected'
    } catch (error) {
      return (error as NodeJS.ErrnoException).code ?? String(error)
    }
  }

  send(text: string): void {
    this.#socket.send(text, this.#peer.port, this.#peer.host)
  }

  stop(): void {
    for (const { socket } of [...this.accepted, ...this.#dialled]) socket.destroy()
    this.#server.close()
    this.#socket.close()
  }
}

/** A node in a process of its own, that can be killed. It echoes. */
export async function startProcess(address: string): Promise<ChildProcess> {
  const script = fileURLToPath(new URL('process.mjs', import.meta.url))
  const child = spawn(process.execPath, [script, address], { stdio: ['pipe', 'pipe', 'inherit'] })
  const [word] = await once(child.stdout!, 'data')
  if (!String(word).includes('listening')) throw new Error(`the process said: ${word}`)
  return child
}

function split(address: string): { host: string; port: number } {
  const [host, port] = address.split(':')
  return { host: host!, port: Number(port) }
}
