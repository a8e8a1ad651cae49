// A status for tests of metrics: every part that may be absent is there, and every histogram has something in it.
import type { Histogram, NodeStatus, Reason } from 'holdfast'
import { REASONS } from '../../src/wire/constants.ts'

const spread = (bounds: number[], counts: number[], sum: number): Histogram => ({
  bounds,
  counts,
  sum,
  count: counts.reduce((all, count) => all + count, 0),
})

const link = {
  up: true,
  rttMs: 1.5,
  gapMs: 60,
  lossShare: 0.25,
  stream: true,
  heartbeats: true,
  bytesSent: 1000,
  bytesReceived: 2000,
  lastReason: '',
}

const table = {
  sessions: 10,
  capacity: 100,
  unprotected: 3,
  unreplicatedDropped: 1,
  expired: 4,
  evicted: 5,
  refused: 6,
  arena: { usedBytes: 640, limitBytes: 8500, bytes: 10_000 },
  sent: { create: 1, update: 2, delete: 3 },
  received: { create: 4, update: 5, delete: 6 },
  flushMs: spread([1, 10], [2, 1, 1], 40),
  applyMs: spread([1, 10], [0, 0, 0], 0),
  sweepMs: spread([1, 10], [1, 0, 0], 0.5),
}

const none = Object.fromEntries(REASONS.map((reason) => [reason, 0])) as Record<Reason, number>

export const STATUS: NodeStatus = {
  id: 'a "quoted" \\ name\nof two lines',
  role: 'primary',
  epoch: 1_795_357_658_082,
  acting: true,
  lineage: '00112233445566ff',
  reason: 'peer-died',
  protected: false,
  synced: false,
  resync: { mode: 'full', left: 7, of: 30 },
  peer: {
    id: 'b',
    role: 'secondary',
    incarnation: '00112233445566ff',
    synced: false,
    alive: true,
    failed: 0,
    maintenance: false,
  },
  links: { m1: link, m2: { ...link, up: false, rttMs: null, gapMs: null } },
  lag: { batches: 3, ms: 250 },
  tables: { connections: table, web: { ...table, arena: null } },
  maintenance: false,
  forced: false,
  health: {
    failed: 2,
    monitors: { uplink: { healthy: false, weight: 2, against: 0, lastError: 'no', checkedAt: 1 } },
  },
  damping: { changes: 1, holdDownMs: 10_000, leftMs: 2500 },
  snapshot: { at: 1_700_000_000_000, position: { epoch: 1, sequence: 2 }, sessions: 10, bytes: 999 },
  history: [],
  roleChanges: {
    promotions: { ...none, 'peer-died': 2, alone: 1 },
    demotions: { ...none, handover: 1 },
    promotionMs: spread([5, 10, 100], [1, 0, 1, 1], 3100),
  },
  traffic: {
    sent: { batchBytes: spread([64, 256], [5, 1, 0], 400), otherFrames: 3, otherBytes: 300 },
    received: { batchBytes: spread([64, 256], [0, 0, 0], 0), otherFrames: 4, otherBytes: 400 },
  },
  witness: { reachable: true, holder: 'a', revision: 3, by: 'lease', remainingMs: 1500, lastReason: '' },
  admin: null,
  refusals: { malformed: 2, 'admin-token': 1 },
}
