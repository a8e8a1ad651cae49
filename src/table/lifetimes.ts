// What `set` is told about one session's life, in the form the core keeps it (assembly/lifetime.ts).
import { ValueError } from '../errors.ts'
import { TICKS_PER_SECOND, TIMEOUT_ALLOWED, timeoutTicks } from '../schema/lifetime.ts'
import { shown } from './fields.ts'

/** How long one session lives, where that is not the table's timeout. At most one of the two. */
export interface SetOptions {
  /** Seconds, 1/16 to 31,622,400: this session's own timeout. Kept by every renewal, on both nodes. */
  readonly timeout?: number
  /** Milliseconds since 1970. Nothing but another `set` moves it. By this machine's date at the call, then by table time. */
  readonly expiresAt?: number
}

export interface GivenLifetime {
  readonly flags: number
  readonly deadline: number
}

/** Flag of a deadline given as a point in time (assembly/layout.ts). */
const FIXED = 16
const OWN_SHIFT = 8
const MANTISSA_BITS = 20
const TICKS_MAX = 0xffffffff

/** A timeout as 20 bits of mantissa and 4 of exponent, rounded up by less than two millionths. */
function ownFlags(ticks: number): number {
  let exponent = 0
  let mantissa = ticks
  while (mantissa >= 1 << MANTISSA_BITS) {
    exponent++
    mantissa = Math.ceil(ticks / 2 ** exponent)
  }
  return (((exponent << MANTISSA_BITS) | mantissa) << OWN_SHIFT) >>> 0
}

/** A date this far from the one at the last reading is a clock that was set. */
const STEP_MS = 10_000

/**
 * Checks the options of a `set`. `time`: table time as it was read last, in ticks; `date`: ms since 1970 now, `dateOfTime`: then.
 * On a thread that stood still the two differ, and a deadline counted from now would come too early by as much.
 *
 * @throws ValueError
 */
export function givenLifetime(
  table: string,
  options: SetOptions,
  time: number,
  date: number,
  dateOfTime: number,
): GivenLifetime {
  if (typeof options !== 'object' || options === null) {
    throw new ValueError(
      `table ${table}: set options ${shown(options)} given; allowed: { timeout } or { expiresAt }`,
    )
  }
  for (const name in options) {
    if (name !== 'timeout' && name !== 'expiresAt') {
      throw new ValueError(`table ${table}: set option ${name} given; allowed: timeout, expiresAt`)
    }
  }
  const { timeout, expiresAt } = options
  if (timeout !== undefined && expiresAt !== undefined) {
    throw new ValueError(`table ${table}: timeout and expiresAt given; allowed: one of them`)
  }
  if (timeout !== undefined) {
    const ticks = timeoutTicks(timeout)
    if (ticks === undefined) {
      throw new ValueError(`table ${table}: timeout ${shown(timeout)} given; allowed: ${TIMEOUT_ALLOWED}`)
    }
    return { flags: ownFlags(ticks), deadline: 0 }
  }
  if (expiresAt === undefined) return { flags: 0, deadline: 0 }
  if (typeof expiresAt !== 'number' || !Number.isFinite(expiresAt)) {
    throw new ValueError(
      `table ${table}: expiresAt ${shown(expiresAt)} given; allowed: a number of ms since 1970`,
    )
  }
  const from = date >= dateOfTime && date - dateOfTime < STEP_MS ? dateOfTime : date
  const ticks = expiresAt <= date ? 0 : Math.ceil(((expiresAt - from) * TICKS_PER_SECOND) / 1000)
  const deadline = time + Math.max(0, ticks)
  // After the end of table time: never.
  return { flags: FIXED, deadline: deadline < TICKS_MAX ? deadline : 0 }
}
