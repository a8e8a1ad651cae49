// Is the node behind this cable alive? Answered the only way a process on the same machine can be asked without its
// help: by a connect to the address it listens at. A refused connect means that no process listens.
import net from 'node:net'
import type { Address } from './address.ts'

/** A connection that lasts this long was not one that a dying process had left in its backlog. */
const HOLD_MS = 5
/** A live node may end a connection it does not want; after so many of them it counts as alive. */
const TRIES = 3

/** Keeps an opinion on one node, refreshed when asked and, while the node is down, at a short interval. */
export class Watch {
  readonly #address: Address
  readonly #from: string
  readonly #intervalMs: number
  readonly #changed: (up: boolean) => void
  #up = false
  #judging: Promise<boolean> | undefined
  #timer: NodeJS.Timeout | undefined
  #stopped = false

  /** `from`: the host to ask from, which is the only one that a node hears. */
  constructor(address: Address, from: string, intervalMs: number, changed: (up: boolean) => void) {
    this.#address = address
    this.#from = from
    this.#intervalMs = intervalMs
    this.#changed = changed
  }

  get up(): boolean {
    return this.#up
  }

  /** Asks now. `changed` has been called, if the opinion did change, by the time the promise resolves. */
  judge(): Promise<boolean> {
    this.#judging ??= this.#ask().finally(() => {
      this.#judging = undefined
    })
    return this.#judging
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
  }

  async #ask(): Promise<boolean> {
    let verdict: Verdict = 'ended'
    for (let tries = 0; tries < TRIES && verdict === 'ended'; tries++)
      verdict = await probe(this.#address, this.#from)
    const up = verdict !== 'refused'
    if (this.#stopped) return up
    if (up !== this.#up) {
      this.#up = up
      this.#changed(up)
    }
    clearTimeout(this.#timer)
    if (!up) this.#timer = setTimeout(() => void this.judge(), this.#intervalMs)
    return up
  }
}

type Verdict = 'refused' | 'ended' | 'held'

// A killed process closes its sockets one after another, connections often before the port: a connect can still
// succeed into the backlog of a process that is already gone. Such a connection is reset a moment later.
function probe({ host, port }: Address, localAddress: string): Promise<Verdict> {
  return new Promise((resolve) => {
    const socket = net.connect({ host, port, localAddress })
    let hold: NodeJS.Timeout | undefined
    const settle = (verdict: Verdict) => {
      clearTimeout(hold)
      resolve(verdict)
      socket.destroy()
    }
    socket.once('connect', () => {
      hold = setTimeout(settle, HOLD_MS, 'held')
    })
    socket.on('error', () => settle('refused'))
    socket.once('end', () => settle('ended'))
    socket.once('close', () => settle('ended'))
    socket.resume()
  })
}
