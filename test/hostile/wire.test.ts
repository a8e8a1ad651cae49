// time-out: 300 s
// Every decoder of src/wire against bytes nobody should send: lengths at their edges at every place of every frame, and
// 700,000 random changes. None may throw, take its time, or ask for memory beyond what it was given and its declared caps.
import { createHmac } from 'node:crypto'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  FRAME_BYTES_MAX,
  FRAME_HEADER_BYTES,
  FrameType,
  HEARTBEAT_BYTES,
  MAC_BYTES,
  NAME_BYTES_MAX,
  REFUSALS,
  TABLES_MAX,
} from '../../src/wire/constants.ts'
import { FrameReader, parseFrame } from '../../src/wire/frame.ts'
import { decodeHeartbeat, encodeHeartbeat } from '../../src/wire/heartbeat.ts'
import { decodeHello, encodeHello, type Hello } from '../../src/wire/hello.ts'
import { watchAllocations } from '../support/allocations.ts'
import { EDGES, hangs, harmed, withU32, withVarint } from '../support/edges.ts'
import { FRAME_NAMES, honestFrame, randomStatus, readPayload } from '../support/frames.ts'
import { type Random, runs, seeded } from '../support/seed.ts'

const CHANGES = 400_000
const STREAMS = 100_000
const HEARTBEATS = 100_000
/** Nothing here is longer than a few hundred bytes; a reading that takes this long hangs. */
const READ_MS_MAX = 250
/** With a single byte that is read where it is answered. */
const BARE = ['DIFFERENCE', 'RESYNC_REQUEST']
/** A reader keeps at most twice what it was given, and the first 32 bytes of a frame. */
const keptMax = (given: number) => 2 * given + FRAME_HEADER_BYTES

function readOnce(bytes: Uint8Array): unknown {
  const frame = parseFrame(bytes)
  return typeof frame === 'string' ? frame : readPayload(frame)
}

/** Reads a frame as a node would; gives whether it was accepted. */
function read(bytes: Uint8Array, what: () => string): boolean {
  const began = performance.now()
  const { result, longest } = watchAllocations(() => readOnce(bytes))
  if (performance.now() - began > READ_MS_MAX && hangs(() => readOnce(bytes), READ_MS_MAX))
    assert.unreachable(`a reading that hangs: ${what()}`)
  if (longest > bytes.length) assert.unreachable(`${longest} bytes asked for by ${bytes.length}: ${what()}`)
  if (typeof result === 'string') assert.ok((REFUSALS as readonly string[]).includes(result), what())
  if (isHello(result)) checkHello(result)
  return result !== undefined && typeof result !== 'string'
}

const isHello = (value: unknown): value is Hello =>
  typeof value === 'object' && value !== null && 'contribution' in value

/** What is accepted is within its bounds, and means the same when it is said again. */
function checkHello(hello: Hello): void {
  assert.ok(hello.tables.length <= TABLES_MAX)
  for (const name of [hello.cluster, hello.id, ...hello.tables.map((table) => table.name)])
    assert.ok(Buffer.byteLength(name) <= NAME_BYTES_MAX)
  const again = parseFrame(encodeHello(hello).slice())
  assert.ok(typeof again !== 'string')
  assert.equal(decodeHello(again.payload), hello)
}

const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

/** With a length that fits, so that what is read is the payload and not only the first four bytes. */
function framed(bytes: Uint8Array): Uint8Array {
  return bytes.length < 4 ? bytes : withU32(bytes, 0, bytes.length)
}

test(
  'an honest frame of every type is read',
  seeded((random) => {
    for (const name of FRAME_NAMES) {
      if (BARE.includes(name)) continue
      for (let i = 0; i < 50; i++) {
        const frame = honestFrame(random, name)
        assert.ok(
          read(frame, () => `${name} ${hexOf(frame)}`) || name === 'REFUSED',
          `${name}: ${hexOf(frame)}`,
        )
      }
    }
  }),
)

test(
  'a length at its edges, at every place of every frame, is refused or harmless',
  seeded((random) => {
    let attempts = 0
    let accepted = 0
    for (const name of FRAME_NAMES) {
      for (let i = 0; i < 3; i++) {
        const frame = honestFrame(random, name)
        for (let at = 0; at < frame.length; at++) {
          for (const edge of EDGES(FRAME_BYTES_MAX)) {
            for (const bytes of [withU32(frame, at, edge), framed(withVarint(frame, at, edge))]) {
              attempts++
              if (read(bytes, () => `${name} ${hexOf(bytes)}`)) accepted++
            }
          }
        }
      }
    }
    console.log(`\n  ${attempts} lengths at their edges, ${accepted} accepted`)
    assert.ok(accepted > 0 && accepted < attempts)
  }),
)

test(
  'frames changed at random are refused by a name or mean something within bounds',
  seeded((random) => {
    let accepted = 0
    const counts = new Map<string, number>()
    let other = honestFrame(random, 'BATCH')
    const attempts = runs(CHANGES)
    for (let i = 0; i < attempts; i++) {
      const name = random.pick(FRAME_NAMES)
      let bytes = honestFrame(random, name)
      for (let changes = 1 + random.below(3); changes > 0; changes--)
        bytes = harmed(random, bytes, other, FRAME_BYTES_MAX)
      if (random.chance(0.9)) bytes = framed(bytes)
      if (random.chance(0.05)) other = bytes
      if (!read(bytes, () => `${name} ${hexOf(bytes)}`)) counts.set(name, (counts.get(name) ?? 0) + 1)
      else accepted++
    }
    console.log(`\n  ${attempts} changed frames, ${accepted} accepted`)
    for (const name of FRAME_NAMES) assert.ok(counts.has(name), `no changed ${name} was refused`)
  }),
)

