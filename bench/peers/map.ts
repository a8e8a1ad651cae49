// A plain Map with a dirty Set, msgpackr and one TCP connection: what a good program would do by itself.
import { readFileSync } from 'node:fs'
import type { MapMethods } from '../lib/map-process.ts'
import { startMapProcess } from '../lib/remote-map.ts'
import type { RemoteProcess } from '../lib/remote-process.ts'
import { monotonicMs } from '../lib/time.ts'
import type { Peer, ResyncRun, Running, UpdateRun } from './peer.ts'
import { check, cpuMsOf } from './processes.ts'
import { packetsOf } from './texts.ts'

type MapProcess = RemoteProcess<MapMethods>

class MapPair implements Running {
  readonly version: string
  readonly sessions: number
  readonly #primary: MapProcess
  #secondary: MapProcess
  #lastRound: number | undefined

  constructor(sessions: number, primary: MapProcess, secondary: MapProcess) {
    this.sessions = sessions
    this.#primary = primary
    this.#secondary = secondary
    this.version = `msgpackr ${pinned('msgpackr')}`
  }

  async update(updates: number, round: number): Promise<UpdateRun> {
    const primary = this.#primary
    const secondary = this.#secondary
    const packets = packetsOf(round)
    this.#lastRound = round
    const [mine, theirs] = [cpuMsOf(primary.pid), cpuMsOf(secondary.pid)]
    const { startedMs, appliedMs, bytes } = await primary.call(
      'saturate',
      this.sessions,
      packets,
      round,
      updates,
    )
    const result = {
      updates,
      ms: appliedMs - startedMs,
      bytes,
      primaryMs: cpuMsOf(primary.pid) - mine,
      secondaryMs: cpuMsOf(secondary.pid) - theirs,
    }
    check((await secondary.call('matching', this.sessions, packets)) === updates, 'every update is there')
    return result
  }

  async resync(): Promise<ResyncRun> {
    await this.#secondary.end()
    const startedMs = monotonicMs()
    this.#secondary = startMapProcess()
    const port = await this.#secondary.call('listen')
    const upMs = monotonicMs()
    await this.#primary.call('connect', port)
    const filled = this.#secondary.call('filled', this.sessions)
    const bytes = await this.#primary.call('snapshot')
    const allMs = await filled
    if (this.#lastRound !== undefined) {
      const packets = packetsOf(this.#lastRound)
      const mine = await this.#primary.call('matching', this.sessions, packets)
      check((await this.#secondary.call('matching', this.sessions, packets)) === mine, 'the copy is right')
    }
    return { sessions: this.sessions, ms: allMs - startedMs, transferMs: allMs - upMs, bytes }
  }

  async end(): Promise<void> {
    await Promise.all([this.#primary.end(), this.#secondary.end()])
  }
}

/** The version of a development dependency, which is one exact version. */
function pinned(name: string): string {
  const text = readFileSync(new URL(import.meta.resolve('holdfast/package.json')), 'utf8')
  return (JSON.parse(text) as { devDependencies: Record<string, string> }).devDependencies[name]!
}

export const map: Peer = {
  name: 'map',
  title: 'Map + msgpackr',
  setup:
    'two Node processes; a Map with string keys, a Set of changed keys, flat msgpackr arrays of key and two counters, batches of 4096, one TCP connection on the loopback',
  more: 'keeps any JavaScript value; no schema, no capacity',
  less: 'no detection, no promotion, no second link, no encryption, no expiry; what is lost with a connection is lost',
  bytes: 'bytes given to the socket',
  missing: () => undefined,
  async start(sessions) {
    const primary = startMapProcess()
    const secondary = startMapProcess()
    await Promise.all([primary.call('fill', sessions), secondary.call('fill', sessions)])
    await primary.call('connect', await secondary.call('listen'))
    return new MapPair(sessions, primary, secondary)
  },
}
