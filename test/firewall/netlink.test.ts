// Flows as messages of nfnetlink, held against the bytes that a kernel's header draws.
import { endianness } from 'node:os'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'

const load = (name: string) => import(new URL(`../../examples/firewall/${name}`, import.meta.url).href)
const { MESSAGE_BYTES_MAX, Messages } = await load('netlink.mjs')

const test = suite('messages to the kernel')
const isLittle = endianness() === 'LE'

const none = { snatIp: '0.0.0.0', snatPort: 0, dnatIp: '0.0.0.0', dnatPort: 0, mark: 0 }
const flow = {
  ...none,
  proto: 6,
  src: '10.1.0.10',
  dst: '10.2.0.10',
  sport: 1001,
  dport: 8080,
  state: 'ESTABLISHED',
  seen: 'assured',
  timeout: 300,
}

const u16 = (bytes: Buffer, at: number) => (isLittle ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at))
const u32 = (bytes: Buffer, at: number) => (isLittle ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at))

/** Attributes as [type, hexadecimal value], or [type, attributes] where they are nested. */
type Attribute = [number, string | Attribute[]]
function attributes(bytes: Buffer): Attribute[] {
  const all: Attribute[] = []
  for (let at = 0; at < bytes.length; ) {
    const [length, type] = [u16(bytes, at), u16(bytes, at + 2)]
    const value = bytes.subarray(at + 4, at + length)
    all.push(type & 0x8000 ? [type & 0x7fff, attributes(value)] : [type, value.toString('hex')])
    at += (length + 3) & ~3
  }
  return all
}

/** The messages of a run: type, flags, number, family, attributes. */
function read(run: Buffer) {
  const all = []
  for (let at = 0; at < run.length; at += u32(run, at)) {
    const told = attributes(run.subarray(at + 20, at + u32(run, at)))
    all.push([u16(run, at + 4), u16(run, at + 6), u32(run, at + 8), run[at + 16], told])
  }
  return all
}

test('a translated TCP connection', () => {
  const messages = new Messages(4096)
  messages.add({ ...flow, snatIp: '10.2.0.1', snatPort: 2001, mark: 7 }, 0, 42)
  const exactly = [
    [1, '0a020001'],
    [2, '0a020001'],
    [
      3,
      [
        [1, '07d1'],
        [2, '07d1'],
      ],
    ],
  ]
  const tuple = (from: string, to: string, sport: string, dport: string) => [
    [
      1,
      [
        [1, from],
        [2, to],
      ],
    ],
    [
      2,
      [
        [1, '06'],
        [2, sport],
        [3, dport],
      ],
    ],
  ]
  assert.equal(read(messages.take()), [
    [
      0x0100,
      0x1 | 0x4 | 0x200 | 0x400,
      42,
      2,
      [
        [1, tuple('0a01000a', '0a02000a', '03e9', '1f90')],
        [2, tuple('0a02000a', '0a01000a', '1f90', '03e9')],
        [6, exactly],
        [3, '0000000e'],
        [7, '0000012c'],
        [8, '00000007'],
        [
          4,
          [
            [
              1,
              [
                [1, '03'],
                [4, '0a0a'],
                [5, '0a0a'],
              ],
            ],
          ],
        ],
      ],
    ],
  ])
})

test('of a run only the last message asks for an answer, and the next run begins anew', () => {
  const messages = new Messages(4096)
  messages.addFlush(1)
  messages.add(flow, 0, 2)
  messages.add(flow, 0, 3)
  assert.is(messages.count, 3)
  const heads = read(messages.take()).map(([type, flags, seq]) => [type, flags, seq])
  assert.equal(heads, [
    [0x0102, 0x1, 1],
    [0x0100, 0x601, 2],
    [0x0100, 0x605, 3],
  ])
  assert.is(messages.count, 0)
  messages.add(flow, 0, 4)
  assert.is(read(messages.take()).length, 1)
})

test('IPv6 addresses as they are written', () => {
  const address = (src: string) => {
    const messages = new Messages(4096)
    messages.add({ ...flow, src, dst: '::', snatIp: '::', dnatIp: '::' }, 0, 1)
    const [[, , , family, told]] = read(messages.take()) as [[number, number, number, number, Attribute[]]]
    assert.is(family, 10)
    const ip = (told[0]![1] as Attribute[])[0]![1] as Attribute[]
    return ip[0]!
  }
  const zeros = (count: number) => '00'.repeat(count)
  assert.equal(address('fd01::10'), [3, `fd01${zeros(12)}0010`])
  assert.equal(address('::1'), [3, `${zeros(15)}01`])
  assert.equal(address('fd00::'), [3, `fd00${zeros(14)}`])
  assert.equal(address('1:2:3:4:5:6:7:8'), [3, '00010002000300040005000600070008'])
  assert.equal(address('::ffff:10.1.0.10'), [3, `${zeros(10)}ffff0a01000a`])
  assert.equal(address('1:2:3:4:5:6:10.1.0.10'), [3, '0001000200030004000500060a01000a'])
})

test('the largest flow has room where there is said to be some', () => {
  const full = 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'
  const most = {
    ...flow,
    src: full,
    dst: full,
    snatIp: full,
    snatPort: 1,
    dnatIp: full,
    dnatPort: 1,
    mark: 1,
  }
  const messages = new Messages(MESSAGE_BYTES_MAX)
  assert.ok(messages.hasRoom)
  messages.add(most, 0, 1)
  assert.not.ok(messages.hasRoom)
  assert.ok(messages.take().length <= MESSAGE_BYTES_MAX)
})

test('a time-out is never shorter than the least, and one that is not known is ten minutes', () => {
  const timeout = (given: number, least: number) => {
    const messages = new Messages(4096)
    messages.add({ ...flow, timeout: given }, least, 1)
    const [[, , , , told]] = read(messages.take()) as [[number, number, number, number, Attribute[]]]
    return Number.parseInt(told.find(([type]) => type === 7)![1] as string, 16)
  }
  assert.equal([timeout(3, 30), timeout(0, 30), timeout(300, 30)], [30, 600, 300])
})

test.run()
