// The server behind the `admin` option: routes, and what bounds them. It knows the node by its public face only, and
// whatever happens here stays here: a request that goes wrong is answered 500 and the node goes on.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { clearTimeout, setTimeout } from 'node:timers'
import type { HoldfastNode, RoleEvent } from '../index.ts'
import { PROMETHEUS_TYPE } from '../metrics/index.ts'
import { ACTION_PATHS, Actions } from './actions.ts'
import { type Answer, json, Refusal, send } from './answers.ts'
import { checkSource, checkToken } from './guard.ts'
import { listen } from './listening.ts'
import { pageAsset } from './page.ts'
import type { AdminSettings } from './settings.ts'
import { Streams } from './streams.ts'
import { type Verdict, View } from './view.ts'

const CONNECTIONS_MAX = 64
/** A chunk of a socket is read to its end before anything else runs: without a bound, one full of requests holds the thread. */
const REQUESTS_PER_CONNECTION_MAX = 32
const HEADER_BYTES_MAX = 8192
const REQUEST_TIMEOUT_MS = 10_000
/** How long what was said last may take to leave at the end. */
const END_TIMEOUT_MS = 500

/** @throws ConfigError it cannot listen */
export async function openAdmin(settings: AdminSettings): Promise<AdminServer> {
  const admin = new AdminServer(settings)
  await admin.listen()
  return admin
}

export class AdminServer {
  address = ''
  readonly refusals: Record<string, number> = {}
  private readonly settings: AdminSettings
  private readonly server: Server
  private readonly sockets = new Set<Socket>()
  private view: View | undefined
  private streams: Streams | undefined
  private actions: Actions | undefined
  private closed: Promise<void> | undefined

  constructor(settings: AdminSettings) {
    this.settings = settings
    const bounds = {
      maxHeaderSize: HEADER_BYTES_MAX,
      requestTimeout: REQUEST_TIMEOUT_MS,
      // How often that is looked at; by itself every half minute.
      connectionsCheckingInterval: 1_000,
      headersTimeout: REQUEST_TIMEOUT_MS,
    }
    this.server = createServer(bounds, (request, response) => void this.handle(request, response))
    this.server.maxRequestsPerSocket = REQUESTS_PER_CONNECTION_MAX
    // The last answer says `connection: close`; only who does not wait for answers asks on.
    this.server.on('dropRequest', (_, socket) => {
      this.count('admin-requests')
      socket.destroy()
    })
    this.server.on('connection', (socket) => this.handleConnection(socket))
    this.server.on('clientError', (_, socket) => {
      this.count('admin-malformed')
      socket.destroy()
    })
  }

  async listen(): Promise<void> {
    this.address = await listen(this.server, this.settings)
    // From here on nothing that goes wrong with the port may end the process.
    this.server.on('error', () => this.count('admin-server'))
  }

  serve(node: HoldfastNode): void {
    const view = new View(node)
    this.view = view
    this.actions = new Actions(node)
    this.streams = new Streams(
      node,
      () => view.status(),
      (refused) => this.count(refused),
      (name, event) => {
        if (name === 'role') view.told = (event as RoleEvent).role
      },
    )
  }

  /** Frees the port. What is being answered has half a second to leave. */
  close(): Promise<void> {
    this.closed ??= new Promise((resolve) => {
      const late = setTimeout(() => {
        for (const socket of this.sockets) socket.destroy()
      }, END_TIMEOUT_MS)
      this.server.close(() => {
        clearTimeout(late)
        resolve()
      })
      this.streams?.close()
      this.server.closeIdleConnections?.()
    })
    return this.closed
  }

  private count(refused: string): void {
    this.refusals[refused] = (this.refusals[refused] ?? 0) + 1
  }

  private handleConnection(socket: Socket): void {
    if (this.sockets.size >= CONNECTIONS_MAX) {
      this.count('admin-connections')
      socket.destroy()
      return
    }
    this.sockets.add(socket)
    socket.on('close', () => this.sockets.delete(socket))
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // A client that goes away is no news.
    response.on('error', () => {})
    try {
      checkSource(request, this.settings)
      const answer = await this.route(request, response)
      if (answer !== undefined) send(response, answer)
    } catch (error) {
      const isRefusal = error instanceof Refusal
      this.count(isRefusal ? error.refused : 'admin-failed')
      if (response.headersSent) response.destroy()
      else if (isRefusal) send(response, error.answer())
      else send(response, json(500, { error: { code: 'admin-failed', message: String(error) } }))
    }
  }

  /** Undefined: what was asked for answers by itself. */
  private route(request: IncomingMessage, response: ServerResponse): Answer | Promise<Answer> | undefined {
    const path = (request.url ?? '/').replace(/\?.*$/s, '')
    const { view, streams, actions } = this
    if (view === undefined || streams === undefined || actions === undefined) {
      throw new Refusal('admin-starting', 503, 'this node is being started; ask again')
    }
    if (ACTION_PATHS.includes(path)) {
      allow(request, ['POST'])
      checkToken(request, this.settings.token)
      return actions.run(path, request)
    }
    switch (path) {
      case '/status':
        allow(request, ['GET', 'HEAD'])
        return json(200, view.status())
      case '/metrics':
        allow(request, ['GET', 'HEAD'])
        return { status: 200, type: PROMETHEUS_TYPE, body: view.metrics() }
      case '/alive':
        allow(request, ['GET', 'HEAD'])
        return json(200, { ok: true })
      case '/ready':
        allow(request, ['GET', 'HEAD'])
        return verdict(view.ready())
      case '/primary':
        allow(request, ['GET', 'HEAD'])
        return verdict(view.primary())
      case '/events':
        allow(request, ['GET'])
        streams.add(response)
        return undefined
    }
    const asset = pageAsset(path)
    if (asset === undefined)
      throw new Refusal('admin-route', 404, `${path} asked for; /routes lists what there is`)
    allow(request, ['GET', 'HEAD'])
    return { status: 200, ...asset }
  }
}

function verdict(given: Verdict): Answer {
  return json(given.ok ? 200 : 503, given)
}

function allow({ method = '' }: IncomingMessage, methods: readonly string[]): void {
  if (methods.includes(method)) return
  const allowed = methods.join(', ')
  throw new Refusal('admin-method', 405, `${method} given; allowed: ${allowed}`, { allow: allowed })
}
