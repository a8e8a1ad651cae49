// The sync thread's side of being fed: what it believes of what its application thread says.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Feed } from '../../src/core/feed.ts'
import { Link } from '../../src/core/link.ts'
import type { Core } from '../../src/core/state.ts'
import { NodeState, Peer } from '../../src/core/state.ts'
import { DIGEST_KEY_BYTES, FrameType } from '../../src/wire/constants.ts'
import { beginFrame, parseFrame, sealFrame } from '../../src/wire/frame.ts'
import { writeResync } from '../../src/wire/sequenced.ts'

/** A secondary's feed, and `join`, by which a primary of that epoch attaches it. */
function start() {
  const core = {
    options: { tables: [{ name: 't', schemaHash: '', capacity: 10 }] },
    state: new NodeState(0, 0),
    peer: new Peer(),
    links: [new Link(0), new Link(1)],
    act: () => {},
    post: () => {},
    send: () => {},
    broadcast: () => {},
    count: () => {},
  } as unknown as Core
  const feed = new Feed(core)
  core.peer.alive = true
  let follow = 0
  const join = (epoch: number) => {
    core.peer.status = { epoch, lineage: 'x', incarnation: 'y', lineageAgeMs: 0 } as Peer['status']
    feed.follow(0)
    const writer = beginFrame(FrameType.RESYNC, epoch, 1, 1)
    writeResync(writer, {
      follow: ++follow,
      time: 1,
      digestKey: new Uint8Array(DIGEST_KEY_BYTES),
      capacities: [10],
    })
    const frame = parseFrame(sealFrame(writer))
    assert.ok(typeof frame !== 'string')
    assert.is(feed.handleSequenced(frame, 0), undefined)
  }
  return { core, feed, join }
}

test('a secondary is as far as its tables are', () => {
  const { core, feed, join } = start()
  join(10)
  assert.is(feed.attach, 1)
  feed.handleApplied({ type: 'applied', epoch: 10, attach: 1, applied: 1, awaited: 1 })
  assert.equal([feed.applied, feed.isSynced, core.state.complete], [1, false, false])
  feed.handleApplied({ type: 'applied', epoch: 10, attach: 1, applied: 2, awaited: 0 })
  assert.equal([feed.applied, feed.isSynced, core.state.complete], [2, true, true])
})

test('news of an earlier reign is not taken for news of this one, though the attachments have one number', () => {
  const { core, feed, join } = start()
  join(10)
  join(12)
  assert.is(feed.attach, 1)
  feed.handleApplied({ type: 'applied', epoch: 10, attach: 1, applied: 7, awaited: 0 })
  assert.equal([feed.applied, feed.isSynced, core.state.complete], [0, false, false])
})

test.run()
