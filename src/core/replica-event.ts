// What a replica tells its owner: changes of role and of being synced, and the answers to what the application asked.
import type { Reason, Role } from '../wire/constants.ts'
import type { ConflictNews } from './conflicts.ts'
import type { DecidedBy } from './election.ts'
import type { FollowerEvent } from './follower.ts'
import type { RoleReport } from './role-report.ts'
import type { VerifyResult } from './verifications.ts'
import type { HeldOutcome } from './waiters.ts'

export interface RoleReplicaEvent {
  type: 'role'
  role: Role
  epoch: number
  reason: Reason
  by?: DecidedBy | null
  maintenance?: boolean
  durationMs: number
  report: RoleReport
}

export type ReplicaEvent =
  | RoleReplicaEvent
  | { type: 'held'; group: number; outcome: HeldOutcome }
  | { type: 'verified'; token: number; result: VerifyResult | undefined }
  | { type: 'resynced'; token: number; done: boolean }
  | { type: 'synced'; synced: boolean }
  | ConflictNews
  | FollowerEvent
