// Loopback addresses, 'host:port', as the options of `createNode` and `createCable` write them.
import { isIPv4 } from 'node:net'
import { ConfigError } from '../errors.ts'

/** One address, taken apart. */
export interface Address {
  readonly host: string
  readonly port: number
}

/** Takes 'host:port' or '[host]:port' apart; anything but a loopback IP address is refused with a `ConfigError`. */
export function parseAddress(option: string, text: string): Address {
  const colon = text.lastIndexOf(':')
  const host = text.slice(0, Math.max(colon, 0)).replace(/^\[(.*)\]$/, '$1')
  const port = /^\d{1,5}$/.test(text.slice(colon + 1)) ? Number(text.slice(colon + 1)) : 0
  if (!isLoopback(host) || port < 1 || port > 65_535) {
    throw new ConfigError(
      `${option}: '${text}' is not a loopback address; give '127.0.0.1:7401' or '[::1]:7401'`,
    )
  }
  return { host, port }
}

/** The text form of an address, as `parseAddress` reads it. */
export function formatAddress({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

function isLoopback(host: string): boolean {
  return host === '::1' || (isIPv4(host) && host.startsWith('127.'))
}
