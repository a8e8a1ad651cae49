// A node in a process of its own: answers the calls of the process that forked it (bench/lib/remote-node.ts) and does
// not outlive it.
import type { ConnectionsNode, NodeId, PairPlan } from './pair.ts'
import { startNode } from './pair.ts'
import { Random } from './random.ts'
import { fieldsOf, keyOf, packetBytesOf } from './sessions.ts'
import { storyOf } from './story.ts'
import { monotonicMs, tick } from './time.ts'

/** Updates between two turns of the event loop. */
const TURN = 4096
/** Turns whose flush may be unacknowledged: enough to keep the links full, too few to fill the journal. */
const TURNS_AHEAD = 8
const LOAD_INTERVAL_MS = 5

let node: ConnectionsNode
let load: NodeJS.Timeout | undefined
let ballast: Buffer | undefined
let story: (() => string) | undefined

/** Sets both counters of session i, which stay in proportion. */
function count(i: number, packets: number): void {
  const found = node.tables.connections.update(keyOf(i), { packets, bytes: packets * packetBytesOf(i) })
  if (!found) throw new Error(`session ${i} is not there`)
}

const methods = {
  async start(plan: PairPlan, id: NodeId) {
    node = await startNode(plan, id)
    story = storyOf(node)
  },

  /** When the role is decided and a secondary holds everything. */
  async ready() {
    await node.ready()
    return node.role
  },

  /** Resolves when this node is primary and its secondary holds everything. */
  async protecting() {
    while (!node.status().protected) await tick(2)
  },

  async fill(sessions: number) {
    for (let i = 0; i < sessions; i++) {
      node.tables.connections.set(keyOf(i), fieldsOf(i))
      if (i % TURN === TURN - 1) await node.replicated({ alone: 'resolve' })
    }
    await node.replicated({ alone: 'resolve' })
  },

  /** Updates random sessions at a steady rate, while this node is primary. */
  load(sessions: number, perSecond: number) {
    const random = new Random(process.pid)
    let packets = 2000
    clearInterval(load)
    load = setInterval(() => {
      if (node.role !== 'primary') return
      packets++
      const updates = Math.round((perSecond * LOAD_INTERVAL_MS) / 1000)
      try {
        for (let n = 0; n < updates; n++) count(random.below(sessions), packets)
      } catch (error) {
        // Fenced: the role event is on its way.
        if ((error as { code?: string }).code !== 'ERR_NOT_PRIMARY') throw error
      }
    }, LOAD_INTERVAL_MS)
  },

  /**
   * Updates every session once, in random order, each by a call of its own, as fast as they go. No session comes twice,
   * so no update is saved by being merged with another. Gives when the first was made, on the clock of all processes.
   */
  async saturate(sessions: number, packets: number, seed: number) {
    const order = new Random(seed).shuffled(sessions)
    const startedMs = monotonicMs()
    const cpu = process.cpuUsage()
    const held: Promise<unknown>[] = []
    for (let done = 0; done < sessions; done += TURN) {
      const end = Math.min(done + TURN, sessions)
      for (let n = done; n < end; n++) count(order[n]!, packets)
      held.push(node.replicated())
      if (held.length > TURNS_AHEAD) await held.shift()
      // In any case: one acknowledgement may settle many promises, and without a turn nothing is flushed.
      await tick(0)
    }
    await Promise.all(held)
    return { startedMs, cpuMs: cpuMsSince(cpu), last: order[sessions - 1]! }
  },

  /** Resolves when session i has this count; gives the time, on the clock of all processes, and the CPU used meanwhile. */
  async applied(i: number, packets: number) {
    while (node.tables.connections.get(keyOf(i))?.packets !== packets) await tick(1)
    return monotonicMs()
  },

  /** How many of the sessions have this count, and as many bytes as belong to it. */
  matching(sessions: number, packets: number) {
    let matching = 0
    for (let i = 0; i < sessions; i++) {
      const session = node.tables.connections.get(keyOf(i))
      if (session?.packets === packets && session.bytes === packets * packetBytesOf(i)) matching++
    }
    return matching
  },

  /** Milliseconds from each of `rounds` single updates to the promise that the secondary has it. */
  async latencies(sessions: number, rounds: number, pauseMsMax: number) {
    const random = new Random(rounds)
    const ms: number[] = []
    for (let round = 0; round < rounds; round++) {
      if (pauseMsMax > 0) await tick(1 + random.below(pauseMsMax))
      const i = random.below(sessions)
      const began = performance.now()
      count(i, 3000 + round)
      const { held } = await node.replicated()
      ms.push(performance.now() - began)
      if (!held) throw new Error('replicated() resolved without a secondary')
    }
    return ms
  },

  /** What the node told lately. */
  story: () => story?.() ?? 'no node yet',

  cpuMs: () => cpuMsSince(),
  handover: () => node.handover(),
  verify: () => node.verify(),
  close: () => node.close(),

  /** Memory that the kernel has to give back when this process dies; touched in slices, for a thread must not stall. */
  async ballast(mib: number) {
    const slice = 16 * 2 ** 20
    ballast = Buffer.allocUnsafeSlow(mib * 2 ** 20)
    for (let at = 0; at < ballast.length; at += slice) {
      ballast.fill(1, at, at + slice)
      await tick(1)
    }
    return ballast.length
  },
}

function cpuMsSince(before?: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}

export type Methods = typeof methods

export interface Call {
  readonly number: number
  readonly method: keyof Methods
  readonly args: readonly unknown[]
}

export type Answer = { readonly number: number; readonly result?: unknown; readonly error?: string }

process.on('message', async ({ number, method, args }: Call) => {
  let answer: Answer
  try {
    answer = { number, result: await (methods[method] as (...args: readonly unknown[]) => unknown)(...args) }
  } catch (error) {
    answer = { number, error: (error as Error).stack ?? String(error) }
  }
  if (process.connected) process.send?.(answer)
})
process.on('disconnect', () => process.exit())
