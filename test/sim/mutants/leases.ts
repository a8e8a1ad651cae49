// Planted bugs in the lease of mode 'witness': each lets two nodes act at once.
import type { Mutant } from './mutant.ts'

export const LEASE_MUTANTS: readonly Mutant[] = [
  {
    name: 'lease-from-the-answer',
    bug: 'a lease is counted from the answer of the witness and not from the question',
    folder: 'src',
    patches: [
      {
        find: 'this.untilWitness = Math.max(this.untilWitness, this.countedFrom(asked.sentAt))',
        replace: 'this.untilWitness = Math.max(this.untilWitness, this.countedFrom(now))',
      },
    ],
    test: {
      path: 'test/core/lease.test.ts',
      why: 'in hundreds: a slow answer, the loss of everybody, and a peer that takes the lease at once have to meet',
    },
  },
  {
    name: 'bond-not-kept',
    bug: 'a secondary promises not to take the lease, and takes it',
    folder: 'src',
    patches: [
      {
        find: '    this.notBefore = Math.max(this.notBefore, now + leaseMs * (1 + CLOCK_MARGIN))\n    return true',
        replace: '    return true',
      },
    ],
    test: {
      path: 'test/core/lease.test.ts',
      why: 'in hundreds: the witness has to be lost to one node alone for a lease, and then to come back to the other',
    },
  },
  {
    name: 'promotion-without-lease',
    bug: 'a node becomes primary without waiting for the lease',
    folder: 'src',
    patches: [
      {
        find: 'return this.lease !== undefined && !this.lease.isHeld(now)',
        replace: 'return false',
      },
    ],
  },
  {
    name: 'lease-outlives-its-end',
    bug: 'neither the sync thread nor the writer heeds the end of the lease',
    folder: 'src',
    patches: [
      {
        find: 'if (!lease.isHeld(now) && now >= this.doubtUntil) this.events.lost(now)',
        replace: '',
      },
      {
        find: 'words[0] === gate.open && clock() < deadline[0]!',
        replace: 'words[0] === gate.open',
      },
    ],
  },
]
