// The table that a run prints: a figure a line, with its range, target and verdict.
import { type Figure, judge, showTarget } from './figure.ts'

const HEAD = ['figure', 'value', 'range', 'runs', 'unit', 'target', 'verdict']
/** Columns of numbers, set to the right. */
const RIGHT = new Set([1, 2, 3, 5])

/** Three digits, and separators where there are many. */
export function show(value: number): string {
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString('en-US')
  return String(Number(value.toPrecision(3)))
}

function row(name: string, { value, unit, target, runs }: Figure): string[] {
  const low = Math.min(...runs)
  const high = Math.max(...runs)
  const range = runs.length > 1 ? `${show(low)} .. ${show(high)}` : '-'
  const aim = target ?? undefined
  return [name, show(value), range, String(runs.length), unit, showTarget(aim), judge(value, aim)]
}

/** Columns under each other; `right`: those of numbers. */
export function align(rows: readonly (readonly string[])[], right: ReadonlySet<number>): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((cells) => cells[column]!.length)))
  return rows
    .map((cells) =>
      cells
        .map((cell, column) =>
          right.has(column) ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/** Figures as an aligned table, and below it what helps to read them. Small sizes are not held against the targets. */
export function report(figures: Readonly<Record<string, Figure>>, smoke: boolean): string {
  const rows = [HEAD, ...Object.entries(figures).map(([name, figure]) => row(name, figure))]
  const table = align(smoke ? rows.map((cells) => cells.slice(0, HEAD.indexOf('target'))) : rows, RIGHT)
  const details = Object.entries(figures)
    .filter(([, { detail }]) => detail !== undefined)
    .map(([name, { detail }]) => {
      const parts = Object.entries(detail ?? {}).map(([key, value]) => `${key} ${show(value)}`)
      return `${name}: ${parts.join(', ')}`
    })
  return details.length > 0 ? `${table}\n\n${details.join('\n')}` : table
}
