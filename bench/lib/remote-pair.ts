// Two nodes in processes of their own, the first leading, both filled: what the figures of replication run on.
import type { Context } from './figure.ts'
import { type PairPlan, planPair } from './pair.ts'
import { RemoteNode } from './remote-node.ts'

export interface RemotePair {
  readonly primary: RemoteNode
  readonly secondary: RemoteNode
}

/** Starts a pair, gives it to `use`, and ends it. `lost`: heartbeats that may be missing. An error says what the nodes told. */
export async function withRemotePair<T>(
  sessions: number,
  lost: number,
  { expect }: Context,
  use: (pair: RemotePair) => Promise<T>,
  sending: PairPlan['sending'] = 'redundant',
): Promise<T> {
  const plan = await planPair(sessions, lost, sending)
  const primary = new RemoteNode()
  const secondary = new RemoteNode()
  try {
    await Promise.all([primary.call('start', plan, 'a'), secondary.call('start', plan, 'b')])
    expect((await primary.call('ready')) === 'primary', 'the node of higher priority leads')
    expect((await secondary.call('ready')) === 'secondary', 'the other follows')
    await primary.call('fill', sessions)
    const result = await use({ primary, secondary })
    const { equal } = await primary.call('verify')
    expect(equal, 'both tables have the same digests')
    return result
  } catch (error) {
    const told = await Promise.allSettled([primary.call('story'), secondary.call('story')])
    const [a, b] = told.map((one) => (one.status === 'fulfilled' ? one.value : 'gone'))
    throw new Error(`pair failed\n  a\n    ${a}\n  b\n    ${b}`, { cause: error })
  } finally {
    await Promise.all([primary.end(), secondary.end()])
  }
}
