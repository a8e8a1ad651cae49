// What the tests of adapters share: a primary without a peer, HTTP questions with a cookie, calls with callbacks.
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { createNode, type TableDefinition } from 'holdfast'
import { freeAddress } from 'holdfast/testing'

export { PATIENT } from '../node/support.ts'

/** A primary whose peer never comes. */
export async function alone<const Tables extends { readonly [name: string]: TableDefinition }>(
  tables: Tables,
) {
  const [a1, a2, b1, b2] = (await Promise.all([1, 2, 3, 4].map(freeAddress))) as [
    string,
    string,
    string,
    string,
  ]
  const links = { m1: { listen: a1, peer: b1 }, m2: { listen: a2, peer: b2 } }
  const node = await createNode({ id: 'a', peer: 'b', tables, links, insecure: true, holdDown: 300 })
  await node.ready()
  return node
}

/** What a call with a callback gives. */
export function called<Value>(
  act: (done: (error?: unknown, value?: Value) => void) => void,
): Promise<Value | undefined> {
  return new Promise((resolve, reject) => {
    act((error, value) => (error ? reject(error) : resolve(value)))
  })
}

/** What a call rejects with; throws if it does not. */
export async function failure(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise
  } catch (error) {
    return error
  }
  throw new Error('it did not fail')
}

export interface Answer {
  readonly status: number
  readonly body: string
  readonly headers: http.IncomingHttpHeaders
}

/** A browser: keeps the cookies it is given. */
export class Browser {
  readonly cookies = new Map<string, string>()

  /** `form`: what is sent, urlencoded. */
  async ask(port: number, path: string, method = 'GET', form?: Record<string, string>): Promise<Answer> {
    const headers: Record<string, string> = {
      cookie: [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; '),
    }
    const body = form && String(new URLSearchParams(form))
    if (form) headers['content-type'] = 'application/x-www-form-urlencoded'
    const answer = await request(port, path, method, headers, body)
    for (const line of answer.headers['set-cookie'] ?? []) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line)!
      this.cookies.set(name!, value!)
    }
    return answer
  }
}

export function request(
  port: number,
  path: string,
  method = 'GET',
  headers: Record<string, string> = {},
  body?: string,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = http.request({ host: '127.0.0.1', port, path, method, headers, agent: false }, (answer) => {
      let text = ''
      answer.setEncoding('utf8').on('data', (chunk) => {
        text += chunk
      })
      answer.on('end', () => resolve({ status: answer.statusCode!, body: text, headers: answer.headers }))
      answer.on('error', reject)
    })
    asked.on('error', reject)
    asked.end(body)
  })
}

/** A server on a port of the system's choice. */
export async function serve(
  listener: http.RequestListener,
): Promise<{ port: number; close(): Promise<void> }> {
  const server = http.createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
