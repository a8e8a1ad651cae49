// table.updateMany.vs_update: how many times more updates go through a table in batch calls than by a call each. The same
// updates of two counters by random keys among a million, 4096 a batch, all remembered for the flush, whose encoding
// is not measured. By columns: five key columns and two counters are set from typed arrays. The other two ways of giving
// a batch, and reading by it, are in the detail.
import type { Context, Measured } from '../lib/figure.ts'
import { createConnections, fill, OVERFLOW_BYTES } from '../lib/replicas.ts'
import { keyOf } from '../lib/sessions.ts'
import { median } from '../lib/statistics.ts'
import { updateSessions } from '../lib/table-side.ts'
import { Updates } from '../lib/updates.ts'

const BATCH = 4096
/** The side that only reads. */
const READ = 4

export async function measure({ smoke, expect }: Context): Promise<Record<string, Measured>> {
  const sessions = smoke ? 20_000 : 1_000_000
  const batches = smoke ? 2 : 40
  const rounds = smoke ? 2 : 9
  const table = createConnections(sessions)
  fill(table, sessions)
  table.setTracking(true)
  const rows = table.rows(BATCH, { fields: ['packets', 'bytes'] })
  const toColumns = (updates: Updates) => {
    const { columns } = rows
    rows.length = BATCH
    columns.proto.set(updates.proto)
    columns.srcIp.set(updates.srcIp)
    columns.srcPort.set(updates.srcPort)
    columns.dstIp.set(updates.dstIp)
    columns.dstPort.set(updates.dstPort)
    return columns
  }
  const sides: ((updates: Updates) => number)[] = [
    (updates) => updateSessions(table, updates),
    (updates) => {
      const columns = toColumns(updates)
      columns.packets.set(updates.packets)
      columns.bytes.set(updates.bytes)
      return table.updateMany(rows)
    },
    (updates) => {
      rows.clear()
      for (let i = 0; i < BATCH; i++) rows.add(...pair(updates, i))
      return table.updateMany(rows)
    },
    (updates) => table.updateMany(pairs(updates)),
    (updates) => {
      toColumns(updates)
      return table.getMany(rows)
    },
  ]
  const ns = sides.map((): number[] => [])
  for (let round = -2; round < rounds; round++) {
    for (const [number, side] of sides.entries()) {
      const updates = new Updates(BATCH, sessions, round)
      globalThis.gc?.()
      let ms = 0
      for (let batch = 0; batch < batches; batch++) {
        updates.draw(false)
        const began = performance.now()
        const found = side(updates)
        ms += performance.now() - began
        expect(found === BATCH, `every row finds its session (${found} of ${BATCH})`)
        table.encode(OVERFLOW_BYTES)
        const { packets } = table.get(keyOf(updates.numbers[BATCH - 1]!))!
        const written = number === READ ? rows.get(BATCH - 1, 'packets') : updates.packets[BATCH - 1]
        expect(packets === written, 'the last row holds what the table does')
      }
      // The first rounds compile.
      if (round >= 0) ns[number]!.push((ms / batches / BATCH) * 1e6)
    }
  }
  const [single = [], columns = [], added = [], iterated = [], read = []] = ns
  return {
    'table.updateMany.vs_update': {
      runs: single.map((one, round) => one / columns[round]!),
      detail: {
        update_ns: median(single),
        columns_ns: median(columns),
        add_ns: median(added),
        iterable_ns: median(iterated),
        getMany_columns_ns: median(read),
      },
    },
  }
}

function pair({ proto, srcIp, srcPort, dstIp, dstPort, packets, bytes }: Updates, i: number) {
  const key = {
    proto: proto[i]!,
    srcIp: srcIp[i]!,
    srcPort: srcPort[i]!,
    dstIp: dstIp[i]!,
    dstPort: dstPort[i]!,
  }
  return [key, { packets: packets[i]!, bytes: bytes[i]! }] as const
}

function* pairs(updates: Updates) {
  for (let i = 0; i < updates.count; i++) yield pair(updates, i)
}
