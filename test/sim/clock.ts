// The monotonic clock of one simulated machine, which may run a little fast or slow, and the one alarm each thread has.
import type { Thread } from './thread.ts'
import { Violation, type World } from './world.ts'

const IMMEDIATE_MS = 0.02
/** Keeps a timer from firing a rounding error too early. */
const ROUNDING_MS = 1e-6
/** Wakes of a thread within SPIN_MS, none of which said anything, that are taken for a loop. */
const SPIN_WAKES = 100
const SPIN_MS = 5

export class Clock {
  readonly world: World
  private readonly startedAt: number
  private readonly offset: number
  private readonly rate: number

  /** Shows `offset` now, and runs `rate` times as fast as the world's. */
  constructor(world: World, offset: number, rate: number) {
    this.world = world
    this.startedAt = world.now
    this.offset = offset
    this.rate = rate
  }

  /** ms */
  now(): number {
    return this.offset + (this.world.now - this.startedAt) * this.rate
  }

  /** When a timer for `time` fires: as an immediate, or with the grain of a millisecond that runtimes have. */
  worldTime(time: number): number {
    if (time <= this.now()) return this.world.now + IMMEDIATE_MS
    return this.startedAt + (Math.ceil(time) - this.offset) / this.rate + ROUNDING_MS
  }
}

export class Alarm {
  private readonly clock: Clock
  private readonly thread: Thread
  private readonly name: string
  private readonly work: () => boolean
  private since = 0
  private wakes = 0

  /** `work`: true if there was something to do that may take many turns, such as the batches of a backlog. */
  constructor(clock: Clock, thread: Thread, name: string, work: () => boolean) {
    this.clock = clock
    this.thread = thread
    this.name = name
    this.work = work
  }

  /** Replaces what was set before; undefined or infinity: nothing to wait for. */
  set(time: number | undefined): void {
    const at = time === undefined ? Number.POSITIVE_INFINITY : this.clock.worldTime(time)
    this.thread.setTimer(at, () => {
      if (this.work()) this.wakes = 0
      else this.checkSpin()
    })
  }

  private checkSpin(): void {
    const { now } = this.clock.world
    if (now - this.since > SPIN_MS) {
      this.since = now
      this.wakes = 0
    } else if (++this.wakes > SPIN_WAKES) throw new Violation(`${this.name} spins on its timer`)
  }
}
