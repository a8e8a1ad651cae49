// Loopback addresses, 'host:port', as the options of `createNode` and `createCable` write them.
import dgram from 'node:dgram'
import net from 'node:net'
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
  return host === '::1' || (net.isIPv4(host) && host.startsWith('127.'))
}

// Below the range that systems hand out by themselves (Linux from 32768, others from 49152), so that a port keeps free
// while nobody has it bound: a cable's port is shut while the far node is down.
const PORT_FIRST = 15_000
const PORT_COUNT = 17_000
const TRIES = 200

/**
 * An address on 127.0.0.1 whose port is free for TCP and UDP at the moment of the call.
 * @throws ConfigError when 200 random ports between 15000 and 31999 were all taken
 */
export async function freeAddress(): Promise<string> {
  for (let tries = 0; tries < TRIES; tries++) {
    const address = { host: '127.0.0.1', port: PORT_FIRST + Math.floor(Math.random() * PORT_COUNT) }
    if ((await isFree(address, bindTcp)) && (await isFree(address, bindUdp))) return formatAddress(address)
  }
  throw new ConfigError(
    `freeAddress: ${TRIES} ports between ${PORT_FIRST} and ${PORT_FIRST + PORT_COUNT - 1} are taken`,
  )
}

async function isFree<T extends { close(done: () => void): unknown }>(
  address: Address,
  bind: (address: Address) => Promise<T>,
): Promise<boolean> {
  try {
    const bound = await bind(address)
    await new Promise<void>((done) => bound.close(done))
    return true
  } catch {
    return false
  }
}

/** A listening TCP server; rejects with the system's error when the address cannot be had. */
export function bindTcp({ host, port }: Address): Promise<net.Server> {
  return new Promise((resolve, reject) => {
    const server = net.createServer({ noDelay: true })
    server.once('error', reject)
    server.listen({ host, port, exclusive: true }, () => {
      server.off('error', reject)
      resolve(server)
    })
  })
}

/** A bound UDP socket; rejects with the system's error when the address cannot be had. */
export function bindUdp({ host, port }: Address): Promise<dgram.Socket> {
  return new Promise((resolve, reject) => {
    const socket = dgram.createSocket(net.isIPv6(host) ? 'udp6' : 'udp4')
    const failed = (error: Error) => {
      socket.close()
      reject(error)
    }
    socket.once('error', failed)
    socket.bind({ address: host, port, exclusive: true }, () => {
      socket.off('error', failed)
      resolve(socket)
    })
  })
}
