// IP addresses with a port, as the options write them: '10.0.1.1:7401', '[fd00::1]:7401'. Names are refused: a link
// that needs a resolver fails with it.
import { isIPv4, isIPv6 } from 'node:net'

export interface Address {
  readonly host: string
  readonly port: number
}

/** Undefined for a text that is not an IP address and a port from 1 to 65535. */
export function parseAddress(text: string): Address | undefined {
  const parts = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text)
  if (parts === null) return undefined
  const [, v6, v4, digits] = parts
  const port = Number(digits)
  if (port < 1 || port > 65_535) return undefined
  if (v6 !== undefined) return isIPv6(v6) ? { host: v6, port } : undefined
  return v4 !== undefined && isIPv4(v4) ? { host: v4, port } : undefined
}

export function formatAddress({ host, port }: Address): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`
}

export function isLoopback({ host }: Address): boolean {
  return host === '::1' || (isIPv4(host) && host.startsWith('127.'))
}

/** 0.0.0.0 and ::, which mean every address of the machine. */
export function isWildcard({ host }: Address): boolean {
  return isIPv4(host) ? host === '0.0.0.0' : /^[0:.]*$/.test(host)
}

/** Whether two texts mean one IP address: IPv6 has many spellings, and a zone only says by which interface. */
export function isSameHost(a: string, b: string): boolean {
  return plainHost(a) === plainHost(b)
}

function plainHost(host: string): string {
  const bare = host.replace(/%.*$/, '')
  return isIPv6(bare) ? new URL(`http://[${bare}]`).hostname : bare
}

export function sameFamily(a: Address, b: Address): boolean {
  return isIPv4(a.host) === isIPv4(b.host)
}
