/// <reference lib="esnext.disposable" preserve="true" />
// A link that can be cut: a small relay for TCP and UDP between two nodes on one machine. Each node is told that the
// cable's end is its peer; what the cable does not pass, the other node does not hear.
//
//     node a  listens at LA, dials CA  --->  CA  (cable)  LB  <---  listens at, node b
//                                      LA <---  (cable)  CB  <---  dials CB
//
// A datagram from a arrives at CA and leaves from CB to LB, so that b sees it come from the address it has as its peer.
import net from 'node:net'
import { ConfigError } from '../errors.ts'
import { type Address, formatAddress, parseAddress } from './address.ts'
import { type Direction, type Directions, Faults, type Impairment } from './faults.ts'
import { freeAddress } from './free-address.ts'
import { Port } from './port.ts'
import { Relay } from './relay.ts'
import { Watch } from './watch.ts'

/** Options of `createCable`. Addresses are 'host:port' on the loopback; each that is not given is a free one. */
export interface CableOptions {
  /** Where node a listens. */
  readonly a?: string
  /** Where node b listens. */
  readonly b?: string
  /** Where the cable listens for node a: what a has as its peer. */
  readonly endA?: string
  /** Where the cable listens for node b: what b has as its peer. */
  readonly endB?: string
  /** Seeds loss, duplication and jitter of datagrams. Default 1. */
  readonly seed?: number
  /** How often a node that is down is asked whether it is back, in milliseconds. Default 20. */
  readonly pollMs?: number
}

/** Counts of one way of a cable. */
export interface WayStatus {
  /** Datagrams that came through. */
  readonly datagrams: number
  /** Datagrams that did not. */
  readonly dropped: number
}

/** What `cable.status()` gives. */
export interface CableStatus {
  readonly cut: boolean
  /** Whether each node's process listens, as last seen. */
  readonly up: { readonly a: boolean; readonly b: boolean }
  /** TCP connections passing through now, and those made during a cut that wait for its end. */
  readonly connections: number
  readonly waiting: number
  readonly ways: Readonly<Record<Direction, WayStatus>>
}

/** A cable that could not have the address it was to listen at. `cause` is the system's error. */
export class CableError extends Error {
  readonly code = 'ERR_CABLE_ADDRESS'
  override readonly name = 'CableError'
}

/**
 * One link between node a and node b, in the hands of a test.
 *
 * A process that dies is passed on: its connections end at the other node too, and its port is refused until something
 * listens there again. All of that is held back while the cable is cut.
 */
export interface Cable extends AsyncDisposable {
  /** The link options of one node: `links: { m1: cable.link('a') }`. */
  link(node: 'a' | 'b'): { listen: string; peer: string }
  /**
   * From here on nothing passes, silently: sockets stay open, bytes wait, datagrams vanish, a connect is accepted by
   * the system and goes nowhere, and the end of a process is not passed on. One way only if so asked; a connection
   * cannot be made while either way is cut.
   */
  cut(directions?: Directions): void
  /** TCP bytes wait, also those of new connections; datagrams pass. */
  stall(directions?: Directions): void
  /**
   * Ends every cut and stall. A TCP connection goes on with the bytes that waited, unless one of its sides ended
   * meanwhile; then it ends now.
   */
  mend(): void
  /** Loses, duplicates, delays datagrams from here on; `{}` ends it. */
  impair(impairment: Impairment, directions?: Directions): void
  status(): CableStatus
  /** Ends every connection and frees both ports. */
  close(): Promise<void>
}

/**
 * Lays a cable between two addresses on the loopback. Resolves when the ends of the nodes that are up can be dialled.
 * @throws ConfigError for an address that is not a loopback one
 * @throws CableError when an end's address is taken
 *
 * @example
 * const m1 = await createCable()
 * const a = await createNode({ id: 'a', links: { m1: m1.link('a'), m2: m2.link('a') }, ... })
 * const b = await createNode({ id: 'b', links: { m1: m1.link('b'), m2: m2.link('b') }, ... })
 * m1.cut()
 */
export async function createCable(options: CableOptions = {}): Promise<Cable> {
  const { seed = 1, pollMs = 20 } = options
  if (!(pollMs >= 1)) throw new ConfigError(`pollMs: ${pollMs} is not a number of milliseconds from 1`)
  const address = async (option: 'a' | 'b' | 'endA' | 'endB') =>
    parseAddress(option, options[option] ?? (await freeAddress()))
  const cable = new RelayCable(
    { a: await address('a'), b: await address('b') },
    { a: await address('endA'), b: await address('endB') },
    seed,
    pollMs,
  )
  await cable.start()
  return cable
}

type Side = 'a' | 'b'
const OTHER = { a: 'b', b: 'a' } as const
/** The way of what is sent by a node. */
const FROM: Record<Side, Direction> = { a: 'a->b', b: 'b->a' }

