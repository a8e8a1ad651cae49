// The epoch file: one number above every epoch that this node has heard, granted or used, so that after a restart it
// opens none twice and a grant still binds. src/core/reservation.ts says when it is written; docs/FILES.md draws it.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { StateError } from '../errors.ts'
import { ByteReader, ByteWriter } from '../wire/bytes.ts'
import { replaceFile } from './replace-file.ts'
import {
  type Fault,
  type FileKind,
  type Owner,
  readHead,
  refused,
  seal,
  unseal,
  writeHead,
} from './sealed.ts'

export const EPOCH_FILE = 'epoch'
export const EPOCH_KIND: FileKind = { magic: 'HFEP', version: 1, what: 'epoch file' }
/** Far above what one takes. */
const BYTES_MAX = 4_096

export function encodeEpoch(owner: Owner, epoch: number): Uint8Array {
  return seal(writeHead(new ByteWriter(), EPOCH_KIND, owner).u53(epoch))
}

export function decodeEpoch(bytes: Uint8Array, owner: Owner): number | Fault {
  const body = bytes.length > BYTES_MAX ? undefined : unseal(bytes)
  if (body === undefined) return { by: 'damaged', detail: 'its checksum does not fit' }
  const reader = new ByteReader(body)
  const fault = readHead(reader, EPOCH_KIND, owner)
  if (fault !== undefined) return fault
  const epoch = reader.u53()
  return reader.done ? epoch : { by: 'damaged', detail: 'it has another length' }
}

/**
 * What the file says; undefined if there is none.
 *
 * @throws StateError
 */
export async function readEpoch(directory: string, owner: Owner): Promise<number | undefined> {
  const path = join(directory, EPOCH_FILE)
  let bytes: Uint8Array
  try {
    bytes = await readFile(path)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new StateError(`stateDir: the epoch file ${path} cannot be read: ${(cause as Error).message}`, {
      cause,
    })
  }
  const epoch = decodeEpoch(bytes, owner)
  if (typeof epoch === 'number') return epoch
  const remedy =
    epoch.by === 'foreign'
      ? 'Give each node a directory of its own.'
      : `Restore it, or, with the peer running or this machine's clock known to be right, remove it: epochs then start from the clock.`
  throw refused(path, EPOCH_KIND, epoch, remedy)
}

export function writeEpoch(directory: string, owner: Owner, epoch: number): Promise<void> {
  const bytes = encodeEpoch(owner, epoch)
  return replaceFile(directory, EPOCH_FILE, async (file) => {
    await file.writeFile(bytes)
  })
}
