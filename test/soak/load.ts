// Mixed load on the application thread of a node that leads: sessions are created, updated, read and deleted at random,
// and each call is timed.
import { type HoldfastNode, NotPrimaryError } from 'holdfast'
import { mulberry32 } from '../../src/testing/faults.ts'
import { Calls } from './calls.ts'
import type { Tables } from './tables.ts'

export interface CallTimes {
  readonly calls: number
  readonly p50Us: number
  readonly p999Us: number
  readonly maxMs: number
}

const TICK_MS = 5
const FLOWS = 40_000
const USERS = 12_000
const MARK = { name: 'the mark' }
/** Call times are counted in steps of this, us, up to 16 ms. */
const STEP_US = 0.5
const STEPS = 32_768
/** Rows of a batch call. */
const BATCH = 64

export class Load {
  readonly #node: HoldfastNode<Tables>
  readonly #random: () => number
  readonly #failed: (error: Error) => void
  #timer: NodeJS.Timeout | undefined
  #perTick = 0
  readonly #calls: Calls
  readonly #rows: ReturnType<HoldfastNode<Tables>['tables']['flows']['rows']>
  readonly #steps = new Uint32Array(STEPS + 1)
  #maxMs = 0

  constructor(node: HoldfastNode<Tables>, seed: number, failed: (error: Error) => void) {
    this.#node = node
    this.#random = mulberry32(seed)
    this.#failed = failed
    this.#calls = new Calls(node, (end) => this.#below(end), failed)
    this.#rows = node.tables.flows.rows(BATCH)
  }

  begin(perSecond: number): void {
    this.#perTick = Math.max(1, Math.round((perSecond * TICK_MS) / 1000))
    this.#timer ??= setInterval(() => this.#tick(), TICK_MS)
  }

  end(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  /** Changes so many flows in one run: more than the journal holds. Gives how many, 0 for a node that may not write. */
  burst(sessions: number): number {
    return this.#whileLeading(() => {
      for (let i = 0; i < sessions; i++) this.#setFlow(i % FLOWS)
    })
      ? sessions
      : 0
  }

  #tick(): void {
    this.#whileLeading(() => {
      for (let i = 0; i < this.#perTick; i++) this.#timed(() => this.#one())
    })
  }

  /** Roles change at any time: what is refused then is no failure. */
  #whileLeading(write: () => void): boolean {
    if (this.#node.role !== 'primary') return false
    try {
      write()
      return true
    } catch (error) {
      if (!(error instanceof NotPrimaryError)) this.#failed(error as Error)
      return false
    }
  }

  #timed(call: () => void): void {
    const began = performance.now()
    call()
    const ms = performance.now() - began
    this.#steps[Math.min(STEPS, Math.floor((ms * 1000) / STEP_US))]!++
    if (ms > this.#maxMs) this.#maxMs = ms
  }

  #below(end: number): number {
    return Math.floor(this.#random() * end)
  }

  #one(): void {
    const draw = this.#random()
    if (draw < 0.1) this.#calls.one()
    else if (draw < 0.105) this.#batch()
    else if (draw < 0.2) this.#setFlow(this.#below(FLOWS))
    else if (draw < 0.5) this.#updateFlow(this.#below(FLOWS))
    else if (draw < 0.6) this.#node.tables.flows.delete(flowOf(this.#below(FLOWS)))
    else if (draw < 0.8) this.#node.tables.flows.get(flowOf(this.#below(FLOWS)))
    else if (draw < 0.95) this.#setUser(this.#below(USERS))
    else this.#node.tables.users.delete({ name: `user ${this.#below(USERS)}` })
  }

  #setFlow(i: number): void {
    const values = { state: 'syn' as const, packets: 1, bytes: this.#below(1500) }
    const key = flowOf(i)
    this.#node.tables.flows.set(key, { ...values, check: this.checkOf({ ...key, ...values }) })
  }

  /** Many flows in one call: replaced, or deleted. */
  #batch(): void {
    const rows = this.#rows
    rows.clear()
    const first = this.#below(FLOWS)
    for (let n = 0; n < BATCH; n++) {
      const key = flowOf((first + n * 7) % FLOWS)
      const values = { state: 'syn' as const, packets: 1 + n, bytes: this.#below(1500) }
      rows.add(key, { ...values, check: this.checkOf({ ...key, ...values }) })
    }
    if (this.#below(4) === 0) this.#node.tables.flows.deleteMany(rows)
    else this.#node.tables.flows.setMany(rows)
  }

  #updateFlow(i: number): void {
    const key = flowOf(i)
    const session = this.#node.tables.flows.get(key)
    if (session === undefined) return
    const values = {
      state: session.packets > 20 ? ('closing' as const) : ('established' as const),
      packets: session.packets + 1,
      bytes: session.bytes + this.#below(1500),
    }
    this.#node.tables.flows.update(key, { ...values, check: this.checkOf({ ...key, ...values }) })
  }

  #setUser(i: number): void {
    const bits = this.#below(2 ** 30)
    const address =
      bits % 2 === 0 ? `10.1.${bits % 250}.${(bits >> 8) % 250}` : `2001:db8::${(bits % 65_535).toString(16)}`
    const values = { version: bits, address, note: `${bits}`.repeat(1 + (bits % 6)).slice(0, 60) }
    this.#putUser({ name: `user ${i}` }, values)
  }

  #putUser(key: { name: string }, values: { version: number; address: string; note: string }): void {
    this.#node.tables.users.set(key, { ...values, check: this.checkOf({ ...key, ...values }) })
  }

  /** Over what tells one write of a session from another. */
  checkOf(values: Readonly<Record<string, unknown>>): number {
    const { packets, bytes, version, note } = values
    const text = packets === undefined ? `${version} ${note}` : `${packets} ${bytes}`
    let bits = 0x2545f491
    for (let i = 0; i < text.length; i++) bits = Math.imul(bits ^ text.charCodeAt(i), 0x01000193)
    return bits >>> 0
  }

  /** Resolves with a number once the secondary holds it. */
  async mark(): Promise<number> {
    const version = this.marked() + 1
    this.#putUser(MARK, { version, address: '::1', note: '' })
    await this.#node.replicated({ alone: 'wait' })
    return version
  }

  marked(): number {
    return this.#node.tables.users.get(MARK)?.version ?? 0
  }

  takeTimes(): CallTimes {
    const steps = this.#steps
    const calls = steps.reduce((sum, count) => sum + count, 0)
    const at = (share: number) => {
      let sum = 0
      for (let i = 0; i <= STEPS; i++) {
        sum += steps[i]!
        if (sum >= share * calls) return (i + 1) * STEP_US
      }
      return 0
    }
    const times = { calls, p50Us: at(0.5), p999Us: at(0.999), maxMs: this.#maxMs }
    steps.fill(0)
    this.#maxMs = 0
    return times
  }
}

function flowOf(i: number) {
  return {
    proto: i % 2 === 0 ? 6 : 17,
    srcIp: 0x0a000000 + (i >>> 1),
    srcPort: 1024 + (i % 60_000),
    dstIp: 0xc0a80000 + (i % 1000),
    dstPort: 443,
  }
}
