// What the sync-plane core is told at its start. Validation of what users write is in src/settings.ts.
import type { Mac } from '../wire/heartbeat.ts'
import type { TableInfo } from '../wire/hello.ts'
import type { SwitchingOptions } from './damping.ts'
import type { ElectionOptions } from './election.ts'
import type { Sending } from './sending.ts'
import type { LoadedState } from './snapshot-taker.ts'

export type Mode = 'availability' | 'manual' | 'witness'

export interface CoreOptions extends ElectionOptions {
  readonly id: string
  readonly peer: string
  readonly cluster: string
  readonly priority: number
  readonly mode: Mode
  /** Length of the witness's lease, ms; 0 in the other modes. */
  readonly leaseMs: number
  /** Heartbeat interval, ms. */
  readonly interval: number
  /** Heartbeats that may be missing before the peer is suspected. */
  readonly lost: number
  /** How long a starting node looks for its peer, ms. */
  readonly holdDownMs: number
  /** How long the application thread may make no progress, ms. */
  readonly stallTimeoutMs: number
  readonly fastDetection: boolean
  readonly promoteUnsynced: boolean
  readonly sending: Sending
  /** Default: SWITCHING_DEFAULTS. */
  readonly switching?: SwitchingOptions
  /** How long the application may take to choose a side after a split, ms; undefined: it is not asked. */
  readonly choiceMs?: number | undefined
  readonly tables: readonly TableInfo[]
  /** Lowest epoch this node may open: max(state file, unix milliseconds), so that no pair opens epochs faster. */
  readonly epochFloor: number
  /** Epochs up to this one are reserved in the state file; undefined: there is none (src/core/reservation.ts). */
  readonly reserved?: number | undefined
  /** What the tables hold from a snapshot; undefined: nothing. */
  readonly loaded?: LoadedState | undefined
  /** 16 hex digits, new at every process start. */
  readonly incarnation: string
  /** 32 random bytes, new at every process start. */
  readonly contribution: Uint8Array
  /** Uniform in [0, 1). */
  readonly random: () => number
  readonly mac: Mac
}

/** Unflushed bytes a link may have before it gets no further frames. */
export const LINK_BYTES_MAX = 262_144
/**
 * What a frame is counted as beyond its buffer, wherever frames wait: message, queue entry and the buffer's own keeping.
 * Measured on Node 20 as growth of the process while 100,000 small frames wait between the two threads.
 */
export const FRAME_COST_BYTES = 1_024
/** Bytes received but not applied above which a secondary acknowledges no more. */
export const UNAPPLIED_BYTES_MAX = 33_554_432
/** How long a handover may take before it is called off, ms. */
export const HANDOVER_TIMEOUT_MS = 5_000
/** How long an unproven connection may go without a hello, ms. */
export const HELLO_TIMEOUT_MS = 5_000
/** The same on the dialling side, which waits for nobody's patience but its own: a lost hello must not block its link. */
export const DIALLED_HELLO_TIMEOUT_MS = 1_000
/** Unproven connections per link. */
export const CANDIDATES_MAX = 4
/** First and longest wait between two dials, ms. */
export const DIAL_BACKOFF_MS = { first: 20, longest: 1_000 } as const
/** Least wait between two probes of a port that still accepted, ms. */
export const PROBE_INTERVAL_MS = 1
/** That wait grows with the time since the stream ended, divided by this. */
export const PROBE_SLOWING = 4
