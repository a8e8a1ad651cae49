// The status block: what a node says of itself in every hello, keep-alive, heartbeat and claim
// (docs/PROTOCOL.md section 5). Durations travel, never clock readings.
import type { ByteReader, ByteWriter } from './bytes.ts'
import type { Role } from './constants.ts'
import { ROLES } from './constants.ts'

export interface NodeStatus {
  /** 16 hex digits, new at every process start. */
  incarnation: string
  /** 16 hex digits naming one history of the tables; NO_LINEAGE before there is one. */
  lineage: string
  /** Epoch of the reign this node leads or follows; 0 before the first. */
  epoch: number
  /** Highest epoch this node has heard of, granted or used. */
  heardEpoch: number
  /** Primary: last sequence produced. Secondary: last sequence applied. */
  sequence: number
  role: Role
  /** The tables hold one consistent state of the lineage: nothing is awaited. */
  complete: boolean
  /** Secondary: complete and fed by a living primary. Primary: its secondary is. */
  synced: boolean
  /** This node's application may not write (fenced, handing over, stalled). */
  fenced: boolean
  /** This node may be promoted only by an operator. */
  manual: boolean
  /** This node does not want to be primary. */
  maintenance: boolean
  /** This node acts only under the lease of a witness. */
  witnessed: boolean
  /** It reaches that witness. */
  reachesWitness: boolean
  /** Led until it met a primary that stays, and still holds what it led: nothing of the other's has taken its place. */
  gaveWay: boolean
  /** Bit i: this node hears its peer on link i. */
  hears: number
  /** Weight of the failed health monitors, at most 255. */
  failed: number
  /** 0-65535; higher is preferred. */
  priority: number
  /** Sessions over all tables. */
  sessions: number
  /** How long this process has run, ms. */
  uptimeMs: number
  /** How long the lineage has existed, ms; 0 without one. */
  lineageAgeMs: number
  /** How long ago the application thread last made progress, ms. */
  progressAgeMs: number
  /** Table time, in ticks of 1/16 s; 0: this node does not lead. */
  tableTime: number
  /** A node that gave way: records it had changed since the last common state, at most; null: not known. */
  changed: number | null
}

export const NO_LINEAGE = '0000000000000000'

const COMPLETE = 1
const SYNCED = 2
const FENCED = 4
const MANUAL = 8
const MAINTENANCE = 16
const WITNESSED = 32
const REACHES_WITNESS = 64
const GAVE_WAY = 128
/** On the wire. */
const CHANGED_UNKNOWN = 0xffff_ffff

export function writeStatus(writer: ByteWriter, status: NodeStatus): ByteWriter {
  const flags =
    (status.complete ? COMPLETE : 0) |
    (status.synced ? SYNCED : 0) |
    (status.fenced ? FENCED : 0) |
    (status.manual ? MANUAL : 0) |
    (status.maintenance ? MAINTENANCE : 0) |
    (status.witnessed ? WITNESSED : 0) |
    (status.reachesWitness ? REACHES_WITNESS : 0) |
    (status.gaveWay ? GAVE_WAY : 0)
  return writer
    .hex(status.incarnation)
    .hex(status.lineage)
    .u53(status.epoch)
    .u53(status.heardEpoch)
    .u53(status.sequence)
    .u8(ROLES.indexOf(status.role))
    .u8(flags)
    .u8(status.hears)
    .u8(status.failed)
    .u16(status.priority)
    .u16(0)
    .u53(status.sessions)
    .f64(status.uptimeMs)
    .f64(status.lineageAgeMs)
    .f64(status.progressAgeMs)
    .u32(status.tableTime)
    .u32(status.changed ?? CHANGED_UNKNOWN)
}

export function readStatus(reader: ByteReader): NodeStatus {
  const incarnation = reader.hex(8)
  const lineage = reader.hex(8)
  const epoch = reader.u53()
  const heardEpoch = reader.u53()
  const sequence = reader.u53()
  const role = ROLES[reader.u8()]
  const flags = reader.u8()
  const hears = reader.u8()
  const failed = reader.u8()
  const priority = reader.u16()
  reader.u16()
  const sessions = reader.u53()
  const uptimeMs = reader.f64()
  const lineageAgeMs = reader.f64()
  const progressAgeMs = reader.f64()
  const tableTime = reader.u32()
  const changed = reader.u32()
  if (role === undefined) reader.failed = true
  return {
    incarnation,
    lineage,
    epoch,
    heardEpoch,
    sequence,
    role: role ?? 'starting',
    complete: (flags & COMPLETE) !== 0,
    synced: (flags & SYNCED) !== 0,
    fenced: (flags & FENCED) !== 0,
    manual: (flags & MANUAL) !== 0,
    maintenance: (flags & MAINTENANCE) !== 0,
    witnessed: (flags & WITNESSED) !== 0,
    reachesWitness: (flags & REACHES_WITNESS) !== 0,
    gaveWay: (flags & GAVE_WAY) !== 0,
    hears,
    failed,
    priority,
    sessions,
    uptimeMs,
    lineageAgeMs,
    progressAgeMs,
    tableTime,
    changed: changed === CHANGED_UNKNOWN ? null : changed,
  }
}
