// What happens to a node and is not an answer to a question, told twice: to the logger and to those who listen.
import type { ConflictNews } from './core/conflicts.ts'
import type { FollowerEvent } from './core/follower.ts'
import type { Emitter, MonitorEvent, SplitEvent } from './events.ts'
import type { LinkFailure } from './io/thread-messages.ts'
import type { Logger } from './options.ts'
import type { Role } from './wire/constants.ts'

const LINK_NAMES = ['m1', 'm2'] as const

export class Tellings {
  private readonly logger: Logger
  private readonly emitter: Emitter

  constructor(logger: Logger, emitter: Emitter) {
    this.logger = logger
    this.emitter = emitter
  }

  link(link: number, up: boolean, reason: string): void {
    const name = LINK_NAMES[link as 0 | 1]
    const details = { link: name, up, reason }
    if (up) this.logger.info(details, `${name} is up`)
    else this.logger.warn(details, `${name} is down: ${reason}`)
    this.emitter.emit('link', details)
  }

  witness(reachable: boolean, reason: string): void {
    const details = { reachable, reason }
    if (reachable) this.logger.info(details, 'the witness is reached')
    else this.logger.warn(details, `the witness is not reached: ${reason}`)
    this.emitter.emit('witness', details)
  }

  peer(id: string, alive: boolean): void {
    const details = { id, alive }
    if (alive) this.logger.info(details, `node '${id}' is heard`)
    else this.logger.warn(details, `node '${id}' is not heard any more`)
    this.emitter.emit('peer', details)
  }

  synced(synced: boolean, role: Role): void {
    const what = role === 'primary' ? 'the secondary' : 'this node'
    if (synced) this.logger.info({ synced, role }, `${what} holds everything`)
    else this.logger.warn({ synced, role }, `${what} does not hold everything any more`)
    this.emitter.emit('synced', { synced })
  }

  /** A port of a link cannot be had. */
  alarm({ link, message }: LinkFailure): void {
    this.link(link, false, message)
  }

  monitor(event: MonitorEvent): void {
    const { name, healthy, error } = event
    if (healthy) this.logger.info({ ...event }, `monitor ${name} is healthy again`)
    else this.logger.warn({ ...event }, `monitor ${name} fails: ${error}`)
    this.emitter.emit('monitor', event)
  }

  split({ mine, theirs }: SplitEvent): void {
    const what = `another primary met: epoch ${theirs.epoch}, ${theirs.sessions} sessions, beside epoch ${mine.epoch}`
    this.logger.warn({ mine, theirs }, what)
    this.emitter.emit('split', { mine, theirs })
  }

  conflict({ type: _, ...event }: ConflictNews): void {
    const { cause, epoch, told, untold, done } = event
    if (done) {
      const what = `${told} sessions of epoch ${epoch} given up and told, ${untold} not told`
      this.logger.warn({ cause, epoch, told, untold }, what)
    }
    this.emitter.emit('conflict', event)
  }

  follower(event: FollowerEvent): void {
    const { reason, table } = event
    if (event.type === 'unsynced') {
      const { segment } = event
      this.logger.warn({ reason, table, segment }, `not synced any more: ${reason}`)
      this.emitter.emit('unsynced', { reason, table, segment })
    } else {
      const { sequence } = event
      this.logger.error({ reason, table, sequence }, `refused twice: ${reason}`)
      this.emitter.emit('poison', { reason, table, sequence })
    }
  }

  thrown(error: unknown): void {
    this.error(error instanceof Error ? error : new Error(String(error)))
  }

  error(error: Error): void {
    this.logger.error({ err: error }, error.message)
    this.emitter.emit('error', error)
  }
}
