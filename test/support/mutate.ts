// Hostile batches and images: honest ones that were changed, first as deltas and then as bytes.
import { Writer } from '../twins/bytes.ts'
import { deltasBetween, segmentOf } from '../twins/codec.ts'
import { type Change, type Delta, OPS, SEGMENT, writeDeltas } from '../twins/deltas.ts'
import { isLong, keyOf, type TwinSchema, type TwinState } from '../twins/schema.ts'
import type { Random } from './seed.ts'
import { randomCell, randomRow } from './values.ts'

/** A neighbouring state: a few sessions changed, gone, new, moved or exchanged. */
export function changed(random: Random, state: TwinState, capacity: number): TwinState {
  const { schema } = state
  const next = state.copy()
  const ids = [...state.rows.keys()]
  for (let i = 1 + random.below(5); i > 0; i--) {
    const id = ids.length > 0 ? random.pick(ids) : 0
    const row = next.rows.get(id)
    const fresh = randomRow(random, schema)
    const slot = random.chance(0.5) ? id : random.below(capacity)
    if (row !== undefined && random.chance(0.4)) {
      const at = schema.keys.length + random.below(schema.fields.length)
      next.put(id, row.with(at, randomCell(random, schema.columns[at]!)))
    } else if (random.chance(0.3)) next.drop(id)
    else if (row !== undefined && random.chance(0.5) && next.rows.get(slot) === undefined) {
      next.drop(id)
      next.put(slot, row)
    } else if (!next.ids.has(keyOf(schema, fresh))) next.put(slot, fresh)
  }
  return next
}

/** The deltas of a segment's image, of a state a little off the given one. */
function imageOf(random: Random, state: TwinState, segment: number, capacity: number): Delta[] {
  const next = changed(random, state, capacity)
  return [...next.rows]
    .filter(([id]) => segmentOf(id) === segment)
    .sort(([a], [b]) => a - b)
    .map(([id, row]) => ({ id, op: 'create', row }))
}

/** One delta made into another that may be wrong in what it says, not in how it is written. */
function twist(random: Random, state: TwinState, deltas: readonly Delta[], at: number): Delta {
  const { schema } = state
  const delta = deltas[at]!
  const rows = [...state.rows.values(), ...deltas.flatMap(({ row }) => (row === undefined ? [] : [row]))]
  const someRow = rows.length > 0 && random.chance(0.7) ? random.pick(rows) : randomRow(random, schema)
  switch (random.below(4)) {
    case 0: {
      // Another operation on the same slot.
      const op = random.pick(OPS)
      if (op === 'create') return { id: delta.id, op, row: someRow }
      if (op === 'update') return { id: delta.id, op, changes: randomChanges(random, schema) }
      return op === 'whole' && random.chance(0.7) ? { id: delta.id, op, row: someRow } : { id: delta.id, op }
    }
    case 1: {
      // The key of another record.
      const keys = someRow.slice(0, schema.keys.length)
      return delta.row === undefined ? delta : { ...delta, row: [...keys, ...delta.row.slice(keys.length)] }
    }
    case 2:
      return delta.row === undefined
        ? { ...delta, changes: randomChanges(random, schema) }
        : { ...delta, row: someRow }
    default:
      // The same on another slot; whether the ids still ascend does not matter to the writer below.
      return { ...delta, id: delta.id + random.below(3) }
  }
}

function randomChanges(random: Random, schema: TwinSchema): Map<number, Change> {
  const changes = new Map<number, Change>()
  for (const [i, column] of schema.fields.entries()) {
    if (random.chance(0.7)) continue
    const differs = ['u16', 'u32', 'i32', 'u53'].includes(column.kind)
    const sizes = [3, 70000, 2 ** 32, 2 ** 53]
    const difference = BigInt(random.below(random.pick(sizes))) * (random.chance(0.5) ? 1n : -1n)
    if (isLong(column)) {
      const [prefix, suffix] = [random.below(random.pick([4, 900])), random.below(random.pick([4, 900]))]
      changes.set(i, { prefix, suffix, middle: String(randomCell(random, column)) })
      continue
    }
    if (column.kind === 'lifetime' && random.chance(0.6)) {
      changes.set(i, { grains: BigInt(1 + random.below(random.pick([3, 200, 2 ** 31]))) })
    } else changes.set(i, differs ? { difference } : { value: randomCell(random, column) })
  }
  return changes
}

/** Bytes that a writer of wrong habits could have sent. */
function damage(random: Random, bytes: Uint8Array, others: readonly Uint8Array[]): Uint8Array {
  const list = [...bytes]
  const at = random.below(list.length + 1)
  const other = random.pick(others)
  switch (random.below(9)) {
    case 0:
      return bytes.slice(0, at)
    case 1:
      list[at % Math.max(1, list.length)]! ^= 1 << random.below(8)
      break
    case 2:
      list[at % Math.max(1, list.length)] = random.pick([0, 1, 0x7f, 0x80, 0xff, random.below(256)])
      break
    case 3:
      list.splice(at, 0, ...random.bytes(1 + random.below(4)))
      break
    case 4:
      list.splice(at, 1 + random.below(4))
      break
    case 5:
      list.splice(at, 0, ...Array<number>(random.below(10)).fill(0x80), random.below(3))
      break
    case 6:
      return Uint8Array.from([...list.slice(0, at), ...other.slice(random.below(other.length + 1))])
    case 7:
      list[0] = random.below(256)
      break
    default: {
      const writer = new Writer()
      writer.varint(random.pick([2 ** 21, 2 ** 26, 2 ** 32, 2 ** 42, 2 ** 53 - 1]) - random.below(3))
      list.splice(at, random.below(2), ...writer.take())
    }
  }
  return Uint8Array.from(list)
}

export interface Hostile {
  readonly bytes: Uint8Array
  /** The bytes pretend to be the image of this segment; undefined: a batch. */
  readonly segment: number | undefined
}

/** What an enemy, a broken disk or a bug might send to a table that holds `state`. `others` are earlier bytes. */
export function hostile(
  random: Random,
  state: TwinState,
  capacity: number,
  others: readonly Uint8Array[],
): Hostile {
  const segments = Math.ceil(capacity / SEGMENT)
  const segment = random.chance(0.25) ? random.below(segments) : undefined
  if (random.chance(0.03)) return { bytes: random.bytes(random.below(60)), segment }
  const previous = segment === undefined ? -1 : segment * SEGMENT - 1
  const deltas =
    segment === undefined
      ? deltasBetween(state, changed(random, state, capacity))
      : imageOf(random, state, segment, capacity)
  if (deltas.length > 0 && random.chance(0.4)) {
    const at = random.below(deltas.length)
    deltas[at] = twist(random, state, deltas, at)
  }
  // Ids that no longer ascend cannot be written.
  const ascending = deltas.filter(({ id }, i) => deltas.slice(0, i).every((before) => before.id < id))
  let bytes = writeDeltas(state.schema, ascending, previous)
  for (let i = random.pick([0, 0, 1, 1, 2, 5]); i > 0; i--) bytes = damage(random, bytes, [...others, bytes])
  return { bytes, segment }
}
