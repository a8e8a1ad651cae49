// What the tests of nodes share: addresses, options, a pair without cables, a node in a process of its own.
import { type ChildProcess, spawn } from 'node:child_process'
import type { AddressInfo } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { createNode, defineTable, type HoldfastNode, type NodeOptions } from 'holdfast'
import { freeAddress } from 'holdfast/testing'

export const sessions = defineTable({
  name: 'sessions',
  key: { id: 'u32' },
  fields: { count: 'u53', note: ['none', 'seen'] },
  capacity: 30_000,
})
export const tables = { sessions }
export type Tables = typeof tables
export type Node = HoldfastNode<Tables>
export type Options = NodeOptions<Tables>

/** Resolves when the condition holds; rejects after a generous bound, saying what was awaited. */
export async function until(what: string, holds: () => boolean, boundMs = 20_000): Promise<void> {
  const deadline = performance.now() + boundMs
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`not within ${boundMs} ms: ${what}`)
    await wait(1)
  }
}

/** Runs `body`; whatever happens, everything pushed to its list is closed then, the last first. */
export async function closing(
  body: (opened: { close(): Promise<unknown> }[]) => Promise<void>,
): Promise<void> {
  const opened: { close(): Promise<unknown> }[] = []
  try {
    await body(opened)
  } finally {
    for (const one of opened.reverse()) await one.close()
  }
}

/** For pairs that are not about detection: a busy machine is no reason for a change of role, or for a closed stream. */
export const PATIENT = { interval: 50, lost: 30 }

/** Options of nodes a and b over four free ports; a has the higher priority. Patient, where `holdDown` leaves time for it. */
export async function pairOptions(extra: Partial<Options> = {}): Promise<{ a: Options; b: Options }> {
  const free: string[] = []
  while (free.length < 4) {
    const address = await freeAddress()
    if (!free.includes(address)) free.push(address)
  }
  const [a1, a2, b1, b2] = free as [string, string, string, string]
  const heartbeat = (extra.holdDown ?? Infinity) > PATIENT.interval * (PATIENT.lost + 1) ? PATIENT : {}
  const shared = { tables, heartbeat, ...(extra.identity === undefined ? { insecure: true } : {}) }
  return {
    a: {
      ...shared,
      id: 'a',
      peer: 'b',
      priority: 200,
      links: { m1: { listen: a1, peer: b1 }, m2: { listen: a2, peer: b2 } },
      ...extra,
    },
    b: {
      ...shared,
      id: 'b',
      peer: 'a',
      priority: 100,
      links: { m1: { listen: b1, peer: a1 }, m2: { listen: b2, peer: a2 } },
      ...extra,
    },
  }
}

/** A pair in which a is primary and b holds everything, closed after `body`. */
export async function inPair(
  body: (a: Node, b: Node) => Promise<void>,
  extra: Partial<Options> = {},
): Promise<void> {
  await closing(async (opened) => {
    const options = await pairOptions(extra)
    const a = await createNode(options.a)
    opened.push(a)
    const b = await createNode(options.b)
    opened.push(b)
    await protectedPair(a, b)
    await body(a, b)
  })
}

export async function protectedPair(primary: Node, secondary: Node): Promise<void> {
  await until(`${primary.id} is primary and protected`, () => primary.status().protected)
  await until(`${secondary.id} is synced`, () => secondary.status().synced)
}

/** A pair is protected by one link; the other one comes when it comes. */
export async function bothLinks(...nodes: readonly Pick<Node, 'id' | 'status'>[]): Promise<void> {
  for (const node of nodes) {
    await until(`${node.id} has both links`, () => Object.values(node.status().links).every(({ up }) => up))
  }
}

/** Where a server listens. */
export const portOf = (server: { address(): unknown }): number => (server.address() as AddressInfo).port

/** The event's payload when it satisfies the condition. */
export function event<Name extends 'role' | 'link' | 'error' | 'synced'>(
  node: Node,
  name: Name,
  holds: (payload: never) => boolean = () => true,
): Promise<unknown> {
  return new Promise((resolve) => {
    node.on(name, (payload) => {
      if (holds(payload as never)) resolve(payload)
    })
  })
}

/** A node in a process of its own: test/node/child.mjs. */
export class Child {
  readonly process: ChildProcess
  private readonly waiting = new Map<number, (answer: { value?: unknown; error?: string }) => void>()
  private calls = 0

  /** `program`: one that answers calls as test/node/child.mjs does. */
  constructor(through: readonly string[], program = './child.mjs') {
    const path = fileURLToPath(new URL(program, import.meta.url))
    const [command, ...rest] = [...through, process.execPath, path]
    this.process = spawn(command!, rest, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
    this.process.on('message', (answer: { call: number; value?: unknown; error?: string }) => {
      this.waiting.get(answer.call)?.(answer)
      this.waiting.delete(answer.call)
    })
  }

  /** `through`: a command that executes the rest of its arguments, such as `ip netns exec NAME`. */
  static async start(options: Omit<Options, 'tables'>, through: readonly string[] = []): Promise<Child> {
    const child = new Child(through)
    await child.ask('start', options)
    return child
  }

  /** Runs one of the child's commands. */
  async ask(command: string, argument?: unknown): Promise<unknown> {
    const call = ++this.calls
    const answer = await new Promise<{ value?: unknown; error?: string }>((resolve) => {
      this.waiting.set(call, resolve)
      this.process.send({ call, command, argument })
    })
    if (answer.error !== undefined) throw new Error(answer.error)
    return answer.value
  }

  signal(name: NodeJS.Signals): void {
    this.process.kill(name)
  }

  /** Kills it and waits for its end. */
  async close(): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return
    const ended = new Promise((resolve) => this.process.once('exit', resolve))
    this.process.kill('SIGKILL')
    await ended
  }
}
