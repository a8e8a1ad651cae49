// Which sessions a slow twin holds back, by record id: young ones with the time they are due, local ones.

export interface TwinPickupRule {
  readonly delayMs: number
  readonly filter: ((session: Readonly<Record<string, unknown>>) => unknown) | undefined
}

export class TwinPickup {
  readonly #rule: TwinPickupRule
  /** In the order in which they are picked up; undefined: no turn has come since. */
  #young = new Map<number, number | undefined>()
  readonly #local = new Set<number>()
  readonly #demanded = new Set<number>()

  constructor(rule: TwinPickupRule) {
    this.#rule = rule
  }

  get ids(): number[] {
    return [...this.#young.keys(), ...this.#local]
  }

  has(id: number): boolean {
    return this.#young.has(id) || this.#local.has(id)
  }

  isYoung(id: number): boolean {
    return this.#young.has(id)
  }

  created(id: number): void {
    this.#young.set(id, undefined)
  }

  /** A local session is asked about again, before all others and at once. */
  replaced(id: number): void {
    if (!this.#local.delete(id)) return
    this.#young = new Map([[id, undefined], ...this.#young])
    this.#demanded.add(id)
  }

  ended(id: number): void {
    this.#young.delete(id)
    this.#local.delete(id)
    this.#demanded.delete(id)
  }

  demand(): void {
    for (const id of this.#young.keys()) this.#demanded.add(id)
  }

  get isDemanded(): boolean {
    return this.#demanded.size > 0
  }

  deadline(now: number): number | undefined {
    if (this.#demanded.size > 0 || [...this.#young.values()].includes(undefined)) return now
    const due = [...this.#young.values()][0]
    return due === undefined ? undefined : Math.max(due, now)
  }

  /** A turn: calls `pickUp` for each that is due and not refused, while it is still held back. */
  turn(now: number, values: (id: number) => Record<string, unknown>, pickUp: (id: number) => void): void {
    for (const [id, due] of this.#young) {
      if (due === undefined) this.#young.set(id, Math.ceil(now) + this.#rule.delayMs)
    }
    for (const [id, due] of [...this.#young]) {
      if (!this.#demanded.has(id) && due! > Math.floor(now)) continue
      const stays = this.#rule.filter !== undefined && this.#refuses(values(id))
      if (!stays) pickUp(id)
      this.ended(id)
      if (stays) this.#local.add(id)
    }
  }

  #refuses(values: Record<string, unknown>): boolean {
    try {
      return this.#rule.filter!(values) === false
    } catch {
      return false
    }
  }
}
