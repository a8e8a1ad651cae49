// The sync thread's side of feeding and being fed: what it believes of its application thread and of its peer.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Feed } from '../../src/core/feed.ts'
import { Link } from '../../src/core/link.ts'
import { UNAPPLIED_BYTES_MAX } from '../../src/core/options.ts'
import type { Core } from '../../src/core/state.ts'
import { NodeState, Peer } from '../../src/core/state.ts'
import { DIGEST_KEY_BYTES, FrameType, type Role } from '../../src/wire/constants.ts'
import { encodeFollow } from '../../src/wire/control.ts'
import { beginFrame, parseFrame, sealFrame } from '../../src/wire/frame.ts'
import { writeResync } from '../../src/wire/sequenced.ts'
import type { NodeStatus } from '../../src/wire/status.ts'

/** A feed, and `join`, by which a primary of that epoch attaches it. */
function start() {
  const posted: string[] = []
  const said: Uint8Array[] = []
  const core = {
    options: { tables: [{ name: 't', schemaHash: '', capacity: 10 }], stallTimeoutMs: 2000 },
    state: new NodeState(0, 0),
    peer: new Peer(),
    links: [new Link(0), new Link(1)],
    act: () => {},
    post: (message: { type: string }) => posted.push(message.type),
    send: () => {},
    broadcast: (frame: Uint8Array) => said.push(frame),
    count: () => {},
  } as unknown as Core
  const feed = new Feed(core)
  core.peer.alive = true
  let follow = 0
  /** A primary of that epoch attaches it. */
  const join = (epoch: number) => {
    core.peer.status = status('primary', epoch)
    feed.follow(0)
    const frame = parseFrame(resync(epoch, ++follow))
    assert.ok(typeof frame !== 'string')
    assert.is(feed.handleSequenced(frame, 0), undefined)
  }
  return { core, feed, join, posted, said }
}

const status = (role: Role, epoch: number) =>
  ({ role, epoch, lineage: 'x', incarnation: 'y', lineageAgeMs: 0 }) as NodeStatus

function resync(epoch: number, follow: number): Uint8Array {
  const writer = beginFrame(FrameType.RESYNC, epoch, 1, 1)
  writeResync(writer, {
    follow,
    time: 1,
    lineage: '0123456789abcdef',
    digestKey: new Uint8Array(DIGEST_KEY_BYTES),
    capacities: [10],
  })
  return sealFrame(writer)
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

test('a new stream repeats the last acknowledgement, which may have been lost with the one before', () => {
  const { core, feed, join, said } = start()
  join(10)
  feed.handleApplied({ type: 'applied', epoch: 10, attach: 1, applied: 1, awaited: 0 })
  feed.flushAck(0)
  feed.flushAck(0)
  assert.is(said.length, 1)
  feed.handleLinkDown(core.links[0])
  feed.handleLinkUp(core.links[0], 0)
  feed.flushAck(0)
  assert.is(said.length, 2)
  assert.equal([...said[1]!], [...said[0]!])
})

test('a secondary whose application is far behind acknowledges nothing more until it has caught up', () => {
  const { core, feed, join, said } = start()
  join(10)
  const length = UNAPPLIED_BYTES_MAX / 4
  let sequence = 1
  const receive = () => {
    const writer = beginFrame(FrameType.BATCH, 10, ++sequence, 1, length)
    for (let i = 0; i < length / 8; i++) writer.f64(0)
    const frame = parseFrame(sealFrame(writer))
    assert.ok(typeof frame !== 'string')
    assert.is(feed.handleSequenced(frame, 0), undefined)
    feed.flushAck(0)
  }
  core.state.handleProgress(1, 0)
  for (let i = 0; i < 3; i++) receive()
  const before = said.length
  assert.ok(before >= 3)
  for (let i = 0; i < 3; i++) receive()
  assert.is(said.length, before)
  feed.handleApplied({ type: 'applied', epoch: 10, attach: 1, applied: sequence, awaited: 0 })
  feed.flushAck(0)
  assert.is(said.length, before + 1)
})

/** A primary of epoch 10 that feeds a secondary. */
function startFeeding() {
  const started = start()
  const { core, feed } = started
  core.state.role = 'primary'
  core.state.epoch = 10
  core.peer.hello = { tables: [{ capacity: 10 }] } as unknown as NonNullable<Peer['hello']>
  const follow = parseFrame(encodeFollow(10, { number: 1, attach: 0, received: 0 }))
  assert.ok(typeof follow !== 'string')
  assert.is(feed.handleFollow(follow, 0), undefined)
  feed.handleLocalFrame(resync(10, 1), 0)
  assert.is(feed.attach, 1)
  return started
}

test('a secondary that says it has left is fed no more, whatever it last acknowledged', () => {
  for (const gone of [status('primary', 13), status('secondary', 13), status('starting', 0)]) {
    const { feed, posted } = startFeeding()
    feed.handlePeerStatus(status('secondary', 10))
    assert.is(feed.attach, 1)
    feed.handlePeerStatus(gone)
    assert.is(feed.attach, 0)
    assert.is(posted.at(-1), 'detach')
  }
})

test('what a secondary was before it followed says nothing', () => {
  const { feed } = startFeeding()
  feed.handlePeerStatus(status('secondary', 8))
  assert.is(feed.attach, 1)
})

test.run()
