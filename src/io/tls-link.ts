// Connections over TLS 1.3, mutual, with pinned certificates. Two checks, and both must hold: the library verifies that
// the peer owns the key of a certificate in `trust`, and the SHA-256 of that certificate is one of the pins. Names in
// certificates decide nothing. The client's side is open before the server has refused; only hello proves a connection.
import { X509Certificate } from 'node:crypto'
import type { Socket } from 'node:net'
import { clearTimeout, setTimeout } from 'node:timers'
import type { ConnectionOptions, SecureContextOptions, TLSSocket } from 'node:tls'
import { connect, createServer } from 'node:tls'
import { monotonicMs } from './clock.ts'
import { Door, HANDSHAKE_TIMEOUT_MS } from './door.ts'
import { pinOf, pinsOf } from './identity.ts'
import { DIAL_TIMEOUT_MS } from './plain-transport.ts'
import type { Transport } from './tcp-link.ts'
import { isSelfConnected } from './tcp-link.ts'
import type { Identity } from './thread-messages.ts'

export function tlsTransport(identity: Identity): Transport {
  const pins = pinsOf(identity.trust)
  const shared: SecureContextOptions = {
    cert: identity.cert,
    key: identity.key,
    ca: [...identity.trust],
    minVersion: 'TLSv1.3',
    maxVersion: 'TLSv1.3',
  }
  const servername = serverName(identity.trust[0]!)
  return {
    createServer(peer, onOpen, onRefused) {
      const door = new Door(peer, monotonicMs, onRefused)
      const server = createServer({
        ...shared,
        requestCert: true,
        rejectUnauthorized: true,
        // The door is quicker, and has a name for it.
        handshakeTimeout: 2 * HANDSHAKE_TIMEOUT_MS,
        noDelay: true,
      })
      server.on('connection', (raw: Socket) => door.enter(raw))
      server.on('secureConnection', (socket) => {
        door.leave(socket.remotePort)
        if (isPinned(socket, pins)) onOpen(socket)
        else {
          onRefused('tls-certificate')
          socket.destroy()
        }
      })
      server.on('tlsClientError', (error: NodeJS.ErrnoException, socket) => {
        if (error.code !== 'ECONNRESET') door.fail(socket.remotePort)
        socket.destroy()
      })
      return server
    },
    dial(from, to, onOpen, onFailed) {
      const socket = connect({
        ...shared,
        ...to,
        localAddress: from.host,
        rejectUnauthorized: true,
        servername,
        checkServerIdentity: () => undefined,
      } satisfies ConnectionOptions & { localAddress: string } as ConnectionOptions)
      socket.setNoDelay(true)
      let reason = 'dial-timeout'
      let reached = false
      const late = setTimeout(() => socket.destroy(), DIAL_TIMEOUT_MS)
      const failed = () => {
        clearTimeout(late)
        onFailed(reason === 'ECONNREFUSED' && !reached, reason)
      }
      const error = (cause: NodeJS.ErrnoException) => {
        reason = cause.code ?? cause.message
      }
      socket.once('connect', () => {
        reached = !isSelfConnected(socket)
        if (reached) return
        reason = 'ECONNREFUSED'
        socket.destroy()
      })
      socket.on('error', error)
      socket.once('close', failed)
      socket.once('secureConnect', () => {
        if (!isPinned(socket, pins)) {
          reason = 'certificate not trusted'
          socket.destroy()
          return
        }
        clearTimeout(late)
        socket.off('close', failed)
        socket.off('error', error)
        onOpen(socket)
      })
    },
  }
}

function isPinned(socket: TLSSocket, pins: ReadonlySet<string>): boolean {
  if (!socket.authorized || socket.getProtocol() !== 'TLSv1.3') return false
  const { raw } = socket.getPeerCertificate()
  return raw !== undefined && pins.has(pinOf(raw))
}

/** A name of the peer's certificate, for libraries that insist on one; '' if it has none. */
function serverName(pem: string): string {
  const names = new X509Certificate(pem).subjectAltName ?? ''
  return /(?:^|, )DNS:([^,\s"]+)/.exec(names)?.[1] ?? ''
}
