// As many updates as go, on the thread of a node: by a call for each session, or by one for each turn of the event loop.
import type { ConnectionsNode } from './pair.ts'
import type { Round } from './round.ts'
import { cpuMsSince } from './serve.ts'
import { monotonicMs, tick } from './time.ts'

/** Updates between two turns of the event loop. */
const TURN = 4096
/** Turns whose flush may be unacknowledged: enough to keep the links full, too few to fill the journal. */
const TURNS_AHEAD = 8

/** Makes the updates `begin` to `end - 1` of a round. */
type Part = (begin: number, end: number) => void

export function byCalls({ tables: { connections } }: ConnectionsNode, round: Round): Part {
  const { proto, srcIp, srcPort, dstIp, dstPort, packets, bytes } = round
  return (begin, end) => {
    for (let n = begin; n < end; n++) {
      const key = {
        proto: proto[n]!,
        srcIp: srcIp[n]!,
        srcPort: srcPort[n]!,
        dstIp: dstIp[n]!,
        dstPort: dstPort[n]!,
      }
      if (!connections.update(key, { packets, bytes: bytes[n]! }))
        throw new Error(`update ${n} found no session`)
    }
  }
}

export function byBatches({ tables: { connections } }: ConnectionsNode, round: Round): Part {
  const rows = connections.rows(TURN, { fields: ['packets', 'bytes'] })
  const { columns } = rows
  return (begin, end) => {
    rows.length = end - begin
    columns.proto.set(round.proto.subarray(begin, end))
    columns.srcIp.set(round.srcIp.subarray(begin, end))
    columns.srcPort.set(round.srcPort.subarray(begin, end))
    columns.dstIp.set(round.dstIp.subarray(begin, end))
    columns.dstPort.set(round.dstPort.subarray(begin, end))
    columns.packets.fill(round.packets)
    columns.bytes.set(round.bytes.subarray(begin, end))
    if (connections.updateMany(rows) !== end - begin) throw new Error('an update found no session')
  }
}

/** Gives when the first update was made, on the clock of all processes, and the CPU of all threads until all were held. */
export async function saturate(node: ConnectionsNode, round: Round, part: Part) {
  const startedMs = monotonicMs()
  const cpu = process.cpuUsage()
  const held: Promise<unknown>[] = []
  for (let done = 0; done < round.count; done += TURN) {
    part(done, Math.min(done + TURN, round.count))
    // On a busy machine the secondary may be lost from sight for a moment; what counts is that it has everything at last.
    held.push(node.replicated({ alone: 'wait' }))
    if (held.length > TURNS_AHEAD) await held.shift()
    // In any case: one acknowledgement may settle many promises, and without a turn nothing is flushed.
    await tick(0)
  }
  await Promise.all(held)
  return { startedMs, cpuMs: cpuMsSince(cpu), last: round.last }
}
