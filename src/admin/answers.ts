// What the admin server answers with: bodies, headers that keep browsers from harm, and refusals, each with its name.
import type { ServerResponse } from 'node:http'
import { PAGE_HEADERS } from './page.ts'

export interface Answer {
  readonly status: number
  readonly type: string
  readonly body: string | Uint8Array
  readonly headers?: Readonly<Record<string, string>>
}

export function json(status: number, value: unknown): Answer {
  return { status, type: 'application/json', body: `${JSON.stringify(value)}\n` }
}

export function text(status: number, body: string): Answer {
  return { status, type: 'text/plain; charset=utf-8', body }
}

/** A request is not served; counted under its name. `message` says what was asked, what is allowed, what to do. */
export class Refusal extends Error {
  readonly refused: string
  readonly status: number
  readonly headers: Readonly<Record<string, string>>

  constructor(
    refused: string,
    status: number,
    message: string,
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(message)
    this.refused = refused
    this.status = status
    this.headers = headers
  }

  answer(): Answer {
    const { status, headers, refused, message } = this
    return { ...json(status, { error: { code: refused, message } }), headers }
  }
}

export function writeHead(
  response: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>>,
): void {
  response.writeHead(status, { ...PAGE_HEADERS, ...headers })
}

export function send(response: ServerResponse, { status, type, body, headers = {} }: Answer): void {
  const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body
  writeHead(response, status, { 'content-type': type, 'content-length': String(bytes.length), ...headers })
  response.end(bytes)
}
