/// <reference lib="esnext.disposable" preserve="true" />
// Two nodes in one process with a cable for each link: what a test of a program built on holdfast begins with.
import { createNode, type HoldfastNode } from '../node.ts'
import type { NodeOptions, TableDefinitions } from '../options.ts'
import { type Cable, createCable } from './cables.ts'

/**
 * Options of `createPair`: those of `createNode` that both nodes share. Without an `identity` the links are plain TCP;
 * they are on the loopback.
 */
export interface PairOptions<Tables extends TableDefinitions>
  extends Omit<NodeOptions<Tables>, 'id' | 'peer' | 'links' | 'priority' | 'identity' | 'insecure'> {
  /** Further or other options of one node. */
  readonly a?: Partial<NodeOptions<Tables>>
  readonly b?: Partial<NodeOptions<Tables>>
  /** Seeds the cables' loss, duplication and jitter. Default 1. */
  readonly seed?: number
}

/** A pair and its cables. */
export interface Pair<Tables extends TableDefinitions> extends AsyncDisposable {
  /** Primary once `createPair` has resolved. */
  readonly a: HoldfastNode<Tables>
  /** Its secondary, synced. */
  readonly b: HoldfastNode<Tables>
  readonly m1: Cable
  readonly m2: Cable
  /** Closes both nodes, the secondary first so that nothing is handed over, and the cables. */
  close(): Promise<void>
}

/**
 * Starts two nodes, 'a' and 'b'. Resolves when a is primary and b holds everything.
 *
 * The cables are on the caller's thread: while it is busy they stand still, and b hears nothing of a. What keeps the thread
 * for longer than the detection bound (225 ms by default) ends in a failover; give a test that does a longer
 * `heartbeat.lost`.
 *
 * @throws what `createNode` and `createCable` throw
 * @example
 * await using pair = await createPair({ tables: { connections } })
 * pair.a.tables.connections.set(key, fields)
 * await pair.a.replicated()
 * pair.m1.cut()
 * pair.m2.cut()
 */
export async function createPair<const Tables extends TableDefinitions>(
  options: PairOptions<Tables>,
): Promise<Pair<Tables>> {
  const { a: onlyA = {}, b: onlyB = {}, seed = 1, ...shared } = options
  const opened: { close(): Promise<void> }[] = []
  const close = async () => {
    for (const one of opened.splice(0).reverse()) await one.close()
  }
  const node = async (id: 'a' | 'b', only: Partial<NodeOptions<Tables>>) => {
    const links = { m1: m1.link(id), m2: m2.link(id) }
    const peer = id === 'a' ? 'b' : 'a'
    const insecure = only.identity === undefined
    const made = await createNode<Tables>({
      ...shared,
      id,
      peer,
      priority: id === 'a' ? 200 : 100,
      links,
      insecure,
      ...only,
    })
    opened.push(made)
    return made
  }
  let m1: Cable
  let m2: Cable
  try {
    m1 = await createCable({ seed })
    opened.push(m1)
    m2 = await createCable({ seed: seed + 1 })
    opened.push(m2)
    const a = await node('a', onlyA)
    const b = await node('b', onlyB)
    await a.ready()
    await b.ready()
    await a.replicated({ alone: 'wait' }) // b knows a moment before a does
    return { a, b, m1, m2, close, [Symbol.asyncDispose]: close }
  } catch (error) {
    await close()
    throw error
  }
}
