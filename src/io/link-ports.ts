// Both ports of one link, TCP and UDP, held together: a link listens when it has both, and one that could not have
// them, or lost one, tries again with growing waits.
import { clearTimeout, setTimeout } from 'node:timers'
import { formatAddress } from './address.ts'
import { type StreamEvents, TcpLink, type Transport } from './tcp-link.ts'
import type { LinkAddresses } from './thread-messages.ts'
import { UdpLink } from './udp-link.ts'

const RETRY_MS = { first: 100, longest: 2_000 } as const

export interface PortEvents extends Omit<StreamEvents, 'lost'> {
  datagram(bytes: Uint8Array): void
  refused(): void
  /** A port of this link could not be had. Said once, until both were had again. */
  failed(message: string): void
}

export class LinkPorts {
  readonly stream: TcpLink
  readonly heartbeats: UdpLink
  private readonly addresses: LinkAddresses
  private readonly events: PortEvents
  /** Why this link does not listen; undefined while it does. */
  fault: string | undefined
  private hasStream = false
  private hasHeartbeats = false
  private waitMs: number = RETRY_MS.first
  private timer: NodeJS.Timeout | undefined
  private closed = false

  constructor(addresses: LinkAddresses, transport: Transport, nextStream: () => number, events: PortEvents) {
    this.addresses = addresses
    this.events = events
    this.stream = new TcpLink(addresses, transport, nextStream, {
      ...events,
      lost: (error) => {
        this.hasStream = false
        this.handleFailed('TCP', error)
      },
    })
    this.heartbeats = new UdpLink(addresses, {
      datagram: events.datagram,
      refused: events.refused,
      lost: (error) => {
        this.hasHeartbeats = false
        this.handleFailed('UDP', error)
      },
    })
  }

  get listening(): boolean {
    return this.hasStream && this.hasHeartbeats
  }

  /** One attempt; whatever failed is tried again later. */
  async open(): Promise<void> {
    if (!this.hasStream) {
      try {
        await this.stream.listen()
        this.hasStream = true
      } catch (error) {
        this.handleFailed('TCP', error as Error)
      }
    }
    if (!this.hasHeartbeats) {
      try {
        await this.heartbeats.open()
        this.hasHeartbeats = true
      } catch (error) {
        this.handleFailed('UDP', error as Error)
      }
    }
    if (this.listening) {
      this.fault = undefined
      this.waitMs = RETRY_MS.first
    }
    if (this.closed) await this.shut()
  }

  /** New connections are made of `transport` from here on. */
  async use(transport: Transport): Promise<void> {
    try {
      await this.stream.use(transport)
    } catch (error) {
      this.hasStream = false
      this.handleFailed('TCP', error as Error)
    }
    if (this.closed) await this.shut()
  }

  private handleFailed(protocol: 'TCP' | 'UDP', error: NodeJS.ErrnoException): void {
    if (this.closed) return
    if (this.fault === undefined) {
      const address = formatAddress(this.addresses.listen)
      this.fault = `cannot listen: ${protocol} ${address}: ${error.code ?? error.message}`
      this.events.failed(this.fault)
    }
    if (this.timer !== undefined) return
    this.timer = setTimeout(() => {
      this.timer = undefined
      void this.open()
    }, this.waitMs)
    this.waitMs = Math.min(this.waitMs * 2, RETRY_MS.longest)
  }

  async shut(): Promise<void> {
    this.closed = true
    clearTimeout(this.timer)
    this.heartbeats.shut()
    await this.stream.shut()
  }
}
