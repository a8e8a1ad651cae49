// Batches and images made by hand, a byte at a time, with one fault each: what every decoder of the format must say.
import type { Shape } from '../../src/schema/index.ts'
import { string } from '../../src/schema/index.ts'

export const VECTORS_CAPACITY = 1500
export const VECTORS_ARENA = 65_536
export const VECTORS_KEY = { id: 'u8' } as const satisfies Shape
export const VECTORS_FIELDS = {
  on: 'bool',
  kind: ['a', 'b', 'c'],
  port: 'u16',
  count: 'u32',
  delta: 'i32',
  total: 'u53',
  name: string(3),
  from: 'ip',
  raw: 'blob',
  words: 'text',
} as const satisfies Shape

export const VECTORS_INDEXES = { spot: ['kind', 'port'], count: ['count'] } as const

type Field = keyof typeof VECTORS_FIELDS | 'id'
const CREATE = 0
const UPDATE = 1
const DELETE = 2
const WHOLE = 3

/** A record of zeroes but for the given columns, each as its bytes. */
function record(id: number, columns: { [Name in Field]?: number[] } = {}): number[] {
  const zero = {
    id: [id],
    on: [0],
    kind: [0],
    port: [0, 0],
    count: [0],
    delta: [0],
    total: [0],
    name: [0],
    from: [4, 0, 0, 0, 0],
    raw: [0],
    words: [0],
  }
  return Object.values({ ...zero, ...columns }).flat()
}

const LOW_47 = 2 ** 47
/** The shortest varint; numbers up to 2^54 are exact here, all that is written is even or small. */
function varint(value: number): number[] {
  if (value < 128) return [value]
  return [(value % 128) + 128, ...varint(Math.floor(value / 128))]
}
const head = (gap: number, op: number): number[] => varint(gap * 4 + op)
const one = (gap: number, op: number, ...body: number[]): number[] => [1, ...head(gap, op), ...body]
const field = (name: Field): number => 1 << Object.keys(VECTORS_FIELDS).indexOf(name)
const update = (gap: number, name: Field, ...change: number[]): number[] =>
  one(gap, UPDATE, ...varint(field(name)), ...change)
const create = (columns: { [Name in Field]?: number[] }): number[] => one(5, CREATE, ...record(9, columns))
const mapped = [6, ...Array<number>(10).fill(0), 255, 255, 1, 2, 3, 4]

/** A blob of 1, 2 and a text of 61 e2 98 83 62. */
const LONG = { raw: [2, 1, 2], words: [5, 0x61, 0xe2, 0x98, 0x83, 0x62] }

/**
 * Creates what the vectors below suppose: record ids 0, 2 and 1100 hold the keys 1, 2 and 3, and at `spot` 0/65535,
 * nothing and 2/0; record id 2 holds 5 at `count`.
 */
export const VECTORS_START = Uint8Array.from([
  3,
  ...head(0, CREATE),
  ...record(1, { port: [255, 255], total: [...Array<number>(7).fill(255), 15], ...LONG }),
  ...head(1, CREATE),
  ...record(2, { count: [5] }),
  ...head(1097, CREATE),
  ...record(3, { kind: [2] }),
])

export interface Vector {
  readonly says: string
  /** undefined: must be accepted. */
  readonly refusal: string | undefined
  readonly bytes: Uint8Array
  /** The bytes are the image of this segment. */
  readonly image?: number
  /** This segment is awaited. */
  readonly awaited?: number
}

function vector(
  refusal: string | undefined,
  says: string,
  bytes: number[],
  where: Pick<Vector, 'image' | 'awaited'> = {},
): Vector {
  return { says, refusal, bytes: Uint8Array.from(bytes), ...where }
}

