// The NAT addresses and ports the gateway lends to flows. Nothing of the pool is replicated: which of them are taken
// stands in the sessions themselves, so a promoted node finds out by looking at its table.
import { ipToNumber, numberToIp } from './packet.mjs'

const FIRST_IP = ipToNumber('198.51.100.1')
const IPS = 250
const FIRST_PORT = 1024
const PORTS = 65_536 - FIRST_PORT

export class NatPool {
  /** @type {Iterable<{ natIp: string, natPort: number }>} */
  #sessions
  /** Places in the pool: those never lent begin at `next`, those given back are in `returned`. */
  #next = 0
  #returned = []
  #taken = new Set()
  #stale = true

  /** @param {Iterable<{ natIp: string, natPort: number }>} sessions where the taken ones stand */
  constructor(sessions) {
    this.#sessions = sessions
  }

  /** The sessions were changed by somebody else (the node was a secondary): look before lending again. */
  forget() {
    this.#stale = true
  }

  /** @returns {{ natIp: string, natPort: number } | undefined} undefined when all are lent */
  take() {
    if (this.#stale) this.#look()
    if (this.#returned.length > 0) return endpoint(this.#returned.pop())
    while (this.#taken.has(this.#next)) this.#next++
    return this.#next < IPS * PORTS ? endpoint(this.#next++) : undefined
  }

  /** @param {{ natIp: string, natPort: number }} nat */
  giveBack(nat) {
    if (!this.#stale) this.#returned.push(place(nat))
  }

  // Done when the first new flow asks, not at promotion: flows that have a session must not wait for it.
  #look() {
    this.#stale = false
    this.#next = 0
    this.#returned = []
    this.#taken = new Set()
    for (const session of this.#sessions) this.#taken.add(place(session))
  }
}

const endpoint = (place) => ({
  natIp: numberToIp(FIRST_IP + Math.floor(place / PORTS)),
  natPort: FIRST_PORT + (place % PORTS),
})

const place = ({ natIp, natPort }) => (ipToNumber(natIp) - FIRST_IP) * PORTS + natPort - FIRST_PORT
