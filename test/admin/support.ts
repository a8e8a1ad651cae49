// What the tests of the admin server share: requests over its port or socket, and a reader of its events.
import { request as ask, type IncomingMessage, type RequestOptions } from 'node:http'
import { until } from '../node/support.ts'

export const TOKEN = 'a-token-of-this-test'

export interface Reply {
  status: number
  headers: IncomingMessage['headers']
  text: string
  // biome-ignore lint/suspicious/noExplicitAny: whatever the body is; tests look into it.
  json: any
}

export interface Ask extends Omit<RequestOptions, 'path'> {
  body?: string
}

/** `address` as `status().admin` has it. */
function target(address: string): RequestOptions {
  if (address.startsWith('unix:')) return { socketPath: address.slice('unix:'.length) }
  const { hostname, port } = new URL(address)
  return { host: hostname.replace(/^\[(.*)\]$/, '$1'), port }
}

export function call(address: string, path: string, { body, ...options }: Ask = {}): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const sent = ask({ ...target(address), path, agent: false, ...options }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk) => {
        text += chunk
      })
      response.on('end', () => {
        const isJson = response.headers['content-type'] === 'application/json' && text !== ''
        const { statusCode = 0, headers } = response
        resolve({ status: statusCode, headers, text, json: isJson ? JSON.parse(text) : undefined })
      })
      response.on('error', reject)
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

/** POST with the token. */
export function act(address: string, action: string, body?: object, token = TOKEN): Promise<Reply> {
  const headers: Record<string, string> = { authorization: `Bearer ${token}` }
  if (body !== undefined) headers['content-type'] = 'application/json'
  const options = { method: 'POST', headers }
  return call(address, `/actions/${action}`, body ? { ...options, body: JSON.stringify(body) } : options)
}

export interface Heard {
  name: string
  // biome-ignore lint/suspicious/noExplicitAny: whatever the event is; tests look into it.
  data: any
}

export interface EventReader {
  readonly events: Heard[]
  readonly ended: boolean
  /** Resolves with the first event that fits, of those heard and those to come. */
  next(what: string, fits: (event: Heard) => boolean): Promise<Heard>
  close(): Promise<void>
}

/** Opens a stream of events; resolves once its head has come. */
export function listenTo(address: string): Promise<EventReader> {
  return new Promise((resolve, reject) => {
    const sent = ask({ ...target(address), path: '/events', agent: false }, (response) => {
      if (response.statusCode !== 200) return reject(new Error(`status ${response.statusCode}`))
      const events: Heard[] = []
      let unread = ''
      let ended = false
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        const parts = (unread + chunk).split('\n\n')
        unread = parts.pop()!
        for (const part of parts) {
          const found = /^event: (.+)\ndata: (.+)$/.exec(part)
          if (found !== null) events.push({ name: found[1]!, data: JSON.parse(found[2]!) })
        }
      })
      response.on('close', () => {
        ended = true
      })
      response.on('error', () => {})
      resolve({
        events,
        get ended() {
          return ended
        },
        async next(what, fits) {
          await until(what, () => events.some(fits))
          return events.find(fits)!
        },
        async close() {
          sent.destroy()
        },
      })
    })
    sent.on('error', reject)
    sent.end()
  })
}
