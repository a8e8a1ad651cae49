// What the application thread (Replica) and the sync thread (NodeCore) say to each other. Both directions are ordered
// and lossless while both threads live. Frames are complete, header included, and change hands (no one keeps a view).
import type { Reason, Role } from '../wire/constants.ts'
import type { Damping } from './damping.ts'
import type { DecidedBy } from './election.ts'

/** Role words in shared memory: reign number in the high bits, state in the low two. */
export const WordState = { SHUT: 0, OPEN: 1 } as const

/** Index of each word in the shared Int32Array. */
export const SharedWord = {
  /** Role/fence word: stored by the sync thread, read at every write. */
  ROLE: 0,
  /** Progress counter: incremented by the application thread. */
  PROGRESS: 16,
} as const
export const SHARED_WORDS = 32

/** Index of each moment in a Float64Array over the same memory; used in mode 'witness'. */
export const SharedMoment = {
  /**
   * Until when the gate may be open, on the application thread's clock: stored by the sync thread, read at every write.
   * Eight aligned bytes are read in one go by all engines on 64-bit machines.
   */
  DEADLINE: 1,
  /** The application thread's clock, stored by it now and then: what the two threads' clocks differ in. */
  CLOCK: 9,
} as const

export type ToSync =
  /** A frame of this node's sequence, in order. */
  | { type: 'frame'; sequence: number; attach: number; frame: Uint8Array }
  /** Secondary: how far the tables are. */
  | { type: 'applied'; epoch: number; attach: number; applied: number; awaited: number }
  /** Sessions over all tables, for status and claims; sent when a flush or apply has changed it. */
  | { type: 'sessions'; sessions: number }
  /** Answer to `flush`: everything written so far is in frames up to this sequence. */
  | { type: 'flushed'; token: number; sequence: number }
  /** Table time of this primary, for its heartbeats; said every second. */
  | { type: 'time'; ticks: number }
  /** Every frame given so far was received, nothing is unsent, nothing awaited: `protected`. */
  | { type: 'protected'; value: boolean }
  /** A frame of the peer that the tables' side could not use; counted under its name. */
  | { type: 'refused'; name: string }
  /** This node gave way to another primary: records it had changed in the reign it led, at most. */
  | { type: 'changed'; epoch: number; changed: number }
  /** Answer to `choose`; 'peer': the other side is to stay. */
  | { type: 'chosen'; token: number; side: 'self' | 'peer' }
  | { type: 'handover'; request: number }
  | { type: 'promote'; request: number; force: boolean }
  /** What promote({ force: true }) did to the node's choices is undone. */
  | { type: 'unforce'; request: number }
  /** Whether this node wants to be primary. */
  | { type: 'maintenance'; request: number; on: boolean }
  /** Weight of the failed monitors. */
  | { type: 'health'; failed: number }
  | { type: 'close'; request: number }

export type FromSync =
  /** The role changed. For primary, `word` opens the gate once the promotion is complete. */
  | {
      type: 'role'
      role: Role
      epoch: number
      lineage: string
      reason: Reason
      /** What decided between the two nodes; null where nothing had to. */
      by?: DecidedBy | null
      /** This node is in maintenance: it leads because nothing else does. */
      maintenance?: boolean
      word: number
      /** Epoch and sequence up to which frames were received before the change. */
      position: { epoch: number; sequence: number }
      /** Since when the change was being decided (suspicion, claim or request), ms on the sync thread's clock. */
      durationMs: number
    }
  /** Primary: the secondary wants to be fed from scratch; answer with a RESYNC frame. */
  | { type: 'attach'; epoch: number; follow: number }
  /** Another process of the peer: value fields both builds know of each table, and deltas that it takes in one batch. */
  | { type: 'common'; tables: readonly { fields: number; deltas: number }[] }
  /** The attachment is over: nobody is fed or followed until the next one. */
  | { type: 'detach' }
  /** A frame of the peer's sequence, in order, each once. */
  | { type: 'frame'; frame: Uint8Array }
  /** Primary: the secondary's acknowledgement. */
  | { type: 'ack'; attach: number; received: number; applied: number; awaited: number }
  /** Whether the peer is heard. */
  | { type: 'peer'; alive: boolean }
  /** Flush everything, write no more, and answer `flushed`. */
  | { type: 'flush'; token: number }
  /** A handover was called off: the gate opens again under this word. */
  | { type: 'resume'; word: number }
  | {
      type: 'result'
      request: number
      error?: { code: 'ERR_HANDOVER' | 'ERR_PROMOTE' | 'ERR_IDENTITY' | 'ERR_CLOSED'; message: string }
    }
  | { type: 'link'; link: number; up: boolean; reason: string }
  /** This primary has met another one. */
  | { type: 'split'; mine: SplitSide; theirs: SplitSide }
  /** Two primaries met and this one stays, unless the application chooses the other. */
  | { type: 'choose'; token: number; question: SplitChoice }
  /** A question is over: answered too late, not taken by the other node, or void because the situation is another one. */
  | { type: 'choice-over'; token: number; why: 'late' | 'not-taken' | 'void' }
  /** The witness can be reached, or cannot be reached any more. */
  | { type: 'witness'; reachable: boolean; reason: string }
  | { type: 'status'; status: SyncStatus }

