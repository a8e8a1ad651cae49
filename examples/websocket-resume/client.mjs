// A client that loses connections and no message: it numbers what it sends, keeps it until both servers have it, and after a
// reconnection sends again what the server says it has not.
import { setTimeout as wait } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import WebSocket from 'ws'

const RETRY_MS = 50
const ANSWER_MS = 2_000

export class ResumingClient {
  /** What the server said last: the number of the last message it took, and what all of them add up to. */
  taken = 0
  total = 0
  /** The last message of which the server said that the other one has it too. */
  held = 0
  /** Connections so far, and how many of them went on with the session. */
  connections = 0
  resumed = 0
  /** Longest time between two answers while something was waiting, ms. */
  longestGapMs = 0
  node = ''
  pid = 0
  #urls
  #user
  #token = ''
  #sent = 0
  /** What is not held yet, oldest first: all that may have to be sent again. */
  #kept = []
  #drained = []
  #socket
  #isWelcome = false
  #answeredAt = 0
  #closed = false

  /** `urls`: where the two nodes are, as 'ws://10.0.0.1:8080'. */
  constructor(urls, user) {
    this.#urls = urls
    this.#user = user
    this.running = this.#run()
  }

  send(add) {
    if (this.taken === this.#sent) this.#answeredAt = performance.now()
    const message = { n: ++this.#sent, add }
    this.#kept.push(message)
    // Before the welcome the server may still lack earlier ones: they go first then, this one behind them.
    if (this.#isWelcome && this.#socket.readyState === WebSocket.OPEN)
      this.#socket.send(JSON.stringify(message))
  }

  /** Resolves when the server has taken everything that was sent. */
  drained() {
    if (this.taken === this.#sent) return Promise.resolve()
    return new Promise((resolve) => this.#drained.push(resolve))
  }

  async close() {
    this.#closed = true
    this.#socket?.close()
    await this.running
  }

  async #run() {
    for (let i = 0; !this.#closed; i = (i + 1) % this.#urls.length) {
      // One that has worked is tried again first: a connection may end and its node live.
      while (!this.#closed && (await this.#connect(this.#urls[i])));
      if (!this.#closed) await wait(RETRY_MS)
    }
  }

  /** One connection, from its beginning to its end. False if it was never welcome. */
  #connect(url) {
    return new Promise((resolve) => {
      this.#isWelcome = false
      const query = new URLSearchParams({ user: this.#user, token: this.#token })
      const socket = new WebSocket(`${url}/?${query}`, { handshakeTimeout: ANSWER_MS })
      this.#socket = socket
      // A server that is gone without a word (its host is) does not close the connection.
      const watch = setInterval(() => {
        if (this.taken < this.#sent && performance.now() - this.#answeredAt > ANSWER_MS) socket.terminate()
      }, ANSWER_MS / 4)
      socket.on('message', (data) => {
        const answer = JSON.parse(String(data))
        if (answer.type === 'welcome') {
          this.#isWelcome = true
          this.#handleWelcome(socket, answer)
        } else this.#handleTaken(answer)
      })
      socket.on('error', () => {}) // its close follows
      socket.on('close', () => {
        clearInterval(watch)
        resolve(this.#isWelcome)
      })
    })
  }

  #handleWelcome(socket, { node, pid, token, known, ...answer }) {
    if (!known && this.held > 0) throw new Error('the server has forgotten this session')
    Object.assign(this, { node, pid })
    this.connections += 1
    if (known) this.resumed += 1
    this.#token = token
    this.#handleTaken(answer)
    for (const message of this.#kept) if (message.n > this.taken) socket.send(JSON.stringify(message))
  }

  #handleTaken({ taken, total, held }) {
    if (taken < this.held) throw new Error(`the servers have lost messages: ${taken} after ${this.held}`)
    const now = performance.now()
    if (this.taken < this.#sent) this.longestGapMs = Math.max(this.longestGapMs, now - this.#answeredAt)
    this.#answeredAt = now
    Object.assign(this, { taken, total })
    if (held) {
      this.held = taken
      this.#kept = this.#kept.filter(({ n }) => n > taken)
    }
    if (taken === this.#sent) for (const resolve of this.#drained.splice(0)) resolve()
  }
}

// node client.mjs ws://127.0.0.1:8001 ws://127.0.0.1:8002
if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const client = new ResumingClient(process.argv.slice(2), 'somebody')
  for (;;) {
    client.send(1)
    await client.drained()
    console.log(
      `${client.total} taken by ${client.node} (process ${client.pid}), connection ${client.connections}`,
    )
    await wait(500)
  }
}
