// A steady load on the thread of a node, and what that thread did meanwhile: its own CPU time and how late its timers
// were. The other threads of the process are not counted: theirs is not the application's time.
import { readFileSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setInterval } from 'node:timers/promises'

/** How often the load is given; as often as a timer can. */
const STEP_MS = 1
const LOOP_RESOLUTION_MS = 1

export interface Paced {
  readonly updates: number
  /** CPU time of the main thread by the time that passed. */
  readonly mainShare: number
  /** 99.9th percentile of the time between two looks of a 1 ms timer. */
  readonly delayP999Ms: number
}

/** CPU time of the main thread. Linux tells it for each thread; Node has it from version 23.9 on, other kernels not at all. */
function mainThreadMs(): number {
  // The main thread has the number of the process. First word: nanoseconds on a CPU.
  const text = readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8')
  return Number(text.split(' ')[0]) / 1e6
}

/** Calls `update` so often a second for so long. */
export async function paced(perSecond: number, ms: number, update: () => void): Promise<Paced> {
  const delays = monitorEventLoopDelay({ resolution: LOOP_RESOLUTION_MS })
  delays.enable()
  const cpu = mainThreadMs()
  const began = performance.now()
  let updates = 0
  let passedMs = 0
  for await (const _ of setInterval(STEP_MS)) {
    passedMs = performance.now() - began
    // A late step makes up for what it missed.
    for (const due = (passedMs * perSecond) / 1000; updates < due; updates++) update()
    if (passedMs >= ms) break
  }
  passedMs = performance.now() - began
  const mainShare = (mainThreadMs() - cpu) / passedMs
  delays.disable()
  return { updates, mainShare, delayP999Ms: delays.percentile(99.9) / 1e6 }
}
