// Asks a running node for its status through its admin address: host and port, a URL, or the path of a unix socket.
import { request } from 'node:http'
import { resolve } from 'node:path'
import type { NodeStatus } from '../index.ts'
import { printable } from './command.ts'

/** What `GET /status` answers. */
export interface ShownStatus extends NodeStatus {
  readonly version: string
  readonly runtime: { readonly name: string; readonly version: string }
  readonly startedAt: number
  readonly uptimeMs: number
}

export const DEFAULT_ADDRESS = '127.0.0.1:9470'
const TIMEOUT_MS = 5_000
const BYTES_MAX = 4 * 1024 * 1024

type Place = { readonly socketPath: string } | { readonly host: string; readonly port: number }

function placeOf(address: string): Place {
  if (address.startsWith('/') || address.startsWith('./')) return { socketPath: address }
  const { hostname, port, protocol } = parsed(address)
  if (protocol !== 'http:')
    throw new Error(`${address}: the admin server speaks http; put no https before it`)
  return { host: hostname.replace(/^\[|\]$/g, ''), port: port === '' ? 80 : Number(port) }
}

function parsed(address: string): URL {
  const url = /^https?:\/\//.test(address) ? address : `http://${address}`
  try {
    return new URL(url)
  } catch {
    throw new Error(
      `'${address}' is no address; allowed: 127.0.0.1:9470, [::1]:9470, or the path of a unix socket`,
    )
  }
}

/** Rejects with what to do where nothing answers, or something else does. */
export async function askStatus(address: string): Promise<ShownStatus> {
  const { status, body } = await get(address)
  let shown: Partial<ShownStatus> & { error?: { message?: string } }
  try {
    shown = JSON.parse(body, (_, value) => (typeof value === 'string' ? printable(value) : value))
  } catch {
    throw new Error(`${address} answered, but not as the admin server of a node`)
  }
  if (status !== 200) throw new Error(`${address} refused: ${shown.error?.message ?? status}`)
  if (typeof shown.role !== 'string' || typeof shown.links !== 'object')
    throw new Error(`${address} answered, but not as the admin server of a node`)
  return shown as ShownStatus
}

function get(address: string): Promise<{ status: number; body: string }> {
  return new Promise((done, reject) => {
    const call = request(
      { ...placeOf(address), path: '/status', timeout: TIMEOUT_MS, agent: false },
      (answer) => {
        let body = ''
        answer.setEncoding('utf8')
        answer.on('data', (text: string) => {
          body += text
          if (body.length > BYTES_MAX) call.destroy(new Error('too long an answer'))
        })
        answer.on('end', () => done({ status: answer.statusCode ?? 0, body }))
        answer.on('error', reject)
      },
    )
    call.on('timeout', () => call.destroy(new Error(`no answer within ${TIMEOUT_MS / 1000} s`)))
    call.on('error', (error: NodeJS.ErrnoException) => reject(new Error(explained(address, error))))
    call.end()
  })
}

function explained(address: string, { code, message }: NodeJS.ErrnoException): string {
  if (code === 'ECONNREFUSED' || code === 'ENOENT') {
    const listen = address.startsWith('./') ? resolve(address) : address
    return `nothing listens at ${address}: start the node with the option admin: { listen: '${listen}' }, or give its address`
  }
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return `${address}: no such host; a socket's path begins with / or ./`
  return `${address}: ${code ?? message}`
}
