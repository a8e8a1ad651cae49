// The part of the load that goes to the table of calls: values of 0 bytes to 128 KiB, a further unique key that changes,
// sessions that expire. What is read is checked: the same session by both keys, its values whole, none after its time.
import { ArenaFullError, type HoldfastNode } from 'holdfast'
import { CALL_TIMEOUT_S, monotonicMs, type Tables } from './tables.ts'

const CALLS = 9_000
/** Each call has one of two ports of its own, so no two ever want the same. */
const PORTS_FROM = 20_000
/** A deadline is rounded up to a sixteenth of the timeout, and found out by a clock that ticks sixteen times a second. */
const LATE_MAX_MS = (CALL_TIMEOUT_S * 1000) / 16 + 500

interface Call {
  readonly id: number
  readonly port: number
  readonly serial: number
  readonly note: string
  readonly body: Uint8Array
}

export class Calls {
  readonly #node: HoldfastNode<Tables>
  readonly #below: (end: number) => number
  readonly #failed: (error: Error) => void
  /** When this node, in this reign, wrote each call last; 0: it did not. */
  readonly #writtenMs = new Float64Array(CALLS)
  #epoch = 0

  constructor(node: HoldfastNode<Tables>, below: (end: number) => number, failed: (error: Error) => void) {
    this.#node = node
    this.#below = below
    this.#failed = failed
  }

  one(): void {
    if (this.#epoch !== this.#node.epoch) {
      this.#epoch = this.#node.epoch
      this.#writtenMs.fill(0)
    }
    // Half of all calls are written seldom enough to expire.
    const id = this.#below(4) === 0 ? this.#below(CALLS) : this.#below(CALLS / 2)
    const draw = this.#below(100)
    if (draw < 45) this.#set(id)
    else if (draw < 65) this.#change(id)
    else if (draw < 75) this.#node.tables.calls.delete({ id })
    else if (draw < 80) this.#touch(id)
    else this.#read(id)
  }

  #set(id: number): void {
    const fields = {
      port: this.#port(id),
      serial: this.#below(2 ** 31),
      note: this.#note(),
      body: this.#body(),
    }
    const check = checkOf({ id, ...fields })
    this.#write(id, () => this.#node.tables.calls.set({ id }, { ...fields, check }))
  }

  #change(id: number): void {
    const session = this.#node.tables.calls.get({ id })
    if (session === undefined) return
    const { port, serial, note, body } = session
    const call = { id, port, serial: serial + 1, note, body }
    if (this.#below(2) === 0) call.note = note.slice(0, note.length >> 1) + this.#note()
    else call.port = this.#port(id)
    const fields = { port: call.port, serial: call.serial, note: call.note, check: checkOf(call) }
    this.#write(id, () => this.#node.tables.calls.update({ id }, fields))
  }

  /** A full arena refuses, and the session stays as it was. */
  #write(id: number, write: () => void): void {
    try {
      write()
    } catch (error) {
      if (!(error instanceof ArenaFullError)) throw error
      return
    }
    this.#writtenMs[id] = monotonicMs()
  }

  #touch(id: number): void {
    if (this.#node.tables.calls.touch({ id })) this.#writtenMs[id] = monotonicMs()
  }

  #read(id: number): void {
    const session = this.#node.tables.calls.get({ id })
    if (session === undefined) return
    const { port, serial, note, body, check } = session
    if (checkOf({ id, port, serial, note, body }) !== check) this.#failed(new Error(`call ${id} is torn`))
    if (this.#node.tables.calls.by.port.get({ port })?.id !== id)
      this.#failed(new Error(`port ${port} does not lead to call ${id}`))
    const writtenMs = this.#writtenMs[id]!
    const ageMs = monotonicMs() - writtenMs
    if (writtenMs > 0 && ageMs > CALL_TIMEOUT_S * 1000 + LATE_MAX_MS)
      this.#failed(new Error(`call ${id} was shown ${ageMs.toFixed(0)} ms after its last write`))
  }

  #port(id: number): number {
    return PORTS_FROM + id * 2 + this.#below(2)
  }

  #note(): string {
    return 'é'.repeat(this.#below(20)) + 'note '.repeat(this.#below(40))
  }

  #body(): Uint8Array {
    const length = this.#below(200) === 0 ? 2 ** this.#below(18) : this.#below(400)
    return new Uint8Array(length).fill(this.#below(256))
  }
}

export function checkOf({ id, port, serial, note, body }: Call): number {
  let bits = Math.imul(id, 0x9e3779b1) ^ port ^ (serial % 2 ** 32)
  for (let i = 0; i < note.length; i++) bits = Math.imul(bits ^ note.charCodeAt(i), 0x01000193)
  // All bytes of a body are the same, so a look at some shows a mix of two.
  const step = Math.max(1, body.length >> 6)
  for (let i = 0; i < body.length; i += step) bits = Math.imul(bits ^ body[i]!, 0x01000193)
  return Math.imul(bits ^ body.length, 0x01000193) >>> 0
}
