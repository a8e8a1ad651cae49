// The slow twin of the engine's codec, written from docs/PROTOCOL.md sections 2, 3 and 7 alone: states in, bytes out,
// and back. It shares no line with the engine.

import { type Arena, unitsOfRow } from './arena.ts'
import { isUtf8, limits } from './bytes.ts'
import { changesBetween, type Delta, readDeltas, SEGMENT, writeDeltas } from './deltas.ts'
import { holderOf, indexKeyOf } from './indexes.ts'
import { later } from './lifetime.ts'
import {
  type Cell,
  fromHex,
  keyOf,
  longBytes,
  ROW_MAX,
  type Row,
  type TwinSchema,
  type TwinState,
} from './schema.ts'
import { sipHash24 } from './siphash.ts'

/** Every name under which a decoder may refuse these bytes. Where there are several, the order of checks is free. */
export interface Refused {
  readonly reasons: ReadonlySet<string>
}

export interface Staged {
  /** What the slots hold afterwards; undefined: nothing. */
  readonly slots: ReadonlyMap<number, Row | undefined>
  /** Ids in awaited segments whose key moved to another id: they are dropped. */
  readonly lost: readonly number[]
}

export interface Receiver {
  readonly capacity: number
  readonly awaited: (segment: number) => boolean
  /** Record ids of this segment up to `end`, counted within it, have come with parts of its image. */
  readonly brought?: { readonly segment: number; readonly end: number }
  /** A single record that is awaited. */
  readonly owed?: (id: number) => boolean
  /** Gets the record of every delta, before anything is decided. */
  readonly seen?: (id: number) => unknown
  readonly countMax?: number
  /** Of a table with long columns. */
  readonly arena?: Arena
}

/** What an id holds may be dropped for a key that moved. */
const isOld = (receiver: Receiver, id: number): boolean =>
  isAwaitedId(receiver, id) || (receiver.owed?.(id) ?? false)

export const segmentOf = (id: number): number => Math.floor(id / SEGMENT)

/** Whether what a record id holds is not trusted. */
function isAwaitedId({ awaited, brought }: Receiver, id: number): boolean {
  const hasCome = brought?.segment === segmentOf(id) && id % SEGMENT < brought.end
  return awaited(segmentOf(id)) && !hasCome
}

/** The deltas that lead from one state to another, smallest operation for each slot. */
export function deltasBetween(before: TwinState, after: TwinState): Delta[] {
  const schema = after.schema
  const deltas: Delta[] = []
  for (const id of [...new Set([...before.rows.keys(), ...after.rows.keys()])].sort((a, b) => a - b)) {
    const old = before.rows.get(id)
    const row = after.rows.get(id)
    if (row === undefined) deltas.push({ id, op: 'delete' })
    else if (old === undefined) deltas.push({ id, op: 'create', row })
    else if (keyOf(schema, old) !== keyOf(schema, row)) deltas.push({ id, op: 'whole', row })
    else {
      const changes = changesBetween(schema, old, row)
      if (changes.size > 0) deltas.push({ id, op: 'update', changes })
    }
  }
  return deltas
}

/** The batch that leads from `before` to `after`; empty when they are equal. */
export function encode(before: TwinState, after: TwinState): Uint8Array {
  const deltas = deltasBetween(before, after)
  return deltas.length === 0 ? new Uint8Array() : writeDeltas(after.schema, deltas)
}

/** Of the ids from `first`, counted within the segment. */
export function encodeImage(state: TwinState, segment: number, first = 0): Uint8Array {
  const deltas = [...state.rows]
    .filter(([id]) => segmentOf(id) === segment && id % SEGMENT >= first)
    .sort(([a], [b]) => a - b)
    .map(([id, row]): Delta => ({ id, op: 'create', row }))
  return writeDeltas(state.schema, deltas, segment * SEGMENT + first - 1)
}

/** 8 bytes; all zero for a segment without sessions. */
export function digest(state: TwinState, segment: number, key: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(8)
  const image = encodeImage(state, segment)
  if (image[0] !== 0) new DataView(bytes.buffer).setBigUint64(0, sipHash24(key, image), true)
  return bytes
}

/** The row an update leads to, or the reason why it leads nowhere. */
function updated(schema: TwinSchema, old: Row, delta: Delta): Row | 'range' | 'value' {
  const row: Cell[] = [...old]
  for (const [i, change] of delta.changes ?? []) {
    const at = schema.keys.length + i
    if ('value' in change) {
      row[at] = change.value
      continue
    }
    if ('middle' in change) {
      const before = String(old[at])
      if (2 * (change.prefix + change.suffix) > before.length) return 'range'
      const end = before.slice(before.length - 2 * change.suffix)
      const now = before.slice(0, 2 * change.prefix) + change.middle + end
      if (schema.fields[i]!.kind === 'text' && !isUtf8(fromHex(now))) return 'value'
      row[at] = now
      continue
    }
    if ('grains' in change) {
      const cell = later(old[at]!, change.grains, schema.fields[i]!.timeout!)
      if (cell === 'range') return cell
      row[at] = cell
      continue
    }
    const now = BigInt(old[at]!) + change.difference
    const [least, most] = limits(schema.fields[i]!)
    if (now < least || now > most) return 'range'
    row[at] = Number(now)
  }
  return longBytes(schema, row) > ROW_MAX ? 'value' : row
}

