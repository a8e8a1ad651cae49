// What crosses a planned change of role: a comparison that begins meanwhile, and statuses of one moment on two links.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { NodeState, Peer } from '../../src/core/state.ts'
import { FrameType } from '../../src/wire/constants.ts'
import { startPair } from '../support/core-pair.ts'
import { aStatus } from '../support/status.ts'

test('the role is not granted to a node that a comparison is on its way to', () => {
  const unsynced = { promoteUnsynced: false }
  const { pair, a, b } = startPair({ a: unsynced, b: unsynced })
  pair.latencyMs = 20
  const { lineage } = a.core.state
  const send = pair.send.bind(pair)
  let claims = 0
  pair.send = (node, stream, bytes) => {
    if (node === b && bytes[4] === FrameType.CLAIM && claims++ === 0) {
      a.replica.resync(pair.now)
      a.settleReplica()
    }
    send(node, stream, bytes)
  }
  a.ask({ type: 'handover', request: 1 })
  pair.until('b leads', () => b.canWrite)
  assert.ok(claims > 2, 'both links carried the first claim, and another one came')
  assert.is(b.core.state.lineage, lineage, 'with all that a had')
  pair.until('a is synced', () => a.replica.isSynced)
  assert.is(a.answer(1), 'done')
})

test('of two statuses of one moment the later one is believed, in whichever order they arrive', () => {
  const state = new NodeState(1_000, 0)
  const [before, after] = [state.nextUptimeMs(3_000), state.nextUptimeMs(3_000)]
  assert.ok(after > before && after < 2_001)
  const centuryMs = 36_500 * 86_400_000
  const [old, older] = [state.nextUptimeMs(centuryMs), state.nextUptimeMs(centuryMs)]
  assert.ok(older > old, 'also after a hundred years')
  const peer = new Peer()
  const follows = aStatus({ role: 'secondary', epoch: 718, uptimeMs: after })
  const left = aStatus({ role: 'secondary', epoch: 717, uptimeMs: before })
  peer.incarnation = follows.incarnation
  assert.equal([peer.handleStatus(follows, 0), peer.handleStatus(left, 0)], [true, false])
  assert.is(peer.handleStatus(follows, 0), false, 'the copy on the other link says nothing new')
  assert.is(peer.status?.epoch, 718)
})

test.run()
