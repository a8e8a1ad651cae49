// The tables of the soak: one with numbers, one with texts and addresses, one with all that a table can have besides:
// values of any length, a further unique key, sessions that expire. Each session carries a check over its other values,
// so that a mix of two writes shows.
import { defineTable, string } from 'holdfast'

export const flows = defineTable({
  name: 'flows',
  key: { proto: 'u8', srcIp: 'ipv4', srcPort: 'u16', dstIp: 'ipv4', dstPort: 'u16' },
  fields: { state: ['syn', 'established', 'closing'], packets: 'u53', bytes: 'u53', check: 'u32' },
  capacity: 60_000,
})

export const users = defineTable({
  name: 'users',
  key: { name: string(24) },
  fields: { version: 'u53', address: 'ip', note: string(60), check: 'u32' },
  capacity: 20_000,
})

/** Seconds a call lives after its last write. */
export const CALL_TIMEOUT_S = 8

export const calls = defineTable({
  name: 'calls',
  key: { id: 'u32' },
  fields: { port: 'u16', serial: 'u53', note: 'text', body: 'blob', check: 'u32' },
  indexes: { port: ['port'] },
  capacity: 12_000,
  arena: 16_777_216,
  timeout: CALL_TIMEOUT_S,
})

export const tables = { flows, users, calls }
export type Tables = typeof tables

/** The machine's monotonic clock, the same in every process, ms. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6
}
