// Planted bugs in the bounds of memory (docs/ARCHITECTURE.md, "What waits, and how much memory that can be").
import type { Mutant } from './mutant.ts'

/** Of bounds that are far above what a simulated table holds. */
const TOO_LARGE = 'since its tables hold less than that'

export const BOUND_MUTANTS: readonly Mutant[] = [
  {
    name: 'flushes-without-end',
    bug: 'batches are made however many are on their way',
    folder: 'src',
    patches: [
      {
        find: 'outstandingBytes < FLUSH_ROOM_BYTES && outstandingBatches < FLUSHES_AHEAD',
        replace: 'outstandingBytes < FLUSH_ROOM_BYTES && outstandingBatches >= 0',
      },
    ],
    test: { path: 'test/core/backlog.test.ts', why: 'which does not count batches' },
  },
  {
    name: 'link-without-bound',
    bug: 'a link is given frames however many it has not sent',
    folder: 'src',
    patches: [
      {
        find: 'while (link.stream !== undefined && link.hasRoom) {',
        replace: 'while (link.stream !== undefined) {',
      },
    ],
  },
  {
    name: 'frames-not-counted',
    bug: 'frames that are not acknowledged do not count',
    folder: 'src',
    patches: [
      { find: '    this.outstandingBytes += bytes\n', replace: '' },
      { find: '      this.outstandingBytes -= frame.bytes\n', replace: '' },
    ],
    test: { path: 'test/core/backlog.test.ts', why: TOO_LARGE },
  },
  {
    name: 'unapplied-without-end',
    bug: 'a secondary whose application is far behind goes on acknowledging',
    folder: 'src',
    patches: [{ find: 'this.unappliedBytes < UNAPPLIED_BYTES_MAX', replace: 'this.unappliedBytes >= 0' }],
    test: { path: 'test/core/feed.test.ts', why: TOO_LARGE },
  },
  {
    name: 'conflicts-without-end',
    bug: 'a demoted primary copies whatever it changed, however much that is',
    folder: 'src',
    patches: [
      {
        find: 'while (from !== undefined && report.entries.length < CONFLICTS_MAX) {',
        replace: 'while (from !== undefined) {',
      },
      { find: 'Math.min(LIST_RECORDS, CONFLICTS_MAX - report.entries.length)', replace: 'LIST_RECORDS' },
    ],
    test: { path: 'test/core/conflicts.test.ts', why: TOO_LARGE },
  },
  {
    name: 'strangers-without-end',
    bug: 'a link takes any number of connections that say nothing',
    folder: 'src',
    patches: [{ find: '    if (this.candidates.size >= CANDIDATES_MAX) return undefined\n', replace: '' }],
    test: { path: 'test/core/link.test.ts', why: 'which has no strangers' },
  },
  {
    name: 'handshakes-without-end',
    bug: 'a port begins any number of handshakes at once',
    folder: 'src',
    patches: [
      {
        find: '    if (this.visits.size > HANDSHAKES_MAX) this.end',
        replace: '    if (this.visits.size < 0) this.end',
      },
    ],
    test: { path: 'test/io/door.test.ts', why: 'which has no handshakes' },
  },
]
