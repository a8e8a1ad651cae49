// Planted bugs in who acts when: epochs, grants, lineages, detection, handover, fences.
import type { Mutant } from './mutant.ts'

export const ROLE_MUTANTS: readonly Mutant[] = [
  {
    name: 'epoch-parity',
    bug: 'both nodes take the same next epoch',
    folder: 'src',
    patches: [{ find: 'return next % 2 === place ? next : next + 1', replace: 'return next + 0 * place' }],
  },
  {
    name: 'epoch-not-above-heard',
    bug: 'the next epoch is not above all that was heard',
    folder: 'src',
    patches: [
      {
        find: 'nextEpoch(place, Math.max(state.heardEpoch, state.granted, state.epoch))',
        replace: 'nextEpoch(place, state.epoch)',
      },
    ],
  },
  {
    name: 'grant-not-binding',
    bug: 'a primary goes on after it granted its reign away',
    folder: 'src',
    patches: [
      {
        find: "if (state.role === 'primary') this.leave('secondary', claim.reason, this.handover.since ?? now, now)\n",
        replace: '',
      },
    ],
  },
  {
    name: 'demotion-without-word',
    bug: 'a primary steps down without shutting the role word',
    folder: 'src',
    patches: [
      {
        find: "  private leave(role: 'secondary' | 'stopped', reason: Reason, since: number, now: number): void {\n    this.core.act({ type: 'word', word: this.core.state.shutWord() })",
        replace:
          "  private leave(role: 'secondary' | 'stopped', reason: Reason, since: number, now: number): void {\n    this.core.state.shutWord()",
      },
    ],
  },
  {
    name: 'word-of-earlier-reign',
    bug: 'the role word does not tell one reign from the next',
    folder: 'src',
    patches: [
      { find: '    this.reign++\n    this.open = true', replace: '    this.reign = 1\n    this.open = true' },
    ],
    harmless:
      'the application thread shuts its own comparison at every change of role before it takes the next word, so a word of an earlier reign is never compared; the number is the second line of defence',
  },
  {
    name: 'primaries-ignore-lineage',
    bug: 'of two primaries the later epoch stays, whatever their lineages',
    folder: 'src',
    patches: [
      {
        find: "  if (a.status.lineage === b.status.lineage) {\n    return { order: a.status.epoch - b.status.epoch, by: 'position' }\n  }\n  return compareLineages(a, b)",
        replace: "  return { order: a.status.epoch - b.status.epoch, by: 'position' }",
      },
    ],
  },
  {
    name: 'younger-lineage-stays',
    bug: 'of two histories the younger stays',
    folder: 'src',
    patches: [
      {
        find: "if (Math.abs(age) > LINEAGE_MARGIN_MS) return { order: age, by: 'lineage' }",
        replace: "if (Math.abs(age) > LINEAGE_MARGIN_MS) return { order: -age, by: 'lineage' }",
      },
    ],
    test: {
      path: 'test/core/meeting.test.ts',
      why: 'in hundreds: most runs are over before two histories are ten seconds apart',
    },
  },
  {
    name: 'fewer-sessions-stay',
    bug: 'of two equally old histories the one with fewer sessions stays',
    folder: 'src',
    patches: [
      {
        find: 'order: a.status.sessions - b.status.sessions',
        replace: 'order: b.status.sessions - a.status.sessions',
      },
    ],
  },
  {
    name: 'unsynced-keeps-lineage',
    bug: 'a half-filled node that is promoted goes on in the old lineage',
    folder: 'src',
    patches: [
      {
        find: 'if (!state.complete || state.lineage === NO_LINEAGE) {',
        replace: 'if (state.lineage === NO_LINEAGE) {',
      },
    ],
  },
  {
    name: 'complete-while-resyncing',
    bug: 'a node that is being filled counts as complete',
    folder: 'src',
    patches: [
      {
        find: '    state.complete = false\n    state.epoch = following.epoch',
        replace: '    state.epoch = following.epoch',
      },
    ],
  },
  {
    name: 'promote-unsynced-ignored',
    bug: 'an unsynced secondary takes over against promoteUnsynced: false',
    folder: 'src',
    patches: [
      {
        find: 'if (!state.complete && (!options.promoteUnsynced || this.holdDown.covers(reason, state, now))) return',
        replace: 'if (!state.complete && this.holdDown.covers(reason, state, now)) return',
      },
    ],
  },
  {
    name: 'manual-takes-over',
    bug: 'mode manual takes over from a silent peer by itself',
    folder: 'src',
    patches: [
      {
        find: "if (state.role !== 'secondary' || options.mode === 'manual' || this.takeover.isGranted) return",
        replace: "if (state.role !== 'secondary' || this.takeover.isGranted) return",
      },
    ],
  },
  {
    name: 'silence-before-reading',
    bug: 'silence is judged before the sockets are read',
    folder: 'src',
    patches: [
      {
        find: 'if (!this.core.peer.alive || now < this.detector.readingUntil) return',
        replace: 'if (!this.core.peer.alive) return',
      },
      {
        find: 'return Math.max(silence, this.graceUntil, this.readingUntil)',
        replace: 'return silence',
      },
    ],
  },
  {
    name: 'no-self-doubt',
    bug: 'a late wake is taken for silence of the peer',
    folder: 'src',
    patches: [
      {
        find: 'if (lateMs <= this.interval / 2) return\n    const remembered',
        replace: 'return\n    const remembered',
      },
    ],
  },
  {
    name: 'bound-one-heartbeat-short',
    bug: 'the peer is declared dead one heartbeat too early',
    folder: 'src',
    patches: [
      {
        find: 'this.boundMs = options.interval * options.lost + options.interval / 2',
        replace: 'this.boundMs = options.interval * (options.lost - 1) + options.interval / 2',
      },
    ],
  },
  {
    name: 'one-end-is-death',
    bug: 'the end of one stream and one refused port count as death while the other link lives',
    folder: 'src',
    patches: [
      {
        find: 'return this.links.every((link, i) => !this.expected?.[i] || (link.endedAt !== undefined && link.refused))',
        replace: 'return this.links.some((link) => link.endedAt !== undefined && link.refused)',
      },
      {
        find: '    if (allEnded) this.heardAfter = now\n    else this.forget()',
        replace: '    if (allEnded) this.heardAfter = now',
      },
    ],
  },
  {
    name: 'replayed-heartbeats',
    bug: 'an old heartbeat counts as life',
    folder: 'src',
    patches: [
      { find: 'if (counter <= this.lastCounter) return false', replace: 'if (counter < 0) return false' },
    ],
  },
  {
    name: 'heartbeat-mac-ignored',
    bug: 'the tag of a heartbeat is not checked',
    folder: 'src',
    patches: [
      {
        find: "if (!equalBytes(mac(key, bytes.subarray(0, SIGNED_BYTES)), bytes.subarray(SIGNED_BYTES))) return 'mac'",
        replace: "if (mac(key, bytes).length < 0) return 'mac'",
      },
    ],
  },
  {
    name: 'stale-status-believed',
    bug: 'an older status that comes later is believed',
    folder: 'src',
    patches: [
      {
        find: 'if (this.status !== undefined && status.uptimeMs <= this.status.uptimeMs) return false\n',
        replace: '',
      },
    ],
  },
  {
    name: 'freeze-unnoticed',
    bug: 'a primary that was frozen goes on writing when it wakes',
    folder: 'src',
    patches: [
      { find: 'if (now - planned < boundMs || state.role', replace: 'if (now - planned >= 0 || state.role' },
    ],
  },
  {
    name: 'freeze-left-to-handover',
    bug: 'a primary that was frozen in the midst of a handover goes on writing when that is called off',
    folder: 'src',
    patches: [
      {
        find: "if (now - planned < boundMs || state.role !== 'primary') return",
        replace: "if (now - planned < boundMs || state.role !== 'primary' || !state.open) return",
      },
    ],
    test: { path: 'test/core/freeze.test.ts', why: 'but one in tens of thousands' },
  },
  {
    name: 'freeze-alone-unasked',
    bug: 'a primary that was alone when it froze goes on writing beside a peer that came back meanwhile',
    folder: 'src',
    patches: [
      {
        find: "if (now - planned < boundMs || state.role !== 'primary') return",
        replace: "if (now - planned < boundMs || state.role !== 'primary' || !this.core.peer.alive) return",
      },
    ],
    test: { path: 'test/core/freeze.test.ts', why: 'but one in tens of thousands' },
  },
  {
    name: 'missed-reign-followed',
    bug: 'a secondary follows a reign on, though its primary led again, unheard, and stepped down',
    folder: 'src',
    patches: [
      {
        find: 'if (status.epoch < following.epoch) return',
        replace: 'if (status.epoch !== following.epoch) return',
      },
    ],
    test: { path: 'test/core/granting.test.ts', why: 'but one in tens of thousands' },
  },
  {
    name: 'epoch-not-passed',
    bug: 'a primary stays below the epoch of another history that gave way to it',
    folder: 'src',
    patches: [{ find: "    this.promote('older-lineage', now, now)\n", replace: '' }],
  },
  {
    name: 'stall-not-fenced',
    bug: 'the reign of a stalled application thread is offered with its gate open',
    folder: 'src',
    patches: [
      {
        find: "    this.core.act({ type: 'word', word: this.core.state.shutWord() })\n    this.running = {\n      stage: 'offering',",
        replace: "    this.running = {\n      stage: 'offering',",
      },
    ],
  },
  {
    name: 'handover-before-last-flush',
    bug: 'a handover does not wait for the last flush',
    folder: 'src',
    patches: [
      {
        find: "    this.core.post({ type: 'flush', token })\n",
        replace:
          "    this.core.post({ type: 'flush', token })\n    this.handleFlushed(token, this.feed.position, now)\n",
      },
    ],
  },
  {
    name: 'handover-before-applied',
    bug: 'the secondary takes a reign over before it has applied what was offered',
    folder: 'src',
    patches: [
      {
        find: 'return this.feed.isSynced && this.feed.applied >= position',
        replace: 'return this.feed.isSynced && position >= 0',
      },
      {
        find: 'sequence >= Math.max(running.position, feed.attach)',
        replace: 'sequence >= feed.attach',
      },
    ],
  },
  {
    name: 'handover-leaves-young',
    bug: 'a handover does not pick up what is still held back',
    folder: 'src',
    patches: [{ find: "        if (this.role === 'primary') this.pickups.demand()\n", replace: '' }],
  },
]
