// Runs the replica on the application thread: messages of the sync thread in, messages and events out, flushes and
// slices of comparing when they are due, never inside a run of the application. Messages that arrive together are
// answered together, at the end of the turn.
import { clearInterval, setInterval } from 'node:timers'
import type { FromSync, ToSync } from '../core/messages.ts'
import { SharedMoment, SharedWord } from '../core/messages.ts'
import type { Replica } from '../core/replica.ts'
import type { ReplicaEvent } from '../core/replica-event.ts'
import { Alarm } from './alarm.ts'
import type { Clock } from './clock.ts'

export interface DriverOutput {
  send(messages: ToSync[]): void
  event(event: ReplicaEvent): void
  /** A contract inside is broken; the node must stop. */
  broken(error: unknown): void
}

/** Longest time between two readings of the clock for the tables, ms: two ticks. */
const TIME_INTERVAL_MS = 125

export class Driver {
  private readonly replica: Replica
  private readonly words: Int32Array
  private readonly moments: Float64Array
  private readonly clock: Clock
  private readonly output: DriverOutput
  private readonly alarm: Alarm
  private readonly pulse: NodeJS.Timeout
  private working = false
  private stopped = false

  /** `pulseMs`: how often an idle application thread shows that it lives. */
  constructor(replica: Replica, words: Int32Array, pulseMs: number, clock: Clock, output: DriverOutput) {
    this.replica = replica
    this.words = words
    this.moments = new Float64Array(words.buffer)
    this.moments[SharedMoment.CLOCK] = clock()
    this.clock = clock
    this.output = output
    this.alarm = new Alarm(clock, () => this.run())
    this.pulse = setInterval(() => this.beat(), Math.min(pulseMs, TIME_INTERVAL_MS))
    this.pulse.unref()
    replica.onWork = () => {
      if (!this.working) this.schedule()
    }
  }

  handleMessages(messages: readonly FromSync[]): void {
    this.work(() => {
      const now = this.clock()
      for (const message of messages) this.replica.handleMessage(message, now)
    })
    // Whatever came is answered in this turn: a secondary has to say how far it is.
    if (!this.stopped) this.alarm.set(this.clock())
  }

  /** Everything that is due, then everything there is to say. */
  private run(): void {
    this.showProgress()
    this.work(() => {
      this.replica.handleTimeout(this.clock())
      const messages = this.replica.takeMessages()
      if (messages.length > 0) this.output.send(messages)
      for (const event of this.replica.takeEvents()) this.output.event(event)
    })
    this.schedule()
  }

  private work(task: () => void): void {
    this.working = true
    try {
      task()
    } catch (error) {
      this.output.broken(error)
    } finally {
      this.working = false
    }
  }

  private schedule(): void {
    if (!this.stopped) this.alarm.set(this.replica.pollTimeout(this.clock()))
  }

  private beat(): void {
    this.showProgress()
    const now = this.clock()
    this.moments[SharedMoment.CLOCK] = now
    this.replica.handleTime(now)
  }

  private showProgress(): void {
    Atomics.add(this.words, SharedWord.PROGRESS, 1)
  }

  /** Says what is left to say and rests for good. */
  stop(): void {
    if (this.stopped) return
    this.stopped = true
    this.run()
    this.alarm.clear()
    clearInterval(this.pulse)
  }
}
