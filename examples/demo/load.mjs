// The load: every flow asks once per pace, each at a moment of its own, whatever the answers do (open loop). A request
// without an answer is sent again, first after 60 ms (later if answers take long at the moment), then after twice as
// long each time, at most half a second.
import dgram from 'node:dgram'
import { Kind, readPacket, writePacket } from '../gateway/packet.mjs'
import { Flows, PATIENCE_MS } from './flows.mjs'

const TICK_MS = 2
/** Requests sent in one go: more would overrun the gateway's socket after this process was held up. */
const BURST = 64
const REPEAT_MS = { first: 60, longest: 500 }
/** Outer sockets, so that no one receive buffer has to hold all answers. */
const SOCKETS = 4

export class Load {
  #paceMs
  #sockets = []
  #next = 0
  #begun = 0
  #timer
  #repeats = new RepeatQueue()
  #patience = new RepeatTime()
  #window = { since: performance.now(), answers: 0, gapMsMax: 0 }
  #awaited

  /** @param {{ flows: number, paceMs: number }} options */
  constructor({ flows, paceMs }) {
    this.#paceMs = paceMs
    this.flows = new Flows(flows)
  }

  /** @param {{ host: string, port: number }} service */
  async start({ host, port }) {
    for (let i = 0; i < SOCKETS; i++) {
      const socket = dgram.createSocket({ type: 'udp4', recvBufferSize: 4 << 20 })
      socket.on('message', (bytes) => this.#take(bytes))
      socket.on('error', () => {}) // port unreachable: nobody serves at the moment
      await new Promise((resolve) => socket.connect(port, host, resolve))
      this.#sockets.push(socket)
    }
    this.#begun = performance.now()
    this.#tick()
  }

  stop() {
    clearTimeout(this.#timer)
    for (const socket of this.#sockets) socket.close()
  }

  /** A new act begins: what was seen before is forgotten, what was told before is not. */
  mark() {
    this.flows.mark(performance.now())
  }

  /** The act's report so far. */
  look() {
    return this.flows.report()
  }

  /** The act's report, when every flow has had an answer to a request it made after the mark, or time is up. */
  survey(withinMs) {
    if (this.flows.seenCount === this.flows.count) return this.flows.report()
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#awaited?.(), withinMs)
      this.#awaited = () => {
        this.#awaited = undefined
        clearTimeout(timer)
        resolve(this.flows.report())
      }
    })
  }

  /** Answers and longest gap since the last call, the requests open now, and for how long the oldest has been. */
  takeWindow() {
    const now = performance.now()
    const { since, ...window } = this.#window
    this.#window = { since: now, answers: 0, gapMsMax: 0 }
    const perSecond = (1000 * window.answers) / Math.max(1, now - since)
    let open = 0
    let oldest = now
    for (const asked of this.flows.asked) {
      if (asked === 0) continue
      open++
      if (asked < oldest) oldest = asked
    }
    return { ...window, perSecond, open, openMsMax: now - oldest }
  }

  #tick() {
    const now = performance.now()
    const { flows } = this
    const due = Math.floor(rounds(now - this.#begun, this.#paceMs) * flows.count)
    const last = Math.min(due, this.#next + BURST)
    for (; this.#next < last; this.#next++) {
      const flow = this.#next % flows.count
      if (flows.asked[flow] !== 0) continue // the open request is still being repeated
      flows.handleAsk(flow, now)
      this.#send(flow)
      this.#repeats.add({ flow, request: flows.request[flow], waitMs: this.#patience.ms }, now)
    }
    for (const repeat of this.#repeats.takeDue(now, BURST)) this.#repeat(repeat, now)
    if (this.#next < due) this.#timer = setTimeout(() => this.#tick(), 0)
    else this.#timer = setTimeout(() => this.#tick(), TICK_MS)
  }

  #repeat({ flow, request, waitMs }, now) {
    const { flows } = this
    if (flows.asked[flow] === 0 || flows.request[flow] !== request) return
    if (now - flows.asked[flow] > PATIENCE_MS) {
      flows.handleGiveUp(flow, now)
      return
    }
    flows.handleRepeat(flow)
    this.#send(flow)
    const nextMs = Math.min(2 * waitMs, REPEAT_MS.longest)
    this.#repeats.add({ flow, request, waitMs: nextMs }, now)
  }

  #send(flow) {
    const { flows } = this
    const bytes = writePacket({ ...flows.address(flow), kind: Kind.data, request: flows.request[flow] })
    this.#sockets[flow % SOCKETS].send(bytes, () => {})
  }

  #take(bytes) {
    const answer = readPacket(bytes)
    if (answer?.kind !== Kind.answer) return
    const { flows } = this
    const answered = flows.handleAnswer(answer, performance.now())
    this.#window.answers++
    if (answered) {
      this.#window.gapMsMax = Math.max(this.#window.gapMsMax, answered.gapMs)
      // Of a repeated request nobody knows which sending was answered (Karn's algorithm).
      if (answered.sendings === 1) this.#patience.handleRoundTrip(answered.gapMs)
    }
    if (flows.seenCount === flows.count) this.#awaited?.()
  }
}

// How long to wait for an answer before asking again: the smoothed round trip and four times its variation, as TCP does
// (RFC 6298). With a fixed time, a gateway that is slow for a moment would be sent everything twice and stay slow.
class RepeatTime {
  #smoothedMs = 0
  #variationMs = 0

  handleRoundTrip(ms) {
    this.#variationMs += (Math.abs(ms - this.#smoothedMs) - this.#variationMs) / 4
    this.#smoothedMs += (ms - this.#smoothedMs) / 8
  }

  get ms() {
    const ms = this.#smoothedMs + 4 * this.#variationMs
    return Math.min(Math.max(ms, REPEAT_MS.first), REPEAT_MS.longest)
  }
}

// How often every flow has asked by now. The first round takes twice as long and begins slowly, because it makes all
// sessions while every process is still cold; at its end the rate is that of all later ones.
function rounds(elapsedMs, paceMs) {
  const share = elapsedMs / (2 * paceMs)
  return share < 1 ? share * share : elapsedMs / paceMs - 1
}

// Repetitions by the moment they are due, in slots of some milliseconds: there are tens of thousands at once, and
// nearly all of them turn out not to be needed.
class RepeatQueue {
  #slotMs = 4
  #slots = new Map()
  #at = 0

  add(repeat, now) {
    const slot = Math.floor((now + repeat.waitMs) / this.#slotMs)
    const list = this.#slots.get(slot)
    if (list) list.push(repeat)
    else this.#slots.set(slot, [repeat])
  }

  /** Those that are due, at most about `count` of them. */
  *takeDue(now, count) {
    const due = Math.floor(now / this.#slotMs)
    this.#at ||= due
    for (let taken = 0; this.#at <= due && taken < count; this.#at++) {
      const list = this.#slots.get(this.#at)
      if (!list) continue
      this.#slots.delete(this.#at)
      taken += list.length
      yield* list
    }
  }
}
