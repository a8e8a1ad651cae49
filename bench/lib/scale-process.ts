// A node with several large tables in a process of its own: answers the calls of the process that forked it
// (bench/figures/scale.ts) and does not outlive it.
import { createNode, defineTable } from './built.ts'
import type { NodeId, PairPlan } from './pair.ts'
import { Random } from './random.ts'
import { serve } from './serve.ts'
import { defineConnections, fieldsOf, keyOf, packetBytesOf } from './sessions.ts'
import { storyOf } from './story.ts'
import { monotonicMs, tick } from './time.ts'

/** Sessions a batch call. */
const BATCH = 4096

type ScaleNode = Awaited<ReturnType<typeof start>>

let node: ScaleNode
let story: (() => string) | undefined
let promotedMs = Number.NaN
let promotedFor = ''

/** `tables` tables of `plan.capacity` sessions each. */
function start({ capacity, heartbeat, addresses, identities }: PairPlan, id: NodeId, tables: number) {
  const peer = id === 'a' ? 'b' : 'a'
  const link = (name: 'm1' | 'm2') => ({ listen: addresses[id][name], peer: addresses[peer][name] })
  const { key, fields } = defineConnections(1)
  const definitions: Record<string, ReturnType<typeof defineConnections>> = {}
  for (let n = 1; n <= tables; n++)
    definitions[`t${n}`] = defineTable({ name: `t${n}`, key, fields, capacity })
  return createNode({
    id,
    peer,
    cluster: 'bench',
    priority: id === 'a' ? 200 : 100,
    tables: definitions,
    links: { m1: link('m1'), m2: link('m2') },
    identity: { ...identities[id], trust: [identities[peer].cert] },
    heartbeat,
  })
}

function longestGapMs(): number {
  const { m1, m2 } = node.status().links
  return Math.max(m1.gapMs ?? 0, m2.gapMs ?? 0)
}

const methods = {
  /** Starts the node and resolves when its role is decided and, on a secondary, it holds everything. */
  async start(plan: PairPlan, id: NodeId, tables: number) {
    node = await start(plan, id, tables)
    story = storyOf(node)
    let followedMs = Number.NaN
    node.on('role', ({ role, reason }) => {
      if (role === 'secondary') followedMs = monotonicMs()
      if (role !== 'primary') return
      promotedMs = monotonicMs()
      promotedFor = reason
    })
    await node.ready()
    return { role: node.role, syncedMs: monotonicMs() - followedMs, gapMs: longestGapMs() }
  },

  /** Every table gets sessions 0 to `sessions` - 1; gives the milliseconds of the calls. */
  async fill(sessions: number) {
    let ms = 0
    for (const table of Object.values(node.tables)) {
      const rows = table.rows(BATCH)
      for (let first = 0; first < sessions; first += BATCH) {
        rows.clear()
        for (let i = first; i < Math.min(first + BATCH, sessions); i++) rows.add(keyOf(i), fieldsOf(i))
        const began = performance.now()
        table.setMany(rows)
        ms += performance.now() - began
        await tick(0)
      }
    }
    return ms
  },

  /** Updates random sessions of random tables by a call each; gives nanoseconds a call. */
  use(sessions: number, updates: number) {
    const tables = Object.values(node.tables)
    const random = new Random(5)
    const chosen = Array.from(
      { length: updates },
      () => [random.below(tables.length), random.below(sessions)] as const,
    )
    const keys = chosen.map(([, i]) => keyOf(i))
    const began = performance.now()
    for (const [n, [table, i]] of chosen.entries()) {
      const packets = 2000 + (n & 1023)
      if (!tables[table]!.update(keys[n]!, { packets, bytes: packets * packetBytesOf(i) }))
        throw new Error('a session is not there')
    }
    return ((performance.now() - began) / updates) * 1e6
  },

  sessions: () => Object.values(node.tables).reduce((sum, { size }) => sum + size, 0),
  async protecting() {
    while (!node.status().protected) await tick(2)
  },
  verify: () => node.verify(),
  gapMs: () => longestGapMs(),

  /** When this node was promoted, on the clock of all processes, and why. */
  async promoted() {
    while (Number.isNaN(promotedMs)) await tick(1)
    return { atMs: promotedMs, reason: promotedFor }
  },

  /** Sessions whose counters belong together. */
  whole(sessions: number, step: number) {
    let whole = 0
    for (const table of Object.values(node.tables)) {
      for (let i = 0; i < sessions; i += step) {
        const session = table.get(keyOf(i))
        if (session !== undefined && session.bytes === session.packets * packetBytesOf(i)) whole++
      }
    }
    return whole
  },

  story: () => story?.() ?? 'no node yet',
}

export type ScaleMethods = typeof methods

serve(methods)
