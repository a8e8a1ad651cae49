// Connections without TLS, for `insecure: true`: every address is on the loopback, which src/settings.ts has checked.
import { connect, createServer } from 'node:net'
import { clearTimeout, setTimeout } from 'node:timers'
import { monotonicMs } from './clock.ts'
import { Door } from './door.ts'
import type { Transport } from './tcp-link.ts'
import { isSelfConnected } from './tcp-link.ts'

/** How long a dial may take before it counts as failed; the core dials again. */
export const DIAL_TIMEOUT_MS = 2_000

export const plainTransport: Transport = {
  createServer(peer, onOpen, onRefused) {
    const door = new Door(peer, monotonicMs, onRefused)
    return createServer({ noDelay: true }, (socket) => {
      if (door.knows(socket)) onOpen(socket)
    })
  },
  dial(from, to, onOpen, onFailed) {
    const socket = connect({ ...to, localAddress: from.host, noDelay: true })
    let reason = 'dial-timeout'
    const late = setTimeout(() => socket.destroy(), DIAL_TIMEOUT_MS)
    const failed = () => {
      clearTimeout(late)
      onFailed(reason === 'ECONNREFUSED', reason)
    }
    const error = (cause: NodeJS.ErrnoException) => {
      reason = cause.code ?? cause.message
    }
    socket.on('error', error)
    socket.once('close', failed)
    socket.once('connect', () => {
      if (isSelfConnected(socket)) {
        reason = 'ECONNREFUSED'
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
