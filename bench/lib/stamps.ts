// How old a change is when the secondary's table takes it. The primary writes the time into a session; the secondary
// reads it right after the batch is in the table. Looking for it in turns would cost the core that is to be measured, so
// the call that ends a batch (`commit` of src/core/store.ts, which nobody outside uses) is wrapped.
import type { ConnectionsNode } from './pair.ts'
import { keyOf } from './sessions.ts'
import { monotonicMs } from './time.ts'

const PROBE = keyOf(0)

/** Writes the time into a session; microseconds, for a counter is an integer. */
export function stamp(node: ConnectionsNode): void {
  node.tables.connections.set(PROBE, { state: 'established', packets: Math.round(monotonicMs() * 1000) })
}

/** Collects the age of every stamp, milliseconds, as it becomes visible. */
export function collectAges(node: ConnectionsNode): number[] {
  const ages: number[] = []
  const table = node.tables.connections as ConnectionsNode['tables']['connections'] & { commit(): void }
  const commit = table.commit
  let last = table.get(PROBE)?.packets
  table.commit = () => {
    commit.call(table)
    const stamped = table.get(PROBE)?.packets
    if (stamped === last || stamped === undefined) return
    last = stamped
    ages.push(monotonicMs() - stamped / 1000)
  }
  return ages
}
