// The application thread of a simulated process, below the application: drives Replica as src/io does. Messages that
// arrive together are answered together at the end of the turn; what is due is done between turns.
import type { FromSync, ToSync } from '../../src/core/messages.ts'
import { SharedWord } from '../../src/core/messages.ts'
import type { Replica } from '../../src/core/replica.ts'
import { Alarm, type Clock } from './clock.ts'
import type { SimProcess } from './process.ts'

const PULSE = -1

export class AppSide {
  private readonly process: SimProcess
  private readonly replica: Replica
  private readonly clock: Clock
  private readonly alarm: Alarm

  constructor(process: SimProcess, replica: Replica, clock: Clock) {
    this.process = process
    this.replica = replica
    this.clock = clock
    this.alarm = new Alarm(clock, process.app, `${process.name}: the application thread`, () => this.work())
    replica.onWork = () => this.arm()
    this.showProgress()
  }

  handleMessages(messages: readonly FromSync[]): void {
    const { process, replica } = this
    const now = this.clock.now()
    for (const message of messages) {
      process.witness.onMessage(process, message, false)
      replica.handleMessage(message, now)
      process.witness.onMessage(process, message, true)
      this.takeEvents()
    }
    this.endTurn()
  }

  /** Whether there was anything to say. */
  private work(): boolean {
    if (!this.process.isRunning) return false
    this.replica.handleTimeout(this.clock.now())
    return this.endTurn()
  }

  private endTurn(): boolean {
    const said = this.passOn()
    this.process.witness.onTurn(this.process)
    this.takeEvents()
    this.arm()
    return said
  }

  private arm(): void {
    if (this.process.isRunning) this.alarm.set(this.replica.pollTimeout(this.clock.now()))
  }

  takeEvents(): void {
    for (const event of this.replica.takeEvents()) this.process.witness.onEvent(this.process, event)
  }

  /** What the replica wants to say goes to the sync thread. */
  private passOn(): boolean {
    const messages = this.replica.takeMessages()
    if (messages.length === 0) return false
    this.process.witness.onLocal(this.process, messages)
    for (const message of messages) this.process.toSync.send(message)
    return true
  }

  /** A request of the application, after all that was said before. */
  ask(message: ToSync): void {
    this.passOn()
    this.process.toSync.send(message)
  }

  /** An application thread that runs counts. */
  private showProgress(): void {
    const { process } = this
    if (!process.isRunning) return
    process.app.run(PULSE, () => {
      process.words[SharedWord.PROGRESS]!++
      this.replica.handleTime(this.clock.now())
    })
    process.world.after(process.plan.core.interval, () => this.showProgress())
  }
}
