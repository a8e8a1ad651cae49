// Two replicas (src/core/replica.ts) in one process, wired to each other as by one link that can be cut: what their
// application threads do in a pair of nodes, at a time of the caller's making, with every frame in hand. Frames are
// delivered in order, at once, and counted as they are; the sync threads' part is only played.

import type { FromSync } from '../../src/core/messages.ts'
import type { Replica } from '../../src/core/replica.ts'
import type { ReplicaEvent } from '../../src/core/replica-event.ts'

type RoleMessage = Extract<FromSync, { type: 'role' }>

/** An ACK frame: header, received, applied, awaited (docs/PROTOCOL.md sections 4 and 6). */
const ACK_BYTES = 32 + 8 + 8 + 4
const LINEAGE = '0123456789abcdef'
/** Turns of both sides before a pair that does not come to rest is given up. */
const TURNS_MAX = 1_000_000

export class Side {
  readonly replica: Replica
  /** Last sequence of the other side's frames. */
  received = 0
  /** Something came: it is answered in the next turn, as src/io/driver.ts does. */
  isAsked = false
  readonly events: ReplicaEvent[] = []

  constructor(replica: Replica) {
    this.replica = replica
  }
}

export class Wired {
  now = 1000
  /** The role word under which a primary's tables may be written. */
  readonly word: number
  readonly sides: readonly [Side, Side]
  /** Frames are lost. */
  isCut = true
  /** Of all frames delivered, in both directions, acknowledgements among them. */
  bytes = 0
  /** Types of the frames delivered. */
  readonly types = new Map<number, number>()
  private epoch = 10
  private follow = 0

  constructor(a: Replica, b: Replica, word: number) {
    this.sides = [new Side(a), new Side(b)]
    this.word = word
  }

  lead(side: Side): void {
    side.replica.handleMessage(this.roleMessage('primary', ++this.epoch), this.now)
  }

  /** From here on one side follows the other, from scratch. */
  attach(primary: Side, secondary: Side): void {
    this.isCut = false
    const { epoch } = primary.replica
    secondary.replica.handleMessage(this.roleMessage('secondary', epoch), this.now)
    for (const { replica } of this.sides) replica.handleMessage({ type: 'peer', alive: true }, this.now)
    primary.replica.handleMessage({ type: 'attach', epoch, follow: ++this.follow }, this.now)
  }

  /** Nothing passes, and both sides notice. */
  cut(): void {
    this.isCut = true
    for (const { replica } of this.sides) {
      replica.handleMessage({ type: 'peer', alive: false }, this.now)
      replica.handleMessage({ type: 'detach' }, this.now)
    }
  }

  /** Turns of both, each with everything that has come, until neither has anything to say or do now. */
  settle(): void {
    for (let turn = 0; this.turn(); turn++) if (turn > TURNS_MAX) throw new Error('a pair that does not rest')
  }

  /** One turn of each side; false when there was nothing to do. */
  turn(): boolean {
    let busy = false
    for (const [index, side] of this.sides.entries()) {
      const due = side.replica.pollTimeout(this.now)
      if (!side.isAsked && (due === undefined || due > this.now)) continue
      busy = true
      side.isAsked = false
      side.replica.handleTimeout(this.now)
      side.events.push(...side.replica.takeEvents())
      this.carry(side, this.sides[1 - index]!)
    }
    return busy
  }

  private carry(from: Side, to: Side): void {
    for (const message of from.replica.takeMessages()) {
      if (this.isCut) continue
      if (message.type === 'frame') {
        to.isAsked = true
        const type = message.frame[4]!
        this.types.set(type, (this.types.get(type) ?? 0) + 1)
        this.bytes += message.frame.length
        to.received = message.sequence
        to.replica.handleMessage({ type: 'frame', frame: message.frame }, this.now)
      } else if (message.type === 'applied') {
        const { attach, applied, awaited } = message
        this.bytes += ACK_BYTES
        to.replica.handleMessage({ type: 'ack', attach, received: from.received, applied, awaited }, this.now)
      }
    }
  }

  private roleMessage(role: 'primary' | 'secondary', epoch: number): RoleMessage {
    const position = { epoch: 0, sequence: 0 }
    const reason = role === 'primary' ? 'alone' : 'follows'
    const word = role === 'primary' ? this.word : 0
    return { type: 'role', role, epoch, lineage: LINEAGE, reason, word, position, durationMs: 0 }
  }
}