/** Whether new values fit beside all that is held for good; what is awaited, or owed, may be dropped for them. */
function fitsArena(state: TwinState, receiver: Receiver, units: number): boolean {
  const { arena } = receiver
  if (arena === undefined) return true
  let held = 0
  for (const [id, row] of state.rows) if (!isOld(receiver, id)) held += unitsOfRow(state.schema, row)
  return held + units <= arena.units
}

/**
 * Keys: each once in the bytes, and none held by an id that neither lets go of it nor is awaited. The keys of indexes
 * likewise, but an update may claim one and let go of one.
 */
function checkKeys(
  state: TwinState,
  slots: Map<number, Row | undefined>,
  created: Set<number>,
  receiver: Receiver,
) {
  const reasons = new Set<string>()
  const lost: number[] = []
  const seen = new Set<string>()
  for (const id of created) {
    const key = keyOf(state.schema, slots.get(id)!)
    if (seen.has(key)) reasons.add('key-twice')
    seen.add(key)
    const holder = state.ids.get(key)
    if (holder === undefined || holder === id) continue
    const released = slots.has(holder) && (slots.get(holder) === undefined || created.has(holder))
    if (released) continue
    if (isOld(receiver, holder)) lost.push(holder)
    else reasons.add('key-held')
  }
  for (const index of state.schema.indexes) {
    const claimed = new Set<string>()
    for (const [id, row] of slots) {
      const key = row && indexKeyOf(state.schema, index, row)
      const old = created.has(id) ? undefined : state.rows.get(id)
      if (key === undefined || (old && indexKeyOf(state.schema, index, old) === key)) continue
      if (claimed.has(key)) reasons.add('index-twice')
      claimed.add(key)
      const holder = holderOf(state, index, key)
      if (holder === undefined || holder === id) continue
      const now = slots.get(holder)
      const released =
        slots.has(holder) &&
        (now === undefined || created.has(holder) || indexKeyOf(state.schema, index, now) !== key)
      if (released) continue
      if (isOld(receiver, holder)) lost.push(holder)
      else reasons.add('index-held')
    }
  }
  return { reasons, lost }
}

export function decode(state: TwinState, bytes: Uint8Array, receiver: Receiver): Staged | Refused {
  const { schema } = state
  const bounds = {
    first: 0,
    end: receiver.capacity,
    image: false,
    countMax: receiver.countMax ?? Number.POSITIVE_INFINITY,
  }
  const { deltas, cut, reasons } = readDeltas(schema, bytes, bounds)
  const wellFormed = reasons.size === 0
  const slots = new Map<number, Row | undefined>()
  const created = new Set<number>()
  let units = 0
  for (const delta of cut === undefined ? deltas : [...deltas, cut]) {
    const { id, op, row } = delta
    receiver.seen?.(id)
    if (isAwaitedId(receiver, id) || (op !== 'whole' && receiver.owed?.(id))) continue
    const old = state.rows.get(id)
    if (op === 'create' && old !== undefined) reasons.add('occupied')
    if ((op === 'update' || op === 'delete') && old === undefined) reasons.add('absent')
    const now = op === 'update' && old !== undefined ? updated(schema, old, delta) : row
    if (now !== undefined && typeof now !== 'string') units += unitsOfRow(schema, now, delta.changes)
    if (typeof now === 'string') reasons.add(now)
    else if (delta !== cut) slots.set(id, now)
    if (row !== undefined) created.add(id)
  }
  if (!fitsArena(state, receiver, units)) reasons.add('arena')
  const keys = checkKeys(state, slots, created, receiver)
  // Who lets go of a key is known only at the end, so a decoder that stopped early cannot say key-held.
  for (const reason of keys.reasons) if (wellFormed || reason === 'key-twice') reasons.add(reason)
  return reasons.size > 0 ? { reasons } : { slots, lost: keys.lost }
}

/** `part`: of the ids from its first up to its end, within the segment. */
export function decodeImage(
  state: TwinState,
  segment: number,
  bytes: Uint8Array,
  receiver: Receiver,
  part: readonly [first: number, end: number] = [0, SEGMENT],
): Staged | Refused {
  const first = segment * SEGMENT + part[0]
  const end = Math.min(segment * SEGMENT + part[1], receiver.capacity)
  const countMax = receiver.countMax ?? Number.POSITIVE_INFINITY
  const { deltas, reasons } = readDeltas(state.schema, bytes, { first, end, image: true, countMax })
  const wellFormed = reasons.size === 0
  const slots = new Map<number, Row | undefined>()
  for (const id of state.rows.keys()) if (id >= first && id < end) slots.set(id, undefined)
  const created = new Set<number>()
  for (const { id, row } of deltas) {
    slots.set(id, row)
    if (row !== undefined) created.add(id)
  }
  const units = deltas.reduce(
    (sum, { row }) => sum + (row === undefined ? 0 : unitsOfRow(state.schema, row)),
    0,
  )
  if (!fitsArena(state, receiver, units)) reasons.add('arena')
  const keys = checkKeys(state, slots, created, receiver)
  for (const reason of keys.reasons) if (wellFormed || reason === 'key-twice') reasons.add(reason)
  return reasons.size > 0 ? { reasons } : { slots, lost: keys.lost }
}

export function apply(state: TwinState, staged: Staged): void {
  for (const id of [...staged.slots.keys(), ...staged.lost]) state.drop(id)
  for (const [id, row] of staged.slots) if (row !== undefined) state.put(id, row)
}
