// Loads a snapshot into empty tables: first the whole file is read once against its checksum and its form, then its
// pieces are staged as batches of a peer are, with every check of those. The pieces of what changed come first, the last
// one first: what they name has its final content then, and earlier pieces' word on it is ignored. Whole or not at all.
import { createHash } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import { open, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { matchSchemas } from '../core/schema-check.ts'
import { ticksIn } from '../core/table-time.ts'
import { StateError } from '../errors.ts'
import type { SchemaInfo } from '../wire/schema.ts'
import type { StatePlace } from './directory.ts'
import { CHECKSUM_BYTES, type Fault, isSame, refused } from './sealed.ts'
import type { PieceHead, SnapshotEnd, SnapshotTableInfo } from './snapshot-format.ts'
import {
  decodeEnd,
  decodeHead,
  decodePieceHead,
  HEAD_BYTES_MAX,
  PIECE_HEAD_BYTES,
  PieceKind,
  SNAPSHOT_FILE,
  SNAPSHOT_KIND,
} from './snapshot-format.ts'

/** What is needed of a table that is loaded. */
export interface LoadedTable {
  readonly name: string
  readonly capacity: number
  readonly arenaBytes: number
  readonly schema: SchemaInfo
  readonly size: number
  readonly deltasMax: number
  speak(fields: number, deltas: number): void
  stage(deltas: Uint8Array): string | undefined
  commit(): void
  oweListed(list: Uint8Array): string | undefined
  forgetOwed(): void
  reset(): void
}

/** What a loaded snapshot was, with durations and table time as they are now. */
export interface Restored extends SnapshotEnd {
  readonly bytes: number
}

interface PieceAt extends PieceHead {
  readonly at: number
}

const CHUNK_BYTES = 1_048_576
const DAMAGED: Fault = { by: 'damaged', detail: 'its checksum does not fit' }
const REMEDY =
  "Restore it or remove it; with snapshot: { unusable: 'empty' } the node puts it aside and starts without sessions."

/**
 * Loads the snapshot of a state directory; undefined if there is none. `date`: now, ms since 1970.
 *
 * @throws StateError it is damaged, another node's, or of tables that do not go with these. The tables are empty then.
 */
export async function loadSnapshot(
  { directory, owner }: StatePlace,
  tables: readonly LoadedTable[],
  date: number,
): Promise<Restored | undefined> {
  const path = join(directory, SNAPSHOT_FILE)
  let file: FileHandle
  try {
    file = await open(path, 'r')
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new StateError(`stateDir: the snapshot ${path} cannot be read: ${(cause as Error).message}`, {
      cause,
    })
  }
  try {
    const { size } = await file.stat()
    const head = decodeHead(await read(file, 0, Math.min(size, HEAD_BYTES_MAX + 512)), owner)
    if ('by' in head) throw refused(path, SNAPSHOT_KIND, head, REMEDY)
    if (!(await isWhole(file, size))) throw refused(path, SNAPSHOT_KIND, DAMAGED, REMEDY)
    const difference = tablesDifference(tables, head.tables)
    if (difference !== undefined) {
      throw new StateError(
        `stateDir: the snapshot ${path} does not go with the tables: ${difference} (here: this build, there: the snapshot). Remove it, or start a build that has these tables.`,
      )
    }
    // One of an earlier build: the fields it does not have are zero.
    for (const [i, table] of tables.entries()) {
      table.speak(head.tables[i]!.schema.fields.length, table.deltasMax)
    }
    const fault = await load(file, head.length, size - CHECKSUM_BYTES, tables)
    if ('by' in fault) throw refused(path, SNAPSHOT_KIND, fault, REMEDY)
    return { ...aged(fault, date), bytes: size }
  } catch (error) {
    for (const table of tables) table.reset()
    if (error instanceof StateError) throw error
    throw new StateError(`stateDir: the snapshot ${path} cannot be read: ${(error as Error).message}`, {
      cause: error,
    })
  } finally {
    for (const table of tables) table.speak(table.schema.fields.length, table.deltasMax)
    await file.close()
  }
}

/** As it is now: time went on while nobody ran. A clock that was set back since counts as no time. */
function aged(end: SnapshotEnd, date: number): SnapshotEnd {
  const passedMs = Math.max(0, date - end.date)
  const ticks = Math.min(0xffffffff, end.ticks + ticksIn(passedMs))
  return { ...end, ticks, lineageAgeMs: end.lineageAgeMs + passedMs }
}

async function read(file: FileHandle, at: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length)
  let got = 0
  while (got < length) {
    const { bytesRead } = await file.read(bytes, got, length - got, at + got)
    if (bytesRead === 0) return bytes.subarray(0, got)
    got += bytesRead
  }
  return bytes
}

