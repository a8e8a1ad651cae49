// Planted bugs in the WASM core: journal, codec, staging, indexes, expiry, pickup.
import type { Mutant } from './mutant.ts'

export const TABLE_MUTANTS: readonly Mutant[] = [
  {
    name: 'delta-on-awaited-segment',
    bug: 'a delta of an awaited segment is applied',
    folder: 'assembly',
    patches: [
      {
        find: 'const trusted = inImage || (!isAwaitedId(id) && (op == WHOLE || !isOwed(id)))',
        replace: 'const trusted = inImage || op == WHOLE || !isOwed(id)',
      },
    ],
  },
  {
    name: 'delta-on-owed-record',
    bug: 'a difference is applied to a record that is owed whole',
    folder: 'assembly',
    patches: [
      {
        find: 'const trusted = inImage || (!isAwaitedId(id) && (op == WHOLE || !isOwed(id)))',
        replace: 'const trusted = inImage || !isAwaitedId(id)',
      },
    ],
    harmless:
      'until it is agreed what is owed every segment is awaited, and from then on the primary sends each change of an owed record whole; the question is the second line of defence',
  },
  {
    name: 'before-image-missed',
    bug: 'the journal keeps the record as it is after its first change',
    folder: 'assembly',
    patches: [
      {
        find: '  journalTouch(id, record, OCCUPIED)\n  renew(id, record)\n  noteUsed(id)\n  copyFields(record, row, mask)\n  return id',
        replace:
          '  copyFields(record, row, mask)\n  journalTouch(id, record, OCCUPIED)\n  renew(id, record)\n  noteUsed(id)\n  return id',
      },
    ],
  },
  {
    name: 'slot-taken-for-session',
    bug: 'another session in the same slot is sent as a change of the one before',
    folder: 'assembly',
    patches: [
      {
        find: 'if (stayed || keyEquals(before + KEY, record + KEY)) {',
        replace: 'if (stayed || keyEquals(before + KEY, record + KEY) || indexedMask == 0 || was) {',
      },
    ],
  },
  {
    name: 'changes-not-noted',
    bug: 'a change that leaves the journal is not remembered for the next resync',
    folder: 'assembly',
    patches: [
      {
        find: '  journalTaken(record)\n  noteChanged(id)\n  // The peer',
        replace: '  journalTaken(record)\n  // The peer',
      },
    ],
  },
  {
    name: 'keys-before-releases',
    bug: 'overflowed records bring keys before all that released keys were told of',
    folder: 'assembly',
    patches: [
      {
        find: '  else wholes = min(releasedCount, min(room / BLANK_MAX, deltasRoom - count))\n',
        replace: '  else {\n    wholes = min(releasedCount, wholes)\n    bringing = true\n  }\n',
      },
    ],
  },
  {
    name: 'index-key-not-unlinked',
    bug: 'the old index key of a session is not unlinked when a batch gives it another',
    folder: 'assembly',
    patches: [
      {
        find: 'else indexesUnlink(id, record, indexesDiffering(record, stagedImage(i)))',
        replace: 'else indexesUnlink(id, record, 0)',
      },
      {
        find: 'if (hasPacked(index, recordAt(id)) && !bitHas(freeAt, id)) return <i32>id',
        replace: 'if (!bitHas(freeAt, id)) return <i32>id',
      },
    ],
  },
  {
    name: 'held-key-left',
    bug: 'a key that moved here from an awaited segment stays where it was, too',
    folder: 'assembly',
    patches: [
      { find: 'if (!free) dropHolder(image)', replace: 'if (!free && recordBytes == 0) dropHolder(image)' },
    ],
    test: {
      path: 'test/table/receive.test.ts',
      why: 'in hundreds: what is awaited is sent again, and that removes it',
    },
  },
  {
    name: 'expired-resurrected',
    bug: 'an update finds a session that has expired and renews it',
    folder: 'assembly',
    patches: [
      {
        find: 'return lifetimes && id >= 0 && isExpired(recordAt(id)) ? -1 : id',
        replace: 'return lifetimes && id >= 0 && isExpired(recordAt(id)) && capacity == 0 ? -1 : id',
      },
    ],
  },
  {
    name: 'deadline-not-taken',
    bug: 'a secondary does not take the deadlines of the batches',
    folder: 'assembly',
    patches: [
      {
        find: 'if (lifetimes) takeLifetime(id, record, image)\n  noteUsed(id)\n}',
        replace: 'noteUsed(id)\n}',
      },
    ],
  },
  {
    name: 'young-sessions-leak',
    bug: 'sessions that are held back are shown to the peer',
    folder: 'assembly',
    patches: [
      {
        find: 'return isOccupied(id) && !(load<u32>(record, FLAGS) & HELD)',
        replace: 'return isOccupied(id) && load<u32>(record, FLAGS) != 0xffffffff',
      },
    ],
  },
  {
    name: 'picked-up-unsaid',
    bug: 'a session that is picked up is not a change',
    folder: 'assembly',
    patches: [
      {
        find: '  if (!stays) {\n    journalTouch(id, record, 0)\n    return',
        replace: '  if (!stays) {\n    return',
      },
    ],
  },
  {
    name: 'touched-unmarked',
    bug: 'a segment that lost a session to another is not marked',
    folder: 'assembly',
    patches: [
      {
        find: '  dropRecord(id, recordAt(id))\n  markTouched(id)',
        replace: '  dropRecord(id, recordAt(id))',
      },
    ],
    test: {
      path: 'test/table/receive.test.ts',
      why: 'since there no content ever comes back: each write has a number of its own',
    },
  },
  {
    name: 'snapshot-keeps-what-left',
    bug: 'a snapshot keeps a session that gave its key to another slot meanwhile',
    folder: 'assembly',
    patches: [
      {
        find: '  if (snapping) noteDiffering(id)\n  dropRecord(id, recordAt(id))',
        replace: '  dropRecord(id, recordAt(id))',
      },
    ],
    test: { path: 'test/state/snapshot.test.ts', why: 'since it takes no snapshots' },
  },
  {
    name: 'overflow-forgotten',
    bug: 'a record that overflowed with nothing in its slot is not sent',
    folder: 'assembly',
    patches: [
      {
        find: 'if (brought || !isShown(id, record)) overflowTaken(id, record)',
        replace: 'overflowTaken(id, record)',
      },
    ],
  },
]
