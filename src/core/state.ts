// What a node knows of itself and of its peer, and the few things every part of the core may do. Data and small
// questions only; decisions are in roles.ts, frames in feed.ts, wires in node.ts.
import type { Reason, Role } from '../wire/constants.ts'
import type { Hello } from '../wire/hello.ts'
import type { NodeStatus } from '../wire/status.ts'
import { NO_LINEAGE } from '../wire/status.ts'
import type { Action } from './actions.ts'
import type { DecidedBy } from './election.ts'
import type { Link } from './link.ts'
import type { FromSync, ToSync } from './messages.ts'
import { WordState } from './messages.ts'
import type { CoreOptions } from './options.ts'
import { Reservation } from './reservation.ts'
import type { LoadedState } from './snapshot-taker.ts'
import { TICKS_MAX, ticksIn } from './table-time.ts'

const CHANGES_MAX = 64

/** This node. */
/** Between two statuses of one moment; a double tells such uptimes apart for 278 years. */
const UPTIME_STEP_MS = 2 ** -10

export class NodeState {
  role: Role = 'starting'
  /** Epoch led (primary) or followed (secondary). */
  epoch = 0
  /** Highest epoch heard, granted or used; the next own epoch is above it. */
  heardEpoch: number
  /** Epoch of the last reign of this process; 0: it has not led. */
  led = 0
  /** Highest epoch granted to the peer: this node never acts at or below it. */
  granted = 0
  lineage: string = NO_LINEAGE
  lineageBornAt = 0
  /** The tables are one consistent state of `lineage`. */
  complete = false
  reason: Reason = 'none'
  /** It led, met a primary that stays, and the tables are still what it led. */
  gaveWay = false
  /** Of that: records changed since the last common state, as the application thread said. */
  changed: number | null = null
  /** What decided between the two nodes, where a claim was decided. */
  by: DecidedBy | undefined
  /** When the role changed to or from primary, oldest first: the last CHANGES_MAX times. */
  readonly changedAt: number[] = []
  /** Weight of the failed monitors. */
  failed = 0
  /** This node does not want to be primary. */
  maintenance = false
  /** promote({ force: true }) made this node primary: it keeps the role until an operator or a fault says otherwise. */
  forced = false
  /** Sessions over all tables, as the application thread last said. */
  sessions = 0
  /** The application thread says: everything written is with the secondary. */
  isProtected = false
  /** The role word says OPEN. */
  open = false
  /** Table time as the application thread last said, and when; 0 before. */
  private time = 0
  private timeAt = 0
  private reign = 0
  /** What of the epochs is on disk. */
  readonly reservation: Reservation
  readonly startedAt: number
  private uptimeMs = 0
  private progressAt: number
  private progress = 0

  constructor(now: number, epochFloor: number, reserved?: number, loaded?: LoadedState) {
    this.reservation = new Reservation(reserved)
    this.startedAt = now
    this.progressAt = now
    this.heardEpoch = Math.max(0, epochFloor - 1)
    if (loaded === undefined) return
    this.lineage = loaded.standing.lineage
    this.lineageBornAt = now - loaded.lineageAgeMs
    this.epoch = loaded.standing.epoch
    this.complete = true
    this.hear(this.epoch)
  }

  /** A word that no earlier reign had. */
  openWord(): number {
    this.reign++
    this.open = true
    return (this.reign << 2) | WordState.OPEN
  }

  shutWord(): number {
    this.open = false
    return (this.reign << 2) | WordState.SHUT
  }

  hear(epoch: number): void {
    if (epoch > this.heardEpoch) this.heardEpoch = epoch
  }

  noteChange(now: number): void {
    this.changedAt.push(now)
    if (this.changedAt.length > CHANGES_MAX) this.changedAt.shift()
  }

  handleProgress(progress: number, now: number): void {
    if (progress === this.progress) return
    this.progress = progress
    this.progressAt = now
  }

  /** What the application thread says of its tables. */
  handleSaid(
    message: Extract<ToSync, { type: 'sessions' | 'protected' | 'time' | 'health' | 'changed' }>,
    now: number,
  ): void {
    if (message.type === 'sessions') this.sessions = message.sessions
    else if (message.type === 'protected') this.isProtected = message.value
    else if (message.type === 'health') this.failed = message.failed
    else if (message.type === 'changed') this.noteChanged(message)
    else {
      this.time = message.ticks
      this.timeAt = now
    }
  }

