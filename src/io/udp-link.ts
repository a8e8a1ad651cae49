// The heartbeat side of one link: one UDP socket, bound to the listen address and connected to the peer's, so that the
// system itself drops what others send and tells when nobody has the peer's port. (Deno's connect filters nothing:
// there strangers' datagrams reach the core, whose MAC refuses and counts them.) No error here is worth more than a
// lost datagram.
import type { Socket } from 'node:dgram'
import { createSocket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import type { LinkAddresses } from './thread-messages.ts'

/**
 * Wanted for datagrams that wait to be read; the system gives what it allows. While this thread waits for a processor a
 * storm of forgeries must not crowd out the peer's heartbeats.
 */
const RECEIVE_BUFFER_BYTES = 4_194_304

export interface DatagramEvents {
  datagram(bytes: Uint8Array): void
  /** A datagram sent earlier met a closed port. */
  refused(): void
  /** The socket failed after it had been bound. */
  lost(error: Error): void
}

export class UdpLink {
  private readonly addresses: LinkAddresses
  private readonly events: DatagramEvents
  private socket: Socket | undefined
  private connected = false

  constructor(addresses: LinkAddresses, events: DatagramEvents) {
    this.addresses = addresses
    this.events = events
  }

  /** Rejects with the system's error when the address cannot be had. */
  open(): Promise<void> {
    const { host, port } = this.addresses.listen
    return new Promise((resolve, reject) => {
      const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4')
      const failed = (error: Error) => {
        socket.close()
        reject(error)
      }
      socket.once('error', failed)
      socket.on('message', (bytes) => this.events.datagram(bytes))
      socket.bind({ address: host, port, exclusive: true }, () => {
        socket.off('error', failed)
        socket.on('error', (error: NodeJS.ErrnoException) => this.handleError(socket, error))
        this.socket = socket
        widen(socket)
        this.connect(socket)
        resolve()
      })
    })
  }

  /** Where there is no route yet this fails; every send tries again until it has succeeded. */
  private connect(socket: Socket): void {
    const { host, port } = this.addresses.peer
    try {
      socket.connect(port, host, (error?: Error) => {
        this.connected = error === undefined || error === null
      })
    } catch {
      // The one before is still under way.
    }
  }

  private handleError(socket: Socket, error: NodeJS.ErrnoException): void {
    if (socket !== this.socket) return
    if (error.code === 'ECONNREFUSED') this.events.refused()
    if (error.code !== 'EBADF' && error.code !== 'ERR_SOCKET_DGRAM_NOT_RUNNING') return
    this.shut()
    this.events.lost(error)
  }

  send(bytes: Uint8Array): void {
    const socket = this.socket
    if (socket === undefined) return
    if (!this.connected) {
      this.connect(socket)
      return
    }
    socket.send(bytes, (error) => {
      if (error) this.handleError(socket, error)
    })
  }

  shut(): void {
    const socket = this.socket
    this.socket = undefined
    this.connected = false
    socket?.close()
  }
}

function widen(socket: Socket): void {
  try {
    socket.setRecvBufferSize(RECEIVE_BUFFER_BYTES)
  } catch {
    // The system's own size will do.
  }
}
