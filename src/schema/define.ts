// defineTable: checks a table definition at the door and fixes its record layout and schema hash.
import { SchemaError } from '../errors.ts'
import { checkName, isObject, show } from './checks.ts'
import { checkIndexes, copyIndexes } from './define-indexes.ts'
import { describeSchema, type SchemaDescription } from './describe.ts'
import { schemaHash } from './hash.ts'
import { layOut, type RecordLayout, SCALAR_NAMES, VARIABLE_NAMES } from './layout.ts'
import { checkLifetime, LIFETIME_WIRE_MAX, type Lifetime } from './lifetime.ts'
import { checkPickup, type PickupOptions, type PickupRule } from './pickup.ts'
import type { IndexesOf, IndexLists, NoIndexes, Shape } from './types.ts'

/** What `defineTable` takes. */
export interface TableOptions<
  Key extends Shape,
  Fields extends Shape,
  Indexes extends IndexesOf<Fields> = NoIndexes,
> {
  /** Letters, digits, `_` and `-`, beginning with a letter; at most 64 characters. */
  readonly name: string
  /** 1 to 16 fields that together name a session. At most 48 bytes keep the key in the record's first cache line. */
  readonly key: Key
  /**
   * 0 to 53 fields. Key and fields together take at most 1000 bytes on the wire, the values of `blob` and `text` fields
   * not counted: of those each has at most 1 MiB, and one session's together at most 2 MiB.
   */
  readonly fields: Fields
  /**
   * Further unique keys, up to 4, each of 1 to 8 value fields: `{ reply: ['natIp', 'natPort'] }` makes
   * `table.by.reply.get({ natIp, natPort })`. A write that would give a session a key another session holds throws
   * `KeyTakenError`. A session whose fields of an index are all zero (what omitted fields are: 0, false, 0.0.0.0, ::,
   * the first name, empty text) is not in that index, as NULL in SQL. Costs about 9 bytes a session each. None by default.
   */
  readonly indexes?: Indexes
  /** Sessions the table can hold, 1 to 67,108,864; all memory is reserved when the table is created. */
  readonly capacity: number
  /** Which sessions are replicated, and when. Default: every session, at once. */
  readonly pickup?: PickupOptions<Key, Fields>
  /**
   * Bytes reserved for the values of `blob` and `text` fields, 65,536 to 4,294,967,296; required if there are any, and
   * refused if there are none. A value of n bytes takes ceil(n / 60) x 64 bytes, and 85 % of the arena can be taken: room
   * for m sessions with values of n bytes needs m x ceil(n / 60) x 64 / 0.85. Both nodes should have the same; a
   * secondary's arena must not be smaller than its primary's.
   */
  readonly arena?: number
  /**
   * Seconds a session lives, 1/16 to 31,622,400, counted in sixteenths. By default sessions do not expire. What is stored
   * is rounded up by at most a sixteenth of it.
   */
  readonly timeout?: number
  /**
   * `'idle'` (default): every write of a session and `touch` begin its time anew, a read does not. `'fixed'`: only `set`
   * does. Given without `timeout`: sessions expire only if their own `set` says when.
   */
  readonly expiry?: 'idle' | 'fixed'
  /**
   * What `set` does when all `capacity` sessions are in use and none has expired: `'reject'` (default) throws
   * TableFullError, `'evict'` deletes the session that was not written for the longest time, found by sampling: nearly
   * always among the oldest hundredth. Costs 4 bytes a session. Each node keeps these times by itself.
   */
  readonly onFull?: 'reject' | 'evict'
}

/** A checked definition; made by `defineTable` only. */
export interface TableDefinition<
  Key extends Shape = Shape,
  Fields extends Shape = Shape,
  Indexes extends IndexLists = IndexLists,
