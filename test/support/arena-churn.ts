// A primary whose arena is kept at 84 of 100 bytes while values of 1 byte to 1 MiB come, go, grow and shrink, and a
// secondary that follows. A write is refused exactly when the sum says so, no batch is ever refused, and both hold the
// same. test/table/arena.test.ts runs it for seconds, test/soak/main.ts as long as it is asked to.
import * as assert from 'uvu/assert'
import { ArenaFullError } from '../../src/errors.ts'
import { defineTable } from '../../src/schema/index.ts'
import type { Random } from './seed.ts'
import { type LooseTable, makeNode, sameDigests } from './tables.ts'

export interface ArenaChurnOptions {
  readonly random: Random
  /** Bytes. */
  readonly arena: number
  readonly writes: number
  /** Writes between two flushes, at most. */
  readonly flushEvery: number
  /** Called now and then with the number of writes so far. */
  readonly onProgress?: (writes: number) => void
}

export interface ArenaChurnResult {
  readonly writes: number
  readonly refused: number
  /** Batches that carried a backlog of overflowed records. */
  readonly partial: number
  readonly batches: number
  /** Share of the arena taken by live values, at most. */
  readonly useMax: number
}

const VALUE_MAX = 1_048_576
const TARGET = 0.84

/** As docs/PROTOCOL.md section 2 counts. */
const unitBytes = (length: number): number => 64 * Math.ceil(length / 60)

interface Value {
  readonly seed: number
  readonly length: number
}

/** The bytes of a value, from a number: so that what is read can be verified without keeping it. */
function fill({ seed, length }: Value): Uint8Array {
  const bytes = new Uint8Array(length)
  const words = new Uint32Array(bytes.buffer, 0, length >>> 2)
  let state = seed | 1
  for (let i = 0; i < words.length; i++) words[i] = state = Math.imul(state, 0x915f77f5) + 1
  for (let i = words.length * 4; i < length; i++) bytes[i] = seed + i
  return bytes
}

class Churn {
  readonly random: Random
  readonly arena: number
  readonly primary: LooseTable
  readonly secondary: LooseTable
  readonly values = new Map<number, readonly [Value, Value]>()
  readonly capacity: number
  used = 0
  refused = 0
  useMax = 0
  batches = 0
  partial = 0

  constructor({ random, arena }: ArenaChurnOptions) {
    this.random = random
    this.arena = arena
    this.capacity = 4000
    const definition = defineTable({
      name: 'churn',
      key: { id: 'u32' },
      fields: { serial: 'u32', first: 'blob', second: 'blob' },
      capacity: this.capacity,
      arena,
    })
    this.primary = makeNode(definition, 'primary').table
    this.secondary = makeNode(definition, 'secondary').table
  }

  /** As many small values as large ones, by the number of their digits. */
  #length(): number {
    if (this.random.chance(0.2)) return 0
    return Math.min(VALUE_MAX, Math.floor(2 ** (this.random.below(20_001) / 1000)))
  }

  #bytesOf(pair: readonly [Value, Value] | undefined): number {
    return pair === undefined ? 0 : unitBytes(pair[0].length) + unitBytes(pair[1].length)
  }

  /** One write; the sum tells whether it must be taken. */
  write(): void {
    const { random, primary, values } = this
    const ids = [...values.keys()]
    const isFull = this.used > this.arena * TARGET || values.size === this.capacity
    if (ids.length > 0 && (isFull || random.chance(0.1))) {
      const id = random.pick(ids)
      assert.is(primary.delete({ id }), true)
      this.used -= this.#bytesOf(values.get(id))
      values.delete(id)
      return
    }
    const isNew = ids.length === 0 || random.chance(0.4)
    const id = isNew ? random.u32() : random.pick(ids)
    const old = values.get(id)
    const value = (): Value => ({ seed: random.u32(), length: this.#length() })
    const whole = old === undefined || random.chance(0.5)
    const next: [Value, Value] = whole
      ? [value(), value()]
      : random.chance(0.5)
        ? [old[0], value()]
        : [value(), old[1]]
    const after = this.used - this.#bytesOf(old) + this.#bytesOf(next)
    const fits = after <= Math.floor((this.arena * 85) / 6400) * 64 || after <= this.used
    try {
      this.#give(id, next, old)
    } catch (error) {
      assert.instance(error, ArenaFullError)
      assert.is(fits, false, `refused at ${this.used} of ${this.arena}: ${error}`)
      this.refused++
      return
    }
    assert.is(fits, true, `taken at ${this.used} of ${this.arena}`)
    values.set(id, next)
    this.used = after
    this.useMax = Math.max(this.useMax, this.used / this.arena)
  }

  #give(id: number, next: readonly [Value, Value], old: readonly [Value, Value] | undefined): void {
    const fields: Record<string, unknown> = {}
    if (old?.[0] !== next[0]) fields.first = fill(next[0])
    if (old?.[1] !== next[1]) fields.second = fill(next[1])
    const [name, value] = Object.entries(fields)[0]!
    const isPart = Object.keys(fields).length === 1
    if (old === undefined || !isPart)
      this.primary.set({ id }, { first: fill(next[0]), second: fill(next[1]) } as never)
    else if (this.random.chance(0.5)) assert.is(this.primary.update({ id }, fields as never), true)
    else (this.primary.get({ id }) as unknown as Record<string, unknown>)[name] = value
  }

  flush(): void {
    const { primary, secondary } = this
    const batch = primary.encode(this.random.pick([0, 131_072, 1 << 20]))
    if (batch.length > 0) {
      this.batches++
      assert.is(secondary.stage(batch), undefined, 'a batch of an honest primary is refused')
      secondary.commit()
    }
    if (primary.overflowed) this.partial++
    assert.is(primary.arena.usedBytes, this.used, 'accounts of the primary')
    if (primary.changed) return
    assert.is(secondary.arena.usedBytes, this.used, 'accounts of the secondary')
  }

  settle(): void {
    for (let i = 0; this.primary.changed; i++) {
      assert.ok(i < 100_000, 'a backlog that does not end')
      this.flush()
    }
    sameDigests(this.primary, this.secondary)
    const ids = [...this.values.keys()]
    for (let i = 0; i < Math.min(20, ids.length); i++) {
      const id = this.random.pick(ids)
      const [first, second] = this.values.get(id)!
      for (const table of [this.primary, this.secondary]) {
        const session = table.get({ id }) as unknown as { first: Uint8Array; second: Uint8Array }
        assert.is(Buffer.compare(session.first, fill(first)), 0, `first of ${id}`)
        assert.is(Buffer.compare(session.second, fill(second)), 0, `second of ${id}`)
      }
    }
  }
}

/** Throws if a write is refused below 85 %, a batch is refused, or the two nodes differ. */
export function churnArena(options: ArenaChurnOptions): ArenaChurnResult {
  const churn = new Churn(options)
  const { random } = options
  let writes = 0
  while (writes < options.writes) {
    for (let i = 1 + random.below(options.flushEvery); i > 0; i--, writes++) churn.write()
    churn.flush()
    if (random.chance(0.02)) churn.settle()
    if (random.chance(0.02)) options.onProgress?.(writes)
  }
  churn.settle()
  churn.primary.clear()
  churn.values.clear()
  churn.used = 0
  churn.settle()
  assert.is(churn.secondary.arena.usedBytes, 0)
  const { refused, partial, batches, useMax } = churn
  return { writes, refused, partial, batches, useMax }
}
