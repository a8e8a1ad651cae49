// What a link allows of connections that nobody has proven.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Link } from '../../src/core/link.ts'
import { CANDIDATES_MAX } from '../../src/core/options.ts'

test('a link takes so many connections that say nothing and no more, until one of them ends', () => {
  const link = new Link(0)
  for (let id = 1; id <= CANDIDATES_MAX; id++) assert.is(link.handleOpen(id, 0)?.id, id)
  assert.is(link.handleOpen(99, 0), undefined)
  link.forget(2)
  assert.is(link.handleOpen(100, 0)?.id, 100)
  assert.is(link.handleOpen(101, 0), undefined)
})

test.run()
