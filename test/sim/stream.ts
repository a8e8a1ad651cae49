// One connection of one link, from the connect to its end. The client is the process that dialled.
import type { Host, Network } from './network.ts'
import { type Parcel, Pipe } from './pipe.ts'

interface End {
  readonly host: Host
  /** As the process knows it. */
  readonly id: number
  state: 'opening' | 'open' | 'closed'
}

export class Stream {
  readonly link: number
  private readonly network: Network
  private readonly client: End
  private server: End | undefined
  /** Order of what one connection brings to a thread. */
  private readonly source: number
  private readonly toServer: Pipe
  private readonly toClient: Pipe

  constructor(network: Network, host: Host, link: number) {
    this.network = network
    this.link = link
    this.client = { host, id: network.nextStreamId(), state: 'opening' }
    this.source = this.client.id
    const there = network.path(link, host.node)
    const back = network.path(link, 1 - host.node)
    const random = network.random.split(`stream${this.client.id}`)
    const { world } = network
    this.toServer = new Pipe(
      world,
      random,
      there,
      back,
      (parcel) => this.arriveAtServer(parcel),
      (bytes) => this.tellFlushed(this.client, bytes),
    )
    this.toClient = new Pipe(
      world,
      random,
      back,
      there,
      (parcel) => this.arriveAtClient(parcel),
      (bytes) => this.tellFlushed(this.server, bytes),
    )
  }

  /** Both names of a stream are the id its client drew. */
  get id(): number {
    return this.client.id
  }

  hasEnd(host: Host, id: number): boolean {
    return id === this.id && this.endOf(host) !== undefined
  }

  private endOf(host: Host): End | undefined {
    if (this.client.host === host) return this.client
    return this.server?.host === host ? this.server : undefined
  }

  private pipeFrom(end: End): Pipe {
    return end === this.client ? this.toServer : this.toClient
  }

  begin(): void {
    const { world, profile } = this.network
    this.toServer.step('syn')
    world.after(profile.dialTimeoutMs, () => {
      this.client.host.thread.run(this.source, () => this.failDial(false, 'timed out'))
    })
  }

  /** On the thread of the client. */
  private failDial(refused: boolean, reason: string): void {
    const { client } = this
    if (client.state !== 'opening') return
    client.state = 'closed'
    this.toServer.step('end')
    this.drop()
    client.host.handleDialFailed(this.link, refused, reason)
  }

  private arriveAtServer(parcel: Parcel): void {
    if (parcel.type === 'syn') {
      this.handleSyn()
      return
    }
    const server = this.server
    if (server !== undefined) server.host.thread.run(this.source, () => this.handAt(server, parcel))
  }

  private handleSyn(): void {
    const machine = this.network.machines[1 - this.client.host.node]!
    if (!machine.powered) return
    const rejects = this.network.path(this.link, this.client.host.node).rejects > 0
    const target = machine.host
    if (target?.listens !== true || rejects) {
      this.toClient.step('refused')
      return
    }
    const server: End = { host: target, id: this.id, state: 'opening' }
    this.server = server
    target.thread.run(this.source, () => {
      if (server.state === 'opening') this.toClient.step('accept')
    })
  }

  private arriveAtClient(parcel: Parcel): void {
    const { client } = this
    client.host.thread.run(this.source, () => this.handAt(client, parcel))
  }

  /** On the thread of the process. */
  private handAt(end: End, parcel: Parcel): void {
    if (parcel.type === 'bytes') {
      this.pipeTowards(end).handleRead(parcel.bytes.length)
      if (end.state === 'open') end.host.handleBytes(this.link, this.id, parcel.bytes)
    } else if (parcel.type === 'refused') {
      this.failDial(true, 'refused')
    } else if (parcel.type === 'end' && end === this.client && end.state === 'opening') {
      this.failDial(false, 'ended')
    } else if (parcel.type === 'end') {
      const wasOpen = end.state === 'open'
      end.state = 'closed'
      this.pipeFrom(end).step('end')
      this.drop()
      if (wasOpen) end.host.handleClosed(this.link, this.id, 'ended by the other side')
    } else if (end.state === 'opening') {
      end.state = 'open'
      if (end === this.client) this.toServer.step('open')
      end.host.handleOpen(this.link, this.id)
    }
  }

  private pipeTowards(end: End): Pipe {
    return end === this.client ? this.toClient : this.toServer
  }

  private tellFlushed(end: End | undefined, bytes: number): void {
    if (end?.state !== 'open') return
    end.host.thread.run(this.source + 0.5, () => {
      if (end.state === 'open') end.host.handleFlushed(this.link, this.id, bytes)
    })
  }

  // ---- What a process does

  write(host: Host, bytes: Uint8Array): void {
    const end = this.endOf(host)
    if (end?.state === 'open') this.pipeFrom(end).write(bytes)
  }

  close(host: Host): void {
    const end = this.endOf(host)
    if (end === undefined || end.state === 'closed') return
    end.state = 'closed'
    this.pipeFrom(end).step('end')
    this.drop()
  }

  // ---- What befalls it

  handleHostGone(host: Host, abrupt: boolean): void {
    const end = this.endOf(host)
    if (end === undefined || end.state === 'closed') return
    end.state = 'closed'
    if (abrupt) this.pipeFrom(end).reset()
    else this.pipeFrom(end).step('end')
    this.drop()
  }

  /** The process died: only what its kernel has is still sent. */
  loseWaiting(host: Host): void {
    const end = this.endOf(host)
    if (end !== undefined) this.pipeFrom(end).loseWaiting()
  }

  /** Both ends see it end; what was under way is lost. */
  break(): void {
    this.toServer.reset()
    this.toClient.reset()
  }

  /** Nothing passes for ever, and nobody is told. */
  kill(): void {
    this.toServer.kill()
    this.toClient.kill()
  }

  /** The other machine has no such connection: whoever is still there is told so. */
  endForSurvivors(node: number): void {
    for (const end of [this.client, this.server]) {
      if (end === undefined || end.state === 'closed' || end.host.node === node) continue
      const { host } = end
      this.network.world.after(this.network.random.between(0, 500), () => {
        host.thread.run(this.source, () => {
          this.handAt(end, { type: 'end' })
        })
      })
    }
  }

  /** Forgets the connection once both ends are done with it. */
  private drop(): void {
    if (this.client.state !== 'closed') return
    if (this.server !== undefined && this.server.state !== 'closed') return
    this.network.streams.delete(this)
    this.toServer.forget()
    this.toClient.forget()
  }
}
