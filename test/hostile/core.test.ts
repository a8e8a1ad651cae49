// time-out: 300 s
// Two whole nodes under siege: strangers on their streams, forgers on their heartbeat ports, and a peer that holds the key
// and has gone mad. The first two change nothing and are answered nothing; the third may end the pair, never a node.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { helloRefusal } from '../../src/core/hello-check.ts'
import {
  FORWARD_TYPE_MIN,
  FRAME_HEADER_BYTES,
  FRAME_TYPE_OFFSET,
  FrameType,
  HEARTBEAT_BYTES,
} from '../../src/wire/constants.ts'
import { FrameReader } from '../../src/wire/frame.ts'
import { decodeHello } from '../../src/wire/hello.ts'
import { type Machine, Pair } from '../support/besieged.ts'
import { harmed, withU32 } from '../support/edges.ts'
import { FRAME_NAMES, honestFrame } from '../support/frames.ts'
import { type Random, runs, seeded } from '../support/seed.ts'

const test = suite('besieged')
const VISITS = 30_000
const DATAGRAMS = 60_000
const STRIKES = 12_000
const FRAME_CAP = 262_144

/** What no stranger may change. */
function standing(pair: Pair): unknown {
  return pair.machines.map(({ core, table }) => [
    core.state.role,
    core.state.epoch,
    core.state.lineage,
    core.state.heardEpoch,
    core.peer.alive,
    core.links.map((link) => link.stream?.id),
    table.size,
  ])
}

/** Whether the bytes begin with a hello that this machine accepts: then they are no stranger's. */
function wouldBeAccepted({ core }: Machine, link: number, bytes: Uint8Array): boolean {
  let accepted = false
  new FrameReader(FRAME_CAP).push(bytes, (frame) => {
    const hello = frame.type === FrameType.HELLO ? decodeHello(frame.payload) : undefined
    accepted = hello !== undefined && helloRefusal(hello, core.options, link) === undefined
    return 'malformed'
  })
  return accepted
}

const counted = (pair: Pair) => pair.machines.map((machine) => new Map(Object.entries(machine.refusals)))

function summary(pair: Pair): string {
  const sum = new Map<string, number>()
  for (const counts of counted(pair))
    for (const [name, count] of counts) sum.set(name, (sum.get(name) ?? 0) + count)
  return [...sum].map(([name, count]) => `${name} ${count}`).join(', ')
}

const frameOf = (random: Random, pair: Pair) =>
  random.chance(0.5)
    ? honestFrame(random, random.pick(FRAME_NAMES))
    : random.pick(pair.tapes[random.below(2)]!.frames)

/** A frame changed at random, mostly with a length that fits. */
function hostileFrame(random: Random, pair: Pair): Uint8Array {
  let bytes = frameOf(random, pair)
  for (let changes = random.below(3); changes > 0; changes--)
    bytes = harmed(random, bytes, frameOf(random, pair), FRAME_CAP)
  return random.chance(0.9) && bytes.length >= 4 ? withU32(bytes, 0, bytes.length) : bytes
}

test(
  'strangers on the streams change nothing, are told no more than a hello and a refusal, and are counted',
  seeded((random) => {
    const pair = new Pair(random)
    assert.ok(pair.isPair)
    const before = standing(pair)
    for (let left = runs(VISITS); left > 0; left--) {
      const [index, link] = [random.below(2), random.below(2)]
      const bytes = Buffer.concat(
        Array.from({ length: 1 + random.below(2) }, () => hostileFrame(random, pair)),
      )
      if (wouldBeAccepted(pair.machines[index]!, link, bytes)) continue
      const cut = random.below(bytes.length + 1)
      pair.answers = 0
      pair.visit(index, link, [new Uint8Array(bytes.subarray(0, cut)), new Uint8Array(bytes.subarray(cut))])
      assert.ok(pair.answers <= 2, `${pair.answers} frames for a stranger`)
      if (left % 64 === 0) {
        pair.advance(50)
        assert.equal(standing(pair), before)
        assert.ok(pair.isPair)
      }
    }
    console.log(`\n  ${summary(pair)}`)
    const names = new Set(counted(pair).flatMap((counts) => [...counts.keys()]))
    for (const name of ['malformed', 'version', 'hello-expected', 'cluster', 'frame-size'])
      assert.ok(names.has(name), `no stranger was refused as ${name}`)
  }),
)

