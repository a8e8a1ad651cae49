// How long a primary waits before it gives its role away by choice, and how flaps make that longer: each change of this
// node's role within the window above the number that is allowed doubles the hold-down, up to a bound (the idea of
// RFC 2439, with a plain count in place of a decaying penalty). Pure.

export interface SwitchingOptions {
  /** Least time between a change of role and a handover by health or override, ms. */
  readonly holdDownMs: number
  /** Changes of role are counted for so long, ms. */
  readonly windowMs: number
  /** So many within the window leave the hold-down as it is; each more doubles it. */
  readonly changes: number
  /** Longest hold-down, ms. */
  readonly longestMs: number
}

export const SWITCHING_DEFAULTS: SwitchingOptions = {
  holdDownMs: 10_000,
  windowMs: 600_000,
  changes: 4,
  longestMs: 600_000,
}

/** What holds back a handover by health or override. */
export interface Damping {
  /** Changes of this node's role, to or from primary, within the window; 64 are remembered. */
  readonly changes: number
  /** Hold-down that follows from them, ms. */
  readonly holdDownMs: number
  /** Of which so much is left, ms. */
  readonly leftMs: number
}

/** More changes than these do not lengthen the hold-down any further. */
const DOUBLINGS_MAX = 30

/** `changedAt`: when the role changed, oldest first; `startedAt`: of the process, which counts where it never has. */
export function dampingOf(
  changedAt: readonly number[],
  startedAt: number,
  { windowMs, changes: allowed, holdDownMs, longestMs }: SwitchingOptions,
  now: number,
): Damping {
  const changes = changedAt.filter((at) => now - at < windowMs).length
  const doublings = Math.min(DOUBLINGS_MAX, Math.max(0, changes - allowed))
  const waitMs = Math.min(longestMs, holdDownMs * 2 ** doublings)
  const last = changedAt.at(-1) ?? startedAt
  return { changes, holdDownMs: waitMs, leftMs: Math.max(0, last + waitMs - now) }
}
