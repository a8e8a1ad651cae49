// time-out: 300 s
// Random histories of a table and its secondary, held step by step against the twin: content, size, bytes of every
// batch, digests; through changes of role. With awaited segments: model-resync.test.ts.
import { test } from 'uvu'
import { agree, type History } from '../support/model.ts'
import { connections, everything, indexed, leases, lengthy, tiny } from '../support/tables.ts'

const HISTORIES: readonly History[] = [
  {
    what: 'the smallest table, often full',
    definition: tiny(9),
    ...{ keys: 14, start: [], awaiting: 0, steps: 200, runs: 500 },
  },
  {
    what: 'a table of every type',
    definition: everything(12),
    ...{ keys: 16, start: [0, 3, 4], awaiting: 0, steps: 200, runs: 300 },
  },
  {
    what: 'connections all over three segments',
    definition: connections(2100),
    ...{ keys: 20, start: [0, 1, 7, 1023, 1024, 1025, 2047, 2048, 2099], awaiting: 0, steps: 200, runs: 300 },
  },
  {
    what: 'a table with further unique keys',
    definition: indexed(12),
    ...{ keys: 14, start: [0, 3, 4, 5], awaiting: 0, steps: 200, runs: 200 },
  },
  {
    what: 'values of any length, in an arena that is often full',
    definition: lengthy(12, 65_536),
    ...{ keys: 16, start: [0, 3, 4], awaiting: 0, steps: 200, runs: 150 },
  },
  {
    what: 'sessions that expire and leave their further unique keys to others',
    definition: indexed(9, { timeout: 3 }),
    ...{ keys: 14, start: [], awaiting: 0, steps: 200, runs: 300 },
  },
  {
    what: 'sessions that expire when idle, in a table often full',
    definition: leases(9),
    ...{ keys: 14, start: [], awaiting: 0, steps: 200, runs: 500 },
  },
  {
    what: 'sessions that expire at a time fixed when they were set',
    definition: leases(9, { timeout: 3, expiry: 'fixed' }),
    ...{ keys: 14, start: [], awaiting: 0, steps: 200, runs: 150 },
  },
]

for (const history of HISTORIES) test(`engine and twin agree: ${history.what}`, () => agree(history))

test.run()
