// The port or the unix socket of the admin server. A socket that a killed process left behind is taken over; one that
// somebody answers at is not.
import { chmodSync, lstatSync, unlinkSync } from 'node:fs'
import type { Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { ConfigError } from '../index.ts'
import type { AdminSettings } from './settings.ts'

/** Gives the address it listens at. */
export async function listen(server: Server, { at, listen }: AdminSettings): Promise<string> {
  try {
    if (!('path' in at)) {
      await begin(server, at)
      const { port } = server.address() as AddressInfo
      return `http://${at.host.includes(':') ? `[${at.host}]` : at.host}:${port}`
    }
    if (await isLeftBehind(at.path)) unlinkSync(at.path)
    await begin(server, at)
    chmodSync(at.path, 0o600)
    return `unix:${at.path}`
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    throw new ConfigError(
      `admin.listen: '${listen}' given; cannot listen there (${code ?? message}): ${advice(code)}`,
    )
  }
}

function begin(server: Server, at: AdminSettings['at']): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(at, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

async function isLeftBehind(path: string): Promise<boolean> {
  if (!lstatSync(path, { throwIfNoEntry: false })?.isSocket()) return false
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve(false)
    })
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED'))
  })
}

function advice(code: string | undefined): string {
  if (code === 'EADDRINUSE') return 'something else listens there; give each node of this machine its own'
  if (code === 'EACCES' || code === 'EPERM')
    return 'this user may not; take a port above 1023, or a directory it may write'
  if (code === 'EADDRNOTAVAIL') return "give one of this machine's addresses"
  return 'give another address'
}
