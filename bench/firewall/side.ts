// What is measured on the firewalls' ground: a pair of daemons that keep the connections of a and b the same.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import type { FirewallName } from './ground.ts'

/** How the active firewall was lost, for whoever tells. */
export interface Loss {
  /** By `monotonicMs()`. */
  readonly lostAt: number
  /** From the loss until the other one has the connections and the addresses. */
  readonly servingMs: number
  /** Of it: the connections written into the kernel. */
  readonly commitMs: number
  /** From the loss until it was noticed, and until the connections were written, where a side tells. */
  readonly noticedMs?: number
  readonly writtenMs?: number
}

/** b serves although nothing was lost yet: a starved machine is taken for a dead one. */
export class NeedlessFailover extends Error {
  constructor() {
    super('b took over before anything was lost')
  }
}

/** The same clock in every process of a machine. */
export const monotonicMs = (): number => Number(process.hrtime.bigint() / 1000n) / 1000

/** The whole machine: interfaces down, then the daemons killed. Or the process alone, and the machine goes on. */
export type Lost = 'machine' | 'process'

export interface Side {
  readonly version: string
  /** Resolves when a has the addresses and b holds what a has. */
  start(): Promise<void>
  /** Events of the kernel that a's daemon has taken so far. */
  events(): Promise<number>
  /** Connections that b's daemon holds. */
  held(): Promise<number>
  /** CPU of everything that keeps the connections on a firewall, so far. */
  cpuMs(firewall: FirewallName): number
  /** a is gone from one moment to the next. Resolves when b serves. */
  lose(what: Lost): Promise<Loss>
  end(): Promise<void>
}

/** A process and its descendants. */
function treeOf(root: number): number[] {
  const children = new Map<number, number[]>()
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const stat = readOr(`/proc/${name}/stat`)
    const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
    children.set(parent, [...(children.get(parent) ?? []), Number(name)])
  }
  const tree = [root]
  for (const pid of tree) tree.push(...(children.get(pid) ?? []))
  return tree
}

/** CPU of a process, its threads and its descendants, by the kernel's nanoseconds. */
export function cpuMsOfTree(root: number): number {
  let sum = 0
  for (const pid of treeOf(root))
    for (const task of tasksOf(pid))
      sum += Number(readOr(`/proc/${pid}/task/${task}/schedstat`).split(' ')[0])
  return sum / 1e6
}

/** This session's weight beside others, as nice; undefined where the scheduler does not know such a thing. */
export function weight(): number | undefined {
  const [, nice] = /nice (-?\d+)/.exec(readOr('/proc/self/autogroup')) ?? []
  return nice === undefined ? undefined : Number(nice)
}

/**
 * Where the scheduler gives each session of a terminal its share (autogroup), a process that made a session of its own
 * gets the weight of ours: what is measured is one thing.
 */
export function shareOurWeight(root: number): void {
  const nice = weight()
  if (nice === undefined) return
  for (const pid of treeOf(root)) {
    try {
      writeFileSync(`/proc/${pid}/autogroup`, `${nice}`)
    } catch {
      // It has ended.
    }
  }
}

function tasksOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`)
  } catch {
    return []
  }
}

/** A process may end while it is looked at. */
function readOr(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return '0'
  }
}
