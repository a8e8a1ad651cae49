// Frames and their payloads: what goes in comes out, and nothing cut, padded or changed comes out as something else.
import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { ByteReader, ByteWriter } from '../../src/wire/bytes.ts'
import { FRAME_HEADER_BYTES, FrameType, HEARTBEAT_BYTES } from '../../src/wire/constants.ts'
import * as control from '../../src/wire/control.ts'
import { beginFrame, emptyFrame, FrameReader, parseFrame, sealFrame } from '../../src/wire/frame.ts'
import { decodeHeartbeat, encodeHeartbeat } from '../../src/wire/heartbeat.ts'
import { decodeHello, encodeHello } from '../../src/wire/hello.ts'
import * as sequenced from '../../src/wire/sequenced.ts'
import { aStatus } from '../support/status.ts'

const mac = (key: Uint8Array, bytes: Uint8Array) => createHmac('sha256', key).update(bytes).digest()
const u53 = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER })

function payloadOf(bytes: Uint8Array): Uint8Array {
  const frame = parseFrame(bytes)
  if (typeof frame === 'string') throw new Error(frame)
  return frame.payload
}

test('numbers survive the writer and the reader', () => {
  fc.assert(
    fc.property(fc.array(u53), (numbers) => {
      const writer = new ByteWriter(1)
      for (const number of numbers) writer.u53(number).varint(number)
      const reader = new ByteReader(writer.finish())
      for (const number of numbers) {
        assert.is(reader.u53(), number)
        assert.is(reader.varint(), number)
      }
      assert.ok(reader.done)
    }),
  )
})

test('a varint longer than needed, too long or cut is refused', () => {
  for (const bytes of [[0x80, 0x00], [0x80], Array(8).fill(0xff), Array(9).fill(0x80)]) {
    const reader = new ByteReader(Uint8Array.from(bytes))
    reader.varint()
    assert.ok(reader.failed, String(bytes))
  }
})

test('any split of a byte stream gives the same frames', () => {
  const frames = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 8 })
  fc.assert(
    fc.property(frames, fc.array(fc.integer({ min: 1, max: 97 }), { minLength: 1 }), (payloads, cuts) => {
      const all = payloads.map((payload, i) =>
        sealFrame(beginFrame(FrameType.BATCH, 7, i + 1).raw(payload)).slice(),
      )
      const stream = Buffer.concat(all)
      const reader = new FrameReader()
      const got: Uint8Array[] = []
      for (let at = 0, i = 0; at < stream.length; i++) {
        const piece = stream.subarray(at, at + cuts[i % cuts.length]!)
        at += piece.length
        const refusal = reader.push(piece, (frame) => {
          got.push(frame.payload.slice())
          return undefined
        })
        assert.is(refusal, undefined)
      }
      assert.equal(
        got.map((bytes) => [...bytes]),
        payloads.map((bytes) => [...bytes]),
      )
    }),
  )
})

test('a frame longer than allowed is refused before it is kept', () => {
  const reader = new FrameReader(100)
  const frame = sealFrame(beginFrame(FrameType.BATCH, 1, 1).raw(new Uint8Array(69)))
  assert.is(
    reader.push(frame.subarray(0, 4), () => undefined),
    'frame-size',
  )
  const short = new Uint8Array(FRAME_HEADER_BYTES)
  short[0] = 31
  assert.is(
    new FrameReader().push(short, () => undefined),
    'frame-size',
  )
})

test('another version, a reserved bit and an unknown type are refused by name', () => {
  const frame = emptyFrame(FrameType.GRANT, 5).slice()
  const changed = (at: number, value: number) => parseFrame(frame.map((byte, i) => (i === at ? value : byte)))
  assert.is(changed(5, 2), 'version')
  assert.is(changed(6, 1), 'malformed')
  assert.is(changed(4, 64), 'malformed')
  assert.is(changed(0, 33), 'malformed')
})

test('control frames come back as they were said', () => {
  const status = aStatus({
    epoch: 9,
    lineage: 'aaaaaaaaaaaaaaaa',
    complete: true,
    uptimeMs: 12.5,
    sessions: 3,
  })
  const ack = { received: 2 ** 52, applied: 7, awaited: control.AWAITED_UNKNOWN }
  assert.equal(control.decodeAck(payloadOf(control.encodeAck(1, 2, ack))), ack)
  const follow = { number: 3, attach: 4, received: 5 }
  assert.equal(control.decodeFollow(payloadOf(control.encodeFollow(1, follow))), follow)
  const offer = { position: 12, reason: 'handover' as const }
  assert.equal(control.decodeOffer(payloadOf(control.encodeOffer(1, offer))), offer)
  const claim = { epoch: 6, reason: 'operator' as const, status }
  assert.equal(control.decodeClaim(6, payloadOf(control.encodeClaim(claim))), claim)
  const keepalive = control.encodeStatusFrame(FrameType.KEEPALIVE, status)
  assert.equal(control.decodeStatusFrame(payloadOf(keepalive)), status)
})

