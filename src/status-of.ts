// Puts together what node.status() shows, from the parts of a node that know it.
import type { SyncStatus } from './core/messages.ts'
import type { Replica } from './core/replica.ts'
import { monotonicMs } from './io/clock.ts'
import type { Monitors } from './monitors.ts'
import type { NodeFiles } from './node-files.ts'
import type { RoleChanges } from './role-changes.ts'
import type { Settings } from './settings.ts'
import type { NodeStatus, TableStatus } from './status.ts'
import { isOpen, type Table, type WriteGate } from './table/index.ts'
import type { Traffic } from './traffic.ts'
import type { Role } from './wire/constants.ts'

/** The server of the `admin` option, as far as the node has to do with it. */
export interface AdminDoor {
  /** 'http://127.0.0.1:9470', or 'unix:' and a path. */
  readonly address: string
  /** Of what asked there and was refused, by name. */
  readonly refusals: Readonly<Record<string, number>>
  close(): Promise<void>
}

export interface StatusParts {
  readonly settings: Settings
  readonly replica: Replica
  readonly sync: SyncStatus
  readonly roleChanges: RoleChanges
  readonly monitors: Monitors
  readonly files: NodeFiles
  readonly gate: WriteGate
  readonly traffic: Traffic
  readonly admin: AdminDoor | undefined
  readonly tables: Readonly<Record<string, Table>>
}

export function statusOf(parts: StatusParts): NodeStatus {
  const { settings, replica, sync, roleChanges, monitors, files, gate, traffic, admin } = parts
  const isProtected = replica.isProtected
  const tables = Object.entries(parts.tables).map(([name, table]) => {
    return [name, tableStatus(table, replica.role, isProtected)] as const
  })
  return {
    id: settings.id,
    role: replica.role,
    epoch: replica.epoch,
    acting: isOpen(gate),
    lineage: sync.lineage,
    reason: roleChanges.reason,
    protected: isProtected,
    synced: replica.isSynced,
    resync: replica.progress ?? null,
    peer: sync.peer,
    links: { m1: sync.links[0], m2: sync.links[1] },
    lag: replica.lag(monotonicMs()),
    tables: Object.fromEntries(tables),
    maintenance: sync.maintenance,
    forced: sync.forced,
    health: { failed: monitors.failed, monitors: monitors.status },
    damping: sync.damping,
    snapshot: files.snapshot,
    history: [...roleChanges.history],
    roleChanges: roleChanges.counts,
    traffic: traffic.read(),
    witness: sync.witness,
    admin: admin?.address ?? null,
    refusals: { ...sync.refusals, ...admin?.refusals },
  }
}

function tableStatus(table: Table, role: Role, isProtected: boolean): TableStatus {
  const sessions = table.size
  const { capacity, unreplicatedDropped, counts, meter } = table
  const arena = table.arenaBytes > 0 ? table.arena : null
  const unprotected = role !== 'primary' ? 0 : isProtected ? table.held : sessions
  return { sessions, capacity, unprotected, unreplicatedDropped, ...counts, arena, ...meter.read() }
}
