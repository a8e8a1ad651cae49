// The UDP port clients send to. Only the primary has it; the next primary binds the same one.
import dgram from 'node:dgram'

const RETRY_MS = 1

export class ServicePort {
  #address
  #onDatagram
  #socket
  #timer
  #wanted = false

  /**
   * @param {{ host: string, port: number }} address
   * @param {(bytes: Buffer, from: { address: string, port: number }) => void} onDatagram
   */
  constructor(address, onDatagram) {
    this.#address = address
    this.#onDatagram = onDatagram
  }

  /** Resolves when datagrams can arrive. A socket that its dying owner still holds is waited for. */
  open() {
    this.#wanted = true
    return new Promise((resolve, reject) => {
      const bind = () => {
        if (!this.#wanted || this.#socket) return resolve()
        // The address is a number already: asking the resolver for it would cost a turn per answer.
        const lookup = (host, _options, done) => done(null, host, 4)
        const socket = dgram.createSocket({ type: 'udp4', lookup, recvBufferSize: 4 << 20 })
        socket.once('error', (error) => {
          socket.close()
          this.#socket = undefined
          if (error.code !== 'EADDRINUSE') reject(error)
          else this.#timer = setTimeout(bind, RETRY_MS)
        })
        socket.bind({ address: this.#address.host, port: this.#address.port, exclusive: true }, () => {
          socket.removeAllListeners('error')
          socket.on('error', () => {})
          resolve()
        })
        socket.on('message', this.#onDatagram)
        this.#socket = socket
      }
      bind()
    })
  }

  shut() {
    this.#wanted = false
    clearTimeout(this.#timer)
    this.#socket?.close()
    this.#socket = undefined
  }

  /** Sends if the port is open; a client that gets no answer asks again. */
  send(bytes, { port, address }) {
    this.#socket?.send(bytes, port, address)
  }
}
