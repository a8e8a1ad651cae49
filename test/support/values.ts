// Values for every field type: fast-check arbitraries for what an application gives, and a seeded generator of cells
// for what the codec carries.
import fc from 'fast-check'
import { cellOf, codeOf, deadlineAfter, timeoutOf } from '../twins/lifetime.ts'
import type { Cell, Column, Row, TwinSchema } from '../twins/schema.ts'
import { toHex } from '../twins/schema.ts'
import { zeroCell } from '../twins/values.ts'
import type { Random } from './seed.ts'

const utf8Length = (text: string): number => new TextEncoder().encode(text).length
const octets = (count: number) => fc.uint8Array({ minLength: count, maxLength: count })
const edged = (most: number, least = 0) =>
  fc.oneof(fc.constantFrom(least, 0, 1, most - 1, most), fc.integer({ min: least, max: most }))

/** Characters of every length in UTF-8, so that what two edits of it share begins and ends anywhere in them. */
const LONG = [...'aé☃\u{1f600}bçdef\u{20ac}g\u{1f601}'.repeat(24)]
const long = fc
  .tuple(fc.nat(LONG.length), fc.nat(LONG.length), fc.string({ unit: 'binary', maxLength: 70 }))
  .map(([from, to, text]) => [...LONG.slice(0, from), text, ...LONG.slice(to)].join(''))
const longText = fc.oneof(
  long,
  long,
  fc.constantFrom('', 'x'.repeat(60), 'x'.repeat(61), 'y'.repeat(961), 'z'.repeat(1020), 'z'.repeat(1021)),
  fc.nat(5000).map((length) => 'ab'.repeat(length)),
)

/** What an application may give for a column. */
export function inputFor(column: Column): fc.Arbitrary<unknown> {
  switch (column.kind) {
    case 'u8':
      return edged(0xff)
    case 'u16':
      return edged(0xffff)
    case 'u32':
      return edged(0xffffffff)
    case 'i32':
      return edged(0x7fffffff, -0x80000000)
    case 'u53':
      return edged(Number.MAX_SAFE_INTEGER)
    case 'f64':
      return fc.double()
    case 'bool':
      return fc.boolean()
    case 'enum':
      return fc.constantFrom(...column.names)
    case 'ipv4':
      return fc.oneof(fc.ipV4(), octets(4), edged(0xffffffff))
    case 'ipv6':
      return fc.oneof(fc.ipV6(), octets(16))
    case 'ip':
      return fc.oneof(
        fc.ipV4(),
        fc.ipV6(),
        fc.ipV4().map((text) => `::ffff:${text}`),
        // Only ends like an IPv4 address in the IPv6 form.
        fc.ipV4().map((text) => `2001:db8::ffff:${text}`),
        fc.ipV4().map((text) => `::${text}`),
        octets(4),
        octets(16),
      )
    case 'bytes':
      return octets(column.size)
    case 'string':
      return fc
        .string({ unit: 'binary', maxLength: column.size })
        .filter((text) => utf8Length(text) <= column.size)
    case 'text':
      return longText
    case 'blob':
      return fc.oneof(
        longText.map((text) => new TextEncoder().encode(text)),
        fc.uint8Array({ maxLength: 200 }),
      )
    case 'lifetime':
      throw new Error('an application gives no lifetime as a field')
  }
}

