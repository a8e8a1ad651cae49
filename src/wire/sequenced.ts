// Payloads of the frames that travel in a sequence: the primary's (RESYNC, BATCH, SAME, IMAGE, PROOF...) and the
// secondary's (DIGESTS, COMPARED, VERIFY, RESYNC_REQUEST). docs/PROTOCOL.md section 4.

import type { ByteWriter } from './bytes.ts'
import { ByteReader } from './bytes.ts'
import { DIGEST_KEY_BYTES, TABLES_MAX } from './constants.ts'

export const DIGEST_BYTES = 8

export interface Resync {
  /** Follow number this answers. */
  readonly follow: number
  readonly digestKey: Uint8Array
  /** Table time, in ticks. */
  readonly time: number
  /** 16 hex digits. */
  readonly lineage: string
  readonly capacities: readonly number[]
}

export interface Batch {
  /** Table time when it was made, in ticks. */
  readonly time: number
  /** In ascending table order, each table at most once. */
  readonly sections: readonly Section[]
}

export interface Section {
  readonly table: number
  readonly deltas: Uint8Array
}

/** A run of neighbouring segments of one table. */
export interface Run {
  readonly table: number
  readonly first: number
  readonly count: number
}

export interface DigestRun extends Run {
  /** DIGEST_BYTES each. */
  readonly digests: Uint8Array
}

export interface ProofResult {
  readonly token: number
  readonly equal: boolean
  readonly segments: number
  readonly epoch: number
  readonly sequence: number
}

export function writeResync(writer: ByteWriter, resync: Resync): ByteWriter {
  writer
    .u53(resync.follow)
    .raw(resync.digestKey)
    .u32(resync.time)
    .hex(resync.lineage)
    .u8(resync.capacities.length)
  for (const capacity of resync.capacities) writer.u32(capacity)
  return writer
}

export function readResync(payload: Uint8Array): Resync | undefined {
  const reader = new ByteReader(payload)
  const follow = reader.u53()
  const digestKey = reader.raw(DIGEST_KEY_BYTES).slice()
  const time = reader.u32()
  const lineage = reader.hex(8)
  const count = reader.u8()
  if (count > TABLES_MAX) return undefined
  const capacities: number[] = []
  for (let i = 0; i < count; i++) capacities.push(reader.u32())
  return reader.done ? { follow, digestKey, time, lineage, capacities } : undefined
}

/** The sections follow. */
export function beginBatch(writer: ByteWriter, time: number): ByteWriter {
  return writer.u32(time)
}

export function writeSection(writer: ByteWriter, table: number, deltas: Uint8Array): ByteWriter {
  return writer.u8(table).varint(deltas.length).raw(deltas)
}

export function readBatch(payload: Uint8Array): Batch | undefined {
  const reader = new ByteReader(payload)
  const time = reader.u32()
  if (reader.failed) return undefined
  const sections: Section[] = []
  let previous = -1
  while (reader.offset < payload.length) {
    const table = reader.u8()
    const length = reader.varint()
    const deltas = reader.raw(length)
    if (reader.failed || table <= previous) return undefined
    previous = table
    sections.push({ table, deltas })
  }
  return { time, sections }
}

export function writeRun(writer: ByteWriter, run: Run): ByteWriter {
  return writer.u8(run.table).varint(run.first).varint(run.count)
}

export function readRun(payload: Uint8Array): Run | undefined {
  const reader = new ByteReader(payload)
  const run = { table: reader.u8(), first: reader.varint(), count: reader.varint() }
  return reader.done ? run : undefined
}

export function writeDigestRun(writer: ByteWriter, run: DigestRun): ByteWriter {
  return writeRun(writer, run).raw(run.digests)
}

function readDigestRunFrom(reader: ByteReader): DigestRun | undefined {
  const table = reader.u8()
  const first = reader.varint()
  const count = reader.varint()
  const digests = reader.rest()
  if (reader.failed || digests.length !== count * DIGEST_BYTES) return undefined
  return { table, first, count, digests }
}

export function readDigestRun(payload: Uint8Array): DigestRun | undefined {
  return readDigestRunFrom(new ByteReader(payload))
}

