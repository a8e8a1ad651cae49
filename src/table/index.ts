// Host side of the WASM core: the table an application uses and a replica drives.

export type { ManyStored } from './batch-table.ts'
export type { TableIndex } from './by.ts'
export type { HashSeed } from './engine.ts'
export { bytesFor } from './engine.ts'
export type { WriteGate } from './gate.ts'
export { GATE_CLOSED, openGate } from './gate.ts'
export type { RefusalName } from './refusals.ts'
export { DELTAS_MAX, ENCODE_BYTES_MAX, JOURNAL_MAX, REFUSALS, SEGMENT_RECORDS } from './refusals.ts'
export type { RowColumns, Rows, RowValues } from './rows.ts'
export type { CreateTableOptions } from './table.ts'
export { createTable, Table } from './table.ts'
export type { ArenaUse } from './table-store.ts'
