// What a table's definition turns on, set once before `plan`. A table that turns nothing on pays a branch.

/** Longest lifetime: in an update, told whole. */
// @ts-ignore: decorator
@inline export const LIFETIME_WIRE_MAX: u32 = 10
/** Sessions ended by the table itself that the host has not heard of yet. */
// @ts-ignore: decorator
@inline export const ENDED_MAX: u32 = 256

/** Sessions have deadlines: one word in the header, one body on the wire. */
export let lifetimes: bool = false
/** The table's own timeout in ticks; 0: sessions do not expire unless their `set` says so. */
export let tableTimeout: u32 = 0
/** Writes do not move a deadline; only `set` does. */
export let fixedExpiry: bool = false
/** A full table makes room by ending the session idle longest. */
export let evicts: bool = false

/** A snapshot may be taken: one more set of records is reserved (snapshot.ts). */
export let snapshots: bool = false

export function configure(hasLifetimes: bool, timeout: u32, fixed: bool, evict: bool, snaps: bool): void {
  lifetimes = hasLifetimes
  tableTimeout = timeout
  fixedExpiry = fixed
  evicts = evict
  snapshots = snaps
}
