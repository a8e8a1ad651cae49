// One end of a cable: the TCP port and the UDP port that one node dials. Open or shut as a whole; shut means that the
// system answers for it, a refused connect and port unreachable, as it does for a process that is gone.
import type dgram from 'node:dgram'
import type net from 'node:net'
import type { Address } from './address.ts'
import { bindTcp, bindUdp } from './bind.ts'

export interface PortEvents {
  connection(socket: net.Socket): void
  datagram(bytes: Buffer): void
}

const RETRY_MS = 20

export class Port {
  readonly #address: Address
  readonly #events: PortEvents
  #server: net.Server | undefined
  #socket: dgram.Socket | undefined
  #wanted = false
  #opening: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(address: Address, events: PortEvents) {
    this.#address = address
    this.#events = events
  }

  /** Resolves when bound; rejects with the system's error. */
  open(): Promise<void> {
    this.#wanted = true
    this.#opening ??= this.#bind().finally(() => {
      this.#opening = undefined
    })
    return this.#opening
  }

  /** As `open`, and tries again for as long as it is wanted: somebody else may have the address for a moment. */
  keepOpen(): void {
    if (this.#server && this.#wanted) return
    this.open().catch(() => {
      clearTimeout(this.#timer)
      this.#timer = setTimeout(() => this.#wanted && this.keepOpen(), RETRY_MS)
    })
  }

  /** From here on a connect is refused. Connections made before stay. */
  shut(): void {
    this.#wanted = false
    clearTimeout(this.#timer)
    this.#server?.close()
    this.#socket?.close()
    this.#server = this.#socket = undefined
  }

  /** Sends from this port; nothing happens while it is shut, as nothing would arrive. */
  send(bytes: Buffer, to: Address): void {
    this.#socket?.send(bytes, to.port, to.host, () => {})
  }

  async #bind(): Promise<void> {
    if (this.#server) return
    const socket = await bindUdp(this.#address)
    let server: net.Server
    try {
      server = await bindTcp(this.#address)
    } catch (error) {
      socket.close()
      throw error
    }
    socket.on('error', () => {})
    socket.on('message', (bytes) => this.#events.datagram(bytes))
    server.on('error', () => {})
    server.on('connection', (connection) => this.#events.connection(connection))
    this.#server = server
    this.#socket = socket
    if (!this.#wanted) this.shut()
  }
}
