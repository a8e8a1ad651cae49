// The numbers of the wire, in one place. docs/PROTOCOL.md draws them and test/wire/protocol.test.ts holds the two
// against each other. Lists are append-only: a number once given keeps its meaning for ever.

export const PROTOCOL_VERSION = 1

export const FRAME_HEADER_BYTES = 32
/** Where a frame's type stands. */
export const FRAME_TYPE_OFFSET = 4
/**
 * Longest frame. A batch carries at most 1 MiB per table, or 4.25 MiB of one with values of variable length; tables that
 * do not fit wait for the next.
 */
export const FRAME_BYTES_MAX = 16_777_216
export const TABLES_MAX = 15

/** Frame types. 1-31 belong to one link, 32-47 to the primary's sequence, 48-63 to the secondary's. */
export const FrameType = {
  HELLO: 1,
  REFUSED: 2,
  KEEPALIVE: 3,
  ACK: 4,
  FOLLOW: 5,
  CLAIM: 6,
  GRANT: 7,
  DENY: 8,
  OFFER: 9,
  GOODBYE: 10,
  LEASE_ASK: 11,
  LEASE_BOND: 12,
  RESYNC: 32,
  BATCH: 33,
  SAME: 34,
  IMAGE: 35,
  PROOF: 36,
  PROOF_END: 37,
  PROOF_RESULT: 38,
  PARTIAL: 39,
  DIFFERENCE: 40,
  OWED: 41,
  IMAGE_PART: 42,
  DIGESTS: 48,
  COMPARED: 49,
  VERIFY: 50,
  RESYNC_REQUEST: 51,
  BASE: 52,
  CHANGED: 53,
} as const

export const FORWARD_TYPE_MIN = 32
export const REVERSE_TYPE_MIN = 48
export const FRAME_TYPE_MAX = 63

/** Shortest and longest lease of a witness, ms. */
export const LEASE_MS_MIN = 100
export const LEASE_MS_MAX = 600_000

export const STATUS_BYTES = 88
export const HEARTBEAT_BYTES = 160
export const MAC_BYTES = 32
export const NAME_BYTES_MAX = 64
export const CONTRIBUTION_BYTES = 32
export const DIGEST_KEY_BYTES = 16

/** Why a link was refused or closed, by the number a REFUSED frame carries. */
export const REFUSALS = [
  'unknown',
  'malformed', // a frame that does not parse
  'version', // another protocol version
  'cluster', // another cluster name
  'own-id', // the peer has this node's id
  'peer-id', // the peer is not the node this one was told to expect
  'link', // m1 is wired to m2
  'tables', // other tables, or in another order
  'schema', // a table of that name with other fields
  'capacity', // the secondary could not hold what the primary holds
  'heartbeat', // another heartbeat interval or count
  'hello-expected', // another frame before hello, or a second hello
  'sequence', // a gap in the sequence of one link
  'silent', // nothing came for the detection bound
  'replaced', // a newer connection of this link took its place
  'frame-size', // a frame longer than allowed
  'stopped', // this node is closing
  'hello-late', // no hello within the bound
  'too-many', // more unproven connections than a link may have
  'mode', // one node has a witness and the other has not
] as const
export type RefusalName = (typeof REFUSALS)[number]

export const ROLES = ['starting', 'secondary', 'primary', 'stopped'] as const
/** 'starting' until it is decided, 'stopped' after the end. */
export type Role = (typeof ROLES)[number]

/** Why a role changed or is claimed, by the number a CLAIM carries; the sentences are in src/reasons.ts. */
export const REASONS = [
  'none',
  'fresh-start', // both nodes started without state
  'alone', // no peer was found within the hold-down
  'peer-died', // stream ended and the port was refused
  'peer-silent', // nothing heard for the detection bound
  'peer-restarted', // the primary came back as a new process
  'peer-left', // the primary said goodbye
  'handover', // planned
  'peer-stalled', // the primary's application thread made no progress
  'operator', // promote()
  'better-claim', // neither node was primary; this one holds more
  'follows', // a primary was found
  'later-epoch', // two primaries: the later epoch stays
  'older-lineage', // two primaries of different lineages: the older stays
  'closed', // close()
  'sync-thread', // the sync thread ended
  'maintenance', // the primary does not want to be primary
  'health', // more of the primary's monitors have failed, by weight
  'override', // the secondary has the higher priority, and override is on
  'lease-lost', // the witness's lease ran out or was somebody else's
  'lease-regained', // it could be had again, with no peer heard
  'witness-lost', // the primary cannot reach the witness and its secondary can
  'chosen', // after a split: the application of the side that stayed chose the other
] as const
/** Why a role is what it is: a code; `message` says it in a sentence. */
export type Reason = (typeof REASONS)[number]
