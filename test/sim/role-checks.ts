// Who may act, and when: epochs are opened once and never fall, a grant binds, two nodes act at once only when a fault
// could have split them, and nobody takes over from a peer it could hear.
import type { Action } from '../../src/core/actions.ts'
import type { FromSync } from '../../src/core/messages.ts'
import type { FaultBook } from './faultbook.ts'
import { counterOf, epochOf, GRANT, typeOf } from './frames.ts'
import type { History } from './history.ts'
import { inside, isForced, lastCounter } from './inside.ts'
import type { LineageChecks } from './lineage-checks.ts'
import type { SimProcess } from './process.ts'
import { Violation } from './world.ts'

type RoleMessage = Extract<FromSync, { type: 'role' }>

/** Reasons that need nobody's consent, each with what must have happened. */
const ONE_SIDED = ['peer-died', 'peer-silent', 'alone', 'lease-regained']
/** Reasons for which the other node may still act for a while. */
const SPLIT = [...ONE_SIDED, 'operator', 'older-lineage', 'peer-left']

const ROUNDING_MS = 0.01

interface Known {
  epoch: number
  lineage: string
  granted: number
  reason: string
  /** Of the peer's last status. */
  peer: string
  peerUptimeMs: number
  readonly counters: [number, number]
}

export class RoleChecks {
  private readonly history: History
  private readonly lineages: LineageChecks
  private readonly faults: FaultBook
  private readonly openedBy = new Map<number, string>()
  /** Highest epoch each node has opened, over all its processes. */
  readonly highest: [number, number] = [0, 0]
  private readonly known = new Map<SimProcess, Known>()
  /** A node whose time without its peer may have a reason is one that saw none of it for this long, ms. */
  private readonly windowMs: number
  /** Changes to primary, by reason. */
  readonly promotions = new Map<string, number>()
  /** When the last role changed. */
  changedAt = 0
  private readonly processes: () => readonly SimProcess[]

  constructor(
    history: History,
    lineages: LineageChecks,
    faults: FaultBook,
    windowMs: number,
    processes: () => readonly SimProcess[],
  ) {
    this.history = history
    this.lineages = lineages
    this.faults = faults
    this.windowMs = windowMs
    this.processes = processes
  }

  private of(process: SimProcess): Known {
    let known = this.known.get(process)
    if (known === undefined) {
      known = {
        epoch: 0,
        lineage: '',
        granted: 0,
        reason: 'none',
        peer: '',
        peerUptimeMs: 0,
        counters: [0, 0],
      }
      this.known.set(process, known)
    }
    return known
  }

  handleActions(process: SimProcess, actions: readonly Action[]): void {
    const known = this.of(process)
    for (const action of actions) {
      if (action.type === 'post' && action.message.type === 'role') this.handleRole(process, action.message)
      else if (action.type === 'send' && typeOf(action.bytes) === GRANT) {
        known.granted = Math.max(known.granted, epochOf(action.bytes))
      } else if (action.type === 'word' && (action.word & 3) === 1)
        this.handleOpen(process, action.word, actions)
    }
    demandShut(process, actions)
    this.checkPeer(process, known)
    this.checkEpoch(process, known)
  }

  private checkEpoch(process: SimProcess, known: Known): void {
    const { epoch, lineage } = process.core.state
    if (lineage === known.lineage && epoch < known.epoch) {
      throw new Violation(`${process.name}: epoch fell from ${known.epoch} to ${epoch} within its lineage`)
    }
    known.epoch = epoch
    known.lineage = lineage
  }

  /** What the peer says of itself overtakes on two links: what is older must not be believed. */
  private checkPeer({ name, core }: SimProcess, known: Known): void {
    const { incarnation, status } = core.peer
    if (status === undefined) return
    for (const link of [0, 1] as const) {
      const counter = lastCounter(core, link)
      if (incarnation === known.peer && counter < known.counters[link]) {
        throw new Violation(`${name} takes an old heartbeat for life`)
      }
      known.counters[link] = counter
    }
    if (incarnation === known.peer && status.uptimeMs < known.peerUptimeMs) {
      throw new Violation(`${name} believes a status that is older than the one it had`)
    }
    known.peer = incarnation
    known.peerUptimeMs = status.uptimeMs
  }

  private handleRole(process: SimProcess, message: RoleMessage): void {
    const { world, name } = process
    const { role, epoch, reason } = message
    world.note(epoch, () => `${name} ${role} of epoch ${epoch}, lineage ${message.lineage}: ${reason}`)
    this.changedAt = world.now
    this.of(process).reason = reason
    if (reason === 'older-lineage' && role === 'secondary') {
      const peer = this.processes().find((other) => other.node !== process.node)
      this.lineages.handleDemoted(process, message.lineage, peer)
    }
    if (role !== 'primary') return
    this.promotions.set(reason, (this.promotions.get(reason) ?? 0) + 1)
    world.count(`primary: ${reason}`)
    this.handleOpened(process, epoch)
    if (reason === 'chosen') this.lineages.chosen.add(message.lineage)
    this.history.birthOf(message.lineage, world.now)
    if (ONE_SIDED.includes(reason) || reason === 'peer-left') {
      if (process.plan.core.mode === 'manual')
        throw new Violation(`${name} took over by itself in manual mode`)
    }
    if (ONE_SIDED.includes(reason)) this.demandExcuse(process, reason)
    // Under a witness the verdict waits for the lease, and what has come since is read then.
    const isVerdict =
      (reason === 'peer-died' || reason === 'peer-silent') && process.plan.core.mode !== 'witness'
    if (isVerdict) this.demandRead(process, reason)
    const { interval, lost } = process.plan.core
    if (isVerdict && reason === 'peer-silent' && message.durationMs < interval * (lost + 0.5) - ROUNDING_MS) {
      throw new Violation(`${name} calls its peer silent after ${message.durationMs.toFixed(0)} ms`)
    }
  }

