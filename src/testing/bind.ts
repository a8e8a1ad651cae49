// Listening at loopback addresses.
import dgram from 'node:dgram'
import net from 'node:net'
import type { Address } from './address.ts'

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
