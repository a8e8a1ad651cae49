// A load balancer in miniature: sends every request to the process that says it is primary. HAProxy, nginx, Envoy and the
// balancers of clouds do the same with a health check on /primary; this one is here so that the example needs none of them.
import http from 'node:http'

const CHECK_MS = 50
const PATIENCE_MS = 10_000

export class Balancer {
  #backends
  #server = http.createServer((req, res) => void this.#pass(req, res))
  #primary
  #checking
  #closed = false

  /** @param {{ host: string, port: number }[]} backends */
  constructor(backends) {
    this.#backends = backends
    this.#checking = this.#check()
  }

  async listen({ host, port }) {
    await new Promise((resolve) => this.#server.listen(port, host, resolve))
    return this.#server.address().port
  }

  async close() {
    this.#closed = true
    await this.#checking
    await new Promise((resolve) => {
      this.#server.close(resolve)
      this.#server.closeAllConnections()
    })
  }

  async #check() {
    while (!this.#closed) {
      const answers = await Promise.all(this.#backends.map(isPrimary))
      this.#primary = this.#backends.find((_, i) => answers[i])
      await new Promise((resolve) => setTimeout(resolve, CHECK_MS))
    }
  }

  /**
   * A request waits for a primary. It is sent again only where it was surely not taken: the connection was refused, or the
   * backend said that it is not primary. One that broke off may have been taken, and is answered with 502.
   */
  async #pass(req, res) {
    const body = []
    for await (const chunk of req) body.push(chunk)
    const deadline = performance.now() + PATIENCE_MS
    while (performance.now() < deadline && !this.#closed) {
      const to = this.#primary
      const answer = to && (await send(to, req, Buffer.concat(body)))
      // Nothing more goes there before it has been asked again.
      if (answer === 'broken off' && this.#primary === to) this.#primary = undefined
      if (answer === 'broken off') return res.writeHead(502).end()
      if (answer !== undefined && answer !== 'refused') {
        res.writeHead(answer.status, answer.headers)
        return res.end(answer.body)
      }
      await new Promise((resolve) => setTimeout(resolve, CHECK_MS / 5))
    }
    res.writeHead(503).end('no primary')
  }
}

function isPrimary({ host, port }) {
  return new Promise((resolve) => {
    const asked = http.get({ host, port, path: '/primary', agent: false, timeout: 1000 }, (answer) => {
      answer.resume()
      resolve(answer.statusCode === 200)
    })
    asked.on('timeout', () => asked.destroy())
    asked.on('error', () => resolve(false))
  })
}

/** The answer whole; 'refused' where the request was not taken, 'broken off' where nobody knows. */
function send({ host, port }, { method, url, headers }, body) {
  return new Promise((resolve) => {
    const asked = http.request({ host, port, method, path: url, headers, agent: false }, (answer) => {
      const chunks = []
      answer.on('data', (chunk) => chunks.push(chunk))
      answer.on('error', () => resolve('broken off'))
      answer.on('end', () => {
        const { statusCode: status, headers: given } = answer
        resolve(status === 503 ? 'refused' : { status, headers: given, body: Buffer.concat(chunks) })
      })
    })
    asked.on('error', (error) => resolve(error.code === 'ECONNREFUSED' ? 'refused' : 'broken off'))
    asked.end(body)
  })
}