async function isWhole(file: FileHandle, size: number): Promise<boolean> {
  const hash = createHash('sha256')
  const end = size - CHECKSUM_BYTES
  for (let at = 0; at < end; at += CHUNK_BYTES) {
    hash.update(await read(file, at, Math.min(CHUNK_BYTES, end - at)))
  }
  return end > 0 && isSame(hash.digest(), await read(file, end, CHECKSUM_BYTES))
}

function tablesDifference(
  tables: readonly LoadedTable[],
  written: readonly SnapshotTableInfo[],
): string | undefined {
  const names = (list: readonly { name: string }[]) => list.map(({ name }) => name).join(', ')
  if (names(tables) !== names(written)) return `the tables are ${names(tables)} here, ${names(written)} there`
  for (const [i, { name, capacity, arenaBytes, schema }] of tables.entries()) {
    const there = written[i]!
    const match = matchSchemas(name, schema, there.schema)
    if ('difference' in match) return match.difference
    if (schema.fields.length < there.schema.fields.length) {
      const { name: field } = there.schema.fields[schema.fields.length]!
      return `table ${name}: field ${field} is only there`
    }
    if (capacity < there.capacity) return `table ${name}: capacity ${capacity} here, ${there.capacity} there`
    if (arenaBytes < there.arena)
      return `table ${name}: an arena of ${arenaBytes} bytes here, ${there.arena} there`
  }
  return undefined
}

async function load(
  file: FileHandle,
  from: number,
  to: number,
  tables: readonly LoadedTable[],
): Promise<SnapshotEnd | Fault> {
  const damaged = (detail: string): Fault => ({ by: 'damaged', detail })
  const found = await findPieces(file, from, to, tables.length)
  if (found === undefined) return damaged('its pieces do not parse')
  const { end, pieces } = found
  const changed = pieces.filter(({ kind }) => kind === PieceKind.CHANGED).reverse()
  const rest = pieces.filter(({ kind }) => kind === PieceKind.SESSIONS)
  for (const { at, table, list, deltas } of [...changed, ...rest]) {
    const bytes = await read(file, at, list + deltas)
    const store = tables[table]!
    const refusal = store.stage(bytes.subarray(list))
    if (refusal !== undefined) return damaged(`a piece of table ${store.name} is refused (${refusal})`)
    store.commit()
    if (list === 0) continue
    const fault = store.oweListed(bytes.subarray(0, list))
    if (fault !== undefined) return damaged(`a list of table ${store.name} is refused (${fault})`)
  }
  for (const [i, table] of tables.entries()) {
    table.forgetOwed()
    if (table.size !== end.sessions[i]) {
      return damaged(`table ${table.name} has ${table.size} sessions in it, and it says ${end.sessions[i]}`)
    }
  }
  return end
}

/** Where every piece is, and the end; undefined if they do not fill the file. */
async function findPieces(
  file: FileHandle,
  from: number,
  to: number,
  tables: number,
): Promise<{ pieces: PieceAt[]; end: SnapshotEnd } | undefined> {
  const pieces: PieceAt[] = []
  for (let at = from; at < to; ) {
    const head = decodePieceHead(await read(file, at, Math.min(PIECE_HEAD_BYTES, to - at)), tables)
    if (head === undefined) return undefined
    at += PIECE_HEAD_BYTES
    const length = head.list + head.deltas
    if (length > to - at) return undefined
    if (head.kind === PieceKind.END) {
      const end = at + length === to ? decodeEnd(await read(file, at, length), tables) : undefined
      return end && { pieces, end }
    }
    pieces.push({ ...head, at })
    at += length
  }
  return undefined
}

/** Renames the snapshot, so that the next one does not replace it; gives its path. */
export async function putAside({ directory }: StatePlace): Promise<string> {
  const path = join(directory, SNAPSHOT_FILE)
  await rename(path, `${path}.unusable`)
  return `${path}.unusable`
}
