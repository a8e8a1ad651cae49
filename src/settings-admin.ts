// The checks of createNode's `admin` option. It is a door into the node, so it is narrow unless told otherwise.
import type { AdminSettings } from './admin/settings.ts'
import { isLoopback, parseAddress } from './io/address.ts'
import { checkNames, flag, isObject, refusal } from './option-kinds.ts'

const TOKEN_LENGTH = { least: 16, most: 256 }
const HOSTS_MAX = 16
/** What every system takes as the path of a socket, in bytes. */
const PATH_BYTES_MAX = 103

export function checkAdmin(admin: unknown): AdminSettings | undefined {
  if (admin === undefined) return undefined
  if (!isObject(admin)) throw refusal('admin', admin, "{ listen: '127.0.0.1:9470' }")
  checkNames('admin', admin, ['listen', 'token', 'open', 'hosts'])
  const open = flag('admin.open', admin.open ?? false)
  const { token } = admin
  return {
    listen: String(admin.listen),
    at: checkListen(admin.listen, open),
    token: token === undefined ? undefined : checkToken(token),
    hosts: checkHosts(admin.hosts ?? []),
  }
}

function checkListen(listen: unknown, open: boolean): AdminSettings['at'] {
  if (typeof listen === 'string' && listen.startsWith('/')) {
    const bytes = new TextEncoder().encode(listen).length
    if (bytes > PATH_BYTES_MAX)
      throw refusal('admin.listen', listen, `a path of at most ${PATH_BYTES_MAX} bytes`)
    return { path: listen }
  }
  // Port 0 is the system's choice here, where nobody has to know it beforehand.
  const isAnyPort = typeof listen === 'string' && listen.endsWith(':0')
  const text = isAnyPort ? listen.replace(/0$/, '1') : listen
  const address = typeof text === 'string' ? parseAddress(text) : undefined
  if (address === undefined) {
    const allowed = "an IP address and a port, as '127.0.0.1:9470', or the absolute path of a unix socket"
    throw refusal('admin.listen', listen, allowed)
  }
  if (!open && !isLoopback(address)) {
    const allowed =
      'a loopback address or the path of a unix socket; others with open: true, where whoever reaches it may read'
    throw refusal('admin.listen', listen, allowed)
  }
  return { host: address.host, port: isAnyPort ? 0 : address.port }
}

function checkToken(token: unknown): string {
  const { least, most } = TOKEN_LENGTH
  const isToken =
    typeof token === 'string' && token.length >= least && token.length <= most && /^[\x21-\x7e]+$/.test(token)
  // What was given is not shown: it may be nearly the right one.
  if (!isToken) {
    const given = typeof token === 'string' ? `${token.length} characters` : typeof token
    throw refusal('admin.token', given, `${least} to ${most} printable characters without spaces`)
  }
  return token
}

function checkHosts(hosts: unknown): readonly string[] {
  const isList =
    Array.isArray(hosts) && hosts.every((one) => typeof one === 'string' && /^[\w.-]{1,253}$/.test(one))
  if (!isList || hosts.length > HOSTS_MAX) {
    throw refusal('admin.hosts', hosts, `an array of at most ${HOSTS_MAX} host names without ports`)
  }
  return hosts.map((one: string) => one.toLowerCase())
}
