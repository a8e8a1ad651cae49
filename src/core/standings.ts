// Which state of which history the tables are, as a snapshot keeps it: a primary's are its own reign's, a follower's the
// one of the last frame after which nothing was awaited, and a node that was loaded has what its snapshot said. Sans-io.
import type { Role } from '../wire/constants.ts'
import { NO_LINEAGE } from '../wire/status.ts'
import type { Ground } from './base.ts'
import type { Feeder } from './feeder.ts'
import type { Follower } from './follower.ts'
import type { SyncStatus } from './messages.ts'
import type { LoadedState, Standing } from './snapshot-taker.ts'
import type { TableTime } from './table-time.ts'

export class Standings {
  private readonly feeder: Feeder
  private readonly follower: Follower
  private readonly ground: Ground
  private readonly time: TableTime
  private leads = false
  /** Of a node that is not primary; undefined: its tables are a mix, or nothing at all. */
  private kept: Standing | undefined
  private age = { lineage: NO_LINEAGE, ms: 0, at: 0 }

  constructor(feeder: Feeder, follower: Follower, ground: Ground, time: TableTime) {
    this.feeder = feeder
    this.follower = follower
    this.ground = ground
    this.time = time
  }

  /** The tables hold what a snapshot said. Before anything else. */
  handleLoaded(
    { standing, lineageAgeMs, ticks }: LoadedState & { readonly ticks: number },
    now: number,
  ): void {
    this.kept = standing
    this.age = { lineage: standing.lineage, ms: lineageAgeMs, at: now }
    this.ground.lineage = standing.lineage
    this.time.adopt(ticks, now)
  }

  /** The sync thread knows how old the lineage is. */
  handleStatus({ lineage, lineageAgeMs }: SyncStatus, now: number): void {
    this.age = { lineage, ms: lineageAgeMs, at: now }
  }

  /** Before the tables are told. */
  handleRole(role: Role): void {
    if (this.leads) this.kept = this.reign
    this.leads = role === 'primary'
  }

  /** A frame of the followed primary was applied, or refused. */
  handleFrame(epoch: number): void {
    const { applied: sequence, isSynced } = this.follower
    this.kept = isSynced ? { lineage: this.ground.lineage, epoch, sequence } : undefined
  }

  private get reign(): Standing {
    return { lineage: this.ground.lineage, epoch: this.feeder.epoch, sequence: this.feeder.sequence }
  }

  /** The tables are one state of a lineage. */
  get isOne(): boolean {
    return this.leads || this.kept !== undefined
  }

  /** Which state the tables are now. What a primary wrote so far gets its position first, and may be sent. */
  settle(now: number): Standing | undefined {
    if (!this.leads) return this.kept
    // With nobody to send it to, a position that nothing else has.
    if (this.feeder.attach === 0) this.feeder.sequence++
    else this.feeder.flush(now)
    return this.reign
  }

  /** Age of a lineage (0 where it is not known) and table time, as they are now. */
  moment(lineage: string, now: number): { lineageAgeMs: number; ticks: number } {
    const { age } = this
    const lineageAgeMs = age.lineage === lineage ? age.ms + Math.max(0, now - age.at) : 0
    return { lineageAgeMs, ticks: this.time.read(now) }
  }
}
