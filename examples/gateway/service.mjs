// The UDP port clients send to. Only the primary has it; the next primary binds the same one.
import dgram from 'node:dgram'

const RETRY_MS = 1

export class ServicePort {
  #address
  #onDatagram
  #socket
  #timer

  /**
   * @param {{ host: string, port: number }} address
   * @param {(bytes: Buffer, from: { address: string, port: number }) => void} onDatagram
   */
  constructor(address, onDatagram) {
    this.#address = address
    this.#onDatagram = onDatagram
  }

  /**
   * From here on datagrams arrive, as soon as the port can be had: the process that had it may still be dying.
   * Any other fault of the port is thrown and ends the process: a primary without it is of no use, and the other node
   * takes over.
   */
  open() {
    if (this.#socket) return
    // The address is a number already: asking the resolver for it would cost a turn per answer.
    const lookup = (host, _options, done) => done(null, host, 4)
    const socket = dgram.createSocket({ type: 'udp4', lookup, recvBufferSize: 4 << 20 })
    this.#socket = socket
    socket.on('message', this.#onDatagram)
    socket.once('error', (error) => {
      if (error.code !== 'EADDRINUSE') throw error
      this.shut()
      this.#timer = setTimeout(() => this.open(), RETRY_MS)
    })
    socket.bind({ address: this.#address.host, port: this.#address.port, exclusive: true })
  }

  shut() {
    clearTimeout(this.#timer)
    this.#socket?.close()
    this.#socket = undefined
  }

  /** Sends if the port is open; a client that gets no answer asks again. */
  send(bytes, { port, address }) {
    this.#socket?.send(bytes, port, address)
  }
}