export function readProof(payload: Uint8Array): (DigestRun & { readonly token: number }) | undefined {
  const reader = new ByteReader(payload)
  const token = reader.u32()
  const run = readDigestRunFrom(reader)
  return run === undefined ? undefined : { ...run, token }
}

export function writeImage(
  writer: ByteWriter,
  table: number,
  segment: number,
  deltas: Uint8Array,
): ByteWriter {
  return writer.u8(table).varint(segment).raw(deltas)
}

export function readImage(
  payload: Uint8Array,
): { table: number; segment: number; deltas: Uint8Array } | undefined {
  const reader = new ByteReader(payload)
  const table = reader.u8()
  const segment = reader.varint()
  const deltas = reader.rest()
  return reader.failed ? undefined : { table, segment, deltas }
}

/** Of record ids `first` up to, not including, `end`, counted within the segment. */
export interface ImagePart {
  readonly table: number
  readonly segment: number
  readonly first: number
  readonly end: number
  readonly deltas: Uint8Array
}

export function writeImagePart(writer: ByteWriter, part: ImagePart): ByteWriter {
  const { table, segment, first, end, deltas } = part
  return writer.u8(table).varint(segment).varint(first).varint(end).raw(deltas)
}

export function readImagePart(payload: Uint8Array): ImagePart | undefined {
  const reader = new ByteReader(payload)
  const head = { table: reader.u8(), segment: reader.varint(), first: reader.varint(), end: reader.varint() }
  const deltas = reader.rest()
  return reader.failed ? undefined : { ...head, deltas }
}

/** What a secondary's tables are but for records it has changed itself. */
export interface Offer {
  /** 16 hex digits. */
  readonly lineage: string
  readonly epoch: number
  readonly sequence: number
  /** It was primary of that epoch. */
  readonly reigned: boolean
  /** Records it has changed. */
  readonly changed: number
}

export function writeOffer(writer: ByteWriter, offer: Offer): ByteWriter {
  writer.hex(offer.lineage).u53(offer.epoch).u53(offer.sequence)
  return writer.u8(offer.reigned ? 1 : 0).u32(offer.changed)
}

export function readOffer(payload: Uint8Array): Offer | undefined {
  const reader = new ByteReader(payload)
  const lineage = reader.hex(8)
  const [epoch, sequence] = [reader.u53(), reader.u53()]
  const offer = { lineage, epoch, sequence, reigned: reader.u8() === 1, changed: reader.u32() }
  return reader.done ? offer : undefined
}

/** Records of one table; `last`: there are no more lists, of any table. */
export interface RecordList {
  readonly table: number
  readonly last: boolean
  readonly list: Uint8Array
}

export function writeRecordList(writer: ByteWriter, { table, last, list }: RecordList): ByteWriter {
  return writer
    .u8(table)
    .u8(last ? 1 : 0)
    .raw(list)
}

export function readRecordList(payload: Uint8Array): RecordList | undefined {
  const reader = new ByteReader(payload)
  const table = reader.u8()
  const last = reader.u8()
  const list = reader.rest()
  return reader.failed || last > 1 ? undefined : { table, last: last === 1, list }
}

export function readToken(payload: Uint8Array): number | undefined {
  const reader = new ByteReader(payload)
  const token = reader.u32()
  return reader.done ? token : undefined
}

export function writeProofResult(writer: ByteWriter, result: ProofResult): ByteWriter {
  writer
    .u32(result.token)
    .u8(result.equal ? 1 : 0)
    .u32(result.segments)
  return writer.u53(result.epoch).u53(result.sequence)
}

export function readProofResult(payload: Uint8Array): ProofResult | undefined {
  const reader = new ByteReader(payload)
  const token = reader.u32()
  const equal = reader.u8() === 1
  const result = { token, equal, segments: reader.u32(), epoch: reader.u53(), sequence: reader.u53() }
  return reader.done ? result : undefined
}

export function readCompared(
  payload: Uint8Array,
): { token: number; compared: number; different: number } | undefined {
  const reader = new ByteReader(payload)
  const result = { token: reader.u32(), compared: reader.u32(), different: reader.u32() }
  return reader.done ? result : undefined
}
