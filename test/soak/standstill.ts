// Notices that this process got no processor for a while, which on a machine with other work happens to anybody. A node
// that is not heard because its process, or the one that carries its bytes, stood still is rightly replaced.
import { monotonicMs } from './tables.ts'

const LOOK_MS = 20
/** Shorter ones are not noted. */
const NOTED_MS = 30

export interface Standstill {
  readonly fromMs: number
  readonly toMs: number
}

/** Calls `note` after every time this thread stood still. Give `stop` a call at the end. */
export function watchStandstills(note: (standstill: Standstill) => void): () => void {
  let lastMs = monotonicMs()
  const timer = setInterval(() => {
    const nowMs = monotonicMs()
    if (nowMs - lastMs - LOOK_MS > NOTED_MS) note({ fromMs: lastMs, toMs: nowMs })
    lastMs = nowMs
  }, LOOK_MS)
  timer.unref()
  return () => clearInterval(timer)
}
