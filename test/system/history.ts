// What the clients of a pair saw, and what may not have happened: no write lost that was held by both nodes, no epoch of
// two primaries, nothing accepted from an earlier reign by a receiver that checks tokens, both nodes equal when all is well;
// in mode 'manual' no promotion without an operator's word, in mode 'witness' no write of an earlier reign after the
// first of a later one.

export type Mode = 'availability' | 'manual' | 'witness'

/** [id, reign, step]: the last write a node holds of each session. */
export type Content = readonly (readonly [number, number, number])[]
type Steps = readonly (readonly [id: number, step: number])[]

/** What a node's process tells (test/system/program.mjs). */
export type Told =
  | { told: 'role'; role: string; epoch: number; reason: string; content: Content }
  | { told: 'held'; epoch: number; writes: Steps }
  | { told: 'deleting'; epoch: number; deletes: Steps }
  /**
   * Writes were accepted: one before `from`, one after `to`, ms on the clock that all processes share.
   */
  | { told: 'acted'; epoch: number; from: number; to: number }
  | { told: 'effect'; epoch: number }
  | { told: 'resting' }
  | { told: 'error' | 'poison' | 'unsynced'; text: string }

interface Stamp {
  readonly reign: number
  readonly step: number
}

const isBefore = (a: Stamp, b: Stamp) => a.reign < b.reign || (a.reign === b.reign && a.step < b.step)
const show = ({ reign, step }: Stamp) => `${reign}/${step}`

/** Keeps the latest of a session. */
function note(stamps: Map<number, Stamp>, id: number, stamp: Stamp): void {
  const before = stamps.get(id)
  if (before === undefined || isBefore(before, stamp)) stamps.set(id, stamp)
}

export interface Promotion {
  /** The process, such as 'a3'. */
  readonly process: string
  readonly epoch: number
  readonly reason: string
  readonly atMs: number
}

export class History {
  readonly violations: string[] = []
  /** Changes to primary since the last settling. */
  promotions: Promotion[] = []
  heldWrites = 0
  lostWrites = 0
  effects = { accepted: 0, refused: 0 }
  readonly mode: Mode
  private readonly owners = new Map<number, string>()
  private dumps: { process: string; epoch: number; content: Content }[] = []
  /** Per session, the latest write held before the last settling. */
  private readonly base = new Map<number, Stamp>()
  /** Those since. */
  private held: { id: number; stamp: Stamp }[] = []
  /** Per session, the latest of its deletes that were at least begun. */
  private readonly deleted = new Map<number, Stamp>()
  /** Per reign, by when its first write was accepted, and from when on its last one was, since the last settling. */
  private acts = new Map<number, { from: number; to: number }>()
  /** Processes that an operator has told to lead. */
  private readonly ordered = new Set<string>()
  private token = 0

  constructor(mode: Mode = 'availability') {
    this.mode = mode
  }

  /** An operator is about to promote this process. */
  order(process: string): void {
    this.ordered.add(process)
  }

  handle(process: string, told: Told, nowMs: number): void {
    switch (told.told) {
      case 'role':
        if (told.role !== 'primary') break
        this.own(process, told.epoch)
        this.handlePromotion({ process, epoch: told.epoch, reason: told.reason, atMs: nowMs })
        this.dumps.push({ process, epoch: told.epoch, content: told.content })
        break
      case 'held':
        this.own(process, told.epoch)
        this.heldWrites += told.writes.length
        for (const [id, step] of told.writes) this.held.push({ id, stamp: { reign: told.epoch, step } })
        break
      case 'deleting':
        for (const [id, step] of told.deletes) note(this.deleted, id, { reign: told.epoch, step })
        break
      case 'acted':
        this.own(process, told.epoch)
        this.handleAct(told)
        break
      case 'effect':
        this.own(process, told.epoch)
        this.accept(told.epoch)
        break
      case 'resting':
        break
      default:
        this.violations.push(`${process} told ${told.told}: ${told.text}`)
    }
  }

  private handlePromotion(promotion: Promotion): void {
    this.promotions.push(promotion)
    const isOrdered = this.ordered.delete(promotion.process)
    if (this.mode === 'manual' && !isOrdered)
      this.violations.push(
        `${promotion.process} promoted itself in mode manual, to ${promotion.epoch} (${promotion.reason})`,
      )
  }

  private handleAct({ epoch, from, to }: { epoch: number; from: number; to: number }): void {
    const before = this.acts.get(epoch)
    this.acts.set(epoch, { from: Math.min(from, before?.from ?? from), to: Math.max(to, before?.to ?? to) })
  }

  /** One reign, one primary. */
  private own(process: string, epoch: number): void {
    const owner = this.owners.get(epoch)
    if (owner === undefined) this.owners.set(epoch, process)
    else if (owner !== process)
      this.violations.push(`epoch ${epoch} was ${owner}'s, and ${process} acted in it`)
  }

  /** A receiver that checks tokens, as docs/FENCING.md asks: remember the highest, refuse a lower one. */
  private accept(epoch: number): void {
    if (epoch < this.token) {
      this.effects.refused++
      return
    }
    this.token = epoch
    this.effects.accepted++
  }

  /** Everything told has arrived and both nodes rest. Their contents are compared with each other and with the promises. */
  settle(contents: Readonly<Record<string, Content>>): void {
    for (const { process, epoch, content } of this.dumps) {
      this.demand(`${process}, promoted to ${epoch},`, content, (stamp) => stamp.reign < epoch)
    }
    for (const [name, content] of Object.entries(contents)) this.demand(name, content, () => true)
    const [one, other] = Object.values(contents).map((content) =>
      JSON.stringify([...content].sort(([a], [b]) => a - b)),
    )
    if (one !== other) this.violations.push('the nodes do not hold the same')
    if (this.mode === 'witness') this.demandOneGate()
    for (const { id, stamp } of this.held) note(this.base, id, stamp)
    this.held = []
    this.dumps = []
    this.promotions = []
    this.acts = new Map()
  }

  /** Under a witness nothing is accepted in a reign once something was in a later one. */
  private demandOneGate(): void {
    for (const [earlier, { to }] of this.acts) {
      for (const [later, { from }] of this.acts) {
        if (earlier < later && to > from)
          this.violations.push(
            `${this.owners.get(earlier)} wrote in ${earlier} ${(to - from).toFixed(1)} ms after ${this.owners.get(later)} did in ${later}`,
          )
      }
    }
  }

  /** What was held is still there, or something later is, or has deleted it. */
  private demand(who: string, content: Content, counts: (stamp: Stamp) => boolean): void {
    const owed = new Map(this.base)
    for (const { id, stamp } of this.held) if (counts(stamp)) note(owed, id, stamp)
    const has = new Map(content.map(([id, reign, step]) => [id, { reign, step }]))
    for (const [id, stamp] of owed) {
      const found = has.get(id)
      const last = found ?? this.deleted.get(id)
      if (last !== undefined && !isBefore(last, stamp)) continue
      this.lostWrites++
      const instead = found === undefined ? 'nothing' : show(found)
      this.violations.push(`${who} holds ${instead} of session ${id}, of which ${show(stamp)} was held`)
    }
  }
}