> {
  readonly name: string
  readonly key: Key
  readonly fields: Fields
  readonly indexes: Indexes
  readonly capacity: number
  /** Bytes of the arena, a multiple of 1024; 0 without `blob` and `text` fields. */
  readonly arena: number
  /** Undefined: sessions do not expire. */
  readonly lifetime: Lifetime | undefined
  readonly onFull: 'reject' | 'evict'
  /** 16 lower-case hex digits over key and field names and types, in order, the indexes and the lifetime. */
  readonly schemaHash: string
  /** The same in words, as the other node is told it. */
  readonly schema: SchemaDescription
  /** Where the fields lie in a record. */
  readonly layout: RecordLayout
  /** Undefined: every session is replicated at once. */
  readonly pickup: PickupRule | undefined
}

const OPTIONS: readonly string[] = [
  'name',
  'key',
  'fields',
  'indexes',
  'capacity',
  'arena',
  'timeout',
  'expiry',
  'onFull',
  'pickup',
]
const KEY_FIELDS_MAX = 16
const VALUE_FIELDS_MAX = 53
const CAPACITY_MAX = 2 ** 26
const ARENA_MIN = 65_536
const ARENA_MAX = 2 ** 32
/** The arena is made of pages of this size. */
const ARENA_STEP = 1024
/** 1024 records, a segment's image, fit one frame. */
const WIRE_MAX = 1000
const ENUM_NAMES_MAX = 256
const LENGTH_MAX = 255
const NAME = /^[A-Za-z][A-Za-z0-9_-]{0,63}$/

/** Throws unless `type` is one of the field types. */
function checkType(at: string, type: unknown, isKey: boolean): void {
  const wrong = (allowed: string) => new SchemaError(`${at}: ${show(type)} given; allowed: ${allowed}`)
  const names = isKey ? SCALAR_NAMES.filter((name) => !VARIABLE_NAMES.includes(name)) : SCALAR_NAMES
  if (typeof type === 'string') {
    if (!names.includes(type)) {
      throw wrong(`${names.join(', ')}, an array of names, bytes(n), string(n)`)
    }
  } else if (Array.isArray(type)) {
    const named = type.every((name) => typeof name === 'string' && name !== '')
    if (!named || type.length < 1 || type.length > ENUM_NAMES_MAX || new Set(type).size !== type.length) {
      throw wrong(`1 to ${ENUM_NAMES_MAX} different names that are not empty`)
    }
  } else if (isObject(type) && (type.type === 'bytes' || type.type === 'string')) {
    const { length } = type
    if (typeof length !== 'number' || !Number.isInteger(length) || length < 1 || length > LENGTH_MAX) {
      throw wrong(`${type.type}(1) to ${type.type}(${LENGTH_MAX})`)
    }
  } else throw wrong(`${names.join(', ')}, an array of names, bytes(n), string(n)`)
}

function checkShape(
  at: string,
  shape: unknown,
  [least, most]: readonly [number, number],
  isKey: boolean,
): asserts shape is Shape {
  if (!isObject(shape))
    throw new SchemaError(`${at}: ${show(shape)} given; allowed: an object of field types`)
  const names = Object.keys(shape)
  if (names.length < least || names.length > most) {
    throw new SchemaError(`${at}: ${names.length} fields given; allowed: ${least} to ${most}`)
  }
  for (const name of names) {
    checkName(`${at}: field name`, name)
    checkType(`${at}: field ${name}`, shape[name], isKey)
  }
}

/** The arena belongs to `blob` and `text` fields: with them it is needed, without them it would be wasted. */
function checkArena(at: string, arena: unknown, hasVariable: boolean): void {
  if (!hasVariable) {
    if (arena === undefined) return
    throw new SchemaError(`${at}: arena ${show(arena)} given; allowed: none without a blob or text field`)
  }
  if (typeof arena !== 'number' || !Number.isSafeInteger(arena) || arena < ARENA_MIN || arena > ARENA_MAX) {
    const given = arena === undefined ? 'no arena' : `arena ${show(arena)}`
    throw new SchemaError(
      `${at}: ${given} given; allowed: bytes for the values of blob and text fields, an integer from ${ARENA_MIN} to ${ARENA_MAX}`,
    )
  }
}