/** Values no column of the kind accepts. */
export function badInputsFor(column: Column): readonly unknown[] {
  switch (column.kind) {
    case 'u8':
      return [-1, 256, 1.5, Number.NaN, '1', null]
    case 'u16':
      return [-1, 65536, 0.1, Number.POSITIVE_INFINITY, '80', null]
    case 'u32':
      return [-1, 2 ** 32, 0.5, Number.NaN, 1n, null]
    case 'i32':
      return [-(2 ** 31) - 1, 2 ** 31, 0.5, Number.NaN, '0', null]
    case 'u53':
      return [-1, 2 ** 53, 1e300, 0.5, Number.NaN, 1n, null]
    case 'f64':
      return ['1', null, 1n, {}]
    case 'bool':
      return [2, 'true', null]
    case 'enum':
      return ['', 'nobody', 999, null]
    case 'ipv4':
      return [
        '1.2.3',
        '1.2.3.256',
        '1.2.3.4.5',
        ' 1.2.3.4',
        '::1',
        '',
        -1,
        2 ** 32,
        0.5,
        [1, 2, 3],
        [1, 2, 3, 256],
        null,
      ]
    case 'ipv6':
      return [
        ':::',
        '1::2::3',
        'g::',
        '1:2:3:4:5:6:7',
        '1:2:3:4:5:6:7:8:9',
        '::1%eth0',
        '',
        1,
        Array(15).fill(0),
        null,
      ]
    case 'ip':
      return ['1.2.3', 'localhost', '', '::1%1', 1, [1, 2, 3, 4, 5], Array(16).fill(256), null]
    case 'bytes':
      return [
        new Uint8Array(column.size - 1),
        new Uint8Array(column.size + 1),
        'x'.repeat(column.size),
        1,
        null,
      ]
    case 'string':
      return ['x'.repeat(column.size + 1), '\u{10000}'.repeat(column.size), '\ud800', 1, null]
    case 'blob':
      return ['x', 1, null, [1, 2], new Uint8Array(1_048_577)]
    case 'text':
      return [1, null, '\ud800', `${'x'.repeat(70)}\udc00`, 'x'.repeat(1_048_577), 'é'.repeat(524_289)]
    case 'lifetime':
      return []
  }
}

/** UTF-8 of texts with characters of every length. */
const TEXTS = ['', 'a', 'bc', 'é', '☃', '\u{1f600}', 'x\0y', '\ufeff', 'abcde'].map((text) =>
  toHex(new TextEncoder().encode(text)),
)

/** A cell as the codec may carry it; half of them small, so that keys and values meet often. */
export function randomCell(random: Random, column: Column): Cell {
  if (random.chance(0.2)) return zeroCell(column)
  const small = random.chance(0.5)
  switch (column.kind) {
    case 'u8':
      return random.below(small ? 4 : 256)
    case 'bool':
      return random.below(2)
    case 'enum':
      return random.below(column.names.length)
    case 'u16':
      return small ? random.below(4) : random.pick([random.below(0x10000), 0xffff])
    case 'u32':
      return small ? random.below(4) : random.pick([random.u32(), 0xffffffff])
    case 'i32':
      return small ? random.below(9) - 4 : random.pick([random.u32() | 0, -0x80000000, 0x7fffffff])
    case 'u53':
      return small ? random.below(200) : random.pick([random.u32() * 2097152, Number.MAX_SAFE_INTEGER])
    case 'f64':
      return toHex(random.bytes(8))
    case 'ipv4':
      return small ? `0a00000${random.below(4)}` : toHex(random.bytes(4))
    case 'ipv6':
      return toHex(random.bytes(16))
    case 'ip':
      if (small) return `00000000000000000000ffff0a00000${random.below(4)}`
      return random.chance(0.2)
        ? `20010db8000000000000ffff${toHex(random.bytes(4))}`
        : toHex(random.bytes(16))
    case 'bytes':
      return toHex(random.bytes(column.size))
    case 'string':
      return random.pick(TEXTS.filter((hex) => hex.length <= 2 * column.size))
    case 'text':
      return longCell(random, random.pick(TEXTS))
    case 'blob':
      return longCell(random, toHex(random.bytes(random.below(70))))
    case 'lifetime':
      return randomLife(random, column.timeout!)
  }
}

/** Something between a beginning and an end of the same long text. */
function longCell(random: Random, middle: string): string {
  const hex = (text: string[]) => toHex(new TextEncoder().encode(text.join('')))
  if (random.chance(0.3)) return middle
  const [from, to] = [random.below(LONG.length), random.below(LONG.length)]
  return hex(LONG.slice(0, from)) + middle + hex(LONG.slice(to))
}

/** A lifetime the table, or a session's own timeout, could have given. */
function randomLife(random: Random, timeout: number): string {
  const deadline = 1 + random.below(random.pick([40, 5000, 0x7fffffff]))
  const draw = random.below(4)
  if (draw === 0) return cellOf({ deadline, own: 1 })
  const ticks = draw === 1 ? timeout : 1 + random.below(random.pick([20, 5000, 2 ** 28]))
  if (ticks === 0) return '0/0'
  const own = draw === 1 ? 0 : 2 * codeOf(ticks)
  return cellOf({ deadline: deadlineAfter(deadline, timeoutOf({ deadline, own }, timeout)), own })
}

export function randomRow(random: Random, schema: TwinSchema): Row {
  return schema.columns.map((column) => randomCell(random, column))
}
