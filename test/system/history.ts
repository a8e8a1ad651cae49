// What the clients of a pair saw, and what may not have happened: no write lost that was held by both nodes, no epoch of
// two primaries, nothing accepted from an earlier reign by a receiver that checks tokens, both nodes equal when all is well.

/** [id, reign, step]: the last write a node holds of each session. */
export type Content = readonly (readonly [number, number, number])[]

/** What a node's process tells (test/system/program.mjs). */
export type Told =
  | { told: 'role'; role: string; epoch: number; reason: string; content: Content }
  | { told: 'held'; epoch: number; writes: readonly (readonly [number, number])[] }
  | { told: 'effect'; epoch: number }
  | { told: 'error' | 'poison' | 'unsynced'; text: string }

interface Stamp {
  readonly reign: number
  readonly step: number
}

const isBefore = (a: Stamp, b: Stamp) => a.reign < b.reign || (a.reign === b.reign && a.step < b.step)
const show = ({ reign, step }: Stamp) => `${reign}/${step}`

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
  private readonly owners = new Map<number, string>()
  private dumps: { process: string; epoch: number; content: Content }[] = []
  /** Per session, the latest write held before the last settling. */
  private readonly base = new Map<number, Stamp>()
  /** Those since. */
  private held: { id: number; stamp: Stamp }[] = []
  private token = 0

  handle(process: string, told: Told, nowMs: number): void {
    switch (told.told) {
      case 'role':
        if (told.role !== 'primary') break
        this.own(process, told.epoch)
        this.promotions.push({ process, epoch: told.epoch, reason: told.reason, atMs: nowMs })
        this.dumps.push({ process, epoch: told.epoch, content: told.content })
        break
      case 'held':
        this.own(process, told.epoch)
        this.heldWrites += told.writes.length
        for (const [id, step] of told.writes) this.held.push({ id, stamp: { reign: told.epoch, step } })
        break
      case 'effect':
        this.own(process, told.epoch)
        this.accept(told.epoch)
        break
      default:
        this.violations.push(`${process} told ${told.told}: ${told.text}`)
    }
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
    for (const { id, stamp } of this.held) {
      const before = this.base.get(id)
      if (before === undefined || isBefore(before, stamp)) this.base.set(id, stamp)
    }
    this.held = []
    this.dumps = []
    this.promotions = []
  }

  /** What was held is still there, or something later is. */
  private demand(who: string, content: Content, counts: (stamp: Stamp) => boolean): void {
    const owed = new Map(this.base)
    for (const { id, stamp } of this.held) {
      const before = owed.get(id)
      if (counts(stamp) && (before === undefined || isBefore(before, stamp))) owed.set(id, stamp)
    }
    const has = new Map(content.map(([id, reign, step]) => [id, { reign, step }]))
    for (const [id, stamp] of owed) {
      const found = has.get(id)
      if (found !== undefined && !isBefore(found, stamp)) continue
      this.lostWrites++
      const instead = found === undefined ? 'nothing' : show(found)
      this.violations.push(`${who} holds ${instead} of session ${id}, of which ${show(stamp)} was held`)
    }
  }
}
