// Timers as data: a deadline per name, and the earliest of them.

export class Timers<Name extends string> {
  private readonly deadlines = new Map<Name, number>()

  set(name: Name, deadline: number): void {
    this.deadlines.set(name, deadline)
  }

  clear(name: Name): void {
    this.deadlines.delete(name)
  }

  get(name: Name): number | undefined {
    return this.deadlines.get(name)
  }

  /** True once per deadline that has passed; the timer is cleared. */
  due(name: Name, now: number): boolean {
    const deadline = this.deadlines.get(name)
    if (deadline === undefined || deadline > now) return false
    this.deadlines.delete(name)
    return true
  }

  /** The earliest deadline; infinity when none is set. */
  next(): number {
    let earliest = Number.POSITIVE_INFINITY
    for (const deadline of this.deadlines.values()) earliest = Math.min(earliest, deadline)
    return earliest
  }
}

/** The earliest of some deadlines; undefined when there is none. */
export function earliest(...deadlines: readonly (number | undefined)[]): number | undefined {
  const at = Math.min(...deadlines.map((one) => one ?? Number.POSITIVE_INFINITY))
  return at === Number.POSITIVE_INFINITY ? undefined : at
}
