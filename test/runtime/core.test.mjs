// Table and sans-io core on this runtime: the WASM engine, its batches, and two cores that agree in virtual time.
import { defineTable } from 'holdfast'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { NodeCore } from '../../dist/core/node.js'
import { hmacSha256 } from '../../dist/io/mac.js'
import { createTable, openGate } from '../../dist/table/index.js'

const test = suite('core')

const definition = defineTable({
  name: 'flows',
  key: { ip: 'ip', port: 'u16' },
  fields: { count: 'u53', state: ['new', 'open'], delta: 'i32', rate: 'f64', on: 'bool' },
  capacity: 4_000,
})
const keyOf = (i) => ({ ip: i % 2 ? `fd00::${i.toString(16)}` : `10.0.${i >> 8}.${i & 255}`, port: i })

test('a table keeps what it was given, and views write through', () => {
  const table = createTable(definition, { gate: openGate() })
  for (let i = 0; i < 4_000; i++)
    table.set(keyOf(i), { count: i * 1e9, state: 'open', delta: -i, rate: i / 3 })
  assert.is(table.size, 4_000)
  assert.throws(() => table.set(keyOf(4_000)), /capacity/)
  for (let i = 0; i < 4_000; i++) {
    const view = table.get(keyOf(i))
    assert.equal(
      [view.count, view.state, view.delta, view.rate, view.on],
      [i * 1e9, 'open', -i, i / 3, false],
    )
  }
  const view = table.get(keyOf(7))
  view.count += 1
  view.on = true
  assert.is(table.get(keyOf(7)).toJSON().count, 7e9 + 1)
  assert.ok(table.delete(keyOf(7)))
  assert.throws(() => view.count)
})

test('batches carry one table into another', () => {
  const [from, to] = [1, 2].map(() => createTable(definition, { gate: openGate() }))
  from.setTracking(true)
  for (let round = 0; round < 20; round++) {
    for (let i = 0; i < 300; i++) from.set(keyOf((i * 7 + round * 31) % 4_000), { count: round + i })
    for (let i = 0; i < 50; i++) from.delete(keyOf((i * 13 + round) % 4_000))
    const deltas = from.encode(1 << 20).slice()
    assert.is(to.stage(deltas), undefined)
    to.commit()
  }
  assert.is(to.size, from.size)
  const key = new Uint8Array(16).fill(7)
  for (const table of [from, to]) table.setDigestKey(key)
  assert.equal(to.digests(0, to.segments).slice(), from.digests(0, from.segments).slice())
})

/** Two cores joined by links that deliver at once; time jumps from deadline to deadline. */
test('two cores find each other and agree on one primary', () => {
  let now = 1_000
  const core = (id, peer) =>
    new NodeCore(
      {
        id,
        peer,
        cluster: 'test',
        priority: 128,
        mode: 'availability',
        interval: 50,
        lost: 4,
        holdDownMs: 3_000,
        stallTimeoutMs: 2_000,
        fastDetection: true,
        sending: 'redundant',
        promoteUnsynced: true,
        uptimeMarginMs: 300_000,
        override: false,
        tables: [],
        epochFloor: 100,
        incarnation: id.repeat(16),
        contribution: new Uint8Array(32).fill(id.charCodeAt(0)),
        random: () => 0.5,
        mac: hmacSha256,
      },
      now,
    )
  const cores = { a: core('a', 'b'), b: core('b', 'a') }
  const roles = {}
  const carryOut = (id, other, action) => {
    if (action.type === 'dial') {
      cores[id].handleStreamOpen(action.link, action.link, now)
      cores[other].handleStreamOpen(action.link, action.link, now)
    } else if (action.type === 'send') {
      cores[other].handleStream(action.stream, action.stream, action.bytes.slice(), now)
      cores[id].handleFlushed(action.stream, action.stream, action.bytes.length, now)
    } else if (action.type === 'datagram') {
      cores[other].handleDatagram(action.link, action.bytes, now)
    } else if (action.type === 'post' && action.message.type === 'role') roles[id] = action.message
  }
  let progress = 0
  for (const end = now + 2_000; now < end; ) {
    for (let busy = true; busy; ) {
      busy = false
      for (const [id, other] of [
        ['a', 'b'],
        ['b', 'a'],
      ]) {
        for (const action of cores[id].takeActions()) {
          busy = true
          carryOut(id, other, action)
        }
      }
    }
    now = Math.min(cores.a.pollTimeout(), cores.b.pollTimeout())
    for (const one of [cores.a, cores.b]) {
      one.handleProgress(++progress, now)
      one.handleTimeout(now)
    }
  }
  assert.equal([roles.a.role, roles.b.role].sort(), ['primary', 'secondary'])
  assert.is(Object.values(roles).find(({ role }) => role === 'primary').reason, 'fresh-start')
})

test.run()
