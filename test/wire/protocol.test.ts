// docs/PROTOCOL.md and src/wire/constants.ts say the same numbers.
import { readFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { HANDSHAKE_TIMEOUT_MS, HANDSHAKES_MAX, HANDSHAKES_PER_SECOND } from '../../src/io/door.ts'
import * as constants from '../../src/wire/constants.ts'
import { encodeHeartbeat } from '../../src/wire/heartbeat.ts'
import { aStatus } from '../support/status.ts'

const text = readFileSync(new URL('../../docs/PROTOCOL.md', import.meta.url), 'utf8')

/** Rows `| number | name |` of the table under the header row given. */
function rows(header: string): [number, string][] {
  const start = text.indexOf(header)
  assert.ok(start >= 0, `docs/PROTOCOL.md has a table headed ${header}`)
  const found: [number, string][] = []
  for (const line of text.slice(start).split('\n').slice(2)) {
    const match = /^\| (\d+) \| ([\w-]+) \|/.exec(line)
    if (match === null) break
    found.push([Number(match[1]), match[2]!])
  }
  return found
}

test('frame types are drawn with the numbers the code uses', () => {
  assert.equal(Object.fromEntries(rows('| type | name | from |').map(([n, name]) => [name, n])), {
    ...constants.FrameType,
  })
})

test('lists of names are drawn in the order of their numbers', () => {
  assert.equal(
    rows('| number | name | when |').map(([, name]) => name),
    [...constants.REFUSALS],
  )
  assert.equal(
    rows('| number | role |').map(([, name]) => name),
    [...constants.ROLES],
  )
  assert.equal(
    rows('| number | reason |').map(([, name]) => name),
    [...constants.REASONS],
  )
})

test('sizes are drawn as they are', () => {
  assert.match(text, `, 32 to ${constants.FRAME_BYTES_MAX.toLocaleString('en')};`)
  assert.match(text, `starts with ${constants.FRAME_HEADER_BYTES} bytes`)
  assert.match(text, `*status block*, ${constants.STATUS_BYTES} bytes`)
  assert.match(text, `a datagram of ${constants.HEARTBEAT_BYTES} bytes`)
})

test('the bounds on handshakes are drawn as they are', () => {
  assert.match(text, `more than ${HANDSHAKES_PER_SECOND} handshakes in a second`)
  assert.match(text, `more than ${HANDSHAKES_MAX} handshakes at once`)
  assert.match(text, `takes longer than ${HANDSHAKE_TIMEOUT_MS / 1000} s`)
})

test('a heartbeat has the size it is drawn with', () => {
  const heartbeat = { link: 0, place: 0, counter: 1, sentAt: 0, echo: -1, heldMs: 0, status: aStatus() }
  const bytes = encodeHeartbeat(heartbeat, new Uint8Array(32), () => new Uint8Array(32))
  assert.is(bytes.length, constants.HEARTBEAT_BYTES)
})

test.run()
