// Whether the memory of long-lived processes grows. Tables reserve theirs at the start, so after a time of warming up it
// must not: what is measured at quiet points, after a collection of garbage, is compared between the second and the last
// quarter of a process's life.
import type { Memory } from './node-process.ts'

/** Fewer samples say nothing about a trend. */
const SAMPLES_MIN = 12
/** Growth from the highest of the second quarter to the highest of the last one that is let pass, MiB. */
export const GROWTH_MIB_MAX = { rss: 48, heap: 8 } as const
/** No process of the soak may ever need more, MiB. */
export const RSS_MIB_MAX = 600

export class MemoryTrend {
  readonly #samples = new Map<string, Memory[]>()
  rssMibMax = 0
  heapMibMax = 0

  /** `process`: a name that no other process has. */
  add(process: string, memory: Memory): void {
    this.#samples.set(process, [...(this.#samples.get(process) ?? []), memory])
    this.rssMibMax = Math.max(this.rssMibMax, memory.rssMib)
    this.heapMibMax = Math.max(this.heapMibMax, memory.heapMib)
  }

  /** What is wrong, a line each. */
  violations(): string[] {
    const found: string[] = []
    if (this.rssMibMax > RSS_MIB_MAX) {
      found.push(`a process needed ${this.rssMibMax.toFixed(0)} MiB; allowed: ${RSS_MIB_MAX}`)
    }
    for (const { process, growth } of this.trends()) {
      for (const kind of ['rss', 'heap'] as const) {
        if (growth[kind] <= GROWTH_MIB_MAX[kind]) continue
        found.push(
          `${kind} of ${process} grew by ${growth[kind].toFixed(1)} MiB; allowed: ${GROWTH_MIB_MAX[kind]}`,
        )
      }
    }
    return found
  }

  /** Growth of every process that lived long enough, MiB. */
  trends(): { process: string; samples: number; growth: { rss: number; heap: number } }[] {
    return [...this.#samples].flatMap(([process, samples]) => {
      if (samples.length < SAMPLES_MIN) return []
      const quarter = Math.floor(samples.length / 4)
      const early = samples.slice(quarter, 2 * quarter)
      const late = samples.slice(-quarter)
      const grown = (of: (memory: Memory) => number) => Math.max(...late.map(of)) - Math.max(...early.map(of))
      const growth = { rss: grown((memory) => memory.rssMib), heap: grown((memory) => memory.heapMib) }
      return [{ process, samples: samples.length, growth }]
    })
  }
}