  /** Two primaries met and this one steps down; or what it held then is not its own any more. */
  giveWay(gaveWay: boolean): void {
    this.gaveWay = gaveWay
    this.changed = null
  }

  private noteChanged({ epoch, changed }: Extract<ToSync, { type: 'changed' }>): void {
    if (this.gaveWay && epoch === this.epoch) this.changed = changed
  }

  /** Table time of a primary; 0 for others. */
  tableTime(now: number): number {
    return this.role !== 'primary' || this.time === 0 ? 0 : aged(this.time, now - this.timeAt)
  }

  /**
   * How long this process has run, ms, and more than at the last call: by it the peer knows which of two statuses is the
   * newer one, also where one moment saw a change of role between them.
   */
  nextUptimeMs(now: number): number {
    this.uptimeMs = Math.max(now - this.startedAt, this.uptimeMs + UPTIME_STEP_MS)
    return this.uptimeMs
  }

  lineageAgeMs(now: number): number {
    return this.lineage === NO_LINEAGE ? 0 : Math.max(0, now - this.lineageBornAt)
  }

  /** This thread slept `lateMs` too long; what it did not see is not the application's fault. */
  handleLateWake(lateMs: number): void {
    this.progressAt += lateMs
  }

  progressAgeMs(now: number): number {
    return Math.max(0, now - this.progressAt)
  }
}

/** The other node, as far as it was heard. */
export class Peer {
  /** '' until the first hello. */
  incarnation = ''
  hello: Hello | undefined
  status: NodeStatus | undefined
  private statusAt = 0
  /** When it was last heard before it was lost, and when it was heard again; undefined: never. */
  lostAt: number | undefined
  backAt = 0
  /** When this process of the peer was first met. */
  metAt = 0
  /** Heard within the bound and not declared dead. */
  alive = false
  /** Said goodbye; only a new incarnation can return. */
  left = false
  /** Heartbeat key of this pair of incarnations. */
  key: Uint8Array | undefined

  /** Statuses travel on two links and may overtake each other; uptime tells which is newer. */
  handleStatus(status: NodeStatus, now: number): boolean {
    if (status.incarnation !== this.incarnation) return false
    if (this.status !== undefined && status.uptimeMs <= this.status.uptimeMs) return false
    this.status = status
    this.statusAt = now
    return true
  }

  /** A status of this peer with its durations as they are now: compared with this node's, old ones would mislead. */
  aged(status: NodeStatus, now: number): NodeStatus {
    const age = Math.max(0, now - this.statusAt)
    const { uptimeMs, lineageAgeMs, tableTime } = status
    return {
      ...status,
      uptimeMs: uptimeMs + age,
      lineageAgeMs: lineageAgeMs === 0 ? 0 : lineageAgeMs + age,
      tableTime: tableTime === 0 ? 0 : aged(tableTime, age),
    }
  }

  replace(hello: Hello, key: Uint8Array, now: number): void {
    this.incarnation = hello.status.incarnation
    this.hello = hello
    this.status = hello.status
    this.statusAt = now
    this.metAt = now
    this.left = false
    this.key = key
  }
}

/** Ticks so much later. */
function aged(ticks: number, ms: number): number {
  return Math.min(TICKS_MAX, ticks + ticksIn(ms))
}

/** What the parts of the core share. */
export interface Core {
  readonly options: CoreOptions
  readonly place: 0 | 1
  readonly state: NodeState
  readonly peer: Peer
  readonly links: readonly [Link, Link]
  /** Detection bound, ms. */
  readonly boundMs: number
  act(action: Action): void
  post(message: FromSync): void
  /** Sends on the proven stream of a link, if there is one. */
  send(link: Link, frame: Uint8Array, now: number): void
  /** Sends on every proven stream. */
  broadcast(frame: Uint8Array, now: number): void
  /** Counts something refused or ignored under its own name. */
  count(name: string): void
  /** What this node says of itself now. */
  statusAt(now: number): NodeStatus
}