test(
  'forged, replayed and reordered datagrams are dropped, counted and answered nothing',
  seeded((random) => {
    const pair = new Pair(random)
    const before = standing(pair)
    for (let left = runs(DATAGRAMS); left > 0; left--) {
      const [index, link] = [random.below(2), random.below(2)]
      const source = random.pick(pair.tapes[random.below(2)]!.datagrams)
      const bytes = random.chance(0.3) ? source : harmed(random, source, source, HEARTBEAT_BYTES)
      for (const { type } of pair.datagram(index, link, bytes))
        assert.ok(type === 'post', `a datagram was answered by ${type}`)
      if (left % 256 === 0) {
        pair.settle()
        pair.advance(50)
        assert.equal(standing(pair), before)
        assert.ok(pair.isPair)
      }
    }
    console.log(`\n  ${summary(pair)}`)
    const names = new Set(counted(pair).flatMap((counts) => [...counts.keys()]))
    for (const name of ['size', 'mac', 'reflected', 'link', 'replayed'])
      assert.ok(names.has(`heartbeat-${name}`), `nothing was refused as heartbeat-${name}`)
  }),
)

/** A frame as the peer could send it next: epoch, sequence and attachment are those of its last frames, or nearly. */
function madFrame(random: Random, pair: Pair, from: number): Uint8Array {
  const bytes = hostileFrame(random, pair)
  if (bytes.length < FRAME_HEADER_BYTES || bytes[FRAME_TYPE_OFFSET]! < FORWARD_TYPE_MIN) return bytes
  const like = pair.tapes[from]!.frames.findLast((frame) => frame[FRAME_TYPE_OFFSET]! >= FORWARD_TYPE_MIN)
  if (like === undefined || random.chance(0.1)) return bytes
  const next = bytes.slice()
  next.set(like.subarray(8, FRAME_HEADER_BYTES), 8)
  const view = new DataView(next.buffer)
  view.setUint32(16, view.getUint32(16, true) + random.pick([0, 1, 1, 1, 1, 2]), true)
  return next
}

test(
  'a peer with the key that has gone mad ends the pair at worst: no node throws, hangs or stops',
  seeded((random) => {
    let pair = new Pair(random)
    const refusals = new Map<string, number>()
    let [pairs, strikes, taken, missed] = [1, 0, 0, 0]
    const note = () => {
      for (const counts of counted(pair))
        for (const [name, count] of counts) refusals.set(name, (refusals.get(name) ?? 0) + count)
    }
    const renew = () => {
      note()
      pair = new Pair(random)
      pairs++
      missed = 0
    }
    for (const end = runs(STRIKES); strikes < end; ) {
      const index = random.below(2)
      const before = pair.machines[index]!.refused
      if (!pair.strike(index, random.below(2), madFrame(random, pair, 1 - index))) {
        // A peer that has said goodbye is not dialled again.
        if (++missed > 40) renew()
        else pair.advance(50)
        continue
      }
      missed = 0
      strikes++
      if (pair.machines[index]!.refused === before) taken++
      const primary = pair.primary
      if (primary !== undefined && random.chance(0.3))
        primary.table.set({ id: random.below(2_900) }, { count: random.below(1000) })
      pair.advance(random.pick([5, 5, 5, 60]))
      assert.ok(pair.machines.every((machine) => machine.role !== 'stopped'))
      if (strikes % 50 !== 0) continue
      // What it said may have been believed: it has the key. Two honest nodes find each other again, or begin anew.
      if (!pair.until(() => pair.isPair)) renew()
    }
    note()
    console.log(`\n  ${strikes} frames, ${taken} not refused, ${pairs} pairs`)
    console.log(`  ${[...refusals].map(([name, count]) => `${name} ${count}`).join(', ')}`)
    for (const name of ['malformed', 'sequence', 'frame-size'])
      assert.ok(refusals.has(name), `nothing was ${name}`)
  }),
)

test.run()
