// Planted bugs in what is sent, held, acknowledged and compared.
import type { Mutant } from './mutant.ts'

export const REPLICATION_MUTANTS: readonly Mutant[] = [
  {
    name: 'ack-before-apply',
    bug: 'frames are acknowledged as applied before they are',
    folder: 'src',
    patches: [
      {
        find: 'Math.min(this.applied, this.acknowledged)',
        replace: 'Math.min(this.acknowledged, this.acknowledged)',
      },
    ],
  },
  {
    name: 'ack-while-stalled',
    bug: 'a secondary whose application thread stands still goes on acknowledging',
    folder: 'src',
    patches: [
      {
        find: 'state.progressAgeMs(now) < options.stallTimeoutMs && this.unappliedBytes',
        replace: 'options.stallTimeoutMs > 0 && this.unappliedBytes',
      },
    ],
  },
  {
    name: 'held-while-awaited',
    bug: 'replicated() resolves while the secondary still awaits segments',
    folder: 'src',
    patches: [
      {
        find: "if (this.role !== 'primary' || !this.isHolding) return",
        replace: "if (this.role !== 'primary' || this.feeder.ack === undefined) return",
      },
      {
        find: '      if (this.isAlone) this.waiters.handleAlone()\n      this.considerHeld()\n    }\n    const isProtected',
        replace:
          '      this.considerHeld()\n      if (this.isAlone) this.waiters.handleAlone()\n    }\n    const isProtected',
      },
    ],
  },
  {
    name: 'held-before-flush',
    bug: 'replicated() counts what is written and not flushed as sent',
    folder: 'src',
    patches: [
      {
        find: 'if (this.waiters.hasUnsent && this.isComplete) this.waiters.handleFlushed',
        replace: 'if (this.waiters.hasUnsent) this.waiters.handleFlushed',
      },
    ],
  },
  {
    name: 'dedupe-off-by-one',
    bug: 'the second copy of the last frame is taken once more',
    folder: 'src',
    patches: [
      {
        find: "    if (sequence <= this.received) return 'known'\n    if (sequence !== this.received + 1) return 'gap'",
        replace:
          "    if (sequence < this.received) return 'known'\n    if (sequence > this.received + 1) return 'gap'",
      },
    ],
  },
  {
    name: 'link-opens-at-the-end',
    bug: 'a link that comes up skips what is not acknowledged',
    folder: 'src',
    patches: [
      {
        find: 'this.cursors[link] = this.base\n',
        replace: 'this.cursors[link] = this.base + this.frames.length\n',
      },
    ],
  },
  {
    name: 'ack-drops-one-more',
    bug: 'an acknowledgement frees one frame too many',
    folder: 'src',
    patches: [
      {
        find: '    if (count <= 0) return true\n    for (let i = 0; i < count; i++)',
        replace:
          '    if (count <= 0) return true\n    if (count < this.frames.length) return this.handleAck(received + 1)\n    for (let i = 0; i < count; i++)',
      },
    ],
  },
  {
    // The other direction alone does no harm: a secondary follows each reign once, and the primary's sequence goes on
    // over attachments, so a frame of one that is over is known.
    name: 'frames-of-other-attachment',
    bug: "the secondary's frames of an attachment that is over are taken",
    folder: 'src',
    patches: [
      {
        find: "if (state.role !== 'primary' || frame.epoch !== state.epoch || frame.attach !== this.attach) {",
        replace: "if (state.role !== 'primary' || frame.epoch !== state.epoch) {",
      },
      { find: '    if (frame.attach !== this.attach) return true\n', replace: '' },
    ],
  },
  {
    name: 'old-reigns-progress',
    bug: 'what the application thread says of an earlier reign counts for the one followed now',
    folder: 'src',
    patches: [
      {
        find: 'if (this.attach === 0 || attach !== this.attach || epoch !== this.following?.epoch) return',
        replace: 'if (this.attach === 0 || epoch + attach < 0) return',
      },
    ],
  },
  {
    name: 'older-ack-undoes-newer',
    bug: 'a copy of an older acknowledgement undoes a newer one',
    folder: 'src',
    patches: [
      {
        find: 'if (ack.received < last.received || ack.applied < last.applied) return false\n',
        replace: '',
      },
    ],
  },
  {
    name: 'partial-taken-for-whole',
    bug: 'a secondary takes a PARTIAL batch for a whole one',
    folder: 'src',
    patches: [
      {
        find: 'this.isPartial = frame.type === FrameType.PARTIAL',
        replace: 'this.isPartial = frame.type < 0',
      },
    ],
  },
  {
    name: 'images-before-flush',
    bug: 'images and digests are taken before the flush',
    folder: 'src',
    patches: [
      {
        find: '    if (this.isDirty) this.sendBatch(now)\n    if (this.isOverflowed || !this.isClean) return\n',
        replace: '',
      },
    ],
  },
  {
    name: 'image-overtaken',
    bug: 'an image goes out one slice after it was taken: a batch overtakes it',
    folder: 'src',
    patches: [
      {
        find: '    if (this.isDirty) this.sendBatch(now)\n    if (this.isOverflowed || !this.isClean) return\n    if (this.images.isGoing) {',
        replace:
          '    this.images.release()\n    if (this.isDirty) this.sendBatch(now)\n    if (this.isOverflowed || !this.isClean) return\n    if (this.images.isGoing) {',
      },
      {
        find: 'else this.say(FrameType.IMAGE, (writer) => writeImage(writer, table, segment, deltas), now, deltas.length)\n  }\n',
        replace:
          'else {\n      const copy = deltas.slice()\n      this.kept.push(() => this.say(FrameType.IMAGE, (writer) => writeImage(writer, table, segment, copy), now, copy.length))\n    }\n  }\n\n  private kept: (() => void)[] = []\n\n  release(): void {\n    for (const say of this.kept.splice(0)) say()\n  }\n',
      },
      {
        find: 'return this.wanted.some((table) => table.left > 0)',
        replace: 'return this.wanted.some((table) => table.left > 0) || this.images.keeps',
      },
      {
        find: '  get isGoing(): boolean {\n    return this.going !== undefined\n  }\n',
        replace:
          '  get isGoing(): boolean {\n    return this.going !== undefined\n  }\n\n  get keeps(): boolean {\n    return this.kept.length > 0\n  }\n',
      },
      {
        find: '  reset(): void {\n    this.going = undefined\n  }',
        replace: '  reset(): void {\n    this.going = undefined\n    this.kept = []\n  }',
      },
    ],
  },
  {
    name: 'same-though-touched',
    bug: 'SAME is believed of a segment whose session moved away meanwhile',
    folder: 'src',
    patches: [
      {
        find: 'if (store.isTouched(segment)) this.await(run.table, segment)\n      else store.setAwaited',
        replace: 'store.setAwaited',
      },
    ],
    test: {
      path: 'test/core/follower.test.ts',
      why: 'since there no content ever comes back: each write has a number of its own',
    },
  },
  {
    name: 'resync-awaits-nothing',
    bug: 'another attachment begins with everything trusted',
    folder: 'src',
    patches: [
      {
        find: '      store.setAwaited(0, store.segments, true)\n      for (let segment = theirs',
        replace: '      for (let segment = theirs',
      },
    ],
  },
  {
    name: 'proof-ignored',
    bug: 'a proof that fails is counted and nothing is done about it',
    folder: 'src',
    patches: [{ find: '      this.await(proof.table, segment)\n', replace: '' }],
  },
  {
    name: 'base-ahead-of-the-peer',
    bug: 'a checkpoint counts as confirmed before it is applied, and bases meet all the same',
    folder: 'src',
    patches: [
      {
        find: 'return led.sequence <= followed.sequence',
        replace: 'return led.sequence >= 0 && followed.sequence >= 0',
      },
      {
        find: 'if (this.pending === undefined || applied < this.pending) return',
        replace: 'if (this.pending === undefined || applied < 0) return',
      },
    ],
  },
  {
    name: 'own-changes-not-owed',
    bug: 'a primary does not owe what it changed itself',
    folder: 'src',
    patches: [
      { find: '      one.oweChanged()\n      one.setListing(true)', replace: '      one.setListing(true)' },
    ],
  },
  {
    name: 'their-changes-not-owed',
    bug: 'a list of what the secondary changed is lost',
    folder: 'src',
    patches: [{ find: 'if (store.oweListed(given.list) !== undefined) return false\n', replace: '' }],
  },
  {
    name: 'owed-list-lost',
    bug: 'a list of owed records is lost on its way',
    folder: 'src',
    patches: [
      {
        find: '    const refusal = store.oweListed(given.list)\n',
        replace: '    const refusal: string | undefined = undefined\n',
      },
    ],
  },
  {
    name: 'checkpoint-confirmed-early',
    bug: 'a checkpoint counts as confirmed before the secondary has applied it',
    folder: 'src',
    patches: [
      {
        find: 'if (this.pending === undefined || applied < this.pending) return',
        replace: 'if (this.pending === undefined || applied < 0) return',
      },
    ],
  },
  {
    name: 'peer-replaced-still-fed',
    bug: 'another process of the peer is taken for the one that was fed',
    folder: 'src',
    patches: [
      {
        find: "    this.parts.feed.detach()\n    this.core.post({ type: 'detach' })\n    this.parts.roles.handlePeerReplaced(now)",
        replace: '    this.parts.roles.handlePeerReplaced(now)',
      },
      {
        find: 'if (this.fed?.incarnation === peer.incarnation && follow.number <= this.fed.follow) {',
        replace: 'if (this.fed !== undefined && follow.number <= this.fed.follow) {',
      },
    ],
  },
  {
    name: 'table-time-goes-back',
    bug: "a secondary's table time jumps back to what it hears",
    folder: 'src',
    patches: [
      {
        find: '    if (ticks > this.last) this.last = ticks\n    return this.last',
        replace: '    this.last = ticks\n    return this.last',
      },
    ],
  },
  {
    name: 'table-time-begins-anew',
    bug: 'a promoted node starts its table time anew',
    folder: 'src',
    patches: [{ find: '    this.hear(this.read(now), now)\n', replace: '    this.adopt(1, now)\n' }],
  },
  {
    // The tables refuse by themselves to sweep behind a shut gate, so both have to be wrong.
    name: 'secondary-sweeps',
    bug: 'a secondary removes expired sessions itself',
    folder: 'src',
    patches: [
      {
        find: '    if (this.news.handleTime(now)) this.onWork?.()',
        replace:
          "    if (this.role === 'secondary') this.sweeper.work(now, false)\n    if (this.news.handleTime(now)) this.onWork?.()",
      },
      {
        find: '    if (!this.#writes.isOpen) return false\n    const isUnderWay',
        replace: '    const isUnderWay',
      },
    ],
  },
  {
    name: 'young-kept-by-secondary',
    bug: 'a node that ceases to be primary keeps what it alone held',
    folder: 'src',
    patches: [
      {
        find: 'this.dropping = this.stores.some((store) => store.held > 0)',
        replace: 'this.dropping = this.stores.length === 0',
      },
    ],
  },
]