  /** Whatever stood still, and for how long: nobody takes over while a heartbeat of a living peer waits in a socket. */
  private demandRead(process: SimProcess, reason: string): void {
    const peer = this.processes().find((other) => other.node !== process.node)
    if (peer?.incarnation !== process.core.peer.incarnation) return
    const { counters } = inside(process.core)
    for (const { sender, link, bytes } of process.thread.unread()) {
      if (!peer.isHost(sender) || counterOf(bytes) <= counters[link]!) continue
      throw new Violation(
        `${process.name} became primary (${reason}) with a heartbeat of ${peer.name} unread`,
      )
    }
  }

  /**
   * A node that was frozen for longer than its bound, with a living peer, notices when it wakes, and accepts no write until
   * it knows that it was not replaced. What is written in the moment of waking comes before that.
   */
  handleWrite(process: SimProcess): void {
    this.handleGate(process)
    const { thread, world, core, plan } = process
    const stoodMs = thread.wokeAt - thread.blockedSince
    const awakeMs = world.now - thread.wokeAt
    const metMs = process.clock() - core.peer.metAt
    if (
      !core.peer.alive ||
      awakeMs <= 0 ||
      metMs <= awakeMs ||
      stoodMs < 1.05 * core.boundMs + plan.core.interval ||
      awakeMs > 0.9 * core.boundMs
    )
      return
    for (const other of this.processes()) {
      if (!other.canWrite || other.core.state.epoch <= core.state.epoch) continue
      const startedAt = this.history.reigns.get(other.core.state.epoch)?.startedAt ?? world.now
      if (startedAt >= thread.wokeAt || other.startedAt >= thread.blockedSince) continue
      throw new Violation(
        `${process.name} was frozen for ${stoodMs.toFixed(0)} ms, was replaced by ${other.name}, and accepts a write ${awakeMs.toFixed(1)} ms after waking`,
      )
    }
  }

  /** Under a witness no two gates are open, whatever the faults; an operator may force one. */
  handleGate(process: SimProcess): void {
    if (process.plan.core.mode !== 'witness' || !process.canWrite) return
    for (const other of this.processes()) {
      if (other === process || !other.canWrite) continue
      if (isForced(process.core) || isForced(other.core)) continue
      throw new Violation(`the gates of ${process.name} and ${other.name} are open under one witness`)
    }
  }

  private handleOpened(process: SimProcess, epoch: number): void {
    const { name, node } = process
    this.highest[node] = Math.max(this.highest[node], epoch)
    const opener = this.openedBy.get(epoch)
    if (opener !== undefined)
      throw new Violation(`epoch ${epoch} was opened by ${opener} and again by ${name}`)
    this.openedBy.set(epoch, name)
  }

  /** One healthy link and a healthy peer: nobody may take over on its own. */
  private demandExcuse(process: SimProcess, reason: string): void {
    const { now } = process.world
    const waitedMs = 2 * process.plan.core.leaseMs
    const since = reason === 'alone' ? process.startedAt : now - this.windowMs - waitedMs
    if (this.faults.mayMiss(1 - process.node, since, now)) return
    throw new Violation(`${process.name} became primary (${reason}) with its peer and a link in good health`)
  }

  /** The role word is about to open. */
  private handleOpen(process: SimProcess, word: number, actions: readonly Action[]): void {
    const known = this.of(process)
    const { epoch, role } = process.core.state
    const message = openerOf(word, actions)
    // Opened and shut again within one turn: nobody can have written.
    if (message === undefined && !isLastWord(word, actions)) return
    if (message === undefined && role !== 'primary') {
      throw new Violation(`${process.name}: the role word opened on a ${role}`)
    }
    if (role === 'primary' && epoch <= known.granted) {
      throw new Violation(`${process.name} acts in epoch ${epoch} after it granted ${known.granted}`)
    }
    const reason = message?.reason ?? known.reason
    for (const other of this.processes()) {
      if (other === process || !other.canWrite || other.node === process.node) continue
      process.world.count('two primaries')
      process.world.note(epoch, () => `${process.name} opens while ${other.name} is open`)
      const isSplit = SPLIT.includes(reason) || SPLIT.includes(this.of(other).reason)
      if (isSplit && process.plan.core.mode !== 'witness') continue
      if (isForced(process.core) || isForced(other.core)) continue
      throw new Violation(`${process.name} opened (${reason}) while ${other.name} could still write`)
    }
  }
}

/** The promotion that opens this word; undefined when a reign goes on. */
function openerOf(word: number, actions: readonly Action[]): RoleMessage | undefined {
  for (const action of actions) {
    if (action.type !== 'post' || action.message.type !== 'role') continue
    if (action.message.role === 'primary' && action.message.word === word) return action.message
  }
  return undefined
}

/** Whoever says that it leads no more has shut its word before. */
function demandShut(process: SimProcess, actions: readonly Action[]): void {
  if (!actions.some(({ type }) => type === 'post') || process.core.state.role === 'primary') return
  let last = process.roleWord
  for (const action of actions) if (action.type === 'word') last = action.word
  if ((last & 3) === 1) throw new Violation(`${process.name} leads no more and its role word is open`)
}

function isLastWord(word: number, actions: readonly Action[]): boolean {
  let last = word
  for (const action of actions) if (action.type === 'word') last = action.word
  return last === word
}
