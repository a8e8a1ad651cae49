// Epochs that are on disk before they are acted on: how far ahead is written, and that a core waits for what is not.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Action } from '../../src/core/actions.ts'
import { NodeCore } from '../../src/core/node.ts'
import { RESERVE_AHEAD, Reservation } from '../../src/core/reservation.ts'
import { hmacSha256 } from '../../src/io/mac.ts'

const test = suite('reservation')

test('without a state file every epoch is covered and nothing is asked for', () => {
  const none = new Reservation(undefined)
  assert.ok(none.covers(Number.MAX_SAFE_INTEGER))
  assert.is(none.extend(5e12), undefined)
})

test('more is asked for once half of what was asked is used, and counts when it is written', () => {
  const some = new Reservation(1_000 + RESERVE_AHEAD)
  assert.is(some.extend(1_000), undefined)
  assert.is(some.extend(1_000 + RESERVE_AHEAD / 2), undefined)
  const next = some.extend(1_001 + RESERVE_AHEAD / 2)
  assert.is(next, 1_001 + RESERVE_AHEAD * 1.5)
  assert.is(some.extend(1_001 + RESERVE_AHEAD / 2), undefined, 'asked once')
  assert.not(some.covers(1_001 + RESERVE_AHEAD))
  some.handleReserved(next!)
  assert.ok(some.covers(next!))
  some.handleReserved(3)
  assert.ok(some.covers(next!), 'never set back')
})

test('an epoch near the end of numbers is still a number', () => {
  assert.is(new Reservation(0).extend(Number.MAX_SAFE_INTEGER), Number.MAX_SAFE_INTEGER)
})

function core(reserved: number | undefined, mode: 'availability' | 'manual' = 'availability'): NodeCore {
  const options = {
    ...{ id: 'a', peer: 'b', cluster: 'test', priority: 128, mode, interval: 50, lost: 4 },
    ...{ holdDownMs: 1_000, stallTimeoutMs: 2_000, fastDetection: true, promoteUnsynced: true },
    ...{ uptimeMarginMs: 300_000, override: false, leaseMs: 0, tables: [], epochFloor: 5_000, reserved },
    ...{ sending: 'redundant' as const, incarnation: 'a'.repeat(16), contribution: new Uint8Array(32) },
    ...{ random: () => 0.5, mac: hmacSha256 },
  }
  return new NodeCore(options, 0)
}

/** Lets time pass up to `until`; what the core wanted done. */
function run(node: NodeCore, until: number): Action[] {
  const actions = node.takeActions()
  for (let now = node.pollTimeout(); now <= until; now = node.pollTimeout()) {
    // A link that does not come up: what matters here is the time.
    node.handleTimeout(now)
    actions.push(...node.takeActions())
  }
  return actions
}

const reserved = (actions: Action[]) => actions.flatMap((one) => (one.type === 'reserve' ? [one.epoch] : []))

test('a node alone becomes primary only when its epoch is on disk', () => {
  const node = core(4_000)
  const asked = reserved(run(node, 3_000))
  assert.equal(asked, [4_999 + RESERVE_AHEAD], 'asked for once')
  assert.is(node.state.role, 'starting')
  node.handleReserved(asked[0]!, 3_001)
  assert.is(node.state.role, 'primary')
  assert.is(node.state.epoch, 5_000)
})

test('with epochs reserved ahead nobody waits', () => {
  const node = core(5_000 + RESERVE_AHEAD)
  assert.equal(reserved(run(node, 1_100)), [])
  assert.is(node.state.role, 'primary')
})

test('promote() is answered when its epoch is on disk, and refused by the name of the file when it never is', () => {
  const answers = (node: NodeCore) =>
    node
      .takeActions()
      .flatMap((one) => (one.type === 'post' && one.message.type === 'result' ? [one.message] : []))
  const node = core(4_000, 'manual')
  run(node, 100)
  node.handleLocal({ type: 'promote', request: 1, force: true }, 101)
  assert.equal(answers(node), [])
  node.handleReserved(90_000, 102)
  assert.equal(answers(node), [{ type: 'result', request: 1 }])
  const late = core(4_000, 'manual')
  run(late, 100)
  late.handleLocal({ type: 'promote', request: 1, force: true }, 101)
  const said = run(late, 6_000).flatMap((one) =>
    one.type === 'post' && one.message.type === 'result' ? [one.message] : [],
  )
  assert.is(said.length, 1)
  assert.match(said[0]!.error!.message, /state file of node 'a'/)
})

test.run()
