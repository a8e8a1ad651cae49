// What the modes promise while both links are cut and both nodes are well: in availability a synced secondary takes over
// within its bound, so there are two primaries until the links heal; otherwise the roles stay as they are. A simulator in
// which the expected never happened would be blind to the rest.
import type { Network } from './network.ts'
import type { SimProcess } from './process.ts'
import { Violation } from './world.ts'

interface Cut {
  readonly since: number
  readonly primary: SimProcess
  readonly secondary: SimProcess
  told: boolean
}

export class CutChecks {
  private readonly network: Network
  /** After so long the silence has been noticed, ms. */
  private readonly noticedMs: number
  private cut: Cut | undefined

  constructor(network: Network, noticedMs: number) {
    this.network = network
    this.noticedMs = noticedMs
  }

  /** Once an interval. */
  sample(processes: readonly SimProcess[]): void {
    const { world } = this.network
    if (
      !this.isCut ||
      processes.length < 2 ||
      processes.some(({ app, thread }) => app.isBlocked || thread.isBlocked)
    ) {
      this.cut = undefined
      return
    }
    const cut = this.cut
    if (cut === undefined || ![cut.primary, cut.secondary].every((process) => processes.includes(process))) {
      this.cut = this.begin(processes)
      return
    }
    const wokeAt = Math.max(cut.primary.thread.wokeAt, cut.secondary.thread.wokeAt)
    if (wokeAt > cut.since || this.mendedAt > cut.since) this.cut = undefined
    else if (!cut.told && world.now - cut.since > this.noticedMs) {
      cut.told = true
      this.judge(cut)
    }
  }

  private get isCut(): boolean {
    return this.network.paths.every((link) => link.every((path) => path.cuts > 0))
  }

  /** When a link last was whole for a moment, however short. */
  private get mendedAt(): number {
    return Math.max(...this.network.paths.flat().map((path) => path.mendedAt))
  }

  /** Both links are cut as of now; undefined unless one node acts and the other holds what it needs to. */
  private begin(processes: readonly SimProcess[]): Cut | undefined {
    const primary = processes.find((process) => process.core.state.role === 'primary' && process.canWrite)
    const secondary = processes.find(({ core }) => core.state.role === 'secondary' && core.state.complete)
    if (primary === undefined || secondary === undefined) return undefined
    return { since: this.network.world.now, primary, secondary, told: false }
  }

  private judge({ primary, secondary }: Cut): void {
    const { world } = this.network
    const { mode } = secondary.plan.core
    const isLeading = secondary.core.state.role === 'primary'
    world.count(`both links cut, ${mode}: ${isLeading ? 'two primaries' : 'one primary'}`)
    // Under a witness the role may move, to one that reaches it: gates are looked at elsewhere.
    if (mode === 'witness' && (primary.core.state.role !== 'primary' || !isLeading)) return
    if (primary.core.state.role === 'primary' && isLeading === (mode === 'availability')) return
    if (primary.core.state.role === 'stopped' || secondary.core.state.role === 'stopped') return
    if (secondary.core.state.reason === 'operator') return
    throw new Violation(
      `both links were cut for ${this.noticedMs.toFixed(0)} ms, and in mode ${mode} ${primary.name} is ${primary.core.state.role}, ${secondary.name} ${secondary.core.state.role}`,
    )
  }
}
