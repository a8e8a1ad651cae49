// What every client knows of its flow, and what it has seen in an act: pure bookkeeping, time comes in as an argument.
//
// The client gap is what a client waits: from the first sending of a request to its answer, with all repetitions in
// between. While nothing is wrong it is the round trip.
import { ipToNumber } from '../gateway/packet.mjs'

const FIRST_IP = ipToNumber('10.64.0.0')
const PORTS_PER_IP = 16
const FIRST_PORT = 20_000

/** A request that stays unanswered this long is given up and counted as lost. */
export const PATIENCE_MS = 5000

export class Flows {
  /** @param {number} count */
  constructor(count) {
    this.count = count
    this.request = new Uint32Array(count)
    this.asked = new Float64Array(count) // when the open request was first sent; 0: none is open
    this.sent = new Uint32Array(count) // datagrams, repetitions included
    this.sendings = new Uint32Array(count) // of the open request
    this.packets = new Float64Array(count) // highest count an answer has told
    this.nat = new Float64Array(count) // address and port in one number; 0: none yet
    this.broken = new Uint8Array(count) // was restarted or told a lower count, since the mark
    this.seen = new Uint8Array(count) // has had the answer to a request made since the mark
    this.mark(0)
  }

  /** Inner client address of a flow. */
  address(flow) {
    return {
      clientIp: FIRST_IP + Math.floor(flow / PORTS_PER_IP),
      clientPort: FIRST_PORT + (flow % PORTS_PER_IP),
    }
  }

  /** The flow of an inner client address, or -1. */
  find({ clientIp, clientPort }) {
    const flow = (clientIp - FIRST_IP) * PORTS_PER_IP + clientPort - FIRST_PORT
    return flow >= 0 && flow < this.count ? flow : -1
  }

  /** A new act begins. */
  mark(now) {
    this.markedAt = now
    this.seen.fill(0)
    this.broken.fill(0)
    this.seenCount = 0
    this.restarted = 0
    this.backwards = 0
    this.lost = 0
    this.repeated = 0
    this.answers = 0
    this.gapMsMax = 0
    this.lastAnswerAt = now
    this.silenceMsMax = 0
  }

  /** A request is sent for the first time. */
  handleAsk(flow, now) {
    this.request[flow]++
    this.asked[flow] = now
    this.sent[flow]++
    this.sendings[flow] = 1
  }

  /** It is sent again. */
  handleRepeat(flow) {
    this.sent[flow]++
    this.sendings[flow]++
    this.repeated++
  }

  /** Nobody will answer any more. */
  handleGiveUp(flow, now) {
    this.#gap(now - this.asked[flow])
    this.asked[flow] = 0
    this.lost++
  }

  /**
   * @param {import('../gateway/packet.mjs').Packet} answer
   * @returns {{ gapMs: number, sendings: number } | undefined} what it took, if the answer was awaited
   */
  handleAnswer(answer, now) {
    const flow = this.find(answer)
    if (flow < 0) return undefined
    this.answers++
    this.silenceMsMax = Math.max(this.silenceMsMax, now - this.lastAnswerAt)
    this.lastAnswerAt = now
    this.#compare(flow, answer)
    if (this.asked[flow] === 0 || answer.request !== this.request[flow]) return undefined
    const gapMs = now - this.asked[flow]
    this.#gap(gapMs)
    if (this.asked[flow] >= this.markedAt && this.seen[flow] === 0) {
      this.seen[flow] = 1
      this.seenCount++
    }
    this.asked[flow] = 0
    return { gapMs, sendings: this.sendings[flow] }
  }

  /** What the act has shown so far. A flow is kept if it was answered, with its NAT port and a count that went on. */
  report() {
    let kept = 0
    for (let flow = 0; flow < this.count; flow++) kept += this.seen[flow] && !this.broken[flow] ? 1 : 0
    const { seenCount: seen, restarted, backwards, lost, repeated, gapMsMax, silenceMsMax } = this
    return { flows: this.count, seen, kept, restarted, backwards, lost, repeated, gapMsMax, silenceMsMax }
  }

  // Every answer follows a counted packet, so counts told to one client only rise, and never above what it has sent.
  #compare(flow, { natIp, natPort, packets }) {
    const nat = natIp * 65_536 + natPort
    const restarted = this.nat[flow] !== 0 && this.nat[flow] !== nat
    const backwards = packets <= this.packets[flow]
    if (restarted) this.restarted++
    if (backwards) this.backwards++
    if (restarted || backwards || packets > this.sent[flow]) this.broken[flow] = 1
    this.nat[flow] = nat
    this.packets[flow] = packets
  }

  #gap(ms) {
    this.gapMsMax = Math.max(this.gapMsMax, ms)
  }
}
