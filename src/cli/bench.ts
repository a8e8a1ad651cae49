// holdfast bench: what this machine does, in half a minute: a table, and a pair of nodes in this process over the loopback.
// The figures that the project stands by, and how they are measured, are bench/ in the repository.
import { createNode, defineTable, type HoldfastNode } from '../index.ts'
import { freeAddress } from '../testing/index.ts'
import { VERSION } from '../version.ts'
import { type Command, numberOf, parse } from './command.ts'

const ROUNDS = 5
const WAITS = 200

const HELP = `usage: holdfast bench [--sessions N] [--json]

Measures on this machine: reads and updates of a table of N sessions in random order, and, between two nodes in
this process over the loopback (without TLS), how many updates a second arrive, how long replicated() takes, and
how long a handover.
Medians of ${ROUNDS} rounds, with the range. Both nodes and the load share this process, so a real pair does more.

  --sessions N    1000 to 2000000 (100000)
  --json          the figures as JSON`

interface Figure {
  readonly name: string
  readonly unit: string
  readonly runs: readonly number[]
}

const median = (runs: readonly number[]) => [...runs].sort((a, b) => a - b)[runs.length >> 1]!

export const bench: Command = {
  summary: 'what this machine does, in half a minute',
  help: HELP,
  async run(args, terminal) {
    const { values } = parse(args, {
      sessions: { type: 'string', default: '100000' },
      json: { type: 'boolean', default: false },
    })
    const count = Math.round(numberOf('sessions', values.sessions, 1_000, 2_000_000))
    const figures = await measure(count)
    if (values.json) {
      const shown = figures.map(({ name, unit, runs }) => ({ name, unit, value: median(runs), runs }))
      terminal.out(JSON.stringify({ version: VERSION, sessions: count, figures: shown }, null, 2))
      return 0
    }
    terminal.out(`${count.toLocaleString('en-US')} sessions, holdfast ${VERSION}\n`)
    for (const { name, unit, runs } of figures) {
      const shown = (value: number) =>
        value >= 100 ? Math.round(value).toLocaleString('en-US') : value.toFixed(2)
      const range = `${shown(Math.min(...runs))} to ${shown(Math.max(...runs))}`
      terminal.out(`${name.padEnd(34)} ${shown(median(runs)).padStart(10)} ${unit.padEnd(5)} (${range})`)
    }
    return 0
  },
}

function definition(capacity: number) {
  return defineTable({
    name: 'bench',
    key: { id: 'u32', port: 'u16' },
    fields: { packets: 'u53', bytes: 'u53' },
    capacity,
  })
}

type Node = HoldfastNode<{ bench: ReturnType<typeof definition> }>

async function measure(count: number): Promise<Figure[]> {
  const free = new Set<string>()
  while (free.size < 4) free.add(await freeAddress())
  const [a1, a2, b1, b2] = [...free] as [string, string, string, string]
  const tables = { bench: definition(count) }
  const common = { tables, insecure: true, cluster: 'bench' }
  const links = (m1: string, m2: string, to1: string, to2: string) => {
    return { m1: { listen: m1, peer: to1 }, m2: { listen: m2, peer: to2 } }
  }
  const a = await createNode({ ...common, id: 'a', peer: 'b', priority: 200, links: links(a1, a2, b1, b2) })
  try {
    const b = await createNode({ ...common, id: 'b', peer: 'a', priority: 100, links: links(b1, b2, a1, a2) })
    try {
      return await measurePair(a, b, count)
    } finally {
      await b.close()
    }
  } finally {
    await a.close()
  }
}

async function measurePair(a: Node, b: Node, count: number): Promise<Figure[]> {
  await Promise.all([a.ready(), b.ready()])
  const [primary, other] = a.role === 'primary' ? [a, b] : [b, a]
  const table = primary.tables.bench
  const keys = Array.from({ length: count }, (_, i) => ({ id: i, port: i % 65_536 }))
  for (const key of keys) table.set(key, { packets: 1, bytes: 1 })
  await primary.replicated({ alone: 'wait' })
  const order = shuffled(count)
  const gets: number[] = []
  const updates: number[] = []
  const arrivals: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    let from = performance.now()
    for (const i of order) table.get(keys[i]!)
    gets.push(((performance.now() - from) * 1e6) / count)
    from = performance.now()
    for (const i of order) table.update(keys[i]!, { packets: round + 2, bytes: round + i })
    updates.push(((performance.now() - from) * 1e6) / count)
    await primary.replicated({ alone: 'wait' })
    arrivals.push(count / ((performance.now() - from) / 1000))
  }
  const waits: number[] = []
  for (let i = 0; i < WAITS; i++) {
    table.update(keys[i]!, { packets: 99 + i })
    const from = performance.now()
    await primary.replicated({ alone: 'wait' })
    waits.push(performance.now() - from)
  }
  const handovers: number[] = []
  let [leading, following] = [primary, other]
  for (let round = 0; round < ROUNDS; round++) {
    await leading.replicated({ alone: 'wait' })
    const from = performance.now()
    await leading.handover()
    handovers.push(performance.now() - from)
    ;[leading, following] = [following, leading]
    await leads(leading)
  }
  const figures: [string, string, number[]][] = [
    ['get, random session', 'ns', gets],
    ['update of two counters, random', 'ns', updates],
    ['updates that arrived, in a second', '', arrivals],
    ['replicated(), one update', 'ms', waits],
    ['handover()', 'ms', handovers],
  ]
  return figures.map(([name, unit, runs]) => ({ name, unit, runs }))
}

/** The other side is told of a handover a moment after the one that handed over. */
async function leads(node: Node): Promise<void> {
  while (node.role === 'secondary') await new Promise((done) => node.once('role', done))
}

/** The same order each time. */
function shuffled(count: number): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, i) => i)
  let state = 1
  for (let i = count - 1; i > 0; i--) {
    state = (state * 48_271) % 2_147_483_647
    const j = state % (i + 1)
    ;[order[i], order[j]] = [order[j]!, order[i]!]
  }
  return order
}