/** One of two primaries that met. */
export interface SplitSide {
  readonly epoch: number
  readonly lineage: string
  /** Over all tables, as it last said. */
  readonly sessions: number
  /** How long its history of the tables has existed, ms. */
  readonly lineageAgeMs: number
}

/** One of two sides, of which the application may choose one. */
export interface ChoiceSide extends SplitSide {
  /** The node's id. */
  readonly id: string
  /** Position its tables are at: epoch and sequence of its last reign. */
  readonly position: { readonly epoch: number; readonly sequence: number }
  /**
   * Sessions created, changed or deleted since the last state that both are known to have had, which may be some 200 ms before
   * the cut: at most. Where the two histories differ, since its own began. Null: not known.
   */
  readonly changed: number | null
  /** How long its process has run, ms. */
  readonly uptimeMs: number
  readonly priority: number
  readonly maintenance: boolean
}

/** What `onConflict` decides about. */
export interface SplitChoice {
  /** How long this node had not heard the other before they met, ms; null: it had never heard it. */
  readonly apartMs: number | null
  /** The side that stays unless the answer is 'peer': this node, which leads. */
  readonly mine: ChoiceSide
  /** The side that has stepped down and still holds what it led. */
  readonly theirs: ChoiceSide
}

/** One link, as this node sees it. */
export interface LinkStatus {
  /** Its stream is open and the peer is heard on it. */
  up: boolean
  /** Smoothed round trip of heartbeats, ms; null before the first. */
  rttMs: number | null
  /** Longest time between two of the peer's last 100 heartbeats that arrived, ms; null before the second. */
  gapMs: number | null
  /** Share of the peer's last 100 heartbeats that did not arrive. */
  lossShare: number
  /** The stream is open and has said hello. */
  stream: boolean
  /** Datagrams arrive. */
  heartbeats: boolean
  bytesSent: number
  bytesReceived: number
  /** Why the stream was last closed or refused. */
  lastReason: string
}

/** The witness, as this node sees it. */
export interface WitnessStatus {
  /** It answered the last call, lately. */
  reachable: boolean
  /** Id of the node that holds the lease, as last seen; null: nobody, or not known. */
  holder: string | null
  /** Revision of the lease as last seen: grows with every change of holder, so it serves as a fencing token. 0: free. */
  revision: number
  /**
   * By what this node acts: the 'lease'; a 'bond', the secondary's promise while the witness cannot be reached; 'force', an
   * operator's word. Null: it does not act.
   */
  by: 'lease' | 'bond' | 'force' | null
  /** How long it may still act without a renewal, ms; null when it does not act, or does by force. */
  remainingMs: number | null
  /** Why the last call failed; '' after one that did not. */
  lastReason: string
}

/** What the sync thread knows; posted when it changes and at least each second. */
export interface SyncStatus {
  role: Role
  epoch: number
  lineage: string
  lineageAgeMs: number
  reason: Reason
  /** The followed primary's table time, in ticks, as its last heartbeat makes it now; 0 while none is known. */
  tableTime: number
  peer: {
    id: string
    role: Role
    incarnation: string
    synced: boolean
    alive: boolean
    failed: number
    maintenance: boolean
  } | null
  maintenance: boolean
  forced: boolean
  damping: Damping
  links: [LinkStatus, LinkStatus]
  /** Null outside mode 'witness'. */
  witness: WitnessStatus | null
  refusals: Record<string, number>
}
