// What the application asked for and waits on: promote and close.
import { FrameType } from '../wire/constants.ts'
import { encodeStatusFrame } from '../wire/control.ts'
import { NO_LINEAGE } from '../wire/status.ts'
import type { Handover } from './handover.ts'
import type { Leasing } from './leasing.ts'
import type { ToSync } from './messages.ts'
import { HANDOVER_TIMEOUT_MS } from './options.ts'
import type { Roles } from './roles.ts'
import type { Core } from './state.ts'

export class Requests {
  private readonly core: Core
  private readonly roles: Roles
  private readonly handover: Handover
  private readonly leasing: Leasing
  /** `alone`: to be done without the peer, as soon as its epoch is on disk and the lease, if there is one, is held. */
  private promotes: { request: number; since: number; force: boolean; alone: boolean }[] = []
  private closing: { request: number; since: number } | undefined

  constructor(core: Core, roles: Roles, handover: Handover, leasing: Leasing) {
    this.core = core
    this.roles = roles
    this.handover = handover
    this.leasing = leasing
  }

  handlePromote(request: number, force: boolean, now: number): void {
    const { state, peer, options } = this.core
    if (state.role === 'primary') {
      if (force) state.forced = true
      this.core.post({ type: 'result', request })
    } else if (state.role === 'stopped') {
      this.refuse(request, 'the node is closed')
    } else if (peer.alive && state.maintenance) {
      this.refuse(
        request,
        `node '${options.id}' is in maintenance and node '${options.peer}' is alive; call maintenance(false) first`,
      )
    } else if (peer.alive && !this.leasing.isWithinReach(now)) {
      this.refuse(
        request,
        `node '${options.id}' does not reach the witness and node '${options.peer}' is alive`,
      )
    } else if (peer.alive) {
      this.promotes.push({ request, since: now, force, alone: false })
      this.roles.claimByOperator(now)
    } else if (!state.complete && !force) {
      const missing = state.lineage === NO_LINEAGE ? 'it holds no state' : 'its state is incomplete'
      this.refuse(
        request,
        `node '${options.id}' is not synced: ${missing}; promote({ force: true }) does it anyway`,
      )
    } else {
      // The operator knows what the witness cannot tell now.
      if (force && !this.leasing.isWithinReach(now)) this.leasing.force(now)
      this.promotes.push({ request, since: now, force, alone: true })
      this.settle(now)
    }
  }

  /** What this node wants of its role. The peer hears it at once; what follows from it is decided as ever. */
  handleWish(message: Extract<ToSync, { type: 'unforce' | 'maintenance' }>, now: number): void {
    const { state } = this.core
    if (message.type === 'maintenance') state.maintenance = message.on
    if (message.type === 'unforce' || message.on) state.forced = false
    this.core.broadcast(encodeStatusFrame(FrameType.KEEPALIVE, this.core.statusAt(now)), now)
    this.core.post({ type: 'result', request: message.request })
  }

  handleClose(request: number, now: number): void {
    if (this.closing !== undefined) return
    this.closing = { request, since: now }
    if (this.core.state.role === 'primary') this.handover.begin('handover', undefined, now)
    this.settle(now)
  }

  handleTick(now: number): void {
    const { options } = this.core
    const boundMs = Math.max(HANDOVER_TIMEOUT_MS, 2 * options.leaseMs)
    const late = this.promotes.filter(({ since }) => now - since >= boundMs)
    this.promotes = this.promotes.filter((promote) => !late.includes(promote))
    const missing = this.leasing.isMissing(now)
      ? `node '${options.id}' did not get the lease of the witness within ${boundMs} ms`
      : `the state file of node '${options.id}' could not be written within ${boundMs} ms; see its error events`
    for (const { request, alone } of late) {
      this.refuse(
        request,
        alone ? missing : `node '${options.peer}' is alive and did not hand over within ${boundMs} ms`,
      )
    }
    if (this.promotes.some(({ alone }) => !alone)) this.roles.claimByOperator(now)
  }

  /** Answers what has come true. */
  settle(now: number): void {
    const { state, peer } = this.core
    const alone = this.promotes.find((promote) => promote.alone)
    if (alone !== undefined && !peer.alive) this.roles.takeAlone(alone.since, now)
    if (state.role === 'primary') {
      for (const { request, force } of this.promotes.splice(0)) {
        if (force) state.forced = true
        this.core.post({ type: 'result', request })
      }
    }
    if (this.closing === undefined || state.role === 'stopped') return
    if (this.handover.isRunning && state.role === 'primary') return
    this.core.broadcast(encodeStatusFrame(FrameType.GOODBYE, this.core.statusAt(now)), now)
    this.roles.stop(now)
    this.core.post({ type: 'result', request: this.closing.request })
    this.core.act({ type: 'stop' })
  }

  private refuse(request: number, message: string): void {
    this.core.post({ type: 'result', request, error: { code: 'ERR_PROMOTE', message } })
  }
}
