// time-out: 300 s
// Random histories as in model.test.ts, with segments that the secondary awaits: deltas that are ignored, images, keys
// that move between what is trusted and what is not.
import { test } from 'uvu'
import { defineTable, string } from '../../src/schema/index.ts'
import { agree, type History } from '../support/model.ts'
import { everything, indexed, leases, lengthy } from '../support/tables.ts'

const range = (first: number, end: number) => Array.from({ length: end - first }, (_, i) => first + i)
const mover = defineTable({
  name: 'mover',
  key: { id: 'u16' },
  fields: { value: 'u16', text: string(3) },
  capacity: 2100,
})

const HISTORIES: readonly History[] = [
  {
    what: 'a secondary of one segment that is resynced',
    definition: everything(12),
    ...{ keys: 16, start: [0, 3, 4], awaiting: 12, steps: 100, runs: 300 },
  },
  {
    what: 'values of any length on a secondary that is resynced',
    definition: lengthy(1100),
    ...{ keys: 16, start: [0, 3, 4, 1030], awaiting: 1100, steps: 100, runs: 150 },
  },
  {
    what: 'a secondary of three segments that is resynced while keys move between them',
    definition: mover,
    ...{ keys: 24, start: [...range(0, 1019), ...range(1024, 2044), ...range(2048, 2096)], awaiting: 2100 },
    ...{ steps: 100, runs: 150 },
  },
  {
    what: 'a secondary with further unique keys that is resynced',
    definition: indexed(12),
    ...{ keys: 16, start: [0, 3, 4], awaiting: 12, steps: 100, runs: 200 },
  },
  {
    what: 'a secondary of three segments that is resynced while further keys move between them',
    definition: indexed(2100),
    ...{ keys: 24, start: [...range(0, 1019), ...range(1024, 2044), ...range(2048, 2096)], awaiting: 2100 },
    ...{ steps: 100, runs: 40 },
  },
  {
    what: 'sessions with further unique keys that expire while segments are resynced',
    definition: indexed(1100, { timeout: 20 }),
    ...{ keys: 14, start: [0, 3, 4, 1023, 1024], awaiting: 1100, steps: 150, runs: 100 },
  },
  {
    what: 'sessions that expire only if they are told to, while segments are resynced',
    definition: leases(1100, { expiry: 'idle' }),
    ...{ keys: 14, start: [0, 3, 4, 1023, 1024], awaiting: 1100, steps: 150, runs: 150 },
  },
  {
    what: 'sessions that expire when idle, while segments are resynced',
    definition: leases(1100, { timeout: 20 }),
    ...{ keys: 14, start: [0, 3, 4, 1023, 1024], awaiting: 1100, steps: 150, runs: 150 },
  },
]

for (const history of HISTORIES) test(`engine and twin agree: ${history.what}`, () => agree(history))

test.run()
