// Two nodes, two links: connects, probes, streams and datagrams, as the kernels and cables between them would treat
// them. Knows nothing of what the bytes mean.
import type { LeaseStore } from './lease-store.ts'
import { Path, type PathProfile } from './path.ts'
import type { Prng } from './prng.ts'
import { Stream } from './stream.ts'
import type { Thread } from './thread.ts'
import type { World } from './world.ts'

export interface NetworkProfile {
  /** Per link, per sending node. */
  readonly paths: readonly [readonly [PathProfile, PathProfile], readonly [PathProfile, PathProfile]]
  /** How long a connect may take, ms. */
  readonly dialTimeoutMs: number
}

/** A process, as its kernel sees it. */
export interface Host {
  /** Place of the node: 0 or 1. */
  readonly node: 0 | 1
  readonly thread: Thread
  /** The ports accept: by the process, or by its kernel while the process is being torn down. */
  readonly listens: boolean
  handleOpen(link: number, stream: number): void
  handleDialFailed(link: number, refused: boolean, reason: string): void
  handleBytes(link: number, stream: number, bytes: Uint8Array): void
  handleFlushed(link: number, stream: number, bytes: number): void
  handleClosed(link: number, stream: number, reason: string): void
  handleProbe(link: number, refused: boolean): void
  handleDatagram(link: number, bytes: Uint8Array): void
}

/** A node's machine: up or down, with or without a process. */
interface Machine {
  host: Host | undefined
  powered: boolean
}

/** Sources of work for a thread: datagrams per link; streams number themselves. */
const DATAGRAMS = -10
const PROBE_TIMEOUT_MS = 200

export class Network {
  /** The witness, in mode 'witness'. */
  leases: LeaseStore | undefined
  readonly world: World
  readonly random: Prng
  readonly profile: NetworkProfile
  /** paths[link][sending node] */
  readonly paths: readonly (readonly [Path, Path])[]
  readonly machines: readonly [Machine, Machine] = [
    { host: undefined, powered: true },
    { host: undefined, powered: true },
  ]
  readonly streams = new Set<Stream>()
  private streamIds = 0

  constructor(world: World, random: Prng, profile: NetworkProfile) {
    this.world = world
    this.random = random
    this.profile = profile
    this.paths = profile.paths.map(
      (link, index) =>
        [
          new Path(world, random.split(`path${index}0`), index, 0, link[0]),
          new Path(world, random.split(`path${index}1`), index, 1, link[1]),
        ] as const,
    )
  }

  path(link: number, from: number): Path {
    return this.paths[link]![from]!
  }

  nextStreamId(): number {
    return ++this.streamIds
  }

  dial(host: Host, link: number): void {
    const stream = new Stream(this, host, link)
    this.streams.add(stream)
    stream.begin()
  }

  /** A connect that is closed as soon as its fate is known. */
  probe(host: Host, link: number): void {
    const there = this.path(link, host.node)
    const back = this.path(link, 1 - host.node)
    let answered = false
    const answer = (refused: boolean) => {
      if (answered) return
      answered = true
      host.thread.run(DATAGRAMS, () => host.handleProbe(link, refused))
    }
    this.world.after(PROBE_TIMEOUT_MS, () => answer(false))
    if (there.cuts > 0) return
    this.world.after(there.delay(), () => {
      const machine = this.machines[1 - host.node]!
      if (!machine.powered || back.cuts > 0) return
      const refused = machine.host?.listens !== true || there.rejects > 0
      this.world.after(back.delay(), () => answer(refused))
    })
  }

  datagram(host: Host, link: number, bytes: Uint8Array): void {
    this.path(link, host.node).carry(bytes, (carried) => {
      const target = this.machines[1 - host.node]!.host
      const news = carried === bytes ? { sender: host, link, bytes } : undefined
      target?.thread.run(DATAGRAMS - 1 - link, () => target.handleDatagram(link, carried), news)
    })
  }

  streamsOf(link: number): Stream[] {
    return [...this.streams].filter((stream) => stream.link === link)
  }

  find(host: Host, id: number): Stream | undefined {
    for (const stream of this.streams) if (stream.hasEnd(host, id)) return stream
    return undefined
  }

  /** The process is gone: its kernel ends the streams. `abrupt`: without what was still to be sent. */
  handleGone(host: Host, abrupt: boolean): void {
    for (const stream of [...this.streams]) stream.handleHostGone(host, abrupt)
  }

  /** The machine is gone: nobody ends anything. */
  handlePowerLost(node: number): void {
    this.machines[node]!.powered = false
    for (const stream of this.streams) stream.kill()
  }

  /** The machine is back and knows nothing of old connections. */
  handlePowerBack(node: number): void {
    this.machines[node]!.powered = true
    for (const stream of [...this.streams]) stream.endForSurvivors(node)
  }

  /** Something about a link got better. */
  resume(link: number, retryMs: number): void {
    for (const path of this.paths[link]!) path.resume(retryMs)
  }
}
