// Table time: the one clock that deadlines of sessions are in, a count of ticks of 1/16 s that both nodes share. A
// primary's goes on with its monotonic clock; a secondary's is the last value it heard plus what has passed since. So it
// continues over a promotion, whatever either machine's date says. Sans-io.

/** Table time counts sixteenths of a second. */
export const TICKS_PER_SECOND = 16
const TICK_MS = 1000 / TICKS_PER_SECOND
/** A u32 on the wire and in the tables: eight and a half years of one lineage. */
export const TICKS_MAX = 0xffffffff

/** Whole ticks in a duration. */
export const ticksIn = (ms: number): number => Math.max(0, Math.floor(ms / TICK_MS))

export class TableTime {
  private base = 1
  private baseAt: number | undefined
  private last = 1

  /** The time now, in ticks; 1 at the first call, and never less than before. */
  read(now: number): number {
    this.baseAt ??= now
    const ticks = Math.min(TICKS_MAX, this.base + ticksIn(now - this.baseAt))
    if (ticks > this.last) this.last = ticks
    return this.last
  }

  /** When the time will be so late, ms on the caller's clock; `now` if it is already. */
  when(ticks: number, now: number): number {
    if (ticks <= this.read(now)) return now
    // A little later, so that no rounding makes it a tick too early.
    return Math.max(now, this.baseAt! + (ticks - this.base) * TICK_MS) + 1
  }

  /** The primary's time as it is at `now`. Where this side is ahead, it waits. */
  hear(ticks: number, now: number): void {
    this.base = ticks
    this.baseAt = now
  }

  /** An attachment begins: what comes lives by the primary's time. The only way back there is. */
  adopt(ticks: number, now: number): void {
    this.hear(ticks, now)
    this.last = ticks
  }

  /** From here on nobody else's time counts. */
  lead(now: number): void {
    this.hear(this.read(now), now)
  }
}
