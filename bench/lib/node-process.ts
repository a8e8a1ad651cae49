// A node in a process of its own: answers the calls of the process that forked it (bench/lib/remote-node.ts) and does
// not outlive it.
import { timeCalls } from './call-times.ts'
import { paced } from './paced.ts'
import type { ConnectionsNode, NodeId, PairPlan } from './pair.ts'
import { startNode } from './pair.ts'
import { Random } from './random.ts'
import { type ConnectionsTable, createConnections, fill } from './replicas.ts'
import { Round } from './round.ts'
import { byBatches, byCalls, saturate } from './saturate.ts'
import { cpuMsSince, serve } from './serve.ts'
import { fieldsOf, keyOf, packetBytesOf } from './sessions.ts'
import { collectAges, stamp } from './stamps.ts'
import { storyOf } from './story.ts'
import { monotonicMs, tick } from './time.ts'

/** Sessions filled in between two turns of the event loop. */
const TURN = 4096
const LOAD_INTERVAL_MS = 5
/** More than the sync thread lets pass between two of its reports. */
const STATUS_MS = 300

let node: ConnectionsNode
/** A table without a node. */
let plain: ConnectionsTable
let load: NodeJS.Timeout | undefined
let ballast: Buffer | undefined
let story: (() => string) | undefined
let ages: number[] = []
/** Grows with each single update. */
let written = 3000

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

  /**
   * Starts this node as a fresh secondary of a primary that is there, and resolves when it holds everything. Gives the
   * time since the call and since it followed, and the longest gap between two heartbeats of each link, ms.
   */
  async join(plan: PairPlan, id: NodeId) {
    const startedMs = performance.now()
    node = await startNode(plan, id)
    story = storyOf(node)
    let followedMs = Number.NaN
    node.once('role', () => {
      followedMs = performance.now()
    })
    await node.ready()
    const syncedMs = performance.now()
    return {
      sinceStartMs: syncedMs - startedMs,
      sinceFollowedMs: syncedMs - followedMs,
      gapsMs: gapsOf(node),
    }
  },

  gapsMs: () => gapsOf(node),

  sessions: () => node.tables.connections.size,

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

  /** Updates random sessions at a steady rate, while this node is primary; not session 0, which carries the stamps. */
  load(sessions: number, perSecond: number) {
    const random = new Random(process.pid)
    let packets = 2000
    clearInterval(load)
    load = setInterval(() => {
      if (node.role !== 'primary') return
      packets++
      const updates = Math.round((perSecond * LOAD_INTERVAL_MS) / 1000)
      try {
        for (let n = 0; n < updates; n++) count(1 + random.below(sessions - 1), packets)
      } catch (error) {
        // Fenced: the role event is on its way.
        if ((error as { code?: string }).code !== 'ERR_NOT_PRIMARY') throw error
      }
    }, LOAD_INTERVAL_MS)
  },

  /** Ends the load. */
  rest() {
    clearInterval(load)
  },

  /** Updates random sessions at a steady rate for so long; gives what it cost this thread. */
  async pace(sessions: number, perSecond: number, ms: number) {
    const random = new Random(1)
    const measured = await paced(perSecond, ms, () => {
      const packets = 1 + random.below(100_000)
      count(random.below(sessions), packets)
    })
    return { ...measured, protected: node.status().protected }
  },

  /** Fills a table that belongs to no node. */
  fillPlain(sessions: number) {
    plain = createConnections(sessions)
    fill(plain, sessions)
  },

  /** Updates random sessions as fast as it goes for so long, of the node or of the table that belongs to none. */
  callTimes(what: 'node' | 'plain', sessions: number, ms: number) {
    const table = what === 'plain' ? plain : node.tables.connections
    const random = new Random(1)
    let key = keyOf(0)
    let fields = { packets: 0, bytes: 0 }
    const prepare = () => {
      const i = random.below(sessions)
      const packets = 1 + random.below(100_000)
      key = keyOf(i)
      fields = { packets, bytes: packets * packetBytesOf(i) }
    }
    return timeCalls(ms, prepare, () => {
      if (!table.update(key, fields)) throw new Error('a session is not there')
    })
  },

  /** Resolves when nobody follows this primary any more. */
  async alone() {
    while (node.status().protected) await tick(2)
  },

  /**
   * Updates every session once (or so many of them), in random order, as fast as they go: `one` by a call of its own
   * each, `many` by one for each turn. No session comes twice, so no update is saved by being merged with another.
   */
  saturate(how: 'one' | 'many', sessions: number, packets: number, seed: number, updates = sessions) {
    const round = new Round(sessions, updates, packets, seed)
    return saturate(node, round, how === 'one' ? byCalls(node, round) : byBatches(node, round))
  },

  /** When every session was there, on the clock of all processes. */
  async filled(sessions: number) {
    await node.ready()
    const filledMs = monotonicMs()
    const { size } = node.tables.connections
    if (size !== sessions) throw new Error(`filled with ${size} of ${sessions} sessions`)
    return filledMs
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
      // Never what it was before: a session set back to its value costs nothing, and nothing is sent.
      written++
      const began = performance.now()
      count(i, written)
      const { held } = await node.replicated()
      ms.push(performance.now() - began)
      if (!held) throw new Error('replicated() resolved without a secondary')
    }
    return ms
  },

  /** Writes the time into a session, so often, at random moments. */
  async stamp(times: number, pauseMsMax: number) {
    const random = new Random(times)
    for (let n = 0; n < times; n++) {
      await tick(1 + random.below(pauseMsMax))
      stamp(node)
      // One after another: a stamp that another overtakes in the same batch would not be seen.
      await node.replicated()
    }
  },

  collectAges() {
    ages = collectAges(node)
  },

  /** Gives the ages of stamps since the last call, once there are so many. */
  async takeAges(times: number) {
    while (ages.length < times) await tick(1)
    return ages.splice(0)
  },

  /** What the node told lately. */
  story: () => story?.() ?? 'no node yet',

  /** Bytes given to both links so far. The status is a moment old. */
  async bytesSent() {
    await tick(STATUS_MS)
    const { m1, m2 } = node.status().links
    return m1.bytesSent + m2.bytesSent
  },

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

export type NodeMethods = typeof methods

function gapsOf(of: ConnectionsNode): number[] {
  const { m1, m2 } = of.status().links
  return [m1.gapMs ?? 0, m2.gapMs ?? 0]
}

serve(methods)
