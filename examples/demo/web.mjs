// The page of the demonstration: Holdfast's live page, what it is to show, and the buttons that a real node does not
// have. On the loopback only; a request from another site, or for another host, is refused.
import { createServer } from 'node:http'
import { PAGE_HEADERS, pageAsset } from 'holdfast/page'
import { Acts } from './acts.mjs'

const TELL_MS = 250
const BODY_BYTES_MAX = 1024
const STREAMS_MAX = 8
const UNREAD_BYTES_MAX = 1 << 20
const HOST = '127.0.0.1'

/**
 * Serves the page for a cluster.
 * @param {import('./cluster.mjs').Cluster} cluster
 * @param {number} port 0: the system chooses
 * @returns {Promise<string>} its address
 */
export async function serveWeb(cluster, port) {
  const acts = new Acts(cluster)
  const streams = new Set()
  const server = createServer((request, response) => {
    answer(request, response).catch((error) => {
      if (response.headersSent) response.destroy()
      else plain(response, 500, error.message)
    })
  })

  async function answer(request, response) {
    if (!isOwn(request)) return plain(response, 403, `open the page at http://${request.socket.localAddress}`)
    const path = request.url.replace(/\?.*$/s, '')
    if (path === '/acts' && request.method === 'POST') return press(request, response)
    if (request.method !== 'GET') return plain(response, 405, 'allowed: GET, and POST /acts')
    if (path === '/events') return open(response)
    const asset = pageAsset(path)
    if (!asset) return plain(response, 404, 'nothing here')
    response.writeHead(200, { ...PAGE_HEADERS, 'content-type': asset.type }).end(asset.body)
  }

  async function press(request, response) {
    const asked = await readJson(request)
    if (!Acts.isKnown(asked)) return plain(response, 400, 'no such act')
    await acts.press(asked)
    response.writeHead(204, PAGE_HEADERS).end()
  }

  function open(response) {
    if (streams.size >= STREAMS_MAX) return plain(response, 503, `${STREAMS_MAX} pages are open; close one`)
    response.writeHead(200, { ...PAGE_HEADERS, 'content-type': 'text/event-stream' })
    response.write(`retry: 1000\n\n${frame(picture(cluster, acts))}`)
    streams.add(response)
    response.on('close', () => streams.delete(response))
  }

  setInterval(() => {
    if (streams.size === 0) return
    const text = frame(picture(cluster, acts))
    for (const response of streams) {
      if (response.writableLength > UNREAD_BYTES_MAX) response.destroy()
      else response.write(text)
    }
  }, TELL_MS)

  await new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, HOST, resolve)
  })
  return `http://${HOST}:${server.address().port}/`
}

/** What the page shows. */
function picture(cluster, acts) {
  const { flows, status, state, heardAt, window, roles } = cluster
  const node = (id) => ({
    process: state[id],
    ageMs: performance.now() - heardAt[id],
    status: status[id] ?? null,
  })
  return {
    flows,
    nodes: { a: node('a'), b: node('b') },
    cables: cluster.cut,
    clients: { gapMs: Math.max(window.gapMsMax, window.openMsMax), openMs: window.openMsMax },
    roles: roles.slice(-64).map(({ at: _, wallAt, ...change }) => ({ ...change, at: wallAt })),
    act: acts.shown,
  }
}

const frame = (data) => `event: demo\ndata: ${JSON.stringify(data)}\n\n`

function plain(response, status, text) {
  response
    .writeHead(status, { ...PAGE_HEADERS, 'content-type': 'text/plain; charset=utf-8' })
    .end(`${text}\n`)
}

/** By a page of this server or by no page at all, under a name that no stranger's name server can point here. */
function isOwn({ headers, socket }) {
  const hosts = [HOST, 'localhost'].map((host) => `${host}:${socket.localPort}`)
  const { host, origin } = headers
  return hosts.includes(host) && (origin === undefined || origin === `http://${host}`)
}

async function readJson(request) {
  if (request.headers['content-type'] !== 'application/json') return undefined
  let text = ''
  for await (const chunk of request) {
    text += chunk
    if (text.length > BODY_BYTES_MAX) return undefined
  }
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
