// How every file of a state directory begins and ends: what it is, whose it is, and a checksum over all of it
// (docs/FILES.md). A file that is cut, changed or another node's is refused by name before anything of it is used.
import { createHash } from 'node:crypto'
import { StateError } from '../errors.ts'
import { type ByteReader, ByteWriter } from '../wire/bytes.ts'
import { NAME_BYTES_MAX } from '../wire/constants.ts'

/** SHA-256. */
export const CHECKSUM_BYTES = 32

/** First four bytes of a file, and the version of what follows. */
export interface FileKind {
  readonly magic: string
  readonly version: number
  /** For people: 'epoch file'. */
  readonly what: string
}

/** The node whose state this is. */
export interface Owner {
  readonly cluster: string
  readonly id: string
}

export function writeHead(writer: ByteWriter, kind: FileKind, owner: Owner): ByteWriter {
  for (const letter of kind.magic) writer.u8(letter.charCodeAt(0))
  return writer.u16(kind.version).u16(0).text(owner.cluster).text(owner.id)
}

/** Why a file may not be used: what is wrong, and what its owner can do about it. */
export type Fault =
  | { readonly by: 'damaged'; readonly detail: string }
  | { readonly by: 'version'; readonly detail: string }
  | { readonly by: 'foreign'; readonly detail: string }

const damaged = (detail: string): Fault => ({ by: 'damaged', detail })

/** Reads past the head; what is wrong with it, if anything. */
export function readHead(reader: ByteReader, kind: FileKind, owner: Owner): Fault | undefined {
  const magic = String.fromCharCode(...reader.raw(kind.magic.length))
  const version = reader.u16()
  const zero = reader.u16()
  if (reader.failed || magic !== kind.magic) return damaged(`it does not begin as ${kind.what}s do`)
  if (version !== kind.version || zero !== 0) {
    return { by: 'version', detail: `it has version ${version}; this build reads ${kind.version}` }
  }
  const [cluster, id] = [reader.text(NAME_BYTES_MAX), reader.text(NAME_BYTES_MAX)]
  if (reader.failed) return damaged('it is cut short')
  if (cluster === owner.cluster && id === owner.id) return undefined
  return {
    by: 'foreign',
    detail: `it is of node '${id}' in cluster '${cluster}'; this is '${owner.id}' in '${owner.cluster}'`,
  }
}

export function checksumOf(...pieces: readonly Uint8Array[]): Uint8Array {
  const hash = createHash('sha256')
  for (const piece of pieces) hash.update(piece)
  return Uint8Array.from(hash.digest())
}

/** Splits a small file into what its checksum covers; undefined if the checksum is wrong. */
export function unseal(bytes: Uint8Array): Uint8Array | undefined {
  if (bytes.length < CHECKSUM_BYTES) return undefined
  const body = bytes.subarray(0, bytes.length - CHECKSUM_BYTES)
  return isSame(checksumOf(body), bytes.subarray(body.length)) ? body : undefined
}

export function seal(writer: ByteWriter): Uint8Array {
  const body = writer.finish()
  return new ByteWriter(body.length + CHECKSUM_BYTES).raw(body).raw(checksumOf(body)).finish()
}

export function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i])
}

/** `remedy`: what to do about a file that cannot be used. */
export function refused(path: string, kind: FileKind, fault: Fault, remedy: string): StateError {
  const verb =
    fault.by === 'damaged' ? 'is damaged' : fault.by === 'foreign' ? 'is foreign' : 'is not readable'
  return new StateError(`stateDir: the ${kind.what} ${path} ${verb}: ${fault.detail}. ${remedy}`)
}
