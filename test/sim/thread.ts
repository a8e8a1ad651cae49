// A thread of a simulated process: it does one thing at a time and can stand still. While it does, what comes for it
// waits; when it wakes it finds all of that at once, timers first or sockets first, sources in any order, each source in
// its own order. Also the ordered channel by which two threads talk.
import type { Prng } from './prng.ts'
import type { World } from './world.ts'

/** An unharmed heartbeat in a socket. */
export interface Heartbeat {
  readonly sender: object
  readonly link: number
  readonly bytes: Uint8Array
}

/** Whoever a thread gets its work from. Work of one source keeps its order. */
export type Source = number

interface Work {
  readonly source: Source
  readonly work: () => void
  readonly news: Heartbeat | undefined
}

export class Thread {
  private readonly world: World
  private readonly random: Prng
  private waiting: Work[] = []
  /** What is being worked off after a time of standing still. */
  private found: Work[] = []
  private blockedUntil = 0
  /** When it last began to stand still. */
  blockedSince = Number.NEGATIVE_INFINITY
  private ended = false
  /** When it last woke from that. */
  wokeAt = Number.NEGATIVE_INFINITY
  private timerAt = Number.POSITIVE_INFINITY
  private timerWork: (() => void) | undefined
  private timerDue = false

  /** A timer that is late by less comes after the sockets in any case, ms. */
  private readonly shortMs: number

  constructor(world: World, random: Prng, shortMs = 0) {
    this.world = world
    this.random = random
    this.shortMs = shortMs
  }

  get isBlocked(): boolean {
    return this.world.now < this.blockedUntil
  }

  /** Does the work now, or when the thread wakes. `news`: the heartbeat that it would read. */
  run(source: Source, work: () => void, news?: Heartbeat): void {
    if (this.ended) return
    if (this.isBlocked) this.waiting.push({ source, work, news })
    else work()
  }

  /** Heartbeats that have arrived and were not read yet. */
  unread(): Heartbeat[] {
    return [...this.found, ...this.waiting].flatMap(({ news }) => (news === undefined ? [] : [news]))
  }

  /** Stands still for so long. */
  block(durationMs: number): void {
    const until = this.world.now + durationMs
    if (this.ended || until <= this.blockedUntil) return
    if (!this.isBlocked) this.blockedSince = this.world.now
    this.blockedUntil = until
    this.world.at(until, () => this.wake(until))
  }

  /** Whatever held it up is over. */
  release(): void {
    if (this.ended || !this.isBlocked) return
    const { now } = this.world
    this.blockedUntil = now
    this.wake(now)
  }

  private wake(until: number): void {
    if (this.ended || until !== this.blockedUntil) return
    this.wokeAt = this.world.now
    const timerFirst = this.random.chance(0.7) && this.world.now - this.timerAt > this.shortMs
    if (timerFirst) this.runTimer()
    let queue = this.waiting
    this.waiting = []
    if (this.random.chance(0.5)) queue = bySource(queue, this.random)
    this.found = queue
    while (this.found.length > 0 && !this.ended) this.found.shift()!.work()
    if (this.ended) return
    if (!timerFirst) this.runTimer()
  }

  private runTimer(): void {
    if (!this.timerDue || this.ended) return
    this.timerDue = false
    this.timerAt = Number.POSITIVE_INFINITY
    this.timerWork?.()
  }

  /** The thread's one timer; setting it again moves it. */
  setTimer(time: number, work: () => void): void {
    this.timerWork = work
    if (time === this.timerAt && !this.timerDue) return
    this.timerDue = false
    this.timerAt = time
    if (time === Number.POSITIVE_INFINITY) return
    this.world.at(time, () => {
      if (this.timerAt !== time || this.ended) return
      this.timerDue = true
      if (!this.isBlocked) this.runTimer()
    })
  }

  /** Nothing runs here any more. */
  end(): void {
    this.ended = true
    this.waiting = []
    this.found = []
  }
}

function bySource<T extends { source: Source }>(queue: T[], random: Prng): T[] {
  const ranks = new Map<Source, number>()
  for (const { source } of queue) if (!ranks.has(source)) ranks.set(source, random.float())
  return queue
    .map((entry, at) => ({ entry, at, rank: ranks.get(entry.source)! }))
    .sort((a, b) => a.rank - b.rank || a.at - b.at)
    .map(({ entry }) => entry)
}

/** Messages from one thread to another: in order, none lost while both live, each a little later than it was sent. */
export class Channel<Message> {
  private readonly world: World
  private readonly random: Prng
  private readonly deliver: (messages: Message[]) => void
  private readonly queue: { message: Message; at: number }[] = []
  private lastAt = 0
  private closed = false

  constructor(world: World, random: Prng, deliver: (messages: Message[]) => void) {
    this.world = world
    this.random = random
    this.deliver = deliver
  }

  send(message: Message): void {
    if (this.closed) return
    const delay = this.random.chance(0.02) ? this.random.between(0, 4) : this.random.between(0.01, 0.2)
    this.lastAt = Math.max(this.lastAt, this.world.now + delay)
    this.queue.push({ message, at: this.lastAt })
    if (this.queue.length === 1) this.world.at(this.lastAt, () => this.take())
  }

  private take(): void {
    if (this.closed) return
    let count = 0
    while (count < this.queue.length && this.queue[count]!.at <= this.world.now) count++
    const messages = this.queue.splice(0, count).map(({ message }) => message)
    if (this.queue.length > 0) this.world.at(this.queue[0]!.at, () => this.take())
    this.deliver(messages)
  }

  close(): void {
    this.closed = true
    this.queue.length = 0
  }
}
