// table.update.vs_map and table.update.vs_map_prebuilt: how many times more updates a table takes than a plain Map does.
// An update gives two counters of one random session among a million, by its key of five values. The table remembers
// the change and every 4096 updates encodes what changed, as a primary does. The Map has a string key, built from the
// same five values (or given ready), and puts it into a Set of what changed, which every 4096 updates is only cleared:
// a program that sends the changes would have to encode them too.
import type { Context, Measured } from '../lib/figure.ts'
import { MapSide } from '../lib/map-side.ts'
import { type ConnectionsTable, createConnections, fill } from '../lib/replicas.ts'
import { keyOf } from '../lib/sessions.ts'
import { median } from '../lib/statistics.ts'
import { updateTable, updateTableByText } from '../lib/table-side.ts'
import { Updates } from '../lib/updates.ts'

const FLUSH = 4096

interface Side {
  readonly text: boolean
  /** Before the clock runs. */
  prepare?(updates: Updates): void
  /** Makes the updates and the flush; gives how many sessions were found. */
  run(updates: Updates): number
}

interface Sizes {
  readonly sessions: number
  readonly flushes: number
  readonly rounds: number
}

export async function measure({ smoke, expect, note }: Context): Promise<Record<string, Measured>> {
  const sizes: Sizes = smoke
    ? { sessions: 20_000, flushes: 2, rounds: 2 }
    : { sessions: 1_000_000, flushes: 60, rounds: 15 }
  const { sessions } = sizes
  const table = createConnections(sessions)
  fill(table, sessions)
  table.setTracking(true)

  note('addresses as numbers, as a program has them that parses packets')
  const map = new MapSide(sessions, false)
  const keys: string[] = []
  const [ours = [], built = [], prebuilt = [], fresh = []] = alternate(sizes, expect, [
    { text: false, run: (updates) => updateTable(table, updates) },
    { text: false, run: (updates) => map.update(updates) },
    {
      text: false,
      prepare({ count, numbers }) {
        for (let i = 0; i < count; i++) keys[i] = map.strings[numbers[i]!]!
      },
      run: (updates) => map.updatePrebuilt(updates, keys),
    },
    {
      text: false,
      prepare: (updates) => freshStrings(updates, keys),
      run: (updates) => map.updatePrebuilt(updates, keys),
    },
  ])
  expectSame(table, map, sessions, expect)

  note('addresses as text, as the sockets of the runtime give them')
  const mapByText = new MapSide(sessions, true)
  const [oursByText = [], builtByText = []] = alternate(sizes, expect, [
    { text: true, run: (updates) => updateTableByText(table, updates) },
    { text: true, run: (updates) => mapByText.updateByText(updates) },
  ])

  return {
    'table.update.vs_map': {
      runs: ratios(built, ours),
      detail: {
        table_ns: median(ours),
        map_ns: median(built),
        text_ratio: median(ratios(builtByText, oursByText)),
        text_table_ns: median(oursByText),
        text_map_ns: median(builtByText),
      },
    },
    'table.update.vs_map_prebuilt': {
      runs: ratios(prebuilt, ours),
      detail: {
        table_ns: median(ours),
        map_ns: median(prebuilt),
        fresh_string_ratio: median(ratios(fresh, ours)),
        fresh_string_map_ns: median(fresh),
      },
    },
  }
}

/** Ready strings that are equal to the Map's keys but not the same objects, as an id is that a request brings. */
function freshStrings({ count, proto, srcIp, srcPort, dstIp, dstPort }: Updates, keys: string[]): void {
  for (let i = 0; i < count; i++) {
    const built = `${proto[i]!}:${srcIp[i]!}:${srcPort[i]!}:${dstIp[i]!}:${dstPort[i]!}`
    // In one piece, and its hash not known yet.
    keys[i] = Buffer.from(built, 'latin1').toString('latin1')
  }
}

/** Runs the sides in turns, all with the same updates; gives nanoseconds per update, a list for each side. */
function alternate(sizes: Sizes, expect: Context['expect'], sides: readonly Side[]): number[][] {
  const { sessions, flushes, rounds } = sizes
  const ns = sides.map((): number[] => [])
  for (let round = -2; round < rounds; round++) {
    for (const [number, side] of sides.entries()) {
      const updates = new Updates(FLUSH, sessions, round)
      // Nobody pays for another's garbage.
      globalThis.gc?.()
      let ms = 0
      for (let flush = 0; flush < flushes; flush++) {
        updates.draw(side.text)
        side.prepare?.(updates)
        const began = performance.now()
        const hits = side.run(updates)
        ms += performance.now() - began
        expect(hits === FLUSH, `every update finds its session (${hits} of ${FLUSH})`)
      }
      // The first rounds compile.
      if (round >= 0) ns[number]!.push((ms / flushes / FLUSH) * 1e6)
    }
  }
  return ns
}

const ratios = (more: readonly number[], less: readonly number[]) =>
  more.map((ns, round) => ns / less[round]!)

/** After the same updates both sides hold the same counters. */
function expectSame(
  table: ConnectionsTable,
  map: MapSide,
  sessions: number,
  expect: Context['expect'],
): void {
  expect(table.size === sessions && map.size === sessions, 'both sides hold every session')
  let different = 0
  for (let i = 0; i < sessions; i++) {
    const mine = table.get(keyOf(i))
    const other = map.session(i)
    if (mine?.packets !== other?.packets || mine?.bytes !== other?.bytes) different++
  }
  expect(different === 0, `both sides hold the same counters (${different} of ${sessions} differ)`)
}
