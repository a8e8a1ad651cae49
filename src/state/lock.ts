// One process at a time in a state directory. The lock is a socket in it that somebody listens on, so it dies with its
// process, however that dies, and holds across containers that share the directory on one machine.
//
// Locks are numbered. Who finds the highest one dead makes the next, by a hard link, which succeeds for one only; who
// then still finds a higher one gives way. Lower ones are removed by the holder. So no two can hold, whatever their
// steps interleave.
import { randomBytes } from 'node:crypto'
import { closeSync, openSync } from 'node:fs'
import { link, readdir, unlink } from 'node:fs/promises'
import { connect, createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { StateError } from '../errors.ts'

const LOCK = /^lock-([0-9]{1,15})$/
/** Where a socket's path must be no longer than this, in bytes: the least of the systems (macOS). */
const PATH_BYTES_MAX = 103
const ROUNDS_MAX = 64

export interface Lock {
  release(): Promise<void>
}

/**
 * Takes the lock of a directory that exists.
 *
 * @throws StateError another process (or another node of this one) holds it, or the directory cannot have sockets.
 */
export async function takeLock(directory: string): Promise<Lock> {
  const paths = new SocketPaths(directory)
  const own = `lock.${randomBytes(6).toString('hex')}`
  let server: Server
  try {
    server = await listen(paths.of(own))
  } catch (cause) {
    paths.close()
    throw unusable(directory, cause)
  }
  try {
    const name = await acquire(directory, own, paths)
    await remove(join(directory, own))
    return {
      release: async () => {
        await remove(join(directory, name))
        await shut(server)
        paths.close()
      },
    }
  } catch (error) {
    await remove(join(directory, own))
    await shut(server)
    paths.close()
    throw error instanceof StateError ? error : unusable(directory, error)
  }
}

function unusable(directory: string, cause: unknown): StateError {
  const { message } = cause as Error
  return new StateError(
    `stateDir: ${directory} cannot be locked (${message}); give a directory on a local file system that this process may write`,
    { cause },
  )
}

/** Gives the name of the lock that this process holds from now on. */
async function acquire(directory: string, own: string, paths: SocketPaths): Promise<string> {
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const highest = (await numbers(directory)).at(-1)
    if (highest !== undefined && (await isAlive(paths.of(`lock-${highest}`)))) {
      throw new StateError(
        `stateDir: ${directory} is in use by another node; one directory belongs to one running node, give each its own`,
      )
    }
    const number = (highest ?? 0) + 1
    const name = `lock-${number}`
    try {
      await link(join(directory, own), join(directory, name))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') continue
      throw error
    }
    const found = await numbers(directory)
    if (found.at(-1) === number) {
      for (const lower of found) if (lower < number) await remove(join(directory, `lock-${lower}`))
      await removeStrays(directory, own, paths)
      return name
    }
    await remove(join(directory, name))
  }
  throw new StateError(`stateDir: ${directory} is fought over by several processes; give each node its own`)
}

/** Numbers of the locks there, ascending. */
async function numbers(directory: string): Promise<number[]> {
  const names = await readdir(directory)
  return names
    .flatMap((name) => LOCK.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b)
}

/** What processes left that died while they tried. */
async function removeStrays(directory: string, own: string, paths: SocketPaths): Promise<void> {
  for (const name of await readdir(directory)) {
    if (!/^lock\.[0-9a-f]{12}$/.test(name) || name === own) continue
    if (!(await isAlive(paths.of(name)))) await remove(join(directory, name))
  }
}

/** Somebody listens there. Everything but a clear no counts as yes: a frozen process still holds its lock. */
function isAlive(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path })
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', ({ code }: NodeJS.ErrnoException) => {
      resolve(code !== 'ECONNREFUSED' && code !== 'ENOENT')
    })
  })
}

function listen(path: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy())
    server.once('error', reject)
    server.listen({ path }, () => {
      server.unref()
      resolve(server)
    })
  })
}

function shut(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()))
}

async function remove(path: string): Promise<void> {
  try {
    await unlink(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}

/** Paths of sockets in a directory, through its descriptor where its own path is too long for one. */
class SocketPaths {
  private readonly directory: string
  private readonly descriptor: number | undefined

  constructor(directory: string) {
    this.directory = directory
    const isLong = Buffer.byteLength(join(directory, 'lock.000000000000')) > PATH_BYTES_MAX
    if (isLong && process.platform !== 'linux') {
      throw new StateError(
        `stateDir: ${directory} given; allowed here: a path of at most ${PATH_BYTES_MAX - 18} bytes`,
      )
    }
    this.descriptor = isLong ? openSync(directory, 'r') : undefined
  }

  of(name: string): string {
    return this.descriptor === undefined
      ? join(this.directory, name)
      : `/proc/self/fd/${this.descriptor}/${name}`
  }

  close(): void {
    if (this.descriptor !== undefined) closeSync(this.descriptor)
  }
}
