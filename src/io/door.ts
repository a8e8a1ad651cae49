// Who may knock on the TCP port of a link. Only the peer's address is heard at all, and even from there no more handshakes
// are begun at once, or in a second, than a pair can need: a handshake is the dearest thing a stranger can ask for, and
// heartbeats share the thread with it. Nothing here proves anybody; that is TLS's part, and hello's.
import type { Socket } from 'node:net'
import { clearTimeout, setTimeout } from 'node:timers'
import { type Address, isSameHost } from './address.ts'
import type { Clock } from './clock.ts'

/** Handshakes at once; one more ends the oldest, so that idle strangers cannot keep the peer out. */
export const HANDSHAKES_MAX = 8
/** How long a handshake may take, ms. */
export const HANDSHAKE_TIMEOUT_MS = 5_000
/** Handshakes in a second, and as many in one burst. WireGuard's bound on the same (messages.h, INITIATIONS_PER_SECOND). */
export const HANDSHAKES_PER_SECOND = 50

/** Names under which what is turned away is counted. */
export type DoorRefusal = 'tcp-address' | 'tls-rate' | 'tls-too-many' | 'tls-late' | 'tls-handshake'

interface Visit {
  readonly socket: Socket
  readonly late: NodeJS.Timeout
}

export class Door {
  private readonly peer: Address
  private readonly clock: Clock
  private readonly refused: (reason: DoorRefusal) => void
  /** By the visitor's port: all of them have one address. */
  private readonly visits = new Map<number, Visit>()
  private allowance = HANDSHAKES_PER_SECOND
  private allowedAt: number

  constructor(peer: Address, clock: Clock, refused: (reason: DoorRefusal) => void) {
    this.peer = peer
    this.clock = clock
    this.refused = refused
    this.allowedAt = clock()
  }

  /** Whether a connection comes from the peer's address; one that does not is ended and counted. */
  knows(socket: Socket): boolean {
    if (socket.remoteAddress !== undefined && isSameHost(socket.remoteAddress, this.peer.host)) return true
    return this.turnAway(socket, 'tcp-address')
  }

  /** A handshake begins; false: it does not, and the connection was ended. `leave` says that it succeeded. */
  enter(socket: Socket): boolean {
    if (!this.knows(socket)) return false
    if (!this.takeAllowance()) return this.turnAway(socket, 'tls-rate')
    const port = socket.remotePort!
    const late = setTimeout(() => this.end(port, 'tls-late'), HANDSHAKE_TIMEOUT_MS)
    late.unref()
    const visit = { socket, late }
    this.visits.set(port, visit)
    socket.once('close', () => {
      if (this.visits.get(port) !== visit) return
      this.forget(port)
      // Said nothing and went: a probe, which is nothing to worry about and costs nothing.
      if (socket.bytesRead > 0) this.refused('tls-handshake')
      else this.allowance = Math.min(this.allowance + 1, HANDSHAKES_PER_SECOND)
    })
    if (this.visits.size > HANDSHAKES_MAX) this.end(this.visits.keys().next().value!, 'tls-too-many')
    return true
  }

  /** The handshake from this port of the peer's address is over and well. */
  leave(port: number | undefined): void {
    if (port !== undefined) this.forget(port)
  }

  /**
   * The handshake from this port broke a rule. (The end of a connection tells as much where it tells how much was read;
   * on Bun it does not, so there one that was begun and given up counts as a probe.)
   */
  fail(port: number | undefined): void {
    if (port !== undefined) this.end(port, 'tls-handshake')
  }

  private forget(port: number): void {
    clearTimeout(this.visits.get(port)?.late)
    this.visits.delete(port)
  }

  private end(port: number, reason: DoorRefusal): void {
    const visit = this.visits.get(port)
    if (visit === undefined) return
    this.forget(port)
    this.turnAway(visit.socket, reason)
  }

  private turnAway(socket: Socket, reason: DoorRefusal): false {
    this.refused(reason)
    socket.destroy()
    return false
  }

  private takeAllowance(): boolean {
    const now = this.clock()
    const grown = this.allowance + ((now - this.allowedAt) / 1_000) * HANDSHAKES_PER_SECOND
    this.allowance = Math.min(grown, HANDSHAKES_PER_SECOND)
    this.allowedAt = now
    if (this.allowance < 1) return false
    this.allowance--
    return true
  }
}
