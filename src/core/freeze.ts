// A primary whose whole process stood still (SIGSTOP, a suspended machine) may have been replaced meanwhile. When its
// sync thread notices that it woke later than the detection bound, it shuts the gate until the peer has answered
// something said after the wake (what waits in the sockets is old), or the bound has passed without a better primary.
// What was written between waking and noticing cannot be taken back. The same while a primary of a later epoch is heard
// that does not make this one step down, or not yet (src/core/meeting.ts).
import type { Core } from './state.ts'

export class FreezeGuard {
  private readonly core: Core
  /** When the gate was shut; undefined while it is not. */
  private wokeAt: number | undefined

  constructor(core: Core) {
    this.core = core
  }

  /** This thread was to wake at `planned` and woke at `now`. */
  handleWake(planned: number, now: number): void {
    const { state, peer, boundMs } = this.core
    if (now - planned < boundMs || state.role !== 'primary' || !peer.alive) return
    // Frozen again before the last wake was answered: that answer would be old, too.
    if (!state.open && this.wokeAt === undefined) return
    this.core.count('frozen')
    this.shut(now)
  }

  /** Two primaries have yet to settle which of them stays: until then this one does not write below the other's epoch. */
  private get isOutranked(): boolean {
    const { state, peer } = this.core
    return peer.alive && peer.status?.role === 'primary' && peer.status.epoch > state.epoch
  }

  private shut(now: number): void {
    this.wokeAt = now
    this.core.act({ type: 'word', word: this.core.state.shutWord() })
  }

  /** Called after roles were decided: opens the gate again when this node is still the primary. */
  settle(now: number): void {
    const { state, links, peer, boundMs } = this.core
    // A reign has begun since, or a handover was called off: what shuts this gate from now on is not this guard.
    if (state.open) this.wokeAt = undefined
    if (state.role === 'primary' && state.open && this.isOutranked) this.shut(now)
    const wokeAt = this.wokeAt
    if (wokeAt === undefined) return
    const answered = links.some((link) => link.echoed >= wokeAt)
    if (!answered && peer.alive && now - wokeAt < boundMs) return
    if (state.role === 'primary' && this.isOutranked) return
    this.wokeAt = undefined
    if (state.role !== 'primary' || state.open) return
    const word = state.openWord()
    this.core.act({ type: 'word', word })
    this.core.post({ type: 'resume', word })
  }
}
