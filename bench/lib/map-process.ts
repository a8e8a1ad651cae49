// A Map program in a process of its own: answers the same calls as a node's process (bench/lib/node-process.ts), with
// the same sessions and the same updates in the same order.
import { MapProgram } from './map-program.ts'
import { Round } from './round.ts'
import { cpuMsSince, serve } from './serve.ts'
import { fieldsOf, keyOf, packetBytesOf } from './sessions.ts'
import { monotonicMs, tick } from './time.ts'

/** Updates between two turns of the event loop, as in a node's process. */
const TURN = 4096

const program = new MapProgram()

const methods = {
  fill: (sessions: number) => program.fill(sessions),
  listen: () => program.listen(),
  connect: (port: number) => program.connect(port),

  /** Updates every session once (or so many of them), in random order, each by a call of its own, as fast as they go. */
  async saturate(sessions: number, packets: number, seed: number, updates = sessions) {
    const { proto, srcIp, srcPort, dstIp, dstPort, bytes } = new Round(sessions, updates, packets, seed)
    const startedMs = monotonicMs()
    const cpu = process.cpuUsage()
    const sentBytes = program.sentBytes
    for (let done = 0; done < updates; done += TURN) {
      const end = Math.min(done + TURN, updates)
      for (let n = done; n < end; n++) {
        const text = `${proto[n]!}:${srcIp[n]!}:${srcPort[n]!}:${dstIp[n]!}:${dstPort[n]!}`
        if (!program.update(text, packets, bytes[n]!)) throw new Error(`update ${n} found no session`)
      }
      await program.flush()
      await tick(0)
    }
    await program.settled()
    return {
      startedMs,
      appliedMs: monotonicMs(),
      cpuMs: cpuMsSince(cpu),
      bytes: program.sentBytes - sentBytes,
    }
  },

  /** Sends everything to an empty program. */
  async snapshot() {
    const sentBytes = program.sentBytes
    await program.snapshot()
    return program.sentBytes - sentBytes
  },

  /** How many of the sessions have this count, and as many bytes as belong to it. */
  matching(sessions: number, packets: number) {
    let matching = 0
    for (let i = 0; i < sessions; i++) {
      const session = program.get(keyOf(i))
      if (session === undefined || session.natPort !== fieldsOf(i).natPort) continue
      if (session.packets === packets && session.bytes === packets * packetBytesOf(i)) matching++
    }
    return matching
  },

  /** When every session was there, on the clock of all processes. */
  async filled(sessions: number) {
    while (program.sessions.size < sessions) await tick(1)
    return monotonicMs()
  },

  heapBytes() {
    globalThis.gc?.()
    return process.memoryUsage().heapUsed
  },
  cpuMs: () => cpuMsSince(),
}

export type MapMethods = typeof methods

serve(methods)
