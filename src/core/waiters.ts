// Who waits for `replicated()`. Callers between two flushes share one group; a group learns its position at the flush
// that carries everything written before it, and is held once the secondary has acknowledged that position with
// nothing awaited. Never by time.

/** What to do without a synced secondary. */
export type Alone = 'reject' | 'wait' | 'resolve'

export type HeldOutcome = 'held' | 'alone' | 'not-primary' | 'closed'

interface Group {
  readonly id: number
  readonly alone: Alone
  /** Undefined until everything written before is in a frame. */
  sequence: number | undefined
}

export class Waiters {
  private groups: Group[] = []
  private ids = 0
  private readonly settle: (group: number, outcome: HeldOutcome) => void

  constructor(settle: (group: number, outcome: HeldOutcome) => void) {
    this.settle = settle
  }

  /**
   * Joins the last group of callers with the same wish, or opens one. `clean`: the position when nothing is unsent;
   * then a group that waits for that position serves as well.
   */
  join(alone: Alone, clean: number | undefined): number {
    const last = this.groups.findLast((group) => group.alone === alone)
    if (last !== undefined && (last.sequence === undefined || last.sequence === clean)) return last.id
    const group: Group = { id: ++this.ids, alone, sequence: undefined }
    this.groups.push(group)
    return group.id
  }

  get hasUnsent(): boolean {
    return this.groups.some((group) => group.sequence === undefined)
  }

  /** Everything written so far is in frames up to `sequence`. */
  handleFlushed(sequence: number): void {
    for (const group of this.groups) group.sequence ??= sequence
  }

  /** The secondary holds everything up to `received` and awaits nothing. */
  handleHeld(received: number): void {
    this.finish((group) => group.sequence !== undefined && group.sequence <= received, 'held')
  }

  /** A new attachment: what was sent before counts for nothing until the comparison is through. */
  handleAttached(): void {
    for (const group of this.groups) group.sequence = undefined
  }

  /** There is no synced secondary. */
  handleAlone(): void {
    this.finish((group) => group.alone !== 'wait', 'alone')
  }

  handleEnded(outcome: 'not-primary' | 'closed'): void {
    this.finish(() => true, outcome)
  }

  private finish(isDone: (group: Group) => boolean, outcome: HeldOutcome): void {
    if (this.groups.length === 0) return
    const done = this.groups.filter(isDone)
    if (done.length === 0) return
    this.groups = this.groups.filter((group) => !done.includes(group))
    for (const group of done) this.settle(group.id, outcome)
  }
}
