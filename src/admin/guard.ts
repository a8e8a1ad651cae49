// Who may ask. A server on the loopback is reached by every page in a browser of that machine, so a request must name a
// host that no stranger's name server can point here (an address, localhost, or a name that was configured), and must not
// come from another site. Actions want a token besides, compared in constant time.
import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import { Refusal } from './answers.ts'
import type { AdminSettings } from './settings.ts'

export function checkSource({ headers }: IncomingMessage, { at, hosts }: AdminSettings): void {
  const { host = '', origin } = headers
  // No browser opens a unix socket.
  if (!('path' in at) && !isKnownHost(host, hosts)) {
    const what = `host '${host}' asked for; allowed: an IP address, localhost, or a name of admin.hosts`
    throw new Refusal('admin-host', 403, what)
  }
  const site = headers['sec-fetch-site']
  const isForeign = origin !== undefined && !isSameHost(origin, host)
  const isStrange = site === 'cross-site' || site === 'same-site'
  if (isForeign || (isStrange && headers['sec-fetch-mode'] !== 'navigate')) {
    throw new Refusal(
      'admin-origin',
      403,
      `asked from another site, ${origin ?? 'not named'}; open the page of this server`,
    )
  }
}

function isKnownHost(host: string, hosts: readonly string[]): boolean {
  const name = nameOf(`http://${host}`)?.hostname.replace(/^\[(.*)\]$/, '$1')
  return name !== undefined && (isIP(name) !== 0 || name === 'localhost' || hosts.includes(name))
}

function isSameHost(origin: string, host: string): boolean {
  return nameOf(origin)?.host === host.toLowerCase()
}

function nameOf(text: string): URL | undefined {
  try {
    return new URL(text)
  } catch {
    return undefined
  }
}

export function checkToken({ headers }: IncomingMessage, token: string | undefined): void {
  if (token === undefined) {
    const what =
      'actions are off; start the node with admin: { token } and say it as authorization: Bearer <token>'
    throw new Refusal('admin-actions-off', 403, what)
  }
  const given = /^Bearer ([\x21-\x7e]+)$/i.exec(headers.authorization ?? '')?.[1]
  if (given === undefined || !timingSafeEqual(digest(given), digest(token))) {
    const what = given === undefined ? 'no token given' : 'a wrong token given'
    const help = `${what}; say admin.token of this node as authorization: Bearer <token>`
    throw new Refusal('admin-token', 401, help, { 'www-authenticate': 'Bearer' })
  }
}

/** Of one length, whatever is compared. */
function digest(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}
