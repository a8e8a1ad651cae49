/**
 * Session failover as a library: tables that a primary process writes and a secondary holds, over two dedicated links.
 *
 * @module holdfast
 */
export type { Conflict } from './core/conflicts.ts'
export type { Damping } from './core/damping.ts'
export type { DecidedBy } from './core/election.ts'
export type { ChoiceSide, LinkStatus, SplitChoice, SplitSide, WitnessStatus } from './core/messages.ts'
export type { ResyncProgress } from './core/resyncs.ts'
export type { RoleReport } from './core/role-report.ts'
export type { SessionCopy } from './core/store.ts'
export type { VerifyResult } from './core/verifications.ts'
export type { Alone } from './core/waiters.ts'
export type { HoldfastErrorCode } from './errors.ts'
export {
  ArenaFullError,
  ChoiceError,
  ClosedError,
  ConfigError,
  FencedError,
  HandoverError,
  HoldfastError,
  HookError,
  IdentityError,
  InvariantError,
  KeyTakenError,
  NotPrimaryError,
  NotProtectedError,
  PromoteError,
  SchemaError,
  SessionGoneError,
  StateError,
  SyncThreadError,
  TableFullError,
  ValueError,
  VerifyError,
  WitnessError,
} from './errors.ts'
export type {
  ConflictEvent,
  EndedEvent,
  LinkEvent,
  Listener,
  MonitorEvent,
  NodeEventName,
  NodeEvents,
  PoisonEvent,
  RoleEvent,
  SplitEvent,
  UnsyncedEvent,
  WitnessEvent,
} from './events.ts'
export type { Histogram } from './histogram.ts'
export { readIdentity } from './identity-file.ts'
export type { MonitorStatus } from './monitors.ts'
export type { TablesOf } from './node.ts'
export { createNode, type HoldfastNode } from './node.ts'
export type {
  AbortSignalLike,
  AdminOptions,
  ConflictHook,
  Effect,
  EffectSignal,
  IdentityOptions,
  LinkOptions,
  Logger,
  MonitorCheck,
  MonitorOptions,
  NodeOptions,
  RoleHook,
  TableDefinitions,
} from './options.ts'
export { type LinkProbe, type ProbedPeer, probePeer } from './peer-probe.ts'
export type {
  BytesType,
  ColumnOf,
  EnumType,
  FieldsInput,
  FieldType,
  IndexesOf,
  IndexInput,
  IndexLists,
  InputOf,
  KeyInput,
  NoIndexes,
  PickupOptions,
  ScalarType,
  Session,
  SessionValues,
  Shape,
  StringType,
  TableDefinition,
  TableOptions,
  ValueOf,
  VariableType,
} from './schema/index.ts'
export { bytes, defineTable, string } from './schema/index.ts'
export type {
  NodeStatus,
  PeerStatus,
  RoleChange,
  RoleCounts,
  SnapshotStatus,
  TableStatus,
} from './status.ts'
export type {
  ArenaUse,
  BytesForOptions,
  ChangeCounts,
  ManyStored,
  RowColumns,
  Rows,
  RowValues,
  SetOptions,
  Table,
  TableIndex,
  TableTraffic,
} from './table/index.ts'
export { bytesFor } from './table/index.ts'
export type { StreamTraffic } from './traffic.ts'
export type { Reason, Role } from './wire/constants.ts'
export type {
  OpenWitness,
  Witness,
  WitnessContext,
  WitnessGrant,
  WitnessOptions,
  WitnessState,
} from './witness/witness.ts'
