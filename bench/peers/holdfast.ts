// Holdfast itself, as a user runs it: two processes, two links, TLS 1.3 on both.
import { type PairPlan, planPair } from '../lib/pair.ts'
import { RemoteNode } from '../lib/remote-node.ts'
import { monotonicMs } from '../lib/time.ts'
import type { Peer, ResyncRun, Running, UpdateRun } from './peer.ts'
import { check, cpuMsOf } from './processes.ts'
import { packetsOf } from './texts.ts'

type How = 'one' | 'many'

/** Nobody shall be suspected: what a loss takes is measured elsewhere. */
const LOST = 20

class Pair implements Running {
  readonly version = 'this commit'
  readonly sessions: number
  readonly #how: How
  readonly #plan: PairPlan
  readonly #primary: RemoteNode
  #secondary: RemoteNode

  constructor(how: How, sessions: number, plan: PairPlan, primary: RemoteNode, secondary: RemoteNode) {
    this.#how = how
    this.sessions = sessions
    this.#plan = plan
    this.#primary = primary
    this.#secondary = secondary
  }

  async update(updates: number, round: number): Promise<UpdateRun> {
    const primary = this.#primary
    const secondary = this.#secondary
    const packets = packetsOf(round)
    await primary.call('protecting')
    const bytes = await primary.call('bytesSent')
    const [mine, theirs] = [cpuMsOf(primary.pid), cpuMsOf(secondary.pid)]
    const { startedMs, last } = await primary.call(
      'saturate',
      this.#how,
      this.sessions,
      packets,
      round,
      updates,
    )
    const appliedMs = await secondary.call('applied', last, packets)
    const [primaryMs, secondaryMs] = [cpuMsOf(primary.pid) - mine, cpuMsOf(secondary.pid) - theirs]
    const sent = (await primary.call('bytesSent')) - bytes
    const result = { updates, ms: appliedMs - startedMs, bytes: sent, primaryMs, secondaryMs }
    check((await secondary.call('matching', this.sessions, packets)) === updates, 'every update is there')
    return result
  }

  async resync(): Promise<ResyncRun> {
    await this.#secondary.end()
    await this.#primary.call('alone')
    const before = await this.#primary.call('bytesSent')
    const startedMs = monotonicMs()
    this.#secondary = new RemoteNode()
    await this.#secondary.call('start', this.#plan, 'b')
    const upMs = monotonicMs()
    const allMs = await this.#secondary.call('filled', this.sessions)
    const bytes = (await this.#primary.call('bytesSent')) - before
    const { equal } = await this.#primary.call('verify')
    check(equal, 'both tables have the same digests')
    return { sessions: this.sessions, ms: allMs - startedMs, transferMs: allMs - upMs, bytes }
  }

  async end(): Promise<void> {
    await Promise.all([this.#primary.end(), this.#secondary.end()])
  }
}

const start = (how: How) => async (sessions: number) => {
  const plan = await planPair(sessions, LOST)
  const primary = new RemoteNode()
  const secondary = new RemoteNode()
  await Promise.all([primary.call('start', plan, 'a'), secondary.call('start', plan, 'b')])
  check((await primary.call('ready')) === 'primary', 'the node of higher priority leads')
  await secondary.call('ready')
  await primary.call('fill', sessions)
  return new Pair(how, sessions, plan, primary, secondary)
}

const COMMON = {
  more: 'detects the loss of a process, host or link and promotes the copy; proves that both hold the same',
  less: '',
  bytes: 'given to both links, each of which carries everything; TLS adds a thousandth',
  missing: () => undefined,
}

export const holdfast: Peer = {
  ...COMMON,
  name: 'holdfast',
  title: 'Holdfast',
  setup: 'two Node processes, both links, TLS 1.3; one call of table.update() for each session, 4096 a turn',
  start: start('one'),
}

export const holdfastMany: Peer = {
  ...COMMON,
  name: 'holdfast-many',
  title: 'Holdfast, updateMany',
  setup:
    'two Node processes, both links, TLS 1.3; one call of table.updateMany() for 4096 sessions, by columns',
  start: start('many'),
}
