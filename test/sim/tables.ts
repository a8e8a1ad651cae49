// The tables of a simulated node: the real ones in WebAssembly, or their slow twins. An instance is used again by a
// later process, emptied; the gate is pointed at that process's words.
import type { Store } from '../../src/core/store.ts'
import {
  defineTable,
  type PickupOptions,
  type Shape,
  string,
  type TableDefinition,
} from '../../src/schema/index.ts'
import { GATE_CLOSED, type WriteGate } from '../../src/table/gate.ts'
import { createTable } from '../../src/table/index.ts'
import { TwinTable } from '../twins/table.ts'

export type StoreKind = 'wasm' | 'twin'

/** A session's content as the simulator thinks of it: the number of the write that made it, and a number of its own. */
export interface Row {
  readonly version: number
  readonly value: number
}

export type Values = Record<string, unknown>
/** Key and fields. */
export type Pair = readonly [Values, Values]

/** What both kinds of table have in common. */
export interface SimTable extends Store, Iterable<Values> {
  set(key: Values, fields: Values): void
  update(key: Values, fields: Values): boolean
  delete(key: Values): boolean
  clear(): void
  setMany(pairs: readonly Pair[]): { readonly created: number; readonly replaced: number }
  updateMany(pairs: readonly Pair[]): number
  deleteMany(keys: readonly Values[]): number
  /** Further unique keys. */
  readonly by: Readonly<Record<string, { get(key: Values): Values | undefined }>>
  /** Tells of sessions that expired, when the table removes them. */
  listen(causes: readonly 'expired'[], listener: (cause: string, session: Values) => void): void
  /** Table time it was last given. */
  readonly ticks: number
  /** A whole segment, which is short enough for it here. */
  image(segment: number): Uint8Array
}

export interface SimGate {
  words: Int32Array
  open: number
  leased: (() => boolean) | undefined
}

/** How a table writes keys and rows. */
export interface TableKind {
  readonly name: string
  readonly segmentsMax: number
  key(key: number): Values
  /** All fields, or only what changes with the version. */
  fields(row: Row, whole: boolean): Values
  /** Undefined when the fields do not belong together. */
  read(session: Values): { key: number; row: Row } | undefined
  definition(capacity: number, pickup?: PickupOptions<Shape, Shape>): TableDefinition
  /** How long a session lives after its last write, in ticks; undefined: for ever. */
  readonly timeoutTicks?: number
  /** Every index: the fields of a row in it, undefined if the row is not in it. */
  readonly indexes: Readonly<Record<string, (row: Row) => Values | undefined>>
}

/** So few that sessions hand them on to each other all the time; most have none. */
export const TAGS = 251
const tagOf = (value: number): number => (value % 5 === 0 ? 1 + ((value / 5) % TAGS) : 0)
const textOf = (value: number): string => (value % 97).toString(36).repeat(1 + (value % 3))

export const SESSIONS: TableKind = {
  name: 'sessions',
  segmentsMax: 4,
  key: (key) => ({ id: key }),
  fields: ({ version, value }, whole) =>
    whole ? { version, value, text: textOf(value), odd: value % 2 === 1, tag: tagOf(value) } : { version },
  read: (session) => {
    const { id, version, value, text, odd, tag } = session as {
      id: number
      version: number
      value: number
      text: string
      odd: boolean
      tag: number
    }
    if (text !== textOf(value) || odd !== (value % 2 === 1) || tag !== tagOf(value)) return undefined
    return { key: id, row: { version, value } }
  },
  definition: (capacity, pickup) =>
    defineTable({
      name: 'sessions',
      key: { id: 'u32' },
      fields: { version: 'u53', value: 'u16', text: string(6), odd: 'bool', tag: 'u16' },
      indexes: { tag: ['tag'] },
      capacity,
      ...(pickup && { pickup: pickup as object }),
    }),
  indexes: { tag: ({ value }) => (tagOf(value) > 0 ? { tag: tagOf(value) } : undefined) },
}

