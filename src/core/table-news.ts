// What the tables are told and what is told of them: they get the time, the sync thread gets the time of a primary's
// tables once a second and the number of sessions when it has changed.
import type { ToSync } from './messages.ts'
import type { Store } from './store.ts'
import { type TableTime, TICKS_PER_SECOND } from './table-time.ts'

export class TableNews {
  private readonly stores: readonly Store[]
  private readonly time: TableTime
  private readonly post: (message: ToSync) => void
  /** Table time the stores have. */
  private ticks = 0
  private saidTicks = 0
  private saidSessions = -1

  constructor(stores: readonly Store[], time: TableTime, post: (message: ToSync) => void) {
    this.stores = stores
    this.time = time
    this.post = post
  }

  /** Gives the tables the time. True if something was said: the number of sessions, looked at when the time moves. */
  handleTime(now: number): boolean {
    const ticks = this.time.read(now)
    if (ticks === this.ticks) return false
    this.ticks = ticks
    for (const store of this.stores) store.setTime(ticks)
    return this.saySessions()
  }

  /** Also without a secondary, when nothing else is to be said: between two lineages the number may decide. */
  saySessions(): boolean {
    const sessions = this.stores.reduce((sum, store) => sum + store.size, 0)
    if (sessions === this.saidSessions) return false
    this.saidSessions = sessions
    this.post({ type: 'sessions', sessions })
    return true
  }

  /** What of each table both builds know, and how much of it the other takes at once. */
  speak(tables: readonly { fields: number; deltas: number }[]): void {
    for (const [i, { fields, deltas }] of tables.entries()) this.stores[i]!.speak(fields, deltas)
  }

  /** A reign begins: its table time goes on from here. */
  lead(now: number): void {
    this.time.lead(now)
    this.saidTicks = 0
  }

  /** Of a primary's tables, now and then. */
  sayTime(): void {
    if (this.ticks < this.saidTicks + TICKS_PER_SECOND) return
    this.saidTicks = this.ticks
    this.post({ type: 'time', ticks: this.ticks })
  }
}
