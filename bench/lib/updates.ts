// Updates drawn before the clock runs: the five values of each key and the two new counters, in short arrays that stay
// in the cache, as a packet just received does.
import { Random } from './random.ts'
import { ipv4Text, keyOf, packetBytesOf } from './sessions.ts'

export class Updates {
  readonly count: number
  /** Numbers of the sessions. */
  readonly numbers: Uint32Array
  readonly proto: Uint8Array
  readonly srcIp: Uint32Array
  readonly srcPort: Uint16Array
  readonly dstIp: Uint32Array
  readonly dstPort: Uint16Array
  readonly packets: Float64Array
  readonly bytes: Float64Array
  readonly srcText: string[] = []
  readonly dstText: string[] = []
  readonly #sessions: number
  readonly #random: Random

  /** Equal seeds give equal updates. */
  constructor(count: number, sessions: number, seed: number) {
    this.count = count
    this.numbers = new Uint32Array(count)
    this.proto = new Uint8Array(count)
    this.srcIp = new Uint32Array(count)
    this.srcPort = new Uint16Array(count)
    this.dstIp = new Uint32Array(count)
    this.dstPort = new Uint16Array(count)
    this.packets = new Float64Array(count)
    this.bytes = new Float64Array(count)
    this.#sessions = sessions
    this.#random = new Random(seed)
  }

  /** The next updates, of random sessions; `text`: their addresses as text too. */
  draw(text: boolean): void {
    const random = this.#random
    for (let i = 0; i < this.count; i++) {
      const session = random.below(this.#sessions)
      const key = keyOf(session)
      this.numbers[i] = session
      this.proto[i] = key.proto
      this.srcIp[i] = key.srcIp
      this.srcPort[i] = key.srcPort
      this.dstIp[i] = key.dstIp
      this.dstPort[i] = key.dstPort
      this.packets[i] = 1 + random.below(100_000)
      this.bytes[i] = this.packets[i]! * packetBytesOf(session)
      if (text) {
        this.srcText[i] = ipv4Text(key.srcIp)
        this.dstText[i] = ipv4Text(key.dstIp)
      }
    }
  }
}
