// Numbers and names shared with assembly/layout.ts; the order of REFUSALS is the numbering of the WASM side (1 = first).
// Append-only: docs/PROTOCOL.md section 7 lists the same names.

/** Neighbouring record ids that are compared and repaired together. */
export const SEGMENT_RECORDS = 1024

/** Most changed sessions whose before-image is remembered between two flushes. */
export const JOURNAL_MAX = 16_384

/** Most deltas in one batch of one table: a full journal and a quarter more of overflowed records. */
export const DELTAS_MAX = 20_480

/** Largest output of one `encode`, in bytes: a frame less room for its own words. */
export const ENCODE_BYTES_MAX = 983_040

export const REFUSALS = [
  'truncated',
  'trailing',
  'varint',
  'count',
  'id',
  'op',
  'mask',
  'range',
  'value',
  'occupied',
  'absent',
  'key-twice',
  'key-held',
  'index-twice',
  'index-held',
  'arena',
] as const

export type RefusalName = (typeof REFUSALS)[number]
