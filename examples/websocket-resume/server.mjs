// A WebSocket server whose clients' sessions survive it. A connection ends with its process; what it was about does not: the
// client connects again, to the other node, shows its token, is told what was taken, and sends the rest.
import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import { createNode, defineTable, string } from 'holdfast'
import { WebSocketServer } from 'ws'

const CLOSE_GOING_ELSEWHERE = 1012 // "service restart": connect again
const CLOSE_BAD_MESSAGE = 1008
const CLOSE_TAKEN_OVER = 4001
const MESSAGE_BYTES_MAX = 1024

/** The sessions: one for each client, by a token that only the client knows. */
export function clientTable(capacity) {
  return defineTable({
    name: 'clients',
    key: { token: string(22) },
    fields: {
      user: string(32),
      taken: 'u53', // number of the last message that was taken
      total: 'u53', // what all of them added up to
    },
    capacity,
    timeout: 3600, // seconds without a message
  })
}

/**
 * Starts a server; it takes connections whenever its node is primary.
 * @param {{ listen: { host: string, port: number }, capacity?: number }} options and those of `createNode`, without
 *   `tables`
 */
export async function startServer({ listen, capacity = 10_000, ...nodeOptions }) {
  const node = await createNode({ ...nodeOptions, tables: { clients: clientTable(capacity) } })
  const server = new Server(node)
  try {
    await server.listen(listen)
  } catch (error) {
    await node.close()
    throw error
  }
  return server
}

class Server {
  #http = createServer((_, response) => response.writeHead(426).end('a WebSocket is wanted here\n'))
  #sockets = new WebSocketServer({ noServer: true, maxPayload: MESSAGE_BYTES_MAX })
  /** The connection of each token that has one: a session has one at a time. */
  #connected = new Map()

  constructor(node) {
    this.node = node
    this.clients = node.tables.clients
    this.#http.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head))
    // Whoever is connected to a node that may no longer write is sent away; the other node is already there.
    node.on('role', ({ role }) => {
      if (role !== 'primary') this.#sendAway()
    })
  }

  listen({ host, port }) {
    return new Promise((resolve, reject) => {
      this.#http.once('error', reject)
      this.#http.listen(port, host, resolve)
    })
  }

  async close() {
    this.#http.close()
    await this.node.close() // a primary hands over first
    this.#sendAway()
    this.#http.closeAllConnections()
  }

  #upgrade(request, socket, head) {
    if (this.node.role !== 'primary') {
      socket.end('HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n\r\n')
      return
    }
    this.#sockets.handleUpgrade(request, socket, head, (ws) => this.#welcome(ws, request))
  }

  #sendAway() {
    for (const ws of this.#sockets.clients) ws.close(CLOSE_GOING_ELSEWHERE, 'connect again')
  }

  /** A known token goes on where it was; anything else gets a session of its own. */
  async #welcome(ws, request) {
    const { searchParams } = new URL(request.url, 'ws://server')
    try {
      const shown = searchParams.get('token') ?? ''
      const known = shown.length === 22 && this.clients.has({ token: shown })
      const token = known ? shown : randomBytes(16).toString('base64url')
      if (!known) this.clients.set({ token }, { user: (searchParams.get('user') ?? '').slice(0, 8) })
      const { taken, total } = this.clients.get({ token })
      this.#connected.get(token)?.close(CLOSE_TAKEN_OVER, 'connected elsewhere')
      this.#connected.set(token, ws)
      ws.on('message', (data) => this.#take(ws, token, data))
      ws.on('close', () => {
        if (this.#connected.get(token) === ws) this.#connected.delete(token)
      })
      await this.#tell(ws, {
        type: 'welcome',
        node: this.node.id,
        pid: process.pid,
        token,
        known,
        taken,
        total,
      })
    } catch (error) {
      this.#fail(ws, error)
    }
  }

  /** Takes a message once, however often it is sent, and says so when the other node knows it too. */
  async #take(ws, token, data) {
    try {
      const { n, add } = JSON.parse(String(data))
      const session = this.clients.get({ token })
      if (
        !session ||
        !Number.isSafeInteger(n) ||
        !Number.isSafeInteger(add) ||
        add < 0 ||
        n > session.taken + 1
      ) {
        ws.close(CLOSE_BAD_MESSAGE, 'no session, or no message number that follows')
        return
      }
      if (n === session.taken + 1) {
        session.taken = n
        session.total += add
      }
      const { taken, total } = session
      await this.#tell(ws, { type: 'taken', taken, total })
    } catch (error) {
      this.#fail(ws, error)
    }
  }

  // Nothing is said before the secondary has received it; where there is none, that is said too.
  async #tell(ws, message) {
    const { held } = await this.node.replicated({ alone: 'resolve' })
    if (ws.readyState === ws.OPEN) ws.send(JSON.stringify({ ...message, held }))
  }

  #fail(ws, error) {
    // No longer primary, or no room: another node or another time.
    if (['ERR_NOT_PRIMARY', 'ERR_TABLE_FULL', 'ERR_CLOSED'].includes(error.code)) {
      ws.close(CLOSE_GOING_ELSEWHERE, 'connect again')
    } else ws.close(CLOSE_BAD_MESSAGE, 'not understood')
  }
}
