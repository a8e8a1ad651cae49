// The UDP port clients send to. Only the primary has it; the next primary binds the same one.
import dgram from 'node:dgram'

const RETRY_MS = 1

export class ServicePort {
  #address
  #onDatagram
  #socket
  #timer

  /**
   * @param {{ host: string, port: number, shared?: boolean }} address `shared`: also while another process has it, who
   * need not be dying but may stand still. Linux gives datagrams to the one that bound it last. For two nodes on one
   * machine; two machines have an address each, or hand one over.
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
    const { host: address, port, shared = false } = this.#address
    const socket = dgram.createSocket({ type: 'udp4', lookup, recvBufferSize: 4 << 20, reuseAddr: shared })
    this.#socket = socket
    socket.on('message', this.#onDatagram)
    socket.once('error', (error) => {
      if (error.code !== 'EADDRINUSE') throw error
      this.shut()
      this.#timer = setTimeout(() => this.open(), RETRY_MS)
    })
    socket.bind({ address, port, exclusive: true })
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
