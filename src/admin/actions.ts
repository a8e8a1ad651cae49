// POST /actions/...: what an operator may have a node do.
import type { IncomingMessage } from 'node:http'
import { HoldfastError, type HoldfastNode } from '../index.ts'
import { type Answer, json, Refusal } from './answers.ts'

const BODY_BYTES_MAX = 1024
const BUSY_MAX = 8

type Action = (node: HoldfastNode, body: Readonly<Record<string, unknown>>) => Promise<object>

const ACTIONS: Readonly<Record<string, Action>> = {
  async handover(node) {
    await node.handover()
    return { handedOver: true }
  },
  async maintenance(node, { on }) {
    if (typeof on !== 'boolean')
      throw new Refusal('admin-body', 400, 'allowed: { "on": true } or { "on": false }')
    await node.maintenance(on)
    return { maintenance: on }
  },
  async resync(node) {
    await node.resync()
    return { resynced: true }
  },
  verify: (node) => node.verify(),
}

export const ACTION_PATHS: readonly string[] = Object.keys(ACTIONS).map((name) => `/actions/${name}`)

export class Actions {
  private readonly node: HoldfastNode
  private busy = 0

  constructor(node: HoldfastNode) {
    this.node = node
  }

  /** What the node refuses is 409 with the error's own code. */
  async run(path: string, request: IncomingMessage): Promise<Answer> {
    if (this.busy >= BUSY_MAX) {
      throw new Refusal(
        'admin-busy',
        503,
        `${BUSY_MAX} actions are under way, which is all there may be; wait for one`,
      )
    }
    this.busy++
    try {
      const body = await readBody(request)
      return json(200, await ACTIONS[path.slice('/actions/'.length)]!(this.node, body))
    } catch (error) {
      if (!(error instanceof HoldfastError)) throw error
      return json(409, { error: { code: error.code, message: error.message } })
    } finally {
      this.busy--
    }
  }
}

/** An object in JSON; nothing counts as an empty one. */
async function readBody(request: IncomingMessage): Promise<Readonly<Record<string, unknown>>> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > BODY_BYTES_MAX) {
      const what = `a longer body than ${BODY_BYTES_MAX} bytes given`
      throw new Refusal('admin-body', 413, what, { connection: 'close' })
    }
    chunks.push(chunk)
  }
  const text = Buffer.concat(chunks).toString('utf8').trim()
  if (text === '') return {}
  const type = request.headers['content-type'] ?? ''
  if (!/^application\/json\b/i.test(type)) {
    throw new Refusal('admin-body', 415, `content-type '${type}' given; allowed: application/json`)
  }
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return value as Record<string, unknown>
  } catch {
    // Refused below, like any other text that is no object.
  }
  throw new Refusal('admin-body', 400, 'allowed: an object in JSON, or no body')
}
