// GET /events: server-sent events. Status up to four times a second while somebody listens, and each event as it happens.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { ServerResponse } from 'node:http'
import { clearInterval, setInterval } from 'node:timers'
import type { HoldfastNode, NodeEventName } from '../index.ts'
import { Refusal, writeHead } from './answers.ts'

const STREAMS_MAX = 8
const STATUS_INTERVAL_MS = 250
/** What a client may leave unread. */
const UNREAD_BYTES_MAX = 1 << 20

const EVENTS: readonly NodeEventName[] = [
  'role',
  'link',
  'witness',
  'peer',
  'synced',
  'unsynced',
  'poison',
  'split',
  'conflict',
  'monitor',
  'error',
]

export class Streams {
  private readonly node: HoldfastNode
  private readonly status: () => unknown
  private readonly count: (refused: string) => void
  private readonly open = new Set<ServerResponse>()
  private timer: NodeJS.Timeout | undefined
  private readonly ends: (() => void)[] = []

  /** `heard` is told every event of this node, with or without streams. */
  constructor(
    node: HoldfastNode,
    status: () => unknown,
    count: (refused: string) => void,
    heard: (name: NodeEventName, event: unknown) => void,
  ) {
    this.node = node
    this.status = status
    this.count = count
    for (const name of EVENTS) this.listen(name, heard)
  }

  /** By its channel: listening to the node itself would have it copy sessions for `conflict`. */
  private listen(name: NodeEventName, heard: (name: NodeEventName, event: unknown) => void): void {
    const hear = (message: unknown) => {
      const { node, event } = message as { node: unknown; event: unknown }
      if (node !== this.node) return
      heard(name, event)
      this.tell(name, shown(name, event))
    }
    subscribe(`holdfast:${name}`, hear)
    this.ends.push(() => unsubscribe(`holdfast:${name}`, hear))
  }

  add(response: ServerResponse): void {
    if (this.open.size >= STREAMS_MAX) {
      const what = `${STREAMS_MAX} streams of events are open, which is all there may be; close one`
      throw new Refusal('admin-streams', 503, what)
    }
    writeHead(response, 200, { 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' })
    this.open.add(response)
    response.on('close', () => this.remove(response))
    response.on('error', () => this.remove(response))
    response.write(`retry: 1000\n\n${frame('status', this.status())}`)
    this.timer ??= setInterval(() => this.tell('status', this.status()), STATUS_INTERVAL_MS).unref()
  }

  private remove(response: ServerResponse): void {
    this.open.delete(response)
    if (this.open.size > 0) return
    clearInterval(this.timer)
    this.timer = undefined
  }

  private tell(name: string, event: unknown): void {
    if (this.open.size === 0) return
    const text = frame(name, event)
    for (const response of this.open) {
      if (response.writableLength > UNREAD_BYTES_MAX) {
        this.count('admin-slow')
        response.destroy()
      } else response.write(text)
    }
  }

  close(): void {
    for (const end of this.ends.splice(0)) end()
    for (const response of [...this.open]) response.end()
    clearInterval(this.timer)
    this.timer = undefined
  }
}

function frame(name: string, event: unknown): string {
  return `event: ${name}\ndata: ${JSON.stringify(event)}\n\n`
}

/** Without what sessions hold, and errors as text. */
function shown(name: NodeEventName, event: unknown): unknown {
  if (name === 'conflict') {
    const { conflicts, ...rest } = event as { conflicts: readonly unknown[] }
    return { ...rest, sessions: conflicts.length }
  }
  if (event instanceof Error) {
    const { name, message } = event
    return { name, message, code: 'code' in event ? event.code : null }
  }
  return event
}
