// The sessions of the benches as a program that keeps text knows them.
import { Random } from '../lib/random.ts'
import { keyOf, packetBytesOf } from '../lib/sessions.ts'

/** The five values of the key of session i, as MapProgram writes them. */
export function keyText(i: number): string {
  const { proto, srcIp, srcPort, dstIp, dstPort } = keyOf(i)
  return `${proto}:${srcIp}:${srcPort}:${dstIp}:${dstPort}`
}

/** The counters every updated session has after a round; both belong together. */
export const packetsOf = (round: number) => 5000 + round * 3
export const bytesOf = (i: number, round: number) => packetsOf(round) * packetBytesOf(i)

/** Numbers of the sessions that a round updates: random, each once. */
export function chosen(sessions: number, updates: number, round: number): Uint32Array {
  return new Random(round + 100).shuffled(sessions).subarray(0, updates)
}
