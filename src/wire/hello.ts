// HELLO: the first frame on a link, both ways (docs/PROTOCOL.md section 5). Nothing else is read before it.
import { ByteReader } from './bytes.ts'
import type { RefusalName } from './constants.ts'
import { CONTRIBUTION_BYTES, FrameType, NAME_BYTES_MAX, REFUSALS, TABLES_MAX } from './constants.ts'
import { beginFrame, sealFrame } from './frame.ts'
import { readSchema, type SchemaInfo, writeSchema } from './schema.ts'
import type { NodeStatus } from './status.ts'
import { readStatus, writeStatus } from './status.ts'

/** Arenas are told in this unit. */
const ARENA_STEP = 1024

export interface TableInfo {
  readonly name: string
  /** 16 hex digits over the schema. */
  readonly schemaHash: string
  readonly capacity: number
  /** Bytes for values of variable length, a multiple of 1024; 0 without. */
  readonly arena: number
  /** Deltas that one batch for this node may hold. */
  readonly deltasMax: number
  readonly schema: SchemaInfo
}

export interface Hello {
  readonly cluster: string
  readonly id: string
  /** 0 = m1, 1 = m2. */
  readonly link: number
  /** 32 random bytes of this process; both sides' together give the heartbeat key. */
  readonly contribution: Uint8Array
  /** ms */
  readonly heartbeatInterval: number
  readonly heartbeatLost: number
  readonly tables: readonly TableInfo[]
  readonly status: NodeStatus
}

export function encodeHello(hello: Hello): Uint8Array {
  const writer = beginFrame(FrameType.HELLO, hello.status.epoch, 0, 0, 512)
    .text(hello.cluster)
    .text(hello.id)
    .u8(hello.link)
    .raw(hello.contribution)
    .f64(hello.heartbeatInterval)
    .u16(hello.heartbeatLost)
    .u8(hello.tables.length)
  for (const table of hello.tables) {
    writer
      .text(table.name)
      .hex(table.schemaHash)
      .u32(table.capacity)
      .u32(table.arena / ARENA_STEP)
      .u32(table.deltasMax)
    writeSchema(writer, table.schema)
  }
  return sealFrame(writeStatus(writer, hello.status))
}

export function decodeHello(payload: Uint8Array): Hello | undefined {
  const reader = new ByteReader(payload)
  const cluster = reader.text(NAME_BYTES_MAX)
  const id = reader.text(NAME_BYTES_MAX)
  const link = reader.u8()
  const contribution = reader.raw(CONTRIBUTION_BYTES).slice()
  const heartbeatInterval = reader.f64()
  const heartbeatLost = reader.u16()
  const count = reader.u8()
  if (reader.failed || count > TABLES_MAX) return undefined
  const tables: TableInfo[] = []
  for (let i = 0; i < count; i++) {
    const [name, schemaHash] = [reader.text(NAME_BYTES_MAX), reader.hex(8)]
    const [capacity, arena, deltasMax] = [reader.u32(), reader.u32() * ARENA_STEP, reader.u32()]
    const schema = readSchema(reader)
    if (schema === undefined) return undefined
    tables.push({ name, schemaHash, capacity, arena, deltasMax, schema })
  }
  const status = readStatus(reader)
  if (!reader.done) return undefined
  return { cluster, id, link, contribution, heartbeatInterval, heartbeatLost, tables, status }
}

/** Longest explanation of a refusal, in bytes. */
export const DETAIL_BYTES_MAX = 512

/** `detail`: what differs, for people; cut where it is too long. */
export function encodeRefused(reason: RefusalName, detail = ''): Uint8Array {
  const text = new TextEncoder().encode(detail).subarray(0, DETAIL_BYTES_MAX)
  return sealFrame(
    beginFrame(FrameType.REFUSED, 0, 0, 0, 40 + text.length)
      .u8(REFUSALS.indexOf(reason))
      .raw(text),
  )
}

export function decodeRefused(payload: Uint8Array): { reason: RefusalName; detail: string } {
  const text = payload.subarray(1, 1 + DETAIL_BYTES_MAX)
  // A cut may fall into a character, and what a stranger sends is shown to people: letters and signs only.
  const detail = new TextDecoder().decode(text).replace(/[\p{C}\ufffd]/gu, '')
  return { reason: REFUSALS[payload[0] ?? 0] ?? 'unknown', detail }
}
