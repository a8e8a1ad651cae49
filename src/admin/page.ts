// The live page and the list of routes, by the path asked for. Also the subpath holdfast/page: whoever has a server of
// his own serves the page from there (examples/demo does).
import { PAGE_FILES } from './page-files.ts'

const ROUTES = `holdfast

GET  /                      the live page
GET  /routes                this list
GET  /status                what this node knows, as JSON
GET  /events                the same as it changes, and what happens (server-sent events)
GET  /metrics               the same for Prometheus
GET  /alive                 200 while this node runs
GET  /ready                 200: a synced secondary, or a primary that acts; 503 and the reason otherwise
GET  /primary               200 only while this node may act
POST /actions/handover      gives the role to the secondary
POST /actions/maintenance   { "on": true } keeps this node from being primary
POST /actions/resync        has everything compared anew
POST /actions/verify        proves that both nodes hold the same

Actions want authorization: Bearer <admin.token>.
`

/** A file of the page. */
export interface PageAsset {
  /** Its content-type. */
  readonly type: string
  readonly body: string | Uint8Array
}

/**
 * To be sent with every file of the page, and with every other answer of the same server: the page brings all it needs,
 * runs no inline script, loads nothing from elsewhere, and nobody frames it.
 */
export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  'cache-control': 'no-store',
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
}

/**
 * What the live page consists of. It asks its server for `/events`, with the events of a node's own admin server.
 * @param path of the URL, without its query: '/' is the page
 * @returns undefined: there is nothing at this path
 * @example
 * const asset = pageAsset('/')
 * response.writeHead(200, { ...PAGE_HEADERS, 'content-type': asset.type }).end(asset.body)
 */
export function pageAsset(path: string): PageAsset | undefined {
  if (path === '/routes') return { type: 'text/plain; charset=utf-8', body: ROUTES }
  const name = path === '/' ? '/index.html' : path
  return Object.hasOwn(PAGE_FILES, name) ? PAGE_FILES[name] : undefined
}
