// The stream side of one link: a listener on exactly the configured address, connections dialled from it to the peer,
// and probes of the peer's port. What a connection is made of (plain TCP or TLS) is the transport's; what is said on it
// is the core's. Every connection that opened has a number, and its end is told once.
import type { Server, Socket } from 'node:net'
import { connect } from 'node:net'
import { clearTimeout, setTimeout } from 'node:timers'
import type { Address } from './address.ts'
import type { LinkAddresses } from './thread-messages.ts'

/** Makes connections that are ready for the first hello when they are given out. */
export interface Transport {
  /**
   * `onOpen` gets each incoming connection from the peer's address once nothing but hello can prove it further,
   * `onRefused` the others' reason.
   */
  createServer(peer: Address, onOpen: (socket: Socket) => void, onRefused: (reason: string) => void): Server
  /** Exactly one of the two is called. */
  dial(
    from: Address,
    to: Address,
    onOpen: (socket: Socket) => void,
    onFailed: (refused: boolean, reason: string) => void,
  ): void
}

export interface StreamEvents {
  open(stream: number): void
  data(stream: number, bytes: Uint8Array): void
  /** `bytes` given to `send` were handed to the system. */
  flushed(stream: number, bytes: number): void
  closed(stream: number, reason: string): void
  dialFailed(refused: boolean, reason: string): void
  probed(refused: boolean): void
  /** An incoming connection did not come to be. */
  refusedIncoming(reason: string): void
  /** The listener failed after it had listened. */
  lost(error: Error): void
}

/** How long a closing connection may take to pass on what was written to it. */
const LINGER_MS = 200
const PROBE_TIMEOUT_MS = 200

export class TcpLink {
  private readonly addresses: LinkAddresses
  private transport: Transport
  private readonly nextStream: () => number
  private readonly events: StreamEvents
  private readonly sockets = new Map<number, Socket>()
  /** Written to since the last `flush`. */
  private readonly corked = new Set<Socket>()
  /** Closed by the core, passing on their last bytes. */
  private readonly lingering = new Set<Socket>()
  private server: Server | undefined

  constructor(
    addresses: LinkAddresses,
    transport: Transport,
    nextStream: () => number,
    events: StreamEvents,
  ) {
    this.addresses = addresses
    this.transport = transport
    this.nextStream = nextStream
    this.events = events
  }

  /** Rejects with the system's error when the address cannot be had. */
  listen(): Promise<void> {
    const { host, port } = this.addresses.listen
    return new Promise((resolve, reject) => {
      const server = this.transport.createServer(
        this.addresses.peer,
        (socket) => this.adopt(socket),
        (reason) => this.events.refusedIncoming(reason),
      )
      server.once('error', reject)
      server.listen({ host, port, exclusive: true }, () => {
        server.off('error', reject)
        server.on('error', (error) => {
          if (this.server !== server) return
          this.server = undefined
          server.close()
          this.events.lost(error)
        })
        this.server = server
        resolve()
      })
    })
  }

  /**
   * New connections are made of `transport` from here on; open ones stay as they are. The listener is opened anew: not
   * every runtime lets one change its certificate. Rejects with the system's error when the address cannot be had.
   */
  async use(transport: Transport): Promise<void> {
    this.transport = transport
    const { server } = this
    if (server === undefined) return
    this.server = undefined
    server.close()
    await this.listen()
  }

  /** Whether a connection is open that has this number or a smaller one. */
  hasStreamUpTo(stream: number): boolean {
    for (const one of this.sockets.keys()) if (one <= stream) return true
    return false
  }

  dial(): void {
    const { listen, peer } = this.addresses
    this.transport.dial(
      listen,
      peer,
      (socket) => this.adopt(socket),
      (refused, reason) => this.events.dialFailed(refused, reason),
    )
  }

  private adopt(socket: Socket): void {
    const stream = this.nextStream()
    this.sockets.set(stream, socket)
    let reason = 'ended by peer'
    const end = () => {
      if (!this.sockets.delete(stream)) return
      this.corked.delete(socket)
      socket.destroy()
      this.events.closed(stream, reason)
    }
    socket.on('data', (bytes: Buffer) => {
      // A Uint8Array proper: Buffer's slice shares memory where the core expects a copy.
      if (this.sockets.get(stream) === socket) this.events.data(stream, plain(bytes))
    })
    socket.on('error', (error: NodeJS.ErrnoException) => {
      reason = error.code ?? error.message
      end()
    })
    socket.on('end', end)
    socket.on('close', end)
    this.events.open(stream)
  }

  /** Bytes go out at the next `flush`, in one piece with others of the same connection. */
  send(stream: number, bytes: Uint8Array): void {
    const socket = this.sockets.get(stream)
    if (socket === undefined) return
    if (!this.corked.has(socket)) {
      this.corked.add(socket)
      socket.cork()
    }
    socket.write(bytes, (error) => {
      if (!error && this.sockets.get(stream) === socket) this.events.flushed(stream, bytes.length)
    })
  }

  flush(): void {
    for (const socket of this.corked) socket.uncork()
    this.corked.clear()
  }

  /**
   * Lets a last frame (REFUSED, GOODBYE) go out, but not for long. No event follows. A connection that was replaced is left
   * for that time: the peer should hear on the new one before it sees the old one end, or the link was down for a moment.
   */
  close(stream: number, isReplaced = false): void {
    const socket = this.sockets.get(stream)
    if (socket === undefined) return
    this.sockets.delete(stream)
    if (this.corked.delete(socket)) socket.uncork()
    this.lingering.add(socket)
    const late = setTimeout(() => socket.destroy(), LINGER_MS)
    socket.once('close', () => {
      clearTimeout(late)
      this.lingering.delete(socket)
    })
    if (!isReplaced) socket.end(() => socket.destroy())
  }

  /** Does anybody listen at the peer's address? */
  probe(): void {
    const { listen, peer } = this.addresses
    const socket = connect({ ...peer, localAddress: listen.host })
    let refused = false
    const late = setTimeout(() => socket.destroy(), PROBE_TIMEOUT_MS)
    socket.once('connect', () => {
      refused = isSelfConnected(socket)
      socket.destroy()
    })
    socket.on('error', (error: NodeJS.ErrnoException) => {
      refused = error.code === 'ECONNREFUSED'
    })
    socket.once('close', () => {
      clearTimeout(late)
      this.events.probed(refused)
    })
  }

  /** Closes the listener and every connection; resolves when their last bytes are out, within the linger time. */
  async shut(): Promise<void> {
    const server = this.server
    this.server = undefined
    server?.close()
    for (const stream of [...this.sockets.keys()]) this.close(stream)
    await Promise.all(
      [...this.lingering].map((socket) => new Promise<void>((done) => socket.once('close', () => done()))),
    )
  }
}

function plain(bytes: Buffer): Uint8Array {
  return new Uint8Array(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength)
}

/** A connect to a free port of the own machine can meet itself (simultaneous open): nobody else is there. */
export function isSelfConnected(socket: Socket): boolean {
  return socket.localPort === socket.remotePort && socket.localAddress === socket.remoteAddress
}
