// The simulated world's clock: one queue of (time, tie, event). Time jumps from event to event and is in milliseconds.
// Events of one instant run in an order drawn from the seed. What must keep its order (a pipe, a channel) keeps a queue
// of its own and only asks the world to be woken.
import type { Prng } from './prng.ts'

interface Entry {
  readonly time: number
  readonly tie: number
  readonly run: () => void
}

/** A promise of the design was broken. */
export class Violation extends Error {
  override readonly name = 'Violation'
}

export class World {
  now = 0
  /** Events that have run. */
  events = 0
  /** Faults and other notable things, by name. */
  readonly counts = new Map<string, number>()
  /** Gets the story, a line at a time; undefined when nobody listens. */
  readonly tell: ((line: string) => void) | undefined
  private readonly heap: Entry[] = []
  private readonly random: Prng
  private hashLow = 0x811c9dc5
  private hashHigh = 0x2545f491

  constructor(random: Prng, tell?: (line: string) => void) {
    this.random = random
    this.tell = tell
  }

  /** Runs `event` at `time`, or now if that has passed. `random` settles ties: one's own shifts nobody else's. */
  at(time: number, event: () => void, random = this.random): void {
    push(this.heap, { time: Math.max(time, this.now), tie: random.u32(), run: event })
  }

  after(delay: number, event: () => void, random = this.random): void {
    this.at(this.now + delay, event, random)
  }

  /** Runs events up to `time`, or until `isDone`. */
  runUntil(time: number, isDone?: () => boolean): void {
    while (this.heap.length > 0 && this.heap[0]!.time <= time) {
      const entry = pop(this.heap)
      this.now = entry.time
      this.events++
      entry.run()
      if (isDone?.()) return
    }
    this.now = time
  }

  count(name: string, by = 1): void {
    this.counts.set(name, (this.counts.get(name) ?? 0) + by)
  }

  /** Something happened: a line of the story, and a number that goes into the trace hash. */
  note(what: number, story: () => string): void {
    this.stir(what)
    this.stir(this.now * 1024)
    this.tell?.(`${this.now.toFixed(3).padStart(11)}  ${story()}`)
  }

  private stir(value: number): void {
    this.hashLow = Math.imul(this.hashLow ^ (value | 0), 0x01000193)
    this.hashHigh = (Math.imul(this.hashHigh, 0x5bd1e995) ^ this.hashLow) >>> 0
  }

  /** The same for two runs exactly if the same happened at the same times. */
  get traceHash(): string {
    const text = (word: number) => (word >>> 0).toString(16).padStart(8, '0')
    return text(this.hashHigh) + text(this.hashLow)
  }
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.time < b.time || (a.time === b.time && a.tie < b.tie)
}

function push(heap: Entry[], entry: Entry): void {
  let at = heap.length
  heap.push(entry)
  while (at > 0) {
    const parent = (at - 1) >> 1
    if (!isBefore(entry, heap[parent]!)) break
    heap[at] = heap[parent]!
    at = parent
  }
  heap[at] = entry
}

function pop(heap: Entry[]): Entry {
  const first = heap[0]!
  const last = heap.pop()!
  if (heap.length === 0) return first
  let at = 0
  for (;;) {
    let child = 2 * at + 1
    if (child >= heap.length) break
    if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++
    if (!isBefore(heap[child]!, last)) break
    heap[at] = heap[child]!
    at = child
  }
  heap[at] = last
  return first
}