function copyShape<S extends Shape>(shape: S): S {
  const copies = Object.entries(shape).map(([name, type]) => [
    name,
    typeof type === 'string' ? type : Object.freeze(Array.isArray(type) ? [...type] : { ...type }),
  ])
  return Object.freeze(Object.fromEntries(copies)) as S
}

/**
 * Checks a table definition and fixes its layout.
 *
 * ```ts
 * const connections = defineTable({
 *   name: 'connections',
 *   key: { proto: 'u8', srcIp: 'ipv4', srcPort: 'u16', dstIp: 'ipv4', dstPort: 'u16' },
 *   fields: { state: ['syn', 'established', 'closing'], packets: 'u53', natIp: 'ipv4', natPort: 'u16' },
 *   indexes: { reply: ['natIp', 'natPort'] },
 *   capacity: 1_000_000,
 * })
 * ```
 *
 * @throws SchemaError naming table, field, what was given and what is allowed.
 */
export function defineTable<
  const Key extends Shape,
  const Fields extends Shape,
  const Indexes extends IndexesOf<Fields> = NoIndexes,
>(options: TableOptions<Key, Fields, Indexes>): TableDefinition<Key, Fields, Indexes> {
  if (!isObject(options)) throw new SchemaError(`defineTable: ${show(options)} given; allowed: an object`)
  const { name, key, fields, indexes = {} as Indexes, capacity, arena, onFull = 'reject' } = options
  if (typeof name !== 'string' || !NAME.test(name)) {
    throw new SchemaError(
      `table name: ${show(name)} given; allowed: a letter, then letters, digits, _ and -, at most 64`,
    )
  }
  const at = `table ${name}`
  for (const option of Object.keys(options)) {
    if (!OPTIONS.includes(option)) {
      throw new SchemaError(`${at}: option ${show(option)} given; allowed: ${OPTIONS.join(', ')}`)
    }
  }
  checkShape(`${at}: key`, key, [1, KEY_FIELDS_MAX], true)
  checkShape(`${at}: fields`, fields, [0, VALUE_FIELDS_MAX], false)
  for (const field of Object.keys(fields)) {
    if (Object.hasOwn(key, field)) {
      throw new SchemaError(`${at}: field ${field} given in key and in fields; allowed: one of them`)
    }
  }
  checkIndexes(at, indexes, key, fields)
  if (!Number.isInteger(capacity) || capacity < 1 || capacity > CAPACITY_MAX) {
    throw new SchemaError(
      `${at}: capacity ${show(capacity)} given; allowed: an integer from 1 to ${CAPACITY_MAX}`,
    )
  }
  const lifetime = checkLifetime(at, options)
  if (lifetime !== undefined && Object.keys(fields).length === VALUE_FIELDS_MAX) {
    throw new SchemaError(
      `${at}: timeout or expiry and ${VALUE_FIELDS_MAX} fields given; allowed: ${VALUE_FIELDS_MAX - 1} fields then`,
    )
  }
  if (onFull !== 'reject' && onFull !== 'evict') {
    throw new SchemaError(`${at}: onFull ${show(onFull)} given; allowed: 'reject', 'evict'`)
  }
  const layout = layOut(key, fields, indexes)
  const wireMax = layout.wireMax + (lifetime === undefined ? 0 : LIFETIME_WIRE_MAX)
  if (wireMax > WIRE_MAX) {
    throw new SchemaError(
      `${at}: key and fields of up to ${wireMax} bytes given; allowed: ${WIRE_MAX} together`,
    )
  }
  checkArena(at, arena, layout.hasVariable)
  return Object.freeze({
    name,
    key: copyShape(key),
    fields: copyShape(fields),
    indexes: copyIndexes(indexes),
    capacity,
    arena: Math.floor((arena ?? 0) / ARENA_STEP) * ARENA_STEP,
    lifetime,
    onFull,
    schema: describeSchema(key, fields, indexes, lifetime),
    schemaHash: schemaHash(key, fields, indexes, lifetime),
    layout,
    pickup: checkPickup(at, options.pickup),
  })
}
