// A primary whose whole process stood still (SIGSTOP, a suspended machine) may have been replaced meanwhile. When its
// sync thread notices that it woke later than the detection bound, it shuts the gate until the peer has answered
// something said after the wake (what waits in the sockets is old), or the bound has passed without a better primary. One
// that was alone goes on, unless its peer turns out to have come back meanwhile.
// What was written between waking and noticing cannot be taken back. The same while a primary of a later epoch is heard
// that does not make this one step down, or not yet (src/core/meeting.ts).
import type { Core } from './state.ts'

export class FreezeGuard {
  private readonly core: Core
  /** When what may have happened meanwhile began to be asked; undefined: nothing is asked. */
  private wokeAt: number | undefined
  /** Of the reign that is in question. */
  private epoch = 0
  /** Shut here, and not for a handover, say. */
  private isShut = false

  constructor(core: Core) {
    this.core = core
  }

  /** This thread was to wake at `planned` and woke at `now`. */
  handleWake(planned: number, now: number): void {
    const { state, boundMs } = this.core
    if (now - planned < boundMs || state.role !== 'primary') return
    this.core.count('frozen')
    this.ask(now)
  }

  /** Two primaries have yet to settle which of them stays: until then this one does not write below the other's epoch. */
  private get isOutranked(): boolean {
    const { state, peer } = this.core
    return peer.alive && peer.status?.role === 'primary' && peer.status.epoch > state.epoch
  }

  private ask(now: number): void {
    this.wokeAt = now
    this.epoch = this.core.state.epoch
    if (this.core.peer.alive) this.hold()
  }

  /** A gate that is shut for a handover is left to it; should that be called off, this is called again. */
  private hold(): void {
    const { state } = this.core
    if (!state.open) return
    this.isShut = true
    this.core.act({ type: 'word', word: state.shutWord() })
  }

  /** Called after roles were decided: opens the gate again when this node is still the primary. */
  settle(now: number): void {
    const { state, links, peer, boundMs } = this.core
    if (state.role === 'primary' && state.open && this.isOutranked) this.ask(now)
    const wokeAt = this.wokeAt
    if (wokeAt === undefined) return
    if (state.role === 'primary' && state.epoch === this.epoch) {
      const answered = links.some((link) => link.echoed >= wokeAt)
      const isAsking = !answered && now - wokeAt < boundMs
      if ((isAsking && peer.alive) || this.isOutranked) {
        this.hold()
        return
      }
      if (this.isShut) this.open()
      if (isAsking) return
    }
    this.wokeAt = undefined
    this.isShut = false
  }

  private open(): void {
    this.isShut = false
    const word = this.core.state.openWord()
    this.core.act({ type: 'word', word })
    this.core.post({ type: 'resume', word })
  }
}
