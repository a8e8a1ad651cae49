// From one identity to the next without a gap. New connections are made under the new one at once; then each link dials a
// second connection, which replaces the first when the peer has accepted its hello, one link after the other. So a
// connection is given up only for one that is proven, and a peer that does not trust the new certificate costs nothing.
import { clearTimeout, setTimeout } from 'node:timers'
import { monotonicMs } from './clock.ts'
import type { LinkPorts } from './link-ports.ts'
import type { Transport } from './tcp-link.ts'

/** How long until it is told that a connection could not be replaced. */
const TOLD_AFTER_MS = 10_000
/** Between two dials of a link. The longer one once the failure was told. */
const REDIAL_MS = { first: 500, later: 5_000 } as const
const LOOK_MS = 5

interface Streams {
  /** Number of the newest connection. */
  readonly streams: number
  readonly lastEnds: readonly string[]
}

export interface RenewalError {
  readonly code: 'ERR_IDENTITY'
  readonly message: string
}

export class Renewal {
  private readonly links: readonly LinkPorts[]
  private readonly streams: Streams
  private readonly answer: (request: number, error: RenewalError | undefined) => void
  /** Of the last identity; undefined once it was answered. */
  private request: number | undefined
  /** The newest connection under an earlier identity. */
  private last = 0
  private toldAt = 0
  private dialled: { link: LinkPorts; at: number } | undefined
  private timer: NodeJS.Timeout | undefined

  constructor(
    links: readonly LinkPorts[],
    streams: Streams,
    answer: (request: number, error: RenewalError | undefined) => void,
  ) {
    this.links = links
    this.streams = streams
    this.answer = answer
  }

  async begin(request: number, transport: Transport): Promise<void> {
    clearTimeout(this.timer)
    this.settle({ code: 'ERR_IDENTITY', message: 'reloadIdentity: another identity was given meanwhile' })
    this.request = request
    this.toldAt = monotonicMs() + TOLD_AFTER_MS
    this.dialled = undefined
    await Promise.all(this.links.map((link) => link.use(transport)))
    // Another call may have come in between.
    if (this.request !== request) return
    this.last = this.streams.streams
    this.look()
  }

  private look(): void {
    const now = monotonicMs()
    const link = this.links.find((one) => one.stream.hasStreamUpTo(this.last))
    if (link === undefined) {
      this.settle(undefined)
      return
    }
    const waitMs = this.request === undefined ? REDIAL_MS.later : REDIAL_MS.first
    if (this.dialled?.link !== link || now - this.dialled.at >= waitMs) {
      this.dialled = { link, at: now }
      link.stream.dial()
    }
    if (this.request !== undefined && now >= this.toldAt) this.settle(this.failure(link))
    this.timer = setTimeout(() => this.look(), this.request === undefined ? REDIAL_MS.first : LOOK_MS)
    this.timer.unref()
  }

  private failure(link: LinkPorts): RenewalError {
    const index = this.links.indexOf(link)
    const why = this.streams.lastEnds[index] || 'no answer'
    return {
      code: 'ERR_IDENTITY',
      message: `reloadIdentity: the new identity is used for new connections, but m${index + 1} still has one under the old (${why}); see that each node trusts the certificate the other shows. It is tried again.`,
    }
  }

  private settle(error: RenewalError | undefined): void {
    const { request } = this
    this.request = undefined
    if (request !== undefined) this.answer(request, error)
  }
}