class RelayCable implements Cable {
  readonly #nodes: Record<Side, Address>
  readonly #ends: Record<Side, Address>
  readonly #faults: Faults
  readonly #ports: Record<Side, Port>
  readonly #watches: Record<Side, Watch>
  readonly #relays = new Set<Relay>()
  readonly #waiting = new Map<net.Socket, Side>()
  readonly #timers = new Set<NodeJS.Timeout>()
  readonly #counts = { 'a->b': { datagrams: 0, dropped: 0 }, 'b->a': { datagrams: 0, dropped: 0 } }
  #closed = false

  constructor(nodes: Record<Side, Address>, ends: Record<Side, Address>, seed: number, pollMs: number) {
    this.#nodes = nodes
    this.#ends = ends
    this.#faults = new Faults(seed)
    const port = (side: Side) =>
      new Port(ends[side], {
        connection: (socket) => this.#connected(side, socket),
        datagram: (bytes) => this.#datagram(side, bytes),
      })
    const watch = (side: Side) => new Watch(nodes[side], ends[side].host, pollMs, () => this.#settlePorts())
    this.#ports = { a: port('a'), b: port('b') }
    this.#watches = { a: watch('a'), b: watch('b') }
  }

  async start(): Promise<void> {
    for (const side of ['a', 'b'] as const) {
      try {
        await this.#ports[side].open()
      } catch (cause) {
        await this.close()
        const taken = formatAddress(this.#ends[side])
        throw new CableError(`the cable cannot listen at ${taken} for node ${side}: give another address`, {
          cause,
        })
      }
    }
    await Promise.all([this.#watches.a.judge(), this.#watches.b.judge()])
    this.#settlePorts()
  }

  link(node: Side): { listen: string; peer: string } {
    return { listen: formatAddress(this.#nodes[node]), peer: formatAddress(this.#ends[node]) }
  }

  cut(directions: Directions = 'both'): void {
    this.#faults.setCut(directions)
    this.#settlePorts()
  }

  stall(directions: Directions = 'both'): void {
    this.#faults.setStalled(directions)
  }

  mend(): void {
    this.#faults.mend()
    this.#settlePorts()
    for (const relay of this.#relays) relay.release()
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const [socket, side] of waiting) this.#connected(side, socket)
    void this.#watches.a.judge()
    void this.#watches.b.judge()
  }

  impair(impairment: Impairment, directions: Directions = 'both'): void {
    this.#faults.setImpairment(impairment, directions)
  }

  status(): CableStatus {
    return {
      cut: this.#faults.cut,
      up: { a: this.#watches.a.up, b: this.#watches.b.up },
      connections: this.#relays.size,
      waiting: this.#waiting.size,
      ways: { 'a->b': { ...this.#counts['a->b'] }, 'b->a': { ...this.#counts['b->a'] } },
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    for (const side of ['a', 'b'] as const) {
      this.#watches[side].stop()
      this.#ports[side].shut()
    }
    for (const timer of this.#timers) clearTimeout(timer)
    for (const relay of this.#relays) relay.destroy()
    for (const socket of this.#waiting.keys()) socket.destroy()
    this.#waiting.clear()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  // A node's end is open while the node behind it listens, and during a cut whatever happens behind it.
  #settlePorts(): void {
    if (this.#closed) return
    for (const side of ['a', 'b'] as const) {
      if (this.#faults.cut || this.#watches[OTHER[side]].up) this.#ports[side].keepOpen()
      else this.#ports[side].shut()
    }
  }

  #connected(side: Side, near: net.Socket): void {
    if (this.#closed) {
      near.destroy()
    } else if (this.#faults.cut) {
      this.#waiting.set(near, side)
      near.on('error', () => {})
      near.once('close', () => this.#waiting.delete(near))
    } else {
      const localAddress = this.#ends[OTHER[side]].host
      const far = net.connect({ ...this.#nodes[OTHER[side]], localAddress, noDelay: true })
      const relay: Relay = new Relay(near, far, FROM[side], FROM[OTHER[side]], this.#faults, {
        ended: (which) => this.#watches[which === 'near' ? side : OTHER[side]].judge(),
        closed: () => this.#relays.delete(relay),
      })
      this.#relays.add(relay)
    }
  }

  // What node `side` sent to its end leaves from the other end.
  #datagram(side: Side, bytes: Buffer): void {
    const counts = this.#counts[FROM[side]]
    const delays = this.#faults.datagram(FROM[side])
    if (delays.length === 0) counts.dropped++
    for (const delayMs of delays) {
      if (delayMs > 0) this.#later(delayMs, () => this.#deliver(side, bytes))
      else this.#deliver(side, bytes)
    }
  }

  #deliver(side: Side, bytes: Buffer): void {
    const counts = this.#counts[FROM[side]]
    if (this.#faults.isCut(FROM[side])) {
      counts.dropped++
      return
    }
    counts.datagrams++
    this.#ports[OTHER[side]].send(bytes, this.#nodes[OTHER[side]])
  }

  #later(delayMs: number, run: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      run()
    }, delayMs)
    this.#timers.add(timer)
  }
}
