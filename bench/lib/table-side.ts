// The loops over a table's public API that are measured against a Map: an update by key each, then the flush.
import { type ConnectionsTable, OVERFLOW_BYTES } from './replicas.ts'
import type { Updates } from './updates.ts'

/** Updates by keys as numbers, then encodes what changed; gives how many sessions were found. */
export function updateTable(table: ConnectionsTable, updates: Updates): number {
  const hits = updateSessions(table, updates)
  table.encode(OVERFLOW_BYTES)
  return hits
}

/** Updates by keys as numbers, a call each; gives how many sessions were found. */
export function updateSessions(table: ConnectionsTable, updates: Updates): number {
  const { count, proto, srcIp, srcPort, dstIp, dstPort, packets, bytes } = updates
  let hits = 0
  for (let i = 0; i < count; i++) {
    const key = {
      proto: proto[i]!,
      srcIp: srcIp[i]!,
      srcPort: srcPort[i]!,
      dstIp: dstIp[i]!,
      dstPort: dstPort[i]!,
    }
    if (table.update(key, { packets: packets[i]!, bytes: bytes[i]! })) hits++
  }
  return hits
}

/** The same by keys with addresses as text. */
export function updateTableByText(table: ConnectionsTable, updates: Updates): number {
  const { count, proto, srcText, srcPort, dstText, dstPort, packets, bytes } = updates
  let hits = 0
  for (let i = 0; i < count; i++) {
    const key = {
      proto: proto[i]!,
      srcIp: srcText[i]!,
      srcPort: srcPort[i]!,
      dstIp: dstText[i]!,
      dstPort: dstPort[i]!,
    }
    if (table.update(key, { packets: packets[i]!, bytes: bytes[i]! })) hits++
  }
  table.encode(OVERFLOW_BYTES)
  return hits
}
