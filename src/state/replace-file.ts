// Replaces a file so that whoever reads it later, after whatever crash, finds the old content or the new one, whole: the
// new one is written beside it, brought to disk, renamed over it, and the directory is brought to disk too.
import type { FileHandle } from 'node:fs/promises'
import { open, rename, unlink } from 'node:fs/promises'
import { join } from 'node:path'

/** What is appended to the name of a file that is not finished. One process writes in a directory at a time (lock.ts). */
export const UNFINISHED = '.new'

/** @throws what the file system says; the file is as it was then. */
export async function replaceFile(
  directory: string,
  name: string,
  write: (file: FileHandle) => Promise<void>,
): Promise<void> {
  const path = join(directory, name)
  const file = await open(path + UNFINISHED, 'w', 0o600)
  try {
    await write(file)
    await file.sync()
  } catch (error) {
    await unlink(path + UNFINISHED).catch(() => undefined)
    throw error
  } finally {
    await file.close()
  }
  await rename(path + UNFINISHED, path)
  await syncDirectory(directory)
}

/** Brings names in a directory to disk. */
export async function syncDirectory(directory: string): Promise<void> {
  const folder = await open(directory, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

/** Writes all of the bytes where the last write ended. */
export async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; ) at += (await file.write(bytes, at, bytes.length - at)).bytesWritten
}
