// fast-check under the seed of test/support/seed.ts, with one way to say how to replay a failure.
import fc from 'fast-check'
import { replayCommand, runs, seed } from './seed.ts'

/** Checks a property `byDefault` times (HOLDFAST_RUNS scales it); a failure shows the shrunk case and the replay command. */
export function holds<Ts>(property: fc.IProperty<Ts>, byDefault: number): void {
  const details = fc.check(property, { seed, numRuns: runs(byDefault), endOnFailure: false })
  if (!details.failed) return
  const cause = details.errorInstance
  const reason = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)
  throw new Error(
    `after ${details.numRuns} runs and ${details.numShrinks} shrinks: ${fc.stringify(details.counterexample)}
    ${reason}
    replay: ${replayCommand()}`,
  )
}
