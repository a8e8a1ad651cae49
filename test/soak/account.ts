// Holds what the nodes have told against what a round explains. A change of role needs a cause: what the round did, or a
// peer, or the cables between, that stood still on a busy machine. That the node itself stood still is no excuse.
import type { Told } from './node-process.ts'
import type { Standstill } from './standstill.ts'

/** What one node has told, and when it and its process stood still. */
export interface Account {
  readonly id: 'a' | 'b'
  readonly name: string
  readonly told: readonly Told[]
  readonly standstills: readonly Standstill[]
}

/** Events that nothing in a soak explains. */
const NEVER = ['poison', 'unsynced', 'error', 'load']
/** Standstills that ended so long before a promotion can have caused it, ms; together they last so long, ms. */
const EFFECT_MS = 1_000
const TOGETHER_MS = 100
const BY_SILENCE = /^[ab] primary peer-silent/
/** The application thread of the primary itself stood still for so long, ms: near the default stallTimeout. */
const BY_STALL = /^[ab] primary peer-stalled/
const STALL_MS = 1_500
/** What follows when two primaries meet again. */
const AFTERWARDS =
  /^[ab] (secondary (later-epoch|peer-stalled|older-lineage|follows)|primary (later-epoch|older-lineage))/

export interface Verdict {
  /** A line for everything without a cause. */
  readonly violations: readonly string[]
  /** Changes of role that only a standstill explains. */
  readonly excused: number
}

/** `explained`: patterns over "node role reason". `carrier`: standstills of the process that the cables are in. */
export function judge(
  accounts: readonly Account[],
  explained: readonly RegExp[],
  carrier: readonly Standstill[],
): Verdict {
  const violations: string[] = []
  let excused = 0
  const entries = accounts.flatMap((account) => account.told.map((told) => ({ account, told })))
  entries.sort((one, other) => one.told.atMs - other.told.atMs)
  for (const { account, told } of entries) {
    const { atMs, event, text } = told
    const said = `${account.id} ${text}`
    if (event === 'role') {
      if (explained.some((pattern) => pattern.test(said))) continue
      const others = accounts.filter((other) => other !== account).flatMap((other) => other.standstills)
      const near = [...others, ...carrier].filter(
        ({ fromMs, toMs }) => fromMs <= atMs && toMs >= atMs - EFFECT_MS,
      )
      const stoodMs = near.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0)
      const isStalled = others.some(({ fromMs, toMs }) => toMs - fromMs >= STALL_MS && fromMs <= atMs)
      if (BY_STALL.test(said) && isStalled) {
        excused++
        continue
      }
      if ((BY_SILENCE.test(said) && stoodMs >= TOGETHER_MS) || (excused > 0 && AFTERWARDS.test(said))) {
        excused++
        continue
      }
    } else if (!NEVER.includes(event)) continue
    violations.push(`${account.name} told ${event}: ${text}`)
  }
  return { violations, excused }
}
