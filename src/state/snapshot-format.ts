// The snapshot file, drawn in docs/FILES.md: which tables, then pieces as the taker gave them, then which state all of
// them together are.
import type { Piece, Standing } from '../core/snapshot-taker.ts'
import { ByteReader, ByteWriter } from '../wire/bytes.ts'
import { NAME_BYTES_MAX, TABLES_MAX } from '../wire/constants.ts'
import { readSchema, type SchemaInfo, writeSchema } from '../wire/schema.ts'
import { type Fault, type FileKind, type Owner, readHead, writeHead } from './sealed.ts'

export const SNAPSHOT_FILE = 'snapshot'
export const SNAPSHOT_KIND: FileKind = { magic: 'HFSN', version: 1, what: 'snapshot' }

/** A table as its snapshot describes it. */
export interface SnapshotTableInfo {
  readonly name: string
  readonly capacity: number
  /** Bytes, a multiple of 1024; 0 without. */
  readonly arena: number
  readonly schema: SchemaInfo
}

/** Which state the pieces are, and when that was. */
export interface SnapshotEnd {
  readonly standing: Standing
  readonly lineageAgeMs: number
  /** ms since 1970 */
  readonly date: number
  /** Table time. */
  readonly ticks: number
  /** Of each table. */
  readonly sessions: readonly number[]
}

export const PieceKind = { END: 0, SESSIONS: 1, CHANGED: 2 } as const
export const PIECE_HEAD_BYTES = 10
/** A list and deltas of one slice; a single session can be 2 MiB. */
export const PIECE_BYTES_MAX = 8_388_608
/** Far above what fifteen tables' descriptions take. */
export const HEAD_BYTES_MAX = 1_048_576
const ARENA_STEP = 1_024

export function encodeHead(owner: Owner, tables: readonly SnapshotTableInfo[]): Uint8Array {
  const writer = writeHead(new ByteWriter(1_024), SNAPSHOT_KIND, owner)
  const described = new ByteWriter(1_024).u8(tables.length)
  for (const { name, capacity, arena, schema } of tables) {
    writeSchema(
      described
        .text(name)
        .u32(capacity)
        .u32(arena / ARENA_STEP),
      schema,
    )
  }
  const bytes = described.finish()
  return writer.u32(bytes.length).raw(bytes).finish()
}

/** The tables and where the pieces begin; or what is wrong. `bytes`: the file's beginning, or all of it. */
export function decodeHead(
  bytes: Uint8Array,
  owner: Owner,
): { tables: SnapshotTableInfo[]; length: number } | Fault {
  const reader = new ByteReader(bytes)
  const fault = readHead(reader, SNAPSHOT_KIND, owner)
  if (fault !== undefined) return fault
  const length = reader.u32()
  const described = new ByteReader(length > HEAD_BYTES_MAX ? new Uint8Array(0) : reader.raw(length))
  const count = described.u8()
  const cut: Fault = { by: 'damaged', detail: 'its description of the tables does not parse' }
  if (reader.failed || described.failed || count > TABLES_MAX) return cut
  const tables: SnapshotTableInfo[] = []
  for (let i = 0; i < count; i++) {
    const name = described.text(NAME_BYTES_MAX)
    const [capacity, arena] = [described.u32(), described.u32() * ARENA_STEP]
    const schema = readSchema(described)
    if (schema === undefined) return cut
    tables.push({ name, capacity, arena, schema })
  }
  return described.done ? { tables, length: reader.offset } : cut
}

export function encodePieces(pieces: readonly Piece[], end: SnapshotEnd | undefined): Uint8Array {
  const writer = new ByteWriter(pieces.reduce((sum, one) => sum + one.deltas.length + 64, 256))
  for (const { table, list, deltas } of pieces) {
    const kind = list === undefined ? PieceKind.SESSIONS : PieceKind.CHANGED
    const listed = list ?? new Uint8Array(0)
    writer.u8(kind).u8(table).u32(listed.length).u32(deltas.length).raw(listed).raw(deltas)
  }
  if (end !== undefined) {
    const { standing, lineageAgeMs, date, ticks, sessions } = end
    const last = new ByteWriter(128).hex(standing.lineage).u53(standing.epoch).u53(standing.sequence)
    last.f64(lineageAgeMs).f64(date).u32(ticks)
    for (const count of sessions) last.u32(count)
    writer.u8(PieceKind.END).u8(0).u32(0).u32(last.length).raw(last.finish())
  }
  return writer.finish()
}

export interface PieceHead {
  readonly kind: number
  readonly table: number
  readonly list: number
  readonly deltas: number
}

/** Undefined: no piece of a file of so many tables begins so. */
export function decodePieceHead(bytes: Uint8Array, tables: number): PieceHead | undefined {
  const reader = new ByteReader(bytes)
  const head = { kind: reader.u8(), table: reader.u8(), list: reader.u32(), deltas: reader.u32() }
  const isPiece = head.kind === PieceKind.CHANGED || (head.kind === PieceKind.SESSIONS && head.list === 0)
  const isEnd = head.kind === PieceKind.END && head.table === 0 && head.list === 0
  if (reader.failed || head.list + head.deltas > PIECE_BYTES_MAX) return undefined
  return isEnd || (isPiece && head.table < tables) ? head : undefined
}

export function decodeEnd(bytes: Uint8Array, tables: number): SnapshotEnd | undefined {
  const reader = new ByteReader(bytes)
  const standing = { lineage: reader.hex(8), epoch: reader.u53(), sequence: reader.u53() }
  const [lineageAgeMs, date, ticks] = [reader.f64(), reader.f64(), reader.u32()]
  const sessions = Array.from({ length: tables }, () => reader.u32())
  return reader.done && lineageAgeMs >= 0 ? { standing, lineageAgeMs, date, ticks, sessions } : undefined
}
