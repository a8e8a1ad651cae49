// A node's state directory: opened and locked before anything else of the node starts, given back after its last write.
import { stat } from 'node:fs/promises'
import { RESERVE_AHEAD } from '../core/reservation.ts'
import { StateError } from '../errors.ts'
import { readEpoch, writeEpoch } from './epoch-file.ts'
import { type Lock, takeLock } from './lock.ts'
import type { Owner } from './sealed.ts'

/** What the sync thread needs of a state directory. Plain data. */
export interface StatePlace {
  readonly directory: string
  readonly owner: Owner
}

export class StateDirectory implements StatePlace {
  readonly directory: string
  readonly owner: Owner
  /** Lowest epoch this node may open. */
  readonly epochFloor: number
  /** Epochs up to this one are reserved on disk. */
  readonly reserved: number
  private readonly lock: Lock

  private constructor(place: StatePlace, lock: Lock, epochFloor: number, reserved: number) {
    this.directory = place.directory
    this.owner = place.owner
    this.lock = lock
    this.epochFloor = epochFloor
    this.reserved = reserved
  }

  /**
   * Takes the directory for this node, reads what is there and shows that it can be written.
   *
   * @param date this machine's date, ms since 1970: epochs start above it and above what the file says.
   * @throws StateError
   */
  static async open(place: StatePlace, date: number): Promise<StateDirectory> {
    const { directory, owner } = place
    await checkDirectory(directory)
    const lock = await takeLock(directory)
    try {
      const written = await readEpoch(directory, owner)
      const epochFloor = Math.max(date, (written ?? -1) + 1)
      const reserved = Math.min(epochFloor + RESERVE_AHEAD, Number.MAX_SAFE_INTEGER)
      await writeEpoch(directory, owner, reserved).catch((cause: Error) => {
        throw new StateError(`stateDir: ${directory} cannot be written: ${cause.message}`, { cause })
      })
      return new StateDirectory(place, lock, epochFloor, reserved)
    } catch (error) {
      await lock.release()
      throw error
    }
  }

  /** Nothing is written any more; another process may take it. */
  close(): Promise<void> {
    return this.lock.release()
  }
}

async function checkDirectory(directory: string): Promise<void> {
  if (process.platform === 'win32') {
    throw new StateError(
      'stateDir: given on Windows, where its lock and its writes were not proven; allowed: Linux, macOS',
    )
  }
  let isDirectory = false
  try {
    isDirectory = (await stat(directory)).isDirectory()
  } catch (cause) {
    throw new StateError(
      `stateDir: ${directory} cannot be used (${(cause as Error).message}); create it, on a disk that stays`,
      { cause },
    )
  }
  if (!isDirectory) throw new StateError(`stateDir: ${directory} is no directory; allowed: one that exists`)
}
