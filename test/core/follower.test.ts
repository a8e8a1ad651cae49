// What a secondary believes of a comparison while keys move between segments that it awaits.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Ground } from '../../src/core/base.ts'
import { Follower } from '../../src/core/follower.ts'
import type { ToSync } from '../../src/core/messages.ts'
import { TableTime } from '../../src/core/table-time.ts'
import { defineTable } from '../../src/schema/index.ts'
import type { ByteWriter } from '../../src/wire/bytes.ts'
import { DIGEST_KEY_BYTES, FrameType } from '../../src/wire/constants.ts'
import { beginFrame, parseFrame, sealFrame } from '../../src/wire/frame.ts'
import { writeImage, writeResync, writeRun } from '../../src/wire/sequenced.ts'
import { makeNode } from '../support/tables.ts'

const EPOCH = 10
const LINEAGE = '0123456789abcdef'
const SEGMENT = 1024
const definition = defineTable({ name: 't', key: { id: 'u32' }, fields: { n: 'u32' }, capacity: 2 * SEGMENT })

/** A follower, and `take`, which gives it the next frame of its primary. */
function start() {
  const { table } = makeNode(definition, 'secondary')
  const said: number[] = []
  const post = (message: ToSync) => {
    if (message.type === 'frame') said.push(message.frame[4]!)
  }
  const ground: Ground = { lineage: LINEAGE, base: undefined }
  const follower = new Follower([table], post, new TableTime(), ground, () => {})
  let sequence = 0
  const take = (type: number, write: (writer: ByteWriter) => void) => {
    const writer = beginFrame(type, EPOCH, ++sequence, 1)
    write(writer)
    const frame = parseFrame(sealFrame(writer))
    assert.ok(typeof frame !== 'string')
    follower.handleFrame(frame, 0)
  }
  return { table, follower, said, take }
}

test('a segment that lost a session after its digest was said is not the same, whatever the primary answers', () => {
  const { table, follower, said, take } = start()
  // The key 0 was in the first segment, and is in the second now.
  const before = makeNode(definition, 'primary').table
  before.set({ id: 0 }, { n: 1 })
  assert.is(table.stageImage(0, before.image(0)), undefined)
  table.commit()
  const primary = makeNode(definition, 'primary').table
  for (let id = 1; id <= SEGMENT; id++) primary.set({ id }, { n: id })
  primary.set({ id: 0 }, { n: 7 })
  const image = primary.image(1)

  const resync = {
    follow: 1,
    time: 1,
    lineage: LINEAGE,
    digestKey: new Uint8Array(DIGEST_KEY_BYTES),
    capacities: [2 * SEGMENT],
  }
  take(FrameType.RESYNC, (writer) => writeResync(writer, resync))
  follower.work(0)
  assert.equal(said, [FrameType.DIGESTS])
  take(FrameType.IMAGE, (writer) => writeImage(writer, 0, 1, image))
  assert.equal([table.isTouched(0), table.size, follower.awaited], [true, 1, 1], 'the key has moved')

  take(FrameType.SAME, (writer) => writeRun(writer, { table: 0, first: 0, count: 1 }))
  assert.is(follower.awaited, 1, 'what was compared is not what is there')
  follower.work(0)
  assert.equal(said, [FrameType.DIGESTS, FrameType.DIGESTS], 'it is compared anew')
  take(FrameType.SAME, (writer) => writeRun(writer, { table: 0, first: 0, count: 1 }))
  assert.is(follower.awaited, 0)
})

test.run()
