// A UDP gateway whose sessions survive the death of its process. Everything it knows of a flow is in one holdfast
// table; the primary answers clients, the secondary holds the same table and answers as soon as it is promoted.
import { createNode, defineTable } from 'holdfast'
import { NatPool } from './nat.mjs'
import { ipToNumber, Kind, readPacket, writePacket } from './packet.mjs'
import { ServicePort } from './service.mjs'

/** The sessions of the gateway: one for each client address and port. */
export function flowTable(capacity) {
  return defineTable({
    name: 'flows',
    key: { clientIp: 'ipv4', clientPort: 'u16' },
    fields: {
      state: ['new', 'established'],
      natIp: 'ipv4',
      natPort: 'u16',
      packets: 'u53',
      bytes: 'u53',
      lastSeen: 'u53', // Date.now() of the last packet
    },
    capacity,
  })
}

/**
 * Starts a gateway; it serves whenever its node is primary.
 * @param {{ service: { host: string, port: number }, capacity?: number }} options and those of `createNode`, without
 *   `tables`
 */
export async function startGateway({ service, capacity = 100_000, ...nodeOptions }) {
  const node = await createNode({ ...nodeOptions, tables: { flows: flowTable(capacity) } })
  return new Gateway(node, service)
}

export class Gateway {
  #service
  #pool
  /** Answers to the packets of this turn of the event loop. */
  #turn = []
  #waits = []
  #counts = { packets: 0, answers: 0, refused: 0 }
  #countedSince = performance.now()

  constructor(node, service) {
    this.node = node
    this.flows = node.tables.flows
    this.#pool = new NatPool(this.flows)
    this.#service = new ServicePort(service, (bytes, from) => this.#take(bytes, from))
    node.on('role', ({ role }) => this.#serve(role))
    this.#serve(node.role)
  }

  /**
   * Counts since the last call, packets per second, and how long the answers of a turn waited for their flush: the
   * median and the longest.
   */
  takeStats() {
    const now = performance.now()
    const waits = this.#waits.sort((a, b) => a - b)
    const stats = {
      ...this.#counts,
      packetsPerSecond: (1000 * this.#counts.packets) / Math.max(1, now - this.#countedSince),
      waitMs: waits[waits.length >> 1] ?? 0,
      waitMsMax: waits.at(-1) ?? 0,
    }
    this.#counts = { packets: 0, answers: 0, refused: 0 }
    this.#countedSince = now
    this.#waits = []
    return stats
  }

  async close() {
    this.#service.shut()
    await this.node.close()
  }

  #serve(role) {
    this.#pool.forget()
    if (role === 'primary') this.#service.open()
    else this.#service.shut()
  }

  #take(bytes, from) {
    const packet = readPacket(bytes)
    const session = packet && packet.kind !== Kind.answer && this.#count(packet, bytes.length)
    if (!session) {
      this.#counts.refused++
      return
    }
    this.#counts.packets++
    if (this.#turn.length === 0) setImmediate(() => this.#answerTurn())
    this.#turn.push({
      bytes: writePacket({ ...packet, kind: Kind.answer, node: this.node.id, ...session }),
      from,
    })
  }

  /**
   * Counts a packet of a known flow, or makes a session for a new one.
   * @returns what an answer carries; undefined when there is no room, or this node may no longer write
   */
  #count(packet, length) {
    try {
      const session = this.flows.get(packet) ?? this.#admit(packet)
      if (!session) return undefined
      session.packets += 1
      session.bytes += length
      session.lastSeen = Date.now()
      if (session.packets === 2) session.state = 'established'
      const { natIp, natPort, packets } = session
      if (packet.kind === Kind.bye) {
        this.#pool.giveBack(session)
        this.flows.delete(packet)
      }
      return { natIp: ipToNumber(natIp), natPort, packets }
    } catch (error) {
      if (error.code === 'ERR_NOT_PRIMARY' || error.code === 'ERR_TABLE_FULL') return undefined
      throw error
    }
  }

  #admit(packet) {
    const nat = this.#pool.take()
    if (!nat) return undefined
    try {
      this.flows.set(packet, nat)
    } catch (error) {
      this.#pool.giveBack(nat)
      throw error
    }
    return this.flows.get(packet)
  }

  // What a client has been told must never be taken back. So no answer leaves before the secondary has received what
  // the answer says; one promise covers all answers of a turn. While there is no secondary, answers leave at once. And
  // none leaves after this node was replaced, because it stood still meanwhile: the other one may have told more.
  #answerTurn() {
    const answers = this.#turn
    this.#turn = []
    const began = performance.now()
    const send = () => {
      this.#waits.push(performance.now() - began)
      this.#counts.answers += answers.length
      for (const { bytes, from } of answers) this.#service.send(bytes, from)
    }
    this.node
      .replicated({ alone: 'resolve' })
      .then(() => this.node.gate(send))
      // No longer primary: the clients ask again, and the other node answers.
      .catch(() => {
        this.#counts.refused += answers.length
      })
  }
}