export const ROUTES: TableKind = {
  name: 'routes',
  segmentsMax: 2,
  key: (key) => ({ name: `r${key.toString(36)}`, part: key % 256 }),
  fields: ({ version, value }, whole) => (whole ? { version, metric: value - 30_000 } : { version }),
  read: (session) => {
    const { name, part, version, metric } = session as {
      name: string
      part: number
      version: number
      metric: number
    }
    const key = Number.parseInt(name.slice(1), 36)
    if (part !== key % 256) return undefined
    return { key, row: { version, value: metric + 30_000 } }
  },
  definition: (capacity) =>
    defineTable({
      name: 'routes',
      key: { name: string(6), part: 'u8' },
      fields: { version: 'u53', metric: 'i32' },
      indexes: { latest: ['version'] },
      capacity,
    }),
  // Another with every write, and never one that another session ever had.
  indexes: { latest: ({ version }) => ({ version }) },
}

const noteOf = (value: number): string => textOf(value).padEnd(250, String(value))

/** Long ones. */
export const NOTES: TableKind = {
  name: 'notes',
  segmentsMax: 1,
  key: (key) => ({ id: key }),
  fields: ({ version, value }) => ({ version, value, note: noteOf(value) }),
  read: (session) => {
    const { id, version, value, note } = session as {
      id: number
      version: number
      value: number
      note: string
    }
    return note === noteOf(value) ? { key: id, row: { version, value } } : undefined
  },
  definition: (capacity) =>
    defineTable({
      name: 'notes',
      key: { id: 'u32' },
      fields: { version: 'u53', value: 'u16', note: string(255) },
      capacity,
    }),
  indexes: {},
}

/** A page of a session and a version of it: what two versions share begins and ends within characters. */
function pageOf({ version, value }: Row): string {
  const long = value % 40 === 0 ? 900 : value % 40
  return `${'é☃'.repeat(long)}${version}${'\u{1f600}'.repeat(version % 7)}${'x'.repeat(value % 90)}`
}

/** Texts of any length, in an arena. */
export const PAGES: TableKind = {
  name: 'pages',
  segmentsMax: 1,
  key: (key) => ({ id: key }),
  fields: (row) => ({ ...row, page: pageOf(row) }),
  read: (session) => {
    const { id, version, value, page } = session as {
      id: number
      version: number
      value: number
      page: string
    }
    return page === pageOf({ version, value }) ? { key: id, row: { version, value } } : undefined
  },
  definition: (capacity) =>
    defineTable({
      name: 'pages',
      key: { id: 'u32' },
      fields: { version: 'u53', value: 'u16', page: 'text' },
      capacity,
      arena: 2_097_152,
    }),
  indexes: {},
}

const memoOf = (value: number): string =>
  value % 7 === 0 ? '' : textOf(value).padEnd(1 + ((value * 13) % 400), String(value))

/** Texts of any length, in an arena that many of them fill. */
export const MEMOS: TableKind = {
  name: 'memos',
  segmentsMax: 1,
  key: (key) => ({ id: key }),
  fields: ({ version, value }, whole) => (whole ? { version, value, memo: memoOf(value) } : { version }),
  read: (session) => {
    const { id, version, value, memo } = session as {
      id: number
      version: number
      value: number
      memo: string
    }
    return memo === memoOf(value) ? { key: id, row: { version, value } } : undefined
  },
  definition: (capacity) =>
    defineTable({
      name: 'memos',
      key: { id: 'u32' },
      fields: { version: 'u53', value: 'u16', memo: 'text' },
      capacity,
      arena: 131_072,
    }),
  indexes: {},
}

const LEASE_TICKS = 32

/** Sessions that expire, and leave their tags to others. */
export const LEASES: TableKind = {
  ...SESSIONS,
  name: 'leases',
  segmentsMax: 2,
  timeoutTicks: LEASE_TICKS,
  definition: (capacity) =>
    defineTable({
      name: 'leases',
      key: { id: 'u32' },
      fields: { version: 'u53', value: 'u16', text: string(6), odd: 'bool', tag: 'u16' },
      indexes: { tag: ['tag'] },
      capacity,
      timeout: LEASE_TICKS / 16,
    }),
}

/** What of the tables is drawn per seed. */
export interface TablesPlan {
  readonly kinds: readonly TableKind[]
  /** One per kind. */
  readonly capacities: readonly number[]
  /** Bound of one encode; a small one makes the journal overflow. */
  readonly encodeBytesMax: number
  /** Of the table of sessions, which then has a filter too; undefined: everything is replicated at once. */
  readonly pickupDelayMs: number | undefined
}

