// What the admin server shows to a browser, by the path asked for.

const ROUTES = `holdfast

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

/** Undefined: there is nothing at this path. */
export function pageAsset(
  path: string,
): { readonly type: string; readonly body: string | Uint8Array } | undefined {
  return path === '/' ? { type: 'text/plain; charset=utf-8', body: ROUTES } : undefined
}