test('a hello comes back as it was said', () => {
  const schema = {
    keys: [{ name: 'id', type: 'u32' }],
    fields: [
      { name: 'state', type: 'enum(3) 0123456789abcdef' },
      { name: 'port', type: 'u16' },
    ],
    indexes: [{ name: 'reply', fields: ['state', 'port'] }],
    lifetime: '4800 idle',
  }
  const hello = {
    cluster: 'edge',
    id: 'a',
    link: 1,
    contribution: Uint8Array.from({ length: 32 }, (_, i) => i),
    heartbeatInterval: 50,
    heartbeatLost: 4,
    tables: [
      {
        name: 'connections',
        schemaHash: '0123456789abcdef',
        capacity: 1_000_000,
        arena: 2 ** 32,
        deltasMax: 9,
        schema,
      },
    ],
    status: aStatus(),
  }
  assert.equal(decodeHello(payloadOf(encodeHello(hello))), hello)
})

test('sequenced payloads come back as they were said, and cut ones do not', () => {
  const deltas = Uint8Array.of(1, 2, 3)
  const digests = new Uint8Array(16).fill(5)
  const cases: [Uint8Array, (bytes: Uint8Array) => unknown][] = [
    [
      sequenced
        .writeResync(new ByteWriter(), {
          follow: 1,
          digestKey: new Uint8Array(16),
          time: 9,
          lineage: '0123456789abcdef',
          capacities: [5],
        })
        .finish(),
      sequenced.readResync,
    ],
    [sequenced.writeRun(new ByteWriter(), { table: 0, first: 300, count: 2 }).finish(), sequenced.readRun],
    [
      sequenced.writeDigestRun(new ByteWriter(), { table: 0, first: 3, count: 2, digests }).finish(),
      sequenced.readDigestRun,
    ],
    [
      sequenced
        .writeProofResult(new ByteWriter(), { token: 1, equal: true, segments: 2, epoch: 3, sequence: 4 })
        .finish(),
      sequenced.readProofResult,
    ],
    [
      sequenced.writeSection(sequenced.beginBatch(new ByteWriter(), 7), 0, deltas).finish(),
      sequenced.readBatch,
    ],
    [
      sequenced
        .writeOffer(new ByteWriter(), {
          lineage: '0123456789abcdef',
          epoch: 3,
          sequence: 4,
          reigned: true,
          changed: 5,
        })
        .finish(),
      sequenced.readOffer,
    ],
  ]
  const list = { table: 1, last: true, list: Uint8Array.of(0) }
  assert.equal(sequenced.readRecordList(sequenced.writeRecordList(new ByteWriter(), list).finish()), list)
  assert.is(sequenced.readRecordList(Uint8Array.of(1, 2, 0)), undefined)
  for (const [bytes, read] of cases) {
    assert.ok(read(bytes) !== undefined, read.name)
    assert.is(read(bytes.subarray(0, bytes.length - 1)), undefined, `${read.name}, cut`)
  }
  assert.equal(sequenced.readBatch(cases[4]![0]), { time: 7, sections: [{ table: 0, deltas }] })
})

test('sections of a table twice or out of order are refused', () => {
  const writer = sequenced.beginBatch(new ByteWriter(), 1)
  sequenced.writeSection(writer, 1, new Uint8Array(1))
  sequenced.writeSection(writer, 1, new Uint8Array(1))
  assert.is(sequenced.readBatch(writer.finish()), undefined)
})

test('a heartbeat with any bit changed, cut or under another key is refused', () => {
  const key = new Uint8Array(32).fill(1)
  const heartbeat = { link: 1, place: 0, counter: 77, sentAt: 5.5, echo: -1, heldMs: 0, status: aStatus() }
  const bytes = encodeHeartbeat(heartbeat, key, mac)
  assert.equal(decodeHeartbeat(bytes, key, mac), heartbeat)
  assert.is(decodeHeartbeat(bytes, new Uint8Array(32), mac), 'mac')
  assert.is(decodeHeartbeat(bytes.subarray(1), key, mac), 'size')
  for (let bit = 0; bit < HEARTBEAT_BYTES * 8; bit++) {
    const changed = bytes.slice()
    changed[bit >> 3]! ^= 1 << (bit & 7)
    assert.is(decodeHeartbeat(changed, key, mac), 'mac')
  }
})

test('a hello reader never trips over bytes', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => decodeHello(bytes) === undefined))
})

test.run()
