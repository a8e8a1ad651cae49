// One TCP connection through a cable: two sockets, one at each node, and two pipes between them. A pipe that does not
// pass keeps what it has read and reads no more, so the sender's bytes wait in the kernel as behind a dead wire.
import type { Socket } from 'node:net'
import type { Direction, Faults } from './faults.ts'

type Ending = 'end' | 'reset'

/** One way of a relayed connection. */
class Pipe {
  readonly #source: Socket
  readonly #sink: Socket
  readonly #passes: () => boolean
  readonly #ended: () => Promise<unknown>
  #held: Buffer[] = []
  #ending: Ending | undefined
  #concluding = false

  constructor(source: Socket, sink: Socket, passes: () => boolean, ended: () => Promise<unknown>) {
    this.#source = source
    this.#sink = sink
    this.#passes = passes
    this.#ended = ended
    source.on('data', (bytes: Buffer) => this.#take(bytes))
    source.once('end', () => this.#finish('end'))
    source.on('error', () => this.#finish('reset'))
    source.once('close', () => this.#finish('reset'))
    sink.on('drain', () => this.release())
  }

  /** Called when the cable may pass again: what waited goes on, a connection that ended meanwhile ends here too. */
  release(): void {
    if (!this.#passes()) return
    for (const bytes of this.#held.splice(0)) this.#sink.write(bytes)
    if (this.#ending) void this.#conclude(this.#ending)
    else if (!this.#sink.writableNeedDrain) this.#source.resume()
  }

  #take(bytes: Buffer): void {
    if (!this.#passes()) {
      this.#held.push(bytes)
      this.#source.pause()
    } else if (!this.#sink.write(bytes)) {
      this.#source.pause()
    }
  }

  #finish(ending: Ending): void {
    this.#ending ??= ending
    if (this.#passes()) void this.#conclude(this.#ending)
  }

  // The far side is closed only after the opinion on the source's node has settled: who sees the stream end and then
  // dials must find the port as it will stay, refused if the process is gone.
  async #conclude(ending: Ending): Promise<void> {
    if (this.#concluding || this.#sink.destroyed) return
    this.#concluding = true
    await this.#ended()
    this.#concluding = false
    if (!this.#passes() || this.#sink.destroyed) return
    // Not resetAndDestroy: on a socket that is already shutting down it fails and leaves the handle open (Node 20).
    if (ending === 'reset') this.#sink.destroy()
    else this.#sink.end(() => this.#sink.destroy())
  }
}

/** What a relay tells its cable. */
export interface RelayEvents {
  /** The near (dialling) or far node's socket ended; resolves when the opinion on that node has settled. */
  ended(side: 'near' | 'far'): Promise<unknown>
  /** Both sockets are closed. */
  closed(): void
}

/** One relayed connection. */
export class Relay {
  readonly #sockets: readonly [Socket, Socket]
  readonly #pipes: readonly [Pipe, Pipe]

  constructor(
    near: Socket,
    far: Socket,
    toFar: Direction,
    toNear: Direction,
    faults: Faults,
    events: RelayEvents,
  ) {
    this.#sockets = [near, far]
    this.#pipes = [
      new Pipe(
        near,
        far,
        () => faults.streams(toFar),
        () => events.ended('near'),
      ),
      new Pipe(
        far,
        near,
        () => faults.streams(toNear),
        () => events.ended('far'),
      ),
    ]
    let open = 2
    for (const socket of this.#sockets) socket.once('close', () => --open === 0 && events.closed())
  }

  /** The cable changed: pass what may pass. */
  release(): void {
    for (const pipe of this.#pipes) pipe.release()
  }

  destroy(): void {
    for (const socket of this.#sockets) socket.destroy()
  }
}