/** A stream of a few frames, in pieces, the lengths of some of them wrong. */
function stream(random: Random): Uint8Array {
  const frames = Array.from({ length: 1 + random.below(4) }, () =>
    honestFrame(random, random.pick(FRAME_NAMES)),
  )
  const bytes = Buffer.concat(frames)
  return random.chance(0.3) ? new Uint8Array(bytes) : harmed(random, bytes, frames[0]!, FRAME_BYTES_MAX)
}

test(
  'a stream cut anywhere never keeps more than it was given, whatever lengths it names',
  seeded((random) => {
    const refusals = new Map<string, number>()
    for (let left = runs(STREAMS); left > 0; left--) {
      const bytes = stream(random)
      const cap = random.pick([4_096, FRAME_BYTES_MAX])
      const reader = new FrameReader(cap)
      let given = 0
      let refusal: string | undefined
      while (given < bytes.length && refusal === undefined) {
        const piece = bytes.subarray(given, given + 1 + random.below(random.pick([3, 60, 1000])))
        given += piece.length
        const watched = watchAllocations(() =>
          reader.push(piece, (frame) => {
            assert.ok(frame.bytes.length <= cap && frame.bytes.length >= FRAME_HEADER_BYTES)
            assert.is(frame.payload.length, frame.bytes.length - FRAME_HEADER_BYTES)
            return undefined
          }),
        )
        refusal = watched.result
        if (watched.longest > keptMax(given))
          assert.unreachable(`${watched.longest} of ${given}: ${hexOf(bytes)}`)
      }
      refusals.set(refusal ?? 'none', (refusals.get(refusal ?? 'none') ?? 0) + 1)
    }
    console.log(`\n  ${[...refusals].map(([name, count]) => `${name} ${count}`).join(', ')}`)
    for (const name of ['none', 'frame-size', 'malformed', 'version'])
      assert.ok(refusals.has(name), `no stream was refused as ${name}`)
  }),
)

test('sixteen million bytes that never come are not waited for in memory', () => {
  const reader = new FrameReader()
  const { longest } = watchAllocations(() => {
    const head = withU32(new Uint8Array(FRAME_HEADER_BYTES), 0, FRAME_BYTES_MAX)
    head[4] = FrameType.BATCH
    head[5] = 1
    assert.is(
      reader.push(head, () => undefined),
      undefined,
    )
    for (let i = 0; i < 1000; i++)
      assert.is(
        reader.push(new Uint8Array(1), () => undefined),
        undefined,
      )
  })
  assert.ok(longest <= keptMax(FRAME_HEADER_BYTES + 1000), String(longest))
})

test(
  'heartbeats: one changed without the key is refused as mac, one with the key by its name, and nothing throws',
  seeded((random) => {
    const mac = (key: Uint8Array, bytes: Uint8Array) => createHmac('sha256', key).update(bytes).digest()
    const key = random.bytes(32)
    const honest = () =>
      encodeHeartbeat(
        {
          link: random.below(2),
          place: random.below(2),
          counter: random.below(2 ** 53 - 1),
          sentAt: random.below(10 ** 9) / 3,
          echo: -1,
          heldMs: 0,
          status: randomStatus(random),
        },
        key,
        mac,
      )
    const verdicts = new Map<string, number>()
    const note = (verdict: string) => verdicts.set(verdict, (verdicts.get(verdict) ?? 0) + 1)
    let other = honest()
    for (let left = runs(HEARTBEATS); left > 0; left--) {
      const before = random.chance(0.1) ? honest() : other
      const bytes = harmed(random, before, other, HEARTBEAT_BYTES)
      const same = [before, other].some((one) => Buffer.compare(one, bytes) === 0)
      const verdict = decodeHeartbeat(bytes, key, mac)
      if (!same) assert.is(verdict, bytes.length === HEARTBEAT_BYTES ? 'mac' : 'size', hexOf(bytes))
      note(typeof verdict === 'string' ? verdict : 'accepted')
      // The same bytes from somebody who has the key.
      const signed = new Uint8Array(HEARTBEAT_BYTES)
      signed.set(bytes.subarray(0, HEARTBEAT_BYTES - MAC_BYTES))
      signed.set(mac(key, signed.subarray(0, HEARTBEAT_BYTES - MAC_BYTES)), HEARTBEAT_BYTES - MAC_BYTES)
      const inside = decodeHeartbeat(signed, key, mac)
      note(typeof inside === 'string' ? inside : 'accepted')
      if (random.chance(0.02)) other = before
    }
    console.log(`\n  ${[...verdicts].map(([name, count]) => `${name} ${count}`).join(', ')}`)
    for (const name of ['accepted', 'mac', 'size', 'version', 'malformed'])
      assert.ok(verdicts.has(name), `nothing was ${name}`)
  }),
)

test.run()
