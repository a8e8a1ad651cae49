// What a round of the soak does to the pair, besides the load that goes on all the time, and which changes of role it
// explains. Whatever was done is undone at its end.
import { setTimeout as pause } from 'node:timers/promises'
import type { Cable } from 'holdfast/testing'
import type { Remote } from './remote.ts'

/** What a round may use. */
export interface Scene {
  readonly primary: Remote
  readonly secondary: Remote
  readonly m1: Cable
  readonly m2: Cable
  readonly random: () => number
  /** How long a round goes on, ms. */
  readonly durationMs: number
  /** Another process takes the place of one that was killed. */
  restart(id: 'a' | 'b'): Promise<void>
}

/** Changes of role that have a cause: "node role reason", as patterns. */
type Explained = readonly RegExp[]
type Round = (scene: Scene) => Promise<Explained>

/** More than a journal holds, in one run. */
const BURST = 30_000
/** Runs for a tenth of the time. */
const SLOW_MS = { stopped: 90, running: 10 } as const

const between = (random: () => number, low: number, high: number) => low + random() * (high - low)

/** Whoever took over meanwhile, on a busy machine, is left alone. */
const follows = async (remote: Remote) => (await remote.call('role')) === 'secondary'

async function onCable(cable: Cable, durationMs: number, harm: () => void): Promise<Explained> {
  harm()
  await pause(durationMs)
  cable.impair({})
  cable.mend()
  return []
}

export const ROUNDS: Readonly<Record<string, Round>> = {
  'nothing else': async ({ durationMs }) => {
    await pause(durationMs)
    return []
  },

  'bursts over the journal': async ({ primary, durationMs }) => {
    const end = performance.now() + durationMs
    while (performance.now() < end) {
      await primary.call('burst', BURST)
      await pause(durationMs / 10)
    }
    return []
  },

  'secondary ten times slower': async ({ secondary, durationMs }) => {
    const end = performance.now() + durationMs
    while (performance.now() < end && (await follows(secondary))) {
      secondary.signal('SIGSTOP')
      await pause(SLOW_MS.stopped)
      secondary.signal('SIGCONT')
      await pause(SLOW_MS.running)
    }
    return []
  },

  'secondary stopped': async ({ primary, secondary, random, durationMs }) => {
    secondary.signal('SIGSTOP')
    await pause(between(random, 0.2, 0.5) * durationMs)
    await primary.call('burst', BURST)
    await pause(between(random, 0.1, 0.5) * durationMs)
    secondary.signal('SIGCONT')
    await pause(500)
    return []
  },

  'secondary stopped for moments': async ({ secondary, random, durationMs }) => {
    const end = performance.now() + durationMs
    while (performance.now() < end && (await follows(secondary))) {
      secondary.signal('SIGSTOP')
      await pause(between(random, 50, 400))
      secondary.signal('SIGCONT')
      await pause(between(random, 10, 600))
    }
    return []
  },

  'secondary killed': async ({ secondary, restart, random, durationMs }) => {
    await secondary.kill()
    await pause(between(random, 0.1, 1) * durationMs)
    await restart(secondary.id)
    return [new RegExp(`^${secondary.id} secondary follows`)]
  },

  'primary killed': async ({ primary, secondary, restart, random, durationMs }) => {
    const held = await primary.call('mark')
    await primary.kill()
    await pause(between(random, 0.1, 1) * durationMs)
    const kept = await secondary.call('marked')
    if (kept < held)
      throw new Error(`${secondary.name} has mark ${kept}, ${primary.name} was told that ${held} is held`)
    await restart(primary.id)
    return [
      new RegExp(`^${secondary.id} primary (peer-died|peer-silent)`),
      new RegExp(`^${primary.id} secondary follows`),
    ]
  },

  'M1 cut': ({ m1, durationMs }) => onCable(m1, durationMs, () => m1.cut()),
  'M2 cut': ({ m2, durationMs }) => onCable(m2, durationMs, () => m2.cut()),
  'M1 cut one way': ({ m1, durationMs }) => onCable(m1, durationMs, () => m1.cut('a->b')),
  'M2 stalled': ({ m2, durationMs }) => onCable(m2, durationMs, () => m2.stall()),
  'M1 loses datagrams': ({ m1, durationMs }) =>
    onCable(m1, durationMs, () => m1.impair({ loss: 0.3, duplicate: 0.1, delayMs: 5, jitterMs: 20 })),

  handover: async ({ primary, secondary, durationMs }) => {
    await pause(durationMs / 2)
    await primary.call('mark')
    await primary.call('handover')
    await pause(durationMs / 2)
    return [new RegExp(`^${primary.id} secondary handover`), new RegExp(`^${secondary.id} primary handover`)]
  },
}
