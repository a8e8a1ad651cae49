// Lifetimes as docs/PROTOCOL.md section 2 has them: a deadline in ticks and a word of its own, the cell `deadline/own`.
// Own: twice the code of the session's own timeout (0: the table's), plus 1 if nothing moves the deadline.
import { Malformed, type Reader, type Writer } from './bytes.ts'

export interface Life {
  readonly deadline: number
  readonly own: number
}

export const lifeOf = (cell: number | string): Life => {
  const [deadline = 0, own = 0] = String(cell).split('/').map(Number)
  return { deadline, own }
}
export const cellOf = ({ deadline, own }: Life): string => `${deadline}/${own}`

const LATEST = 2 ** 32 - 1
const LONGEST = 2 ** 29

/** Ticks of a code: 20 bits of mantissa, 4 of exponent. */
export const ticksOfCode = (code: number): number => (code % 2 ** 20) * 2 ** Math.floor(code / 2 ** 20)

/** The smallest code that lasts at least so long. */
export function codeOf(ticks: number): number {
  for (let exponent = 0; ; exponent++) {
    const mantissa = Math.ceil(ticks / 2 ** exponent)
    if (mantissa < 2 ** 20) return exponent * 2 ** 20 + mantissa
  }
}

/** The power of two at or below a sixteenth, at least one tick. */
export const grainOf = (ticks: number): number => (ticks < 32 ? 1 : 2 ** Math.floor(Math.log2(ticks / 16)))

/** Timeout in ticks of a session in a table with a timeout of its own. */
export const timeoutOf = ({ own }: Life, tableTimeout: number): number =>
  own < 2 ? tableTimeout : ticksOfCode(Math.floor(own / 2))

export function deadlineAfter(time: number, ticks: number): number {
  if (ticks === 0) return 0
  const grain = grainOf(ticks)
  const deadline = Math.ceil((time + ticks) / grain) * grain
  return deadline < LATEST ? deadline : 0
}

export const isPast = (cell: number | string, time: number): boolean => {
  const { deadline } = lifeOf(cell)
  return deadline !== 0 && deadline <= time
}

/** After a write at `time`. */
export function renewedCell(
  cell: number | string,
  tableTimeout: number,
  fixed: boolean,
  time: number,
): string {
  const life = lifeOf(cell)
  if (fixed || life.own === 1) return cellOf(life)
  return cellOf({ ...life, deadline: deadlineAfter(time, timeoutOf(life, tableTimeout)) })
}

export function writeLife(writer: Writer, cell: number | string, tableTimeout: number): void {
  const { deadline, own } = lifeOf(cell)
  if (own === 0) writer.varint((BigInt(deadline) / BigInt(grainOf(tableTimeout))) * 2n)
  else {
    writer.varint(BigInt(deadline) * 2n + 1n)
    writer.varint(own)
  }
}

function isOwn(own: number): boolean {
  if (own === 1) return true
  const ticks = ticksOfCode(Math.floor(own / 2))
  return own % 2 === 0 && own < 2 ** 25 && ticks > 0 && ticks <= LONGEST
}

export function readLife(reader: Reader, tableTimeout: number): string {
  const head = BigInt(reader.varint())
  let deadline = head / 2n
  let own = 0
  if (head % 2n === 1n) {
    own = reader.varint()
    if (!isOwn(own)) throw new Malformed('value')
  } else {
    if (deadline !== 0n && tableTimeout === 0) throw new Malformed('value')
    deadline *= BigInt(grainOf(tableTimeout))
  }
  if (deadline > LATEST) throw new Malformed('range')
  return cellOf({ deadline: Number(deadline), own })
}

/** How many grains later, if that says it all. */
export function grainsBetween(before: number | string, after: number | string, tableTimeout: number): bigint {
  const [old, now] = [lifeOf(before), lifeOf(after)]
  const grain = grainOf(timeoutOf(now, tableTimeout))
  const renewed = old.own === now.own && now.own !== 1 && old.deadline !== 0 && now.deadline > old.deadline
  return renewed ? BigInt((now.deadline - old.deadline) / grain) : 0n
}

/** The cell so many grains later, or why there is none. */
export function later(cell: number | string, grains: bigint, tableTimeout: number): string | 'range' {
  const life = lifeOf(cell)
  const deadline = BigInt(life.deadline) + grains * BigInt(grainOf(timeoutOf(life, tableTimeout)))
  if (life.deadline === 0 || life.own === 1 || deadline > LATEST) return 'range'
  return cellOf({ ...life, deadline: Number(deadline) })
}
