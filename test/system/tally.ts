// What a campaign came to, for machines and for people.
import type { Mode } from './history.ts'

/** What a kind of fault came to. */
export interface Tally {
  rounds: number
  /** The secondary took over, as it had to. */
  failovers: number
  /** Somebody took over, and nobody was to. */
  falsePromotions: number
  /** In rounds of this kind, without the mending. */
  seconds: number
}

export interface Summary {
  readonly mode: Mode
  readonly lost: number
  readonly kinds: Readonly<Record<string, Tally>>
  readonly failovers: number
  readonly falsePromotions: number
  readonly heldWrites: number
  readonly lostWrites: number
  readonly effects: { readonly accepted: number; readonly refused: number }
  /** From the fault to the news of the promotion, ms, ascending. */
  readonly promotionMs: readonly number[]
  /** All of it, with the mending. */
  readonly hours: number
  /** Load average of the machine over a minute: least and most at the end of a round. */
  readonly load: readonly [number, number]
  /** Promotions after all was mended, while the pair was compared, by reason. */
  readonly afterwards: Readonly<Record<string, number>>
  readonly violations: readonly string[]
}

/** For people. */
export function describe(summary: Summary): string {
  const { kinds, failovers, falsePromotions, heldWrites, lostWrites, effects, hours, load } = summary
  const { promotionMs, violations, mode, lost, afterwards } = summary
  const at = (share: number) =>
    promotionMs[Math.min(promotionMs.length - 1, Math.floor(share * promotionMs.length))] ?? 0
  const quiet = Object.values(kinds).filter((kind) => kind.failovers === 0)
  const minutes = quiet.reduce((sum, { seconds }) => sum + seconds, 0) / 60
  const lines = Object.entries(kinds).map(
    ([name, { rounds, failovers: took, falsePromotions: wrong, seconds }]) =>
      `  ${name.padEnd(36)} ${String(rounds).padStart(4)} rounds ${String(took).padStart(4)} failovers ${String(wrong).padStart(3)} false ${seconds.toFixed(0).padStart(5)} s`,
  )
  return [
    `mode ${mode}, heartbeat.lost ${lost}`,
    ...lines,
    `${failovers} failovers in ${(hours * 60).toFixed(1)} minutes, load average ${load[0].toFixed(1)} to ${load[1].toFixed(1)}`,
    `fault to promotion: ${at(0.5).toFixed(0)} ms median, ${at(0.99).toFixed(0)} ms p99`,
    `${heldWrites} writes held by replicated(), ${lostWrites} lost`,
    `${falsePromotions} false promotions in ${minutes.toFixed(1)} minutes of faults that allow none`,
    `${effects.accepted} effects accepted by a receiver that checks tokens, ${effects.refused} of an earlier reign refused`,
    ...Object.entries(afterwards).map(([reason, count]) => `${count} promotions after mending: ${reason}`),
    ...violations.map((violation) => `FOUND: ${violation}`),
  ].join('\n')
}
