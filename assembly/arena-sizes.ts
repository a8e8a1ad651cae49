// Sizes of everything around values of variable length: what one may be, what a batch of them may be, what they lie in.

/** Inbox and outbox of a table with variable-length fields: a full journal and the longest session. */
// @ts-ignore: decorator
@inline export const VARIABLE_BYTES: u32 = 4456448
/** Bytes of one variable-length value. */
// @ts-ignore: decorator
@inline export const VALUE_BYTES_MAX: u32 = 1048576
/** Bytes of all variable-length values of one session. */
// @ts-ignore: decorator
@inline export const SESSION_BYTES_MAX: u32 = 2097152
/** What journaled changes of such a table add to a batch at most: the longest session and its fixed fields at least. */
// @ts-ignore: decorator
@inline export const JOURNAL_BYTES_MAX: u32 = 2162688
/** The arena's unit of allocation and of accounting, and the bytes of a value in it. */
// @ts-ignore: decorator
@inline export const UNIT: u32 = 64
// @ts-ignore: decorator
@inline export const UNIT_ROOM: u32 = 60
/** The large block. */
// @ts-ignore: decorator
@inline export const PAGE: u32 = 1024
/** Of 100 units these hold live values; the rest is for values kept or staged. */
// @ts-ignore: decorator
@inline export const LIVE_PERCENT: u32 = 85
/** Of a page: previous and next in a list, bits of free units. */
// @ts-ignore: decorator
@inline export const PAGE_NOTE: u32 = 12
