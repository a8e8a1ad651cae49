// A pair for failovers: the primary in a process of its own, its secondary in this one, so that one clock sees both the
// loss of the primary and the promotion.
import type { Context } from './figure.ts'
import { type ConnectionsNode, type PairPlan, planPair, startNode } from './pair.ts'
import { RemoteNode } from './remote-node.ts'
import { keyOf, packetBytesOf } from './sessions.ts'
import { storyOf } from './story.ts'
import { until, within } from './time.ts'

const STEP_LIMIT_MS = 30_000
const UPDATES_PER_SECOND = 20_000

export interface Promotion {
  /** From the loss to the `role` event. */
  readonly ms: number
  readonly reason: string
}

export class FailoverPair {
  readonly plan: PairPlan
  readonly #sessions: number
  readonly #expect: Context['expect']
  readonly #survivor: ConnectionsNode
  readonly #story: () => string
  #remote: RemoteNode

  private constructor(
    plan: PairPlan,
    sessions: number,
    expect: Context['expect'],
    survivor: ConnectionsNode,
    remote: RemoteNode,
  ) {
    this.plan = plan
    this.#sessions = sessions
    this.#expect = expect
    this.#survivor = survivor
    this.#story = storyOf(survivor)
    this.#remote = remote
  }

  /** Both nodes run, the remote one leads, the survivor has a copy of the sessions, and updates go on. */
  static async start(sessions: number, lost: number, expect: Context['expect']): Promise<FailoverPair> {
    const plan = await planPair(sessions, lost)
    const remote = new RemoteNode()
    const [survivor] = await Promise.all([startNode(plan, 'b'), remote.call('start', plan, 'a')])
    expect((await remote.call('ready')) === 'primary', 'the node of higher priority leads')
    await remote.call('fill', sessions)
    const pair = new FailoverPair(plan, sessions, expect, survivor, remote)
    await pair.#settle()
    return pair
  }

  async #settle(): Promise<void> {
    await within(STEP_LIMIT_MS, 'the primary is protected', this.#remote.call('protecting'))
    await until(STEP_LIMIT_MS, 'the survivor is synced', () => this.#survivor.status().synced)
    await this.#remote.call('load', this.#sessions, UPDATES_PER_SECOND)
  }

  /** Fills the remote process's memory. */
  ballast(mib: number): Promise<number> {
    return this.#remote.call('ballast', mib)
  }

  /** Sends the signal to the primary; gives how long it took until this process was told that its node is primary. */
  async lose(signal: 'SIGKILL' | 'SIGSTOP'): Promise<Promotion> {
    const survivor = this.#survivor
    this.#expect(
      survivor.role === 'secondary' && survivor.status().synced,
      'the survivor is a synced secondary',
    )
    let began = 0
    const promoted = new Promise<Promotion>((resolve) => {
      const listener = ({ role, reason }: { readonly role: string; readonly reason: string }) => {
        const ms = performance.now() - began
        if (role !== 'primary') return
        survivor.off('role', listener)
        resolve({ ms, reason })
      }
      survivor.on('role', listener)
    })
    began = performance.now()
    this.#remote.signal(signal)
    const promotion = await within(STEP_LIMIT_MS, `promotion after ${signal}`, promoted)
    this.#expectWhole()
    return promotion
  }

  /** Every session is there, and no session is torn. */
  #expectWhole(): void {
    const { connections } = this.#survivor.tables
    this.#expect(
      connections.size === this.#sessions,
      `${connections.size} of ${this.#sessions} sessions kept`,
    )
    for (let i = 0; i < this.#sessions; i++) {
      const session = connections.get(keyOf(i))
      const whole = session !== undefined && session.bytes === session.packets * packetBytesOf(i)
      this.#expect(whole, `session ${i} is kept as it was`)
    }
  }

  /** After a kill: a new process takes the dead one's place, is filled, and is given the primary's role. */
  async restart(): Promise<void> {
    await this.#remote.end()
    this.#remote = new RemoteNode()
    await this.#remote.call('start', this.plan, 'a')
    await this.#told(this.#giveBack())
  }

  /** After a stop: the frozen process wakes, steps down, is filled, and is given the primary's role. */
  async wake(): Promise<void> {
    this.#remote.signal('SIGCONT')
    await this.#told(this.#giveBack())
  }

  /** An error says what the nodes told. */
  async #told<T>(task: Promise<T>): Promise<T> {
    try {
      return await task
    } catch (error) {
      const remote = await this.#remote.call('story').catch(String)
      throw new Error(`pair failed\n  a\n    ${remote}\n  b\n    ${this.#story()}`, { cause: error })
    }
  }

  async #giveBack(): Promise<void> {
    const survivor = this.#survivor
    await until(STEP_LIMIT_MS, 'the returned node is synced', () => survivor.status().protected)
    this.#expect((await this.#remote.call('ready')) === 'secondary', 'a node that returns follows')
    await within(STEP_LIMIT_MS, 'handover', survivor.handover())
    await this.#settle()
  }

  async end(): Promise<void> {
    await this.#remote.end()
    await this.#survivor.close()
  }
}
