// A round of updates, drawn before the clock runs: of so many sessions, random and different ones, the five values of the
// key and the new counters, in columns that are read from the first to the last, as packets are that were received.
import { Random } from './random.ts'
import { keyOf, packetBytesOf } from './sessions.ts'

export class Round {
  readonly count: number
  readonly proto: Uint8Array
  readonly srcIp: Uint32Array
  readonly srcPort: Uint16Array
  readonly dstIp: Uint32Array
  readonly dstPort: Uint16Array
  /** The count every session of the round gets, and bytes that belong to it. */
  readonly packets: number
  readonly bytes: Float64Array
  /** Number of the last session. */
  readonly last: number

  /** Equal seeds give equal rounds. */
  constructor(sessions: number, updates: number, packets: number, seed: number) {
    const order = new Random(seed).shuffled(sessions).subarray(0, updates)
    this.count = updates
    this.packets = packets
    this.proto = new Uint8Array(updates)
    this.srcIp = new Uint32Array(updates)
    this.srcPort = new Uint16Array(updates)
    this.dstIp = new Uint32Array(updates)
    this.dstPort = new Uint16Array(updates)
    this.bytes = new Float64Array(updates)
    for (const [n, i] of order.entries()) {
      const key = keyOf(i)
      this.proto[n] = key.proto
      this.srcIp[n] = key.srcIp
      this.srcPort[n] = key.srcPort
      this.dstIp[n] = key.dstIp
      this.dstPort[n] = key.dstPort
      this.bytes[n] = packets * packetBytesOf(i)
    }
    this.last = order[updates - 1]!
  }
}
