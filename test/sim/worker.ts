// One process of a long run: takes its seeds, reports now and then.
import { runSeed } from './run.ts'
import type { StoreKind } from './tables.ts'
import { addRun, emptyTally, type Tally } from './tally.ts'

export interface WorkerTask {
  readonly first: string
  readonly step: number
  /** Not included. */
  readonly end: string
  /** No seed is begun later; undefined: all are run. */
  readonly seconds: number | undefined
  readonly store: StoreKind
  /** The first finding ends it. */
  readonly stops: boolean
}

export type WorkerReport = Tally

const REPORT_MS = 1_000

process.once('message', (task: WorkerTask) => {
  let tally = emptyTally()
  let reportedAt = performance.now()
  const report = (sent?: () => void) => {
    process.send?.(tally, undefined, {}, sent)
    tally = emptyTally()
    reportedAt = performance.now()
  }
  const end = BigInt(task.end)
  const stopAt = performance.now() + 1000 * (task.seconds ?? Number.POSITIVE_INFINITY)
  for (let seed = BigInt(task.first); seed < end; seed += BigInt(task.step)) {
    addRun(tally, runSeed(seed, { store: task.store }))
    if ((tally.findings.length > 0 && task.stops) || performance.now() > stopAt) break
    if (tally.findings.length > 0 || performance.now() - reportedAt > REPORT_MS) report()
  }
  report(() => process.exit())
})
