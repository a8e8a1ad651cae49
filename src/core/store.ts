// What the replica (src/core/replica.ts) needs from a table. src/table satisfies it with the WASM engine; test/twins
// satisfies it with a Map. Pure: no clocks, no sockets.
import type { SchemaInfo } from '../wire/schema.ts'

/** Number of neighbouring record ids that are compared and repaired together. */
export const SEGMENT_RECORDS = 1024

/** Key and fields of a session, as plain values. */
export type SessionCopy = Readonly<Record<string, unknown>>

/** Why a table refused bytes; undefined when it accepted them. The names are in docs/PROTOCOL.md section 7. */
export type Refusal = string | undefined

export interface Store {
  readonly name: string
  /** Sessions the table can hold. */
  readonly capacity: number
  /** ceil(capacity / SEGMENT_RECORDS). */
  readonly segments: number
  /** Bytes reserved for values of variable length; 0 in a table without. */
  readonly arenaBytes: number
  /** Largest output of one `encode`, in bytes. */
  readonly batchBytesMax: number
  /** Sessions held now. */
  readonly size: number
  /** 16 lower-case hex digits over key and field names and types; equal schemas give equal hashes. */
  readonly schemaHash: string
  /** The same in words, for the other node. */
  readonly schema: SchemaInfo

  /** Deltas that one batch may hold; more is refused as `count`. */
  readonly deltasMax: number
  /**
   * The first `fields` value fields are what the other build knows: what is encoded, staged, compared from here on has no
   * others; sessions keep them while they stay. A batch gets at most `deltas`. Until then: all, and as many as fit.
   */
  speak(fields: number, deltas: number): void

  /** Table time, in ticks of 1/16 s: deadlines are in it. Set often; the replica knows it. */
  setTime(ticks: number): void

  /** The tick from which `sweep` has something to do: 0 within a round, 2^32 - 1 while no session has a deadline. */
  readonly sweepDue: number
  /**
   * Removes expired sessions, for at most a millisecond; false when the round through the table is over. `patient`: stop
   * before the journal overflows. Does nothing where the application may not write.
   */
  sweep(patient: boolean): boolean

  /**
   * Called at the first change after an `encode` that left nothing behind (primary, tracking on), and at the first
   * write after a turn of pickup, which may have created a session that waits for its pickup.
   */
  onChange: (() => void) | undefined

  /**
   * Whether changes are remembered for `encode`; 'ids': only which records changed. A call forgets what records were
   * before, never which changed.
   */
  setTracking(on: boolean | 'ids'): void
  /** True while there is a remembered change that no `encode` has returned yet. */
  readonly changed: boolean
  /** True while a change is remembered without its before-image (the journal had overflowed). */
  readonly overflowed: boolean
  /**
   * Takes remembered changes as deltas (docs/PROTOCOL.md section 2). Empty when nothing differs from the before-images.
   * All of the journal is always taken; records that had overflowed are added whole while what they add stays under
   * `bytesMax` (so `changed` can still be true afterwards). The view is valid until the next call on this store.
   */
  encode(bytesMax: number): Uint8Array

  /** 16 bytes that key the digests. */
  setDigestKey(key: Uint8Array): void
  /** Digests of `count` segments from `first`, 8 bytes each; zero for a segment without sessions. View as in encode. */
  digests(first: number, count: number): Uint8Array
  /** Bytes that the last `digests` went through; 0 in a table whose segments are short. */
  readonly digestedBytes: number
  /**
   * The record ids of a segment from `first`, counted within it, as deltas, all create; up to `end`, which is
   * SEGMENT_RECORDS where nothing is left. View as in encode.
   */
  imagePart(segment: number, first: number): { deltas: Uint8Array; end: number }

  /** Marks segments as awaited (content not trusted, deltas ignored) or trusted; marking awaited clears `touched`. */
  setAwaited(first: number, count: number, awaited: boolean): void
  isAwaited(segment: number): boolean
  /** Number of awaited segments, and on a secondary of single records awaited. */
  readonly awaited: number
  /** True if an awaited segment lost a session (its key moved to another record id) since it was marked awaited. */
  isTouched(segment: number): boolean

  /** Stages the deltas of a batch: every check is made, nothing is changed. A later stage replaces an earlier one. */
  stage(deltas: Uint8Array): Refusal
  /** Stages one segment's image, which replaces everything the segment holds. */
  stageImage(segment: number, deltas: Uint8Array): Refusal
  /** The same of a part of a segment; the rest of it stays as it is. */
  stageImagePart(segment: number, first: number, end: number, deltas: Uint8Array): Refusal
  /** The record ids of an awaited segment up to `end` have come: deltas for them are not ignored any more. */
  setBrought(segment: number, end: number): void
  /** Applies what the last accepted stage call staged. Cannot fail. */
  commit(): void

  /** Drops every session; never tracked. */
  reset(): void

  // ---- Difference: which records changed since a checkpoint, and which are owed (docs/PROTOCOL.md section 6)

  /** Records that changed since the last confirmed checkpoint; some may count twice. */
  readonly changedCount: number
  /** Everything encoded so far belongs to this checkpoint. */
  checkpoint(): void
  /** What belongs to the last checkpoint need not be remembered any more. */
  confirm(): void
  /** Nothing has changed. */
  forgetChanges(): void

  /** Primary: records to be sent whole, by coming calls of `encode`. Secondary: records trusted only once they came whole. */
  readonly owed: number
  forgetOwed(): void
  /** Owes every record that changed here. */
  oweChanged(): void
  /** Owes the records of a list. */
  oweListed(list: Uint8Array): Refusal
  /** While on, the record of every delta that is encoded or staged is owed, none is sent for it, no delta is trusted. */
  setListing(on: boolean): void
  /** Up to `most` records, owed or changed, from record `from`; `next` is where the rest begins. View as in encode. */
  list(what: 'owed' | 'changed', from: number, most: number): { bytes: Uint8Array; next: number | undefined }

  // ---- Pickup: sessions that are held back are in no batch, image or digest

  /** Sessions held back: younger than the delay, or refused by the filter. */
  readonly held: number
  /** When `pickUp` has something to do, ms; undefined: never, as things stand. */
  pickupDeadline(now: number): number | undefined
  /** Picks up, as changes, sessions whose delay is over: one slice of well under a millisecond. */
  pickUp(now: number): void
  /** Every session that is young now is due, whatever its age. */
  demandPickup(): void
  /** True until `pickUp` has decided about every session demanded. */
  readonly pickupDemanded: boolean
  /** Drops one slice of what is held back; never tracked. True once nothing is. */
  dropHeld(): boolean
  /** Called with each of these before it is dropped. */
  onDropped: ((session: SessionCopy) => void) | undefined

  // ---- Sessions, copied

  /** The session in a slot, `blob` and `text` fields included; undefined: it holds none that lives. */
  sessionAt(id: number): SessionCopy | undefined
  /** The one with the same key as another. */
  sessionLike(session: SessionCopy): SessionCopy | undefined
}