/** Asked about a session of a table with pickup that is due; true: it stays local. */
export type PickupFilter = (table: number, session: Values) => boolean

/** Told of a session that a table removed because its time was over. */
export type ExpiredListener = (table: number, session: Values) => void

/** Whether a table holds sessions back at first. */
export const hasPickup = (plan: TablesPlan, table: number): boolean =>
  plan.pickupDelayMs !== undefined && plan.kinds[table] === SESSIONS

/** Tables of one process, on loan. */
export interface TableLoan {
  /** Opens and shuts all of them. */
  readonly gate: { open: number }
  readonly tables: readonly SimTable[]
  giveBack(): void
}

interface Instance {
  readonly gate: SimGate
  readonly table: SimTable
  /** Whoever has it on loan is asked. */
  readonly filter: { ask: (session: Values) => boolean }
}

const definitions = new Map<string, TableDefinition>()
/** Instances nobody uses, by what they are. A cache of empty things only: no state passes from run to run. */
const idle = new Map<string, Instance[]>()

/** What is taken from here on is made anew. */
export function forgetInstances(): void {
  idle.clear()
}

function definitionOf(kind: TableKind, capacity: number): TableDefinition {
  const name = `${kind.name}/${capacity}`
  let definition = definitions.get(name)
  if (definition === undefined) definitions.set(name, (definition = kind.definition(capacity)))
  return definition
}

export class TablePool {
  private readonly store: StoreKind

  constructor(store: StoreKind) {
    this.store = store
  }

  /** Empty tables, closed, which ask what this gate asks, and open and shut with it. */
  take(plan: TablesPlan, model: WriteGate, filter: PickupFilter, expired: ExpiredListener): TableLoan {
    const taken = plan.kinds.map((kind, i) => {
      const capacity = plan.capacities[i]!
      const delayMs = hasPickup(plan, i) ? plan.pickupDelayMs : undefined
      const name = `${this.store}/${kind.name}/${capacity}/${plan.encodeBytesMax}/${delayMs}`
      const one = idle.get(name)?.pop() ?? this.make(kind, capacity, plan.encodeBytesMax, delayMs)
      one.filter.ask = (session) => filter(i, session)
      one.table.listen(['expired'], (_, session) => expired(i, session))
      one.table.setTime(1)
      one.gate.words = model.words
      one.gate.leased = model.leased
      one.gate.open = GATE_CLOSED
      return { name, ...one }
    })
    const gate = {
      get open(): number {
        return taken[0]!.gate.open
      },
      set open(word: number) {
        model.open = word
        for (const { gate } of taken) gate.open = word
      },
    }
    const giveBack = () => {
      for (const { name, gate, table, filter } of taken) {
        table.setTracking(false)
        table.onChange = undefined
        table.setAwaited(0, table.segments, false)
        table.reset()
        idle.set(name, [...(idle.get(name) ?? []), { gate, table, filter }])
      }
    }
    return { gate, tables: taken.map(({ table }) => table), giveBack }
  }

  private make(
    kind: TableKind,
    capacity: number,
    encodeBytesMax: number,
    delayMs: number | undefined,
  ): Instance {
    const filter = { ask: (_: Values): boolean => false }
    const pickup = { delay: (delayMs ?? 0) / 1000, filter: (session: Values) => !filter.ask(session) }
    const definition =
      delayMs === undefined ? definitionOf(kind, capacity) : kind.definition(capacity, pickup)
    const gate: SimGate = { words: new Int32Array(1), open: GATE_CLOSED, leased: undefined }
    const table =
      this.store === 'twin'
        ? new TwinTable(definition, gate)
        : createTable(definition, { gate, hashSeed: [1, 2, 3, 4], encodeBytesMax })
    return { gate, table: timed(table as unknown as SimTable), filter }
  }
}

/** The table, which remembers the time it was given. */
function timed(table: SimTable): SimTable {
  const setTime = table.setTime.bind(table)
  let now = 1
  Object.defineProperty(table, 'ticks', { get: () => now })
  table.setTime = (ticks) => {
    now = ticks
    setTime(ticks)
  }
  return table
}
