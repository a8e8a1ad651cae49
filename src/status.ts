// What node.status() shows, and how it is put together.
import type { Damping } from './core/damping.ts'
import type { DecidedBy } from './core/election.ts'
import type { LinkStatus, SyncStatus, WitnessStatus } from './core/messages.ts'
import type { ResyncProgress } from './core/resyncs.ts'
import type { Histogram } from './histogram.ts'
import type { MonitorStatus } from './monitors.ts'
import type { ArenaUse, TableTraffic } from './table/index.ts'
import type { StreamTraffic } from './traffic.ts'
import type { Reason, Role } from './wire/constants.ts'

/** The other node, as this one sees it. */
export interface PeerStatus {
  readonly id: string
  readonly role: Role
  /** 16 hex digits, new at every start of its process. */
  readonly incarnation: string
  /** Whether the secondary of the pair holds everything but the batches in flight. */
  readonly synced: boolean
  /** It is heard. */
  readonly alive: boolean
  /** Weight of its failed monitors. */
  readonly failed: number
  /** It does not want to be primary. */
  readonly maintenance: boolean
}

/** A table of this node. */
export interface TableStatus extends TableTraffic {
  /** Held now, with those that have expired and are not removed yet. */
  readonly sessions: number
  readonly capacity: number
  /**
   * Primary: sessions that no secondary holds for certain: those that `pickup` holds back while `protected`, all of
   * them otherwise.
   */
  readonly unprotected: number
  /** Sessions dropped when this node ceased to be primary, because `pickup` had held them back until then. */
  readonly unreplicatedDropped: number
  /** Since the start, on this node as primary: sessions whose time was over. */
  readonly expired: number
  /** The same: sessions deleted to make room. */
  readonly evicted: number
  /** The same: sessions refused because the table was full. */
  readonly refused: number
  /** What the values of `blob` and `text` fields take; null in a table without such fields. */
  readonly arena: ArenaUse | null
}

/** A snapshot file. */
export interface SnapshotStatus {
  /** ms since 1970 */
  readonly at: number
  /** The state it keeps. */
  readonly position: { readonly epoch: number; readonly sequence: number }
  readonly sessions: number
  readonly bytes: number
}

/** Changes of role since the start. */
export interface RoleCounts {
  /** Times this node became primary, by reason; 0 where it never did. */
  readonly promotions: { readonly [reason in Reason]: number }
  /** Times it ceased to be. */
  readonly demotions: { readonly [reason in Reason]: number }
  /** From the first sign (suspicion, claim, request) to the decision, of each promotion, ms. */
  readonly promotionMs: Histogram
}

/** One change of role. */
export interface RoleChange {
  /** ms since 1970 */
  readonly at: number
  readonly role: Role
  readonly epoch: number
  readonly reason: Reason
  /** What decided between the two nodes; null where nothing had to. */
  readonly by: DecidedBy | null
  /** The reason in a sentence or two. */
  readonly message: string
  /** From the first sign to the decision, ms. */
  readonly durationMs: number
  /** Up to which the tables held everything. */
  readonly position: { readonly epoch: number; readonly sequence: number }
  /** Held then, over all tables. */
  readonly sessions: number
  /** It became primary although it was in maintenance. */
  readonly maintenance: boolean
}

/** A snapshot; plain data. */
export interface NodeStatus {
  readonly id: string
  readonly role: Role
  readonly epoch: number
  /**
   * Writes are let through at this moment: a primary that is neither fenced nor handing over, and under a witness holds the
   * lease. `onPromote` may still be running.
   */
  readonly acting: boolean
  /** 16 hex digits naming this history of the tables; zeros before there is one. */
  readonly lineage: string
  /** Why the role is what it is. */
  readonly reason: Reason
  /** Primary: the secondary holds everything but the batches in flight. */
  readonly protected: boolean
  /** Secondary: the tables are one state of a living primary. */
  readonly synced: boolean
  /** How far a secondary is with being filled, compared or repaired; null while it is synced, or there is none. */
  readonly resync: ResyncProgress | null
  /** Null before the first hello. */
  readonly peer: PeerStatus | null
  readonly links: { readonly m1: LinkStatus; readonly m2: LinkStatus }
  /** Null unless the mode is 'witness'. */
  readonly witness: WitnessStatus | null
  /** Primary: batches the secondary has not applied, and the age of the oldest, ms. */
  readonly lag: { readonly batches: number; readonly ms: number }
  readonly tables: { readonly [name: string]: TableStatus }
  /** This node does not want to be primary: `maintenance(true)`. */
  readonly maintenance: boolean
  /** `promote({ force: true })` holds: no handover by health or override. */
  readonly forced: boolean
  /** Weight of the monitors that fail, and each of them. */
  readonly health: { readonly failed: number; readonly monitors: { readonly [name: string]: MonitorStatus } }
  /** Changes of role lately, and how long they put off a handover by health or override. */
  readonly damping: Damping
  /** The last snapshot this node has written, or started from; null: none. */
  readonly snapshot: SnapshotStatus | null
  /** The last 64 changes of role, oldest first. */
  readonly history: readonly RoleChange[]
  /** All of them, counted. */
  readonly roleChanges: RoleCounts
  /** Frames of the stream. */
  readonly traffic: { readonly sent: StreamTraffic; readonly received: StreamTraffic }
  /** Where the `admin` option listens: 'http://127.0.0.1:9470', or 'unix:' and the path of a socket; null: nowhere. */
  readonly admin: string | null
  /** Input refused and connections closed, by reason, since the start; those of the admin server begin with 'admin-'. */
  readonly refusals: { readonly [reason: string]: number }
}

const LINK_DOWN: LinkStatus = {
  up: false,
  rttMs: null,
  gapMs: null,
  lossShare: 0,
  stream: false,
  heartbeats: false,
  bytesSent: 0,
  bytesReceived: 0,
  lastReason: '',
}

/** The sync thread's part before it has spoken and after it has ended. */
export const NO_SYNC_STATUS: SyncStatus = {
  role: 'starting',
  epoch: 0,
  lineage: '0000000000000000',
  lineageAgeMs: 0,
  reason: 'none',
  tableTime: 0,
  peer: null,
  maintenance: false,
  forced: false,
  damping: { changes: 0, holdDownMs: 0, leftMs: 0 },
  links: [LINK_DOWN, LINK_DOWN],
  witness: null,
  refusals: {},
}