export const VECTORS: readonly Vector[] = [
  vector('truncated', 'nothing at all', []),
  vector('truncated', 'a varint that does not end', [0x80]),
  vector('truncated', 'a delta without its record', one(5, CREATE)),
  vector('truncated', 'a record that ends early', one(5, CREATE, ...record(9)).slice(0, -1)),
  vector('truncated', 'a string longer than the bytes', one(5, CREATE, ...record(9).slice(0, -8), 3, 97)),
  vector('truncated', 'an update without its change', update(0, 'port')),
  vector('truncated', 'a whole that does not say whether', one(0, WHOLE)),
  vector('truncated', 'a text longer than the bytes', create({ words: [9, 97] })),
  vector('truncated', 'a change of a blob longer than the bytes', update(0, 'raw', 0, 0, 3, 1)),
  vector('trailing', 'a byte after no deltas', [0, 0]),
  vector('trailing', 'a byte after the last delta', [...one(0, DELETE), 0]),
  vector('varint', 'a zero in two bytes', [0x80, 0]),
  vector('varint', 'nine bytes', [...Array<number>(8).fill(0x80), 1]),
  vector('varint', '2^53', varint(2 ** 53)),
  vector('varint', 'a zigzag of 2^54', update(0, 'count', ...varint(2 ** 54))),
  vector('varint', 'a long form inside a record', create({ count: [0x81, 0] })),
  vector('count', 'more deltas than bytes', [2, ...head(0, DELETE)]),
  vector('count', 'the largest number', [...varint(2 ** 53 - 2), 0]),
  vector('id', 'the capacity', one(VECTORS_CAPACITY, DELETE)),
  vector('id', 'far beyond the capacity', one(LOW_47, DELETE)),
  vector('id', 'the next segment in an image', one(1024, CREATE, ...record(9)), { image: 0 }),
  vector('id', 'the capacity in the image of the last segment', one(476, CREATE, ...record(9)), { image: 1 }),
  vector('op', 'a delete in an image', one(0, DELETE), { image: 0 }),
  vector('op', 'an update in an image', update(0, 'port', 0), { image: 0 }),
  vector('op', 'a whole in an image', one(0, WHOLE, 1, ...record(9)), { image: 0 }),
  vector('mask', 'an update of nothing', one(0, UPDATE, 0)),
  vector('mask', 'a field that does not exist', one(0, UPDATE, ...varint(1024))),
  vector('range', 'a u32 of 2^32', create({ count: varint(2 ** 32) })),
  vector('range', 'an i32 of 2^31', create({ delta: varint(2 ** 32) })),
  vector('range', 'an i32 below -2^31', create({ delta: varint(2 ** 32 + 1) })),
  vector('range', 'a u16 above 65535 by an update', update(0, 'port', 2)),
  vector('range', 'a u16 below 0 by an update', update(2, 'port', 1)),
  vector('range', 'a u32 below 0 by an update', update(0, 'count', 1)),
  vector('range', 'a u53 of 2^53 by an update', update(0, 'total', 2)),
  vector('range', 'a u53 far below 0 by an update', update(0, 'total', ...varint(2 ** 54 - 2).with(0, 0xff))),
  vector('value', 'a bool of 2', create({ on: [2] })),
  vector('value', 'a bool of 255 by an update', update(0, 'on', 255)),
  vector('value', 'an enum index without a name', create({ kind: [3] })),
  vector('value', 'an enum index without a name by an update', update(0, 'kind', 3)),
  vector('value', 'a string that is too long', create({ name: [4, 97, 97, 97, 97] })),
  vector('value', 'a byte that is no UTF-8', create({ name: [1, 0xff] })),
  vector('value', 'UTF-8 in an overlong form', create({ name: [2, 0xc0, 0x80] })),
  vector('value', 'a surrogate in UTF-8', create({ name: [3, 0xed, 0xa0, 0x80] })),
  vector('value', 'UTF-8 that ends early', create({ name: [2, 0xe2, 0x82] })),
  vector('value', 'a lone continuation byte by an update', update(0, 'name', 1, 0x80)),
  vector('value', 'a blob of more than 1 MiB', create({ raw: varint(1_048_577) })),
  vector('value', 'a text that is no UTF-8', create({ words: [1, 0xff] })),
  vector('value', 'a beginning kept of more than 1 MiB', update(0, 'raw', ...varint(1_048_577), 0, 0)),
  vector('value', 'a text cut within a character', update(0, 'words', 2, 0, 0)),
  vector('value', 'a text that a change makes no UTF-8', update(0, 'words', 3, 1, 1, 0x62)),
  vector('value', 'a value that a change makes too long', update(1100, 'raw', ...varint(1_048_576), 1, 0), {
    awaited: 1,
  }),
  vector('range', 'more kept of a blob than it has', update(0, 'raw', 2, 1, 0)),
  vector(
    'arena',
    'a blob longer than the arena',
    create({ raw: [...varint(65_536), ...Array(65_536).fill(7)] }),
  ),
  vector('value', 'an address family of 5', create({ from: [5, 0, 0, 0, 0] })),
  vector('value', 'an IPv4 address in the IPv6 form', create({ from: mapped })),
  vector('value', 'a whole that is neither there nor not', one(0, WHOLE, 2, ...record(9))),
  vector('occupied', 'a create where a session is', one(0, CREATE, ...record(9))),
  vector('absent', 'an update of an empty slot', update(1, 'on', 1)),
  vector('absent', 'a delete of an empty slot', one(1, DELETE)),
  vector('key-twice', 'one key in two creates', [
    2,
    ...head(1, CREATE),
    ...record(9),
    ...head(1, CREATE),
    ...record(9),
  ]),
  vector('key-twice', 'one key in a create and a whole', [
    2,
    ...head(0, WHOLE),
    1,
    ...record(9),
    ...head(0, CREATE),
    ...record(9),
  ]),
  vector(
    'key-twice',
    'one key twice in an image',
    [2, ...head(0, CREATE), ...record(9), ...head(0, CREATE), ...record(9)],
    { image: 0 },
  ),
  vector('key-held', 'a create with a key that another id holds', one(1, CREATE, ...record(2))),
  vector('key-held', 'a whole with a key that another id holds', one(0, WHOLE, 1, ...record(2))),
  vector('key-held', 'a key that another id holds and that an update does not release', [
    ...[2, ...head(1, CREATE), ...record(2)],
    ...[...head(0, UPDATE), ...varint(field('on')), 1],
  ]),
  vector('key-held', 'a key whose holder gets another index key', [
    ...[2, ...head(1, CREATE), ...record(2)],
    ...[...head(0, UPDATE), ...varint(field('kind')), 1],
  ]),
  vector('key-held', 'an image with a key that a trusted id holds', one(0, CREATE, ...record(3)), {
    image: 0,
  }),
  vector('index-twice', 'one index key in two creates', [
    ...[2, ...head(1, CREATE), ...record(8, { kind: [1] })],
    ...[...head(1, CREATE), ...record(9, { kind: [1] })],
  ]),
  vector('index-twice', 'one index key in an update and a create', [
    ...[2, ...head(2, UPDATE), ...varint(field('kind')), 1],
    ...[...head(0, CREATE), ...record(9, { kind: [1] })],
  ]),
  vector(
    'index-twice',
    'one index key twice in an image',
    [2, ...head(0, CREATE), ...record(8, { kind: [1] }), ...head(0, CREATE), ...record(9, { kind: [1] })],
    { image: 0 },
  ),
  vector('index-held', 'a create with an index key that another id holds', create({ port: [255, 255] })),
  vector('index-held', 'an update to an index key that another id holds', update(2, 'kind', 2)),
  vector('index-held', 'an index key whose holder the batch changes elsewhere', [
    ...[2, ...head(0, UPDATE), ...varint(field('on')), 1],
    ...[...head(1, UPDATE), ...varint(field('port')), ...varint(131_070)],
  ]),
  vector('index-held', 'an index key whose holder gets another key in another index', [
    ...[2, ...head(2, UPDATE), ...varint(field('kind')), 1],
    ...[...head(0, CREATE), ...record(9, { count: [5] })],
  ]),
  vector(
    'index-held',
    'an image with an index key that a trusted id holds',
    one(0, CREATE, ...record(9, { kind: [2] })),
    { image: 0 },
  ),
  vector('value', 'a bool of 2 in an awaited segment', one(1050, CREATE, ...record(9, { on: [2] })), {
    awaited: 1,
  }),
  vector('id', 'the capacity with the last segment awaited', one(VECTORS_CAPACITY, DELETE), { awaited: 1 }),

  vector(undefined, 'no deltas', [0]),
  vector(undefined, 'an update by nothing', update(0, 'port', 0)),
  vector(
    undefined,
    'the largest string and the largest numbers',
    create({
      ...{ name: [3, 0xe2, 0x98, 0x83], count: varint(2 ** 32 - 1), delta: varint(2 ** 32 - 1) },
      total: varint(2 ** 53 - 2).with(0, 0xff),
    }),
  ),
  vector(
    undefined,
    'an IPv6 address that only ends like an IPv4 address',
    create({ from: [6, 0x20, 1, ...Array<number>(8).fill(0), 255, 255, 1, 2, 3, 4] }),
  ),
  vector(undefined, 'a change within a character', update(0, 'words', 3, 1, 1, 0x84)),
  vector(undefined, 'a change of a blob by nothing', update(0, 'raw', 1, 1, 0)),
  vector(undefined, 'a blob emptied', update(0, 'raw', 0, 0, 0)),
  vector(undefined, 'more kept of a blob than it has in an awaited segment', update(1100, 'raw', 5, 5, 0), {
    awaited: 1,
  }),
  vector(undefined, 'a blob of many blocks', create({ raw: [...varint(40_000), ...Array(40_000).fill(7)] })),
  vector(undefined, 'a whole of nothing where nothing is', one(1, WHOLE, 0)),
  vector(undefined, 'a whole that keeps its key', one(0, WHOLE, 1, ...record(1))),
  vector(undefined, 'a key that moves to a lower id', [
    ...[2, ...head(1, CREATE), ...record(2), ...head(0, DELETE)],
  ]),
  vector(undefined, 'a key that moves to a higher id', [
    2,
    ...head(0, DELETE),
    ...head(0, CREATE),
    ...record(1),
  ]),
  vector(undefined, 'two ids that exchange their keys', [
    ...[2, ...head(0, WHOLE), 1, ...record(2)],
    ...[...head(1, WHOLE), 1, ...record(1)],
  ]),
  vector(undefined, 'a key that a whole of nothing releases', [
    ...[2, ...head(1, CREATE), ...record(2), ...head(0, WHOLE), 0],
  ]),
  vector(undefined, 'a delete of an empty slot in an awaited segment', one(1050, DELETE), { awaited: 1 }),
  vector(undefined, 'a create of a held key in an awaited segment', one(1050, CREATE, ...record(1)), {
    awaited: 1,
  }),
  vector(undefined, 'a number out of range by an update in an awaited segment', update(1100, 'port', 1), {
    awaited: 1,
  }),
  vector(undefined, 'a key that an awaited id holds', one(1, CREATE, ...record(3)), { awaited: 1 }),
  vector(
    undefined,
    'an image that moves its keys',
    [2, ...head(0, CREATE), ...record(2), ...head(5, CREATE), ...record(1)],
    { image: 0 },
  ),
  vector(undefined, 'an image with a key that an awaited id holds', one(0, CREATE, ...record(3)), {
    image: 0,
    awaited: 1,
  }),
  vector(undefined, 'two creates without an index key', [
    ...[2, ...head(1, CREATE), ...record(8)],
    ...[...head(1, CREATE), ...record(9)],
  ]),
  vector(undefined, 'two ids that exchange their index keys', [
    ...[2, ...head(0, UPDATE), ...varint(field('kind') | field('port')), 2, ...varint(131_069)],
    ...[...head(1099, UPDATE), ...varint(field('kind') | field('port')), 0, ...varint(131_070)],
  ]),
  vector(undefined, 'an index key that an update releases', [
    ...[2, ...head(0, UPDATE), ...varint(field('port')), ...varint(131_069)],
    ...[...head(0, CREATE), ...record(9, { port: [255, 255] })],
  ]),
  vector(undefined, 'an index key that a delete releases', [
    ...[2, ...head(0, DELETE)],
    ...[...head(1, UPDATE), ...varint(field('port')), ...varint(131_070)],
  ]),
  vector(undefined, 'a whole that keeps its index key', one(1100, WHOLE, 1, ...record(3, { kind: [2] }))),
  vector(undefined, 'a create with an index key that an awaited id holds', create({ kind: [2] }), {
    awaited: 1,
  }),
  vector(undefined, 'an update to an index key that an awaited id holds', update(2, 'kind', 2), {
    awaited: 1,
  }),
  vector(
    undefined,
    'a create of a held index key in an awaited segment',
    one(1050, CREATE, ...record(9, { port: [255, 255] })),
    { awaited: 1 },
  ),
  vector(
    undefined,
    'an image with an index key that an awaited id holds',
    one(0, CREATE, ...record(9, { kind: [2] })),
    { image: 0, awaited: 1 },
  ),
  vector(
    undefined,
    'an image that moves its index keys',
    [2, ...head(0, CREATE), ...record(1), ...head(1, CREATE), ...record(2, { port: [255, 255] })],
    { image: 0 },
  ),
  vector(undefined, 'an empty image', [0], { image: 1 }),
]
