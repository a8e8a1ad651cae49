// A status block to start from in tests.

import type { NodeStatus } from '../../src/wire/status.ts'
import { NO_LINEAGE } from '../../src/wire/status.ts'

export function aStatus(changes: Partial<NodeStatus> = {}): NodeStatus {
  return {
    incarnation: '00112233445566ff',
    lineage: NO_LINEAGE,
    epoch: 0,
    heardEpoch: 0,
    sequence: 0,
    role: 'starting',
    complete: false,
    synced: false,
    fenced: false,
    manual: false,
    maintenance: false,
    witnessed: false,
    reachesWitness: false,
    gaveWay: false,
    hears: 3,
    failed: 0,
    priority: 128,
    sessions: 0,
    uptimeMs: 0,
    lineageAgeMs: 0,
    progressAgeMs: 0,
    tableTime: 0,
    changed: null,
    ...changes,
  }
}
